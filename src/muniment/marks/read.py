"""Read symbols: from aligned rows of a leak to one reading an address.

Rules
1. A place is read only where the register has one (`Prepared.slots`) and the leak has the column.
2. Each address enters once. Several readings of one address - duplicate rows, two colluders' rows of one person,
   overlapping files - become their mean, with the mean of their weights (evidence.md section 1).
3. Erased is not 0: a cell in which no form is left, or whose register value changed in form only, brings nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from muniment.marks.codebook import Addresses
from muniment.marks.plan import Family
from muniment.marks.write import Prepared
from muniment.table import Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEPS = 16
"""Readings and weights are rounded to this many steps, so that equal symbols can be counted instead of multiplied."""


@dataclass(frozen=True, slots=True, repr=False)
class Readings:
    """Readings before merging, one row a reading: addresses, family number, T, phase, bit (0, 1) and weight.

    A bit of `ERASED` stands for a place that was there in the register but shows nothing in the leak.
    """

    addresses: Addresses
    family: NDArray[np.uint16]
    threshold: NDArray[np.uint32]
    phase: NDArray[np.uint32]
    bit: NDArray[np.uint8]
    weight: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.bit)


ERASED = 255


def read_cells(
    prepared: Prepared,
    leak: Table,
    families: Sequence[Family],
    weights: NDArray[np.float64],
    blocked: Mapping[str, NDArray[np.bool_]],
) -> Readings:
    """Read the cell families of aligned rows: row i of `prepared` (the register) and of `leak` are one record.

    `leak` has register column names; `blocked[column]` marks rows whose register cell changed in form only.
    """
    parts = []
    for column in prepared.columns:
        if column.name not in leak.columns:
            continue
        cells, stop = leak[column.name], blocked[column.name]
        for slots in column.slots:
            read = families[slots.family].carrier.read
            shown = (read(cell, phase) if cell else None for cell, phase in _cells_at(cells, slots.rows, slots.phases))
            bits = np.fromiter(map(_bit, shown), np.uint8, len(slots.rows))
            bits[stop[slots.rows]] = ERASED
            family = np.full(len(bits), slots.family, np.uint16)
            parts.append(Readings(slots.addresses, family, slots.thresholds, slots.phases, bits, weights[slots.rows]))
    return concatenate(parts)


def _cells_at(
    cells: Sequence[str | None], rows: NDArray[np.intp], phases: NDArray[np.uint32]
) -> Sequence[tuple[str | None, int]]:
    return [(cells[row], phase) for row, phase in zip(rows.tolist(), phases.tolist(), strict=True)]


def _bit(read: int | None) -> int:
    return ERASED if read is None else read


def read_rows(
    records: NDArray[np.uint64],
    carrier: int,
    family: int,
    biases: tuple[NDArray[np.uint32], NDArray[np.uint32]],
    bits: NDArray[np.uint8],
    weights: NDArray[np.float64],
) -> Readings:
    """Readings of a structural family, whose addresses have column number 0."""
    addresses = Addresses.of(records, 0, carrier)
    return Readings(addresses, np.full(len(bits), family, np.uint16), *biases, bits, weights)


def concatenate(parts: Sequence[Readings]) -> Readings:
    """Readings of several parts as one."""
    if not parts:
        empty = Addresses(np.zeros(0, np.uint64), np.zeros(0, np.uint16), np.zeros(0, np.uint8))
        word, none = np.zeros(0, np.uint32), np.zeros(0, np.uint8)
        return Readings(empty, np.zeros(0, np.uint16), word, word, none, np.zeros(0))
    addresses = Addresses(
        *(np.concatenate([getattr(part.addresses, name) for part in parts]) for name in ("record", "column", "carrier"))
    )
    names = ("family", "threshold", "phase", "bit", "weight")
    return Readings(addresses, *(np.concatenate([getattr(part, name) for part in parts]) for name in names))


@dataclass(frozen=True, slots=True, repr=False)
class MergedSymbols:
    """One row an address: what the score needs, with the address and the phase (its place in the keyed order)."""

    addresses: Addresses
    family: NDArray[np.uint16]
    threshold: NDArray[np.uint32]
    phase: NDArray[np.uint32]
    share: NDArray[np.float64]
    weight: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.family)

    def take(self, chosen: NDArray[np.intp]) -> MergedSymbols:
        """The symbols with these numbers."""
        names = ("family", "threshold", "phase", "share", "weight")
        return MergedSymbols(self.addresses.take(chosen), *(getattr(self, name)[chosen] for name in names))


def merge(readings: Readings) -> MergedSymbols:
    """Merge readings into one symbol an address, sorted by address; erased readings are left out first.

    The mean of factors w f(y) + 1 - w over readings is W f(mean y) + 1 - W, with W the mean weight and the mean of y
    weighted by w: so share and weight carry it exactly, up to the rounding of `STEPS`, which looks at no bit of a
    candidate and therefore costs power at most.
    """
    seen = np.flatnonzero((readings.bit != ERASED) & (readings.weight > 0))
    low = (readings.addresses.column.astype(np.uint32) << np.uint32(8)) | readings.addresses.carrier
    order = seen[np.lexsort((low[seen], readings.addresses.record[seen]))]
    record, part = readings.addresses.record[order], low[order]
    if not len(order):
        empty = readings.addresses.take(order)
        return MergedSymbols(empty, readings.family[order], readings.threshold[order], readings.phase[order], *_zeros())
    starts = np.flatnonzero(np.r_[True, (record[1:] != record[:-1]) | (part[1:] != part[:-1])])
    weight, bit = readings.weight[order], readings.bit[order]
    counts = np.diff(np.append(starts, len(order)))
    total = np.add.reduceat(weight, starts)
    share = np.add.reduceat(weight * bit, starts) / total
    first = order[starts]
    return MergedSymbols(
        readings.addresses.take(first),
        readings.family[first],
        readings.threshold[first],
        readings.phase[first],
        np.rint(share * STEPS) / STEPS,
        np.maximum(np.floor(total / counts * STEPS), 1) / STEPS,
    )


def _zeros() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return np.zeros(0), np.zeros(0)
