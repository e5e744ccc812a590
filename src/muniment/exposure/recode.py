"""Recoding: an extract with its columns told less exactly, and without the rows that stay alone.

    full_domain(extract, table, hierarchies, levels, goal)   one level for each column, for all rows (a stable schema)
    local(extract, table, hierarchies, goal)                 levels by rows: far more is left, but of mixed exactness

Local recoding takes the nodes of the lattice from the least loss to the greatest. At each it places the classes that
are together in k rows or more among those not yet placed, and goes on with the rest (multi-dimensional recoding:
LeFevre, DeWitt, Ramakrishnan 2006; by repeated full-domain steps on what was suppressed, as in ARX).

Rules
1. A row of the result is equal in all its quasi-identifiers to at least k - 1 others. Rows that are not placed are left
   out, at most the share `limit` of all.
2. Texts decide: two levels that tell the same text tell the same value.
3. Whether one of these ways is safer than the other is not said by k: rows placed late are those that were rare.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from muniment.errors import InputError
from muniment.exposure import kernels
from muniment.exposure.extract import NO_NULL, Coded, Extract, narrowed
from muniment.exposure.floor import FLOOR, Count, check_rows
from muniment.exposure.hierarchies import Hierarchy, Label
from muniment.exposure.lattice import (
    ClassTable,
    Goal,
    Levels,
    check_nodes,
    generalisation_losses,
    mean_losses,
    node_keys,
    told_granularity,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOCAL_NODES: Final = 2**17
"""Nodes that local recoding goes through: each costs a pass over what is not yet placed."""
LEFT_OUT: Final = -1
"""The node of a class that is not placed."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Recoded:
    """`extract`: the rows kept, all its columns, the quasi-identifiers recoded, with labels. For handing out.

    `rows` there were, `suppressed` of them; `granularity` as in `lattice.Choice`.
    """

    extract: Extract
    rows: int
    suppressed: Count
    granularity: float


def full_domain(
    extract: Extract, table: ClassTable, hierarchies: Sequence[Hierarchy], levels: Levels, k: int, floor: int = FLOOR
) -> Recoded:
    """One level for each column. `table`: `lattice.table_of` the same columns, in the order of the hierarchies.

    Raises:
        InputError: fewer rows than the floor, levels that do not fit, or no row that could be kept.
    """
    heights = [one.height for one in hierarchies]
    if len(levels) != len(heights) or any(not 0 <= level < top for level, top in zip(levels, heights, strict=True)):
        raise InputError(f"levels {list(levels)} do not fit the columns, which have {heights} levels")
    keys, cells = node_keys(table.codes, hierarchies, levels)
    ids, sizes = kernels.numbered(keys, cells)
    kept = _rows_in(ids, table.rows, len(sizes))[ids] >= k
    node = int(np.ravel_multi_index(levels, heights))
    return _assembled(extract, table, hierarchies, np.where(kept, node, LEFT_OUT), floor)


def local(
    extract: Extract, table: ClassTable, hierarchies: Sequence[Hierarchy], goal: Goal, floor: int = FLOOR
) -> Recoded:
    """Levels by rows; parameters as `full_domain`.

    Raises:
        InputError: fewer rows than the floor, or than k.
        LimitError: the lattice has more than `LOCAL_NODES`.
    """
    check_rows(table.total, "a table to recode", floor)
    if table.total < goal.k:
        raise InputError(f"{table.total} rows cannot make a class of k = {goal.k}", hint="choose a smaller k")
    check_nodes(hierarchies, LOCAL_NODES)
    return _assembled(extract, table, hierarchies, _placed(table, hierarchies, goal), floor)


def _placed(table: ClassTable, hierarchies: Sequence[Hierarchy], goal: Goal) -> NDArray[np.int64]:
    """The node of each class, (c,)."""
    losses = mean_losses(table.codes, table.rows, hierarchies)
    nodes = np.full(len(table.rows), LEFT_OUT, np.int64)
    rest, codes, rows = np.arange(len(nodes)), table.codes, table.rows
    most, last = goal.most(table.total), LEFT_OUT
    for node in np.argsort(losses, axis=None, kind="stable").tolist():
        if rows.sum() <= most:
            break
        levels = tuple(map(int, np.unravel_index(node, losses.shape)))
        ids, sizes = kernels.numbered(*node_keys(codes, hierarchies, levels))
        together = _rows_in(ids, rows, len(sizes))[ids] >= goal.k
        if together.any():
            nodes[rest[together]], last = node, node
            rest, codes, rows = rest[~together], np.ascontiguousarray(codes[:, ~together]), rows[~together]
    if rows.sum() > most:
        # Fewer than k are left, and that is too many: what was placed last goes all the way up with them.
        nodes[(nodes == LEFT_OUT) | (nodes == last)] = losses.size - 1
    return nodes


