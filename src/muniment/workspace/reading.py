"""Read the symbols of an aligned leak under one mark key: cells, rows left out, row order, decoys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from muniment.disclosure import Recipient, Register
from muniment.keys import Key
from muniment.ledger.journal import Head
from muniment.limits import BATCH_ROWS
from muniment.marks.baseline import State
from muniment.marks.codebook import Addresses, Codebook
from muniment.marks.plan import DECOY, OMISSION, ORDER, Plan, StructuralFamily
from muniment.marks.read import ERASED, MergedSymbols, Readings, concatenate, merge, read_cells, read_rows
from muniment.marks.rows import pair_up, read_order
from muniment.marks.write import CellMarker, Prepared
from muniment.table import Table
from muniment.trace.verdict import FamilyReading
from muniment.workspace.aligning import Aligned, AlignedTable
from muniment.workspace.baselines import cell_digest, cell_digests, column_of, load_baseline
from muniment.workspace.parts import Parts
from muniment.workspace.plans import logged_plan

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SCALE = 2.0**32


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class KeyReading:
    """The symbols of one register under one mark key, with its plan and candidates."""

    register: Register
    mark_key: str
    codebook: Codebook
    plan: Plan
    candidates: tuple[Recipient, ...]
    symbols: MergedSymbols
    on_register: MergedSymbols
    families: tuple[FamilyReading, ...]


def read_under_key(
    parts: Parts, aligned: Aligned, key: Key, before: Head, candidates: tuple[Recipient, ...]
) -> KeyReading:
    """Read every family that was logged under this key before the leak was found."""
    codebook = Codebook(key.secret, aligned.register.name)
    plan = logged_plan(parts, aligned.register, key.id, before)
    records = codebook.records(aligned.keys)
    cells = _Cells(parts, aligned, codebook, plan, records)
    leaked, own = cells.read()
    structural = [reading for family in plan.structural for reading in _rows(aligned, codebook, plan, family, records)]
    readings = concatenate([*leaked, *structural])
    symbols = merge(readings)
    return KeyReading(
        register=aligned.register,
        mark_key=key.id,
        codebook=codebook,
        plan=plan,
        candidates=candidates,
        symbols=symbols,
        on_register=_at_the_same_addresses(merge(concatenate(own)), symbols),
        families=_families(plan, readings),
    )


def _at_the_same_addresses(own: MergedSymbols, shown: MergedSymbols) -> MergedSymbols:
    """What the register shows where the leak shows something.

    At other addresses it would only dilute the veto: a leak in which every other mark was blotted out could then pass
    the threshold for somebody whose marks were written back, while the register stays below it.
    """
    return own.take(np.flatnonzero(np.isin(own.addresses.numbers, shown.addresses.numbers)))


class _Cells:
    """Reads the cell families of all aligned rows, and of the register itself at the same addresses."""

    def __init__(
        self, parts: Parts, aligned: Aligned, codebook: Codebook, plan: Plan, records: NDArray[np.uint64]
    ) -> None:
        self._aligned = aligned
        self._plan = plan
        self._records = records
        self._marker = CellMarker(codebook, plan)
        self._digest = cell_digest(parts, aligned.register.name)
        self._baseline = load_baseline(parts, aligned.register.name)
        self._tolerance = {family.column.name for family in plan.cells if family.tolerance is not None}

    def read(self) -> tuple[list[Readings], list[Readings]]:
        """Readings of the leak, and of the register at the same places."""
        leaked: list[Readings] = []
        own: list[Readings] = []
        for table in self._aligned.tables:
            for rows in _chunks(len(table.record)):
                chosen = table.record[rows]
                batch = self._aligned.records.take(chosen.tolist())
                prepared = self._marker.prepare(batch, self._records[chosen])
                blocked = self._blocked(prepared, chosen)
                cells = Table(table.cells.columns, tuple(column[rows] for column in table.cells.cells))
                leaked.append(read_cells(prepared, cells, self._plan.cells, table.weight[rows], blocked))
                shown = prepared.table.select([c.name for c in prepared.columns if c.name in cells.columns])
                own.append(read_cells(prepared, shown, self._plan.cells, np.ones(len(chosen)), blocked))
        return leaked, own

    def _blocked(self, prepared: Prepared, chosen: NDArray[np.int64]) -> dict[str, NDArray[np.bool_]]:
        """Rows of each column whose register cell has changed in form only since its baseline."""
        blocked = {}
        for column in prepared.columns:
            form, plain = cell_digests(self._digest, prepared, column.name, column.name in self._tolerance)
            kept = column_of(self._plan, self._aligned.register, column.name)
            states = self._baseline.states(self._aligned.pseudonyms[chosen], kept, form, plain)
            blocked[column.name] = states == State.FORM_ONLY
        return blocked


def _chunks(rows: int) -> Iterator[slice]:
    yield from (slice(start, start + BATCH_ROWS) for start in range(0, rows, BATCH_ROWS))


def _rows(
    aligned: Aligned, codebook: Codebook, plan: Plan, family: StructuralFamily, records: NDArray[np.uint64]
) -> list[Readings]:
    """Readings of one structural family."""
    number = plan.keys.index(family.key)
    if family.name == ORDER:
        return [_order(aligned, codebook, family, number, table) for table in aligned.tables]
    seen = np.flatnonzero(aligned.is_decoy if family.name == DECOY else ~aligned.is_decoy)
    sure = _surest(aligned)[seen]
    bits = np.full(len(seen), 0 if family.name == OMISSION else 1, np.uint8)
    biases = codebook.biases(Addresses.of(records[seen], 0, family.number), family.law)
    return [read_rows(records[seen], family.number, number, biases, bits, sure)]


def _surest(aligned: Aligned) -> NDArray[np.float64]:
    """The largest weight with which any row shows each record."""
    weight = np.zeros(len(aligned.keys))
    for table in aligned.tables:
        np.maximum.at(weight, table.record, table.weight)
    return weight


def _order(
    aligned: Aligned, codebook: Codebook, family: StructuralFamily, number: int, table: AlignedTable
) -> Readings:
    """Readings of the order of rows in one leaked table."""
    everyone = codebook.records(aligned.all_keys())
    pairs = pair_up(codebook, family, everyone)
    place = np.full(len(everyone), -1, np.int64)
    place[aligned.number[table.record]] = table.place
    seen, bits = read_order(place, pairs)
    addresses = pairs.record[seen]
    biases = codebook.biases(Addresses.of(addresses, 0, family.number), family.law)
    return read_rows(addresses, family.number, number, biases, bits, np.ones(len(seen)))


def _families(plan: Plan, readings: Readings) -> tuple[FamilyReading, ...]:
    """Counts by family: places, read, erased, ones shown and ones expected."""
    found: list[FamilyReading] = []
    for number, (carrier, column) in enumerate(plan.keys):
        of_family = readings.family == number
        seen = of_family & (readings.bit != ERASED)
        slots, read = _distinct(readings, of_family), _distinct(readings, seen)
        ones = float(readings.bit[seen].mean()) if read else 0.0
        expected = float((readings.threshold[seen] / _SCALE).mean()) if read else 0.0
        found.append(FamilyReading(carrier, column, slots, read, slots - read, ones, expected))
    return tuple(found)


def _distinct(readings: Readings, chosen: NDArray[np.bool_]) -> int:
    """Distinct addresses among some readings of one family."""
    return len(np.unique(readings.addresses.record[chosen]))
