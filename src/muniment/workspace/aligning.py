"""Align the tables of a leak with one register, and fetch the aligned records. Nothing here knows a codeword.

What this module returns ties rows to records: it lives in memory only, its repr shows counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from muniment.disclosure import Register
from muniment.ingest.leaks import Leak
from muniment.ingest.sources import Source
from muniment.ledger.journal import Head
from muniment.marks.plan import Family
from muniment.marks.stream import record_keys
from muniment.marks.write import normal_form
from muniment.pseudonym import pseudonyms
from muniment.table import Table
from muniment.trace.align import Alignment, align
from muniment.trace.columns import ColumnSpec
from muniment.trace.mapping import propose_mapping
from muniment.trace.verdict import ColumnMatch
from muniment.workspace.decoying import all_decoys
from muniment.workspace.parts import Parts
from muniment.workspace.plans import logged_plan

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class AlignedTable:
    """One leak table whose rows were aligned: row i of `cells` is a leaked row, `record[i]` its fetched record."""

    cells: Table
    """The aligned rows under register column names, columns that matched nothing left out."""
    place: NDArray[np.int64]
    """The row's place in the leaked table."""
    record: NDArray[np.int64]
    weight: NDArray[np.float64]


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Aligned:
    """A leak aligned with one register: the fetched records (each once), and the rows that show them."""

    register: Register
    tables: tuple[AlignedTable, ...]
    matches: tuple[ColumnMatch, ...]
    records: Table
    """The key columns and the marked columns of the aligned records."""
    keys: list[bytes]
    pseudonyms: NDArray[np.uint64]
    is_decoy: NDArray[np.bool_]
    all_keys: Callable[[], list[bytes]]
    """Canonical keys of the whole register, decoys behind, in the order of `number`; read again when asked for."""
    number: NDArray[np.int64]
    """The row number of each fetched record in the register."""

    @property
    def rows(self) -> int:
        """Aligned rows of all tables."""
        return sum(len(table.record) for table in self.tables)

    def __repr__(self) -> str:
        return f"Aligned({self.register.name!r}, rows={self.rows}, records={len(self.keys)})"


def align_leak(parts: Parts, register: Register, leak: Leak, fixed: Mapping[str, str], before: Head) -> Aligned:
    """Map and align every table of a leak; raises `InputError` where `fixed` names a column that no table has."""
    source = parts.source(register)
    decoys = all_decoys(parts, register)
    scan = _scan(source, decoys)
    families = _families(parts, register, before)
    specs = [_spec(register, name, families) for name in source.columns if name in {c.name for c in register.columns}]
    found = []
    for table in leak.tables:
        here = {
            column: target for column, target in fixed.items() if column in table.table.columns or len(leak.tables) == 1
        }
        matches = propose_mapping(table.table, specs, scan, fixed=here, header=table.header)
        found.append((table.table, matches, align(table.table, matches, specs, scan)))
    numbers = np.unique(np.concatenate([a.register_row for _, _, a in found] or [np.zeros(0, np.int64)]))
    marked = tuple(dict.fromkeys(family.column.name for family in families))
    records = _fetch(scan, tuple(dict.fromkeys((*register.key, *marked))), numbers)
    keys = record_keys(records, register.key, 0)
    real = max((a.register_rows for _, _, a in found), default=0) - (decoys.rows if decoys else 0)
    return Aligned(
        register=register,
        tables=tuple(_aligned_table(*entry, numbers, register) for entry in found),
        matches=tuple(match for _, matches, _ in found for match in matches),
        records=records,
        keys=keys,
        pseudonyms=pseudonyms(parts.ring.all("pseudonym")[0], register.name, keys),
        is_decoy=numbers >= real,
        all_keys=lambda: _all_keys(scan, register),
        number=numbers,
    )


def _scan(source: Source, decoys: Table | None) -> Callable[[Sequence[str]], Iterator[Table]]:
    """The register in batches, with its decoys as the last ones."""

    def scan(columns: Sequence[str]) -> Iterator[Table]:
        yield from source.batches(columns)
        if decoys is not None:
            yield decoys.select(columns)

    return scan


def _families(parts: Parts, register: Register, before: Head) -> tuple[Family, ...]:
    """Every cell family that any copy may have, over all mark keys: their normal forms must all be folded."""
    plans = [logged_plan(parts, register, key, before) for key in parts.ring.commitments() if key.startswith("mark-")]
    seen: dict[tuple[str, str], Family] = {}
    for plan in plans:
        for family in plan.cells:
            seen.setdefault(family.key, family)
    return tuple(seen.values())


def _spec(register: Register, name: str, families: Sequence[Family]) -> ColumnSpec:
    here = [family for family in families if family.column.name == name]
    tolerance = max((family.tolerance for family in here if family.tolerance is not None), default=None)
    equivalent = [family for family in here if family.tolerance is None]
    return ColumnSpec(name, register.column(name).kind, lambda cell: normal_form(equivalent, cell), tolerance)


def _fetch(
    scan: Callable[[Sequence[str]], Iterator[Table]], columns: Sequence[str], numbers: NDArray[np.int64]
) -> Table:
    """The records with these row numbers (ascending), with these columns."""
    parts, done, taken = [], 0, 0
    for batch in scan(columns):
        end = int(np.searchsorted(numbers, done + batch.rows))
        if end > taken:
            parts.append(batch.take((numbers[taken:end] - done).tolist()))
        done, taken = done + batch.rows, end
    cells = tuple([cell for part in parts for cell in part.cells[i]] for i in range(len(columns)))
    return Table(tuple(columns), cells)


def _all_keys(scan: Callable[[Sequence[str]], Iterator[Table]], register: Register) -> list[bytes]:
    keys: list[bytes] = []
    for batch in scan(register.key):
        keys += record_keys(batch, register.key, len(keys))
    return keys


def _aligned_table(
    table: Table, matches: Sequence[ColumnMatch], alignment: Alignment, numbers: NDArray[np.int64], register: Register
) -> AlignedTable:
    leak_row, register_row, weight = alignment.leak_row, alignment.register_row, alignment.weight
    known = {column.name for column in register.columns}
    # A merged leak column stands twice, a split one's register column does: such cells are not the column's own form.
    leaked_as = Counter(match.leak_column for match in matches if match.column)
    shows = Counter(match.column for match in matches)
    pairs = {
        match.column: match.leak_column
        for match in matches
        if match.column in known and leaked_as[match.leak_column] == 1 and shows[match.column] == 1
    }
    rows = leak_row.tolist()
    cells = tuple([column[row] for row in rows] for column in (table[leaked] for leaked in pairs.values()))
    return AlignedTable(
        Table(tuple(str(name) for name in pairs), cells), leak_row, np.searchsorted(numbers, register_row), weight
    )