def _rows_in(ids: NDArray[np.uint32], rows: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """The rows of each class; they are below 2**53, so that the sums are exact."""
    return np.bincount(ids, weights=rows, minlength=classes).astype(np.int64)


def _assembled(
    extract: Extract, table: ClassTable, hierarchies: Sequence[Hierarchy], nodes: NDArray[np.int64], floor: int
) -> Recoded:
    """The extract with each class at its node."""
    kept = nodes != LEFT_OUT
    suppressed = int(table.rows[~kept].sum())
    if suppressed == table.total:
        raise InputError("no row would be left: no class of these levels has k rows", hint="choose higher levels")
    told, lost = _levels_told(table, hierarchies, nodes)
    rows = kept[table.of.ids]
    ids = table.of.ids[rows]
    recoded = {
        one.name: _column(one, told[place], table.codes[place], ids) for place, one in enumerate(hierarchies)
    }
    columns = tuple(recoded.get(column.name) or _cut(column, rows) for column in extract.columns)
    record = None if extract.record is None else extract.record[rows]
    granularity = told_granularity(lost, suppressed, table.total, floor)
    return Recoded(Extract(columns, len(ids), record), table.total, Count.of(suppressed, floor), granularity)


def _levels_told(
    table: ClassTable, hierarchies: Sequence[Hierarchy], nodes: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], float]:
    """The level of each column in each class, (q, c), 0 where it is left out; the sum of losses of the rows kept."""
    told = np.zeros((len(hierarchies), len(nodes)), np.uint8)
    order = np.argsort(nodes, kind="stable")
    starts = np.flatnonzero(np.diff(nodes[order], prepend=LEFT_OUT))
    lost = 0.0
    for at in np.split(order, starts)[1:]:
        levels = tuple(map(int, np.unravel_index(int(nodes[at[0]]), [one.height for one in hierarchies])))
        losses = generalisation_losses(np.ascontiguousarray(table.codes[:, at]), hierarchies, levels)
        lost += float(table.rows[at] @ losses)
        told[:, at] = np.array(levels, np.uint8)[:, None]
    return told, lost


def _column(one: Hierarchy, levels: NDArray[np.uint8], codes: NDArray[np.uint32], ids: NDArray[np.uint32]) -> Coded:
    """A column of rows of classes `ids`, where class c has the value `codes[c]`, told at level `levels[c]`."""
    numbers: dict[Label, int] = {}
    table = np.zeros((one.height, len(one.maps[0])), np.int64)
    for level in np.unique(levels).tolist():
        texts = np.array([numbers.setdefault(label, len(numbers)) for label in one.labels[level]], np.int64)
        table[level] = texts[one.maps[level]]
    return _compact(one.name, table[levels, codes][ids], tuple(numbers))


def _cut(column: Coded, rows: NDArray[np.bool_]) -> Coded:
    """The column of some rows."""
    if not column.labels:
        return Coded(column.name, column.codes[rows], column.size, column.null, column.ordered)
    return _compact(column.name, column.codes[rows], column.labels, column.ordered)


def _compact(name: str, codes: NDArray[Any], labels: Sequence[Label], ordered: bool = False) -> Coded:
    """A column that has the labels of its values alone: those of rows left out must not go along."""
    used = np.flatnonzero(np.bincount(codes, minlength=len(labels)))
    numbers = np.zeros(len(labels), np.int64)
    numbers[used] = np.arange(len(used))
    shown = tuple(labels[number] for number in used.tolist())
    null = shown.index(None) if None in shown else NO_NULL
    return Coded(name, cast(Any, narrowed(numbers[codes], len(used))), len(used), null, ordered, shown)
