"""Who belongs together in an extract: households and families, as declared or as the columns give them away.

    shared(extract, names)               rows with the same key, address and phone, surname and address, ...
    referred(extract, source, target)    a column that names another row's key: parent, partner, guardian
    tied(rows, first, second)            pairs of rows that are declared elsewhere
    by_heads(extract, name)              row order: a household begins at each row with the role of the first row
    in_runs(extract, names)              row order: neighbours with the same values

Rules
1. A person belongs to one group of each relation; ties join across any number of steps.
2. A row without the key (NULL in any of its columns) belongs to nobody: it is a group of its own.
3. Groups are for computing with: they are never put out, written or logged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from muniment.errors import InputError
from muniment.exposure import household_kernels, kernels
from muniment.exposure.classes import classes
from muniment.exposure.extract import Classes, Coded, Extract
from muniment.exposure.floor import Count

if TYPE_CHECKING:
    from numpy.typing import NDArray

Kind = Literal["shared", "referred", "tied", "order"]


@dataclass(frozen=True, slots=True, eq=False)
class Ties:
    """Rows that belong together by one relation: `groups` has the household or family of each row.

    `dangling`: references to rows that the extract does not hold.
    """

    name: str
    kind: Kind
    groups: Classes = field(repr=False)
    dangling: Count = field(default_factory=lambda: Count.of(0))

    @property
    def rows(self) -> int:
        """Rows of the extract."""
        return self.groups.rows


def shared(extract: Extract, names: Sequence[str]) -> Ties:
    """Rows with the same values in all of these columns; errors as `Extract.column` and `classes`."""
    columns = extract.chosen(names)
    return Ties(" + ".join(names), "shared", grouped(classes(columns), columns))


def grouped(found: Classes, columns: Sequence[Coded]) -> Classes:
    """Classes with each row that has a NULL in any of the columns on its own (rule 2)."""
    missing = np.zeros(found.rows, bool)
    for column in columns:
        if column.null >= 0:
            missing |= column.codes == column.null
    alone = int(missing.sum())
    if not alone:
        return found
    ids = found.ids.astype(np.uint64)
    ids[missing] = len(found.sizes) + np.arange(alone, dtype=np.uint64)
    return Classes(*kernels.numbered(ids, len(found.sizes) + alone))


def referred(extract: Extract, source: str, target: str) -> Ties:
    """Each row with the row whose `target` its `source` names. NULL names nobody.

    Raises `InputError` where the columns have no labels, a key stands in two rows, or no reference finds its row.
    """
    naming, named = extract.column(source), extract.column(target)
    for column in (naming, named):
        if len(column.labels) != column.size:
            raise InputError(f"column {column.name!r} has no labels: read it with them, so that keys can be compared")
    holders = np.bincount(named.codes, minlength=named.size)
    if named.null >= 0:
        holders[named.null] = 0
    if holders.size and holders.max() > 1:
        raise InputError(f"column {target!r} has the same key in several rows: expected one row for each key")
    row_of = np.full(named.size + 1, -1, np.int64)
    row_of[named.codes] = np.arange(extract.rows)
    known = {label: code for code, label in enumerate(named.labels) if code != named.null}
    match = np.array([known.get(label, -1) if label is not None else -1 for label in naming.labels] or [-1], np.int64)
    found = row_of[match[naming.codes]]
    asked = naming.codes != naming.null if naming.null >= 0 else np.ones(extract.rows, bool)
    found[~asked] = -1
    rows = np.flatnonzero(found >= 0)
    if not len(rows):
        raise InputError(
            f"relation {source!r} points nowhere: none of its values is in column {target!r}",
            hint="name the column that holds the keys of the rows it refers to",
        )
    groups = tied(extract.rows, rows, found[rows]).groups
    return Ties(f"{source} -> {target}", "referred", groups, Count.of(int(asked.sum()) - len(rows)))


def tied(rows: int, first: NDArray[np.int64], second: NDArray[np.int64], name: str = "declared ties") -> Ties:
    """Rows joined by pairs of row numbers, shape (ties,) each; `InputError` where they are no rows of the extract."""
    if len(first) != len(second):
        raise InputError(f"{name}: pairs of rows, but {len(first):,} and {len(second):,} came")
    for side in (first, second):
        if len(side) and (int(side.min()) < 0 or int(side.max()) >= rows):
            raise InputError(f"{name}: a tie points to no row of the extract, which has {rows:,}")
    roots = household_kernels.components(rows, np.asarray(first, np.int64), np.asarray(second, np.int64))
    return Ties(name, "tied", Classes(*kernels.numbered(roots, max(rows, 1))))


def by_heads(extract: Extract, name: str) -> Ties:
    """Row order: a household begins at each row whose role is that of the first row."""
    roles = extract.column(name).codes
    begins = roles == roles[0] if len(roles) else np.zeros(0, bool)
    return Ties(f"row order, begun by {name}", "order", _counted(begins))


def in_runs(extract: Extract, names: Sequence[str]) -> Ties:
    """Row order: neighbouring rows with the same values in all of these columns; rows with a NULL stand alone."""
    begins = np.zeros(extract.rows, bool)
    begins[:1] = True
    for column in extract.chosen(names):
        begins[1:] |= column.codes[1:] != column.codes[:-1]
        if column.null >= 0:
            begins |= column.codes == column.null
    return Ties(f"row order, {' + '.join(names)}", "order", _counted(begins))


def _counted(begins: NDArray[np.bool_]) -> Classes:
    if not len(begins):
        return Classes(np.empty(0, np.uint32), np.empty(0, np.int64))
    firsts = np.flatnonzero(begins)
    sizes = np.diff(np.r_[firsts, len(begins)])
    return Classes(np.repeat(np.arange(len(sizes), dtype=np.uint32), sizes), sizes)
