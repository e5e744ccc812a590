"""Write marks: turn one batch of a register into the batch of each recipient's copy.

A batch is prepared once - which cells have a place, how they read for every combination of bits, the proof that all of
these mean the same - and then written for any number of recipients by choosing among the prepared forms.

Rules
1. Every form that could be written is compared with the register's cell before any of them is (`same`); one that does
   not mean the same stops the release. So "meaning changed: 0 cells" is proved, not sampled.
2. Nothing here knows which bits a recipient has until `write` asks the codebook.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from muniment.disclosure import Harm
from muniment.errors import IntegrityError
from muniment.marks.codebook import Addresses, Codebook
from muniment.marks.plan import Family, Plan
from muniment.table import Cells, Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

Forms = tuple[str, ...]
"""A cell written for each code; bit i of a code is the bit of the column's i-th family."""

CACHED_CELLS = 65_536
"""Distinct cells of one column whose forms are kept: towns and dates repeat, addresses pass through."""


@dataclass(frozen=True, slots=True, repr=False)
class Slots:
    """The symbols of one family in a batch: which rows have a place, their addresses and thresholds."""

    family: int
    rows: NDArray[np.intp]
    addresses: Addresses
    thresholds: NDArray[np.uint32]
    phases: NDArray[np.uint32]


@dataclass(frozen=True, slots=True, repr=False)
class PreparedColumn:
    """One marked column of a batch: `forms[row]` by code (`None` where no family has a place), and its slots."""

    name: str
    forms: list[Forms | None]
    slots: tuple[Slots, ...]

    @property
    def plain(self) -> Cells:
        """Each cell written with all bits 0: equal for two cells that differ by marks only; `None` without a place."""
        return [forms[0] if forms else None for forms in self.forms]


@dataclass(frozen=True, slots=True, repr=False)
class Prepared:
    """A batch of a register with everything needed to write any recipient's copy of it."""

    table: Table
    records: NDArray[np.uint64]
    columns: tuple[PreparedColumn, ...]

    @property
    def symbols(self) -> int:
        """The symbols that a copy of this batch carries in its cells."""
        return sum(len(slots.rows) for column in self.columns for slots in column.slots)


class CellMarker:
    """Prepares and writes the cell families of one register under one codebook."""

    def __init__(self, codebook: Codebook, plan: Plan) -> None:
        self._codebook = codebook
        self._columns = [_ColumnForms(name, plan.on(name)) for name in plan.columns]
        self._numbers = {family: number for number, family in enumerate(plan.cells)}

    def prepare(self, table: Table, records: NDArray[np.uint64]) -> Prepared:
        """Prepare a batch; `records` are the record parts of its addresses (uint64, one a row).

        Raises:
            IntegrityError: a carrier would change what a cell means (a fault in the carrier; nothing was written).
        """
        present = [column for column in self._columns if column.name in table.columns]
        return Prepared(table, records, tuple(self._prepare(column, table, records) for column in present))

    def _prepare(self, column: _ColumnForms, table: Table, records: NDArray[np.uint64]) -> PreparedColumn:
        biases = [
            self._codebook.biases(Addresses.of(records, f.column.number, f.carrier.number), f.law)
            for f in column.families
        ]
        forms, places = column.expand(table[column.name], [phases for _, phases in biases])
        slots = []
        for bit, (family, (thresholds, phases)) in enumerate(zip(column.families, biases, strict=True)):
            rows = np.flatnonzero(places & (1 << bit))
            addresses = Addresses.of(records[rows], family.column.number, family.carrier.number)
            slots.append(Slots(self._numbers[family], rows, addresses, thresholds[rows], phases[rows]))
        return PreparedColumn(column.name, forms, tuple(slots))

    def write(self, prepared: Prepared, recipients: Sequence[int]) -> list[Table]:
        """The batch as each of these recipients receives it, in their order."""
        codes = [self._codes(column, len(prepared.records), recipients) for column in prepared.columns]
        return [
            prepared.table.with_cells(
                {
                    column.name: _choose(prepared.table[column.name], column.forms, codes[i][position])
                    for i, column in enumerate(prepared.columns)
                }
            )
            for position in range(len(recipients))
        ]

    def _codes(self, column: PreparedColumn, rows: int, recipients: Sequence[int]) -> NDArray[np.uint16]:
        """The code of each cell of a column for each recipient, shape (recipients, rows)."""
        codes = np.zeros((len(recipients), rows), np.uint16)
        for bit, slots in enumerate(column.slots):
            bits = self._codebook.bits(slots.addresses, slots.thresholds, recipients)
            codes[:, slots.rows] |= bits.astype(np.uint16) << np.uint16(bit)
        return codes


