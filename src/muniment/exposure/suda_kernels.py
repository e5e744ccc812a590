"""Loops of `suda` in machine code: classes cut finer by one column, rows already told apart left out.

Rules
1. Rows stand class by class; classes of one row are left out (stripped partitions: Huhtala et al. 1999).
2. Exact and deterministic, one thread; memory in proportion to the rows that are still alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from muniment.exposure import kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.exposure.extract import Coded


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Alike:
    """Rows that are not alone: `rows` class by class, uint32; class c is `bounds[c]` to `bounds[c + 1]`, uint32."""

    rows: NDArray[np.uint32]
    bounds: NDArray[np.uint32]


def everybody(rows: int) -> Alike:
    """All rows in one class: what no column tells apart."""
    return Alike(np.arange(rows, dtype=np.uint32), np.array([0, rows], np.uint32))


class Cutter:
    """Cuts classes by one column. Holds the counters of its values, which are back at nothing after each cut."""

    def __init__(self, column: Coded) -> None:
        """For this column: 8 bytes for each of its values."""
        self.codes = column.codes
        self._count = np.zeros(max(column.size, 1), np.uint32)
        self._cursor = np.zeros(max(column.size, 1), np.uint32)

    def cut(self, alike: Alike, known: NDArray[np.uint64], least: NDArray[np.uint8], size: int) -> Alike:
        """The classes cut by this column, of rows whose bit in `known` is not set.

        Rows that are alone now get their bit, and `least` (fewest columns that tell the row apart) of `size` at most.
        """
        rows = np.empty(len(alike.rows), np.uint32)
        bounds = np.zeros(len(alike.rows) // 2 + 1, np.uint32)
        count, places = kernels.compiled(_cut)(
            alike.rows, alike.bounds, self.codes, self._count, self._cursor, known, least, size, rows, bounds
        )
        return Alike(rows[:places], bounds[: count + 1])

    def tell(self, alike: Alike, known: NDArray[np.uint64], least: NDArray[np.uint8], size: int) -> int:
        """As `cut`, without the classes: the number of rows that are alone now."""
        alone: int = kernels.compiled(_tell)(alike.rows, alike.bounds, self.codes, self._count, known, least, size)
        return alone


def _cut(
    rows: NDArray[np.uint32],
    bounds: NDArray[np.uint32],
    codes: NDArray[Any],
    count: NDArray[np.uint32],
    cursor: NDArray[np.uint32],
    known: NDArray[np.uint64],
    least: NDArray[np.uint8],
    size: int,
    made: NDArray[np.uint32],
    limits: NDArray[np.uint32],
) -> tuple[int, int]:
    filled, number = 0, 0
    for group in range(len(bounds) - 1):
        for place in range(bounds[group], bounds[group + 1]):
            row = rows[place]
            if not (known[row >> 6] >> np.uint64(row & 63)) & np.uint64(1):
                count[codes[row]] += 1
        for place in range(bounds[group], bounds[group + 1]):
            row = rows[place]
            if (known[row >> 6] >> np.uint64(row & 63)) & np.uint64(1):
                continue
            code = codes[row]
            if count[code] == 1:
                known[row >> 6] |= np.uint64(1) << np.uint64(row & 63)
                least[row] = min(least[row], size)
                continue
            if cursor[code] == 0:
                cursor[code] = filled + 1
                filled += count[code]
                number += 1
                limits[number] = filled
            made[cursor[code] - 1] = row
            cursor[code] += 1
        for place in range(bounds[group], bounds[group + 1]):
            code = codes[rows[place]]
            count[code] = 0
            cursor[code] = 0
    return number, filled


def _tell(
    rows: NDArray[np.uint32],
    bounds: NDArray[np.uint32],
    codes: NDArray[Any],
    count: NDArray[np.uint32],
    known: NDArray[np.uint64],
    least: NDArray[np.uint8],
    size: int,
) -> int:
    alone = 0
    for group in range(len(bounds) - 1):
        for place in range(bounds[group], bounds[group + 1]):
            row = rows[place]
            if not (known[row >> 6] >> np.uint64(row & 63)) & np.uint64(1):
                count[codes[row]] += 1
        for place in range(bounds[group], bounds[group + 1]):
            row = rows[place]
            if (known[row >> 6] >> np.uint64(row & 63)) & np.uint64(1):
                continue
            if count[codes[row]] == 1:
                known[row >> 6] |= np.uint64(1) << np.uint64(row & 63)
                least[row] = min(least[row], size)
                alone += 1
        for place in range(bounds[group], bounds[group + 1]):
            count[codes[rows[place]]] = 0
    return alone