def _choose(cells: Cells, forms: list[Forms | None], codes: NDArray[np.uint16]) -> Cells:
    return [form[code] if form else cell for cell, form, code in zip(cells, forms, codes.tolist(), strict=True)]


class _ColumnForms:
    """All forms of the cells of one column under its families, each proved to mean the same."""

    def __init__(self, name: str, families: Sequence[Family]) -> None:
        self.name = name
        self.families = tuple(families)
        self._tolerant = next((f.carrier for f in families if f.carrier.harm is Harm.TOLERANCE), None)
        self._cache: dict[str, tuple[Forms | None, int]] = {}
        self._known: dict[str, Forms | None] = {}
        self._repeats = True
        self._asked = 0

    def expand(self, cells: Cells, phases: list[NDArray[np.uint32]]) -> tuple[list[Forms | None], NDArray[np.uint16]]:
        """The forms of each cell, and for each a mask of the families that have a place in it."""
        if len(self.families) == 1 and self._tolerant is None:
            pairs = self._pairs(cells)
            return pairs, np.array([pair is not None for pair in pairs], np.uint16)
        if self._tolerant is not None:
            rows = zip(*(column.tolist() for column in phases), strict=True)
            results = [self._forms(cell, row) if cell else (None, 0) for cell, row in zip(cells, rows, strict=True)]
        else:
            none = (0,) * len(self.families)
            results = [self._cached(cell, none) if cell else (None, 0) for cell in cells]
        forms = [form for form, _ in results]
        return forms, np.fromiter((mask for _, mask in results), np.uint16, len(results))

    def _pairs(self, cells: Cells) -> list[Forms | None]:
        """The forms of cells under the column's only family, an equivalent one: the hot loop of a release.

        Cells that come back are looked up, unless hardly one does (addresses, numbers): then that costs more.
        """
        if not self._repeats:
            return [self._proved_pair(cell) if cell else None for cell in cells]
        known = self._known
        new = {cell: self._proved_pair(cell) for cell in set(cells) if cell and cell not in known}
        found = [(known[cell] if cell in known else new[cell]) if cell else None for cell in cells]
        known.update(islice(new.items(), CACHED_CELLS - len(known)))
        self._asked += len(cells)
        if len(known) >= CACHED_CELLS and self._asked < 2 * CACHED_CELLS:
            self._repeats = False
            known.clear()
        return found

    def _proved_pair(self, cell: str) -> Forms | None:
        """A cell as 0 and as 1, both proved to mean what it means.

        The form for 0 is the cell's normal form (protocol rule 4), so one comparison proves both forms: that of the
        form for 1, whether it is the cell or what is written in its place. A cell in neither form takes a second one.
        """
        carrier = self.families[0].carrier
        pair = carrier.forms(cell)
        if pair is None:
            return None
        if carrier.normal(pair[1]) != pair[0] or (cell not in pair and carrier.normal(cell) != pair[0]):
            raise self._fault()
        return pair

    def _cached(self, cell: str, phases: tuple[int, ...]) -> tuple[Forms | None, int]:
        found = self._cache.get(cell)
        if found is None:
            found = self._forms(cell, phases)
            if len(self._cache) < CACHED_CELLS:
                self._cache[cell] = found
        return found

    def _forms(self, cell: str, phases: tuple[int, ...]) -> tuple[Forms | None, int]:
        variants: Forms = (cell,)
        mask = 0
        for bit, family in enumerate(self.families):
            # A family without a place doubles the codes, not the distinct variants: each of those is asked for once.
            pairs = {variant: family.carrier.forms(variant, phases[bit]) for variant in set(variants)}
            if None in pairs.values():
                variants *= 2
                continue
            mask |= 1 << bit
            chosen = [pairs[variant] or (variant, variant) for variant in variants]
            variants = (*(zero for zero, _ in chosen), *(one for _, one in chosen))
        if not mask:
            return None, 0
        normal = normal_form(self.families, cell)
        if not all(self._proved(cell, normal, variant) for variant in set(variants)):
            raise self._fault()
        return variants, mask

    def _proved(self, cell: str, normal: str, variant: str) -> bool:
        """Whether a form means the same: equal normal forms, or within the tolerance of the carrier that has one."""
        if variant == cell:
            return True
        if self._tolerant is None:
            return normal_form(self.families, variant) == normal
        return self._tolerant.same(cell, variant)

    def _fault(self) -> IntegrityError:
        names = ", ".join(family.carrier.name for family in self.families)
        return IntegrityError(f"column {self.name!r}: carrier {names} would change what a cell means")


def normal_form(families: Sequence[Family], cell: str) -> str:
    """The normal form of a cell under all carriers of its column, one after the other."""
    for family in families:
        cell = family.carrier.normal(cell)
    return cell
