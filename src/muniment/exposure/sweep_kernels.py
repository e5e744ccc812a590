"""Loops of the sweep in machine code: rows in blocks, counted by one column more, put into smaller blocks.

Made as those of `kernels`: plain functions of arrays and numbers, compiled at the first call.

A block is a run of rows that are alike in some columns; rows alone there have been left out. `bounds`, uint32,
(blocks + 1,), has where each begins. In a block, rows are told apart by `prefix * size + code`, so that the counters of
one block stay in the cache, however many values the first column has.

Rules
1. Exact and deterministic, one thread.
2. Counters are never cleared block by block. Each block has marks of its own (`base` + 1: one row, `base` + 2: more),
   above those of the blocks before; when a byte has no marks left, the counters that were touched are cleared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from muniment.exposure.kernels import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

CLEARED_A_ROW: Final = 16
"""Counters for each row touched up to which clearing them all costs less than clearing those touched."""


def counted(
    bounds: NDArray[np.uint32], prefix: NDArray[Any], codes: NDArray[Any], size: int, cells: int
) -> tuple[int, int]:
    """Classes of `prefix * size + codes` within blocks, and rows alone in theirs. All are below `cells`.

    prefix and codes: any unsigned type, (rows,), in the order of the blocks; `size` 0 leaves the prefix out.
    """
    return compiled(_count)(bounds, prefix, codes, size, np.zeros(cells, np.uint8), CLEARED_A_ROW)


def split(
    bounds: NDArray[np.uint32], key: NDArray[Any], cells: int, blocks: int, rows: int
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Blocks of rows with equal keys within each block: the place of each row, and the bounds of the new blocks.

    blocks, rows: how many there will be, and in them, without rows that are alone: their place is `rows`. Rows of a
    block keep their order; blocks are in the order in which they first appear.
    """
    places, within = np.empty(len(key), np.uint32), np.zeros(blocks + 1, np.uint32)
    compiled(_split)(bounds, key, np.zeros(cells, np.int64), rows, places, within)
    return places, within


def moved(codes: NDArray[Any], places: NDArray[np.uint32], rows: int) -> NDArray[Any]:
    """The codes of the rows that stay, in the order of their places, which are below `rows`."""
    out = np.empty(rows + 1, codes.dtype)
    compiled(_move)(codes, places, out)
    return out[:rows]


def _count(
    bounds: NDArray[np.uint32],
    prefix: NDArray[Any],
    codes: NDArray[Any],
    size: int,
    marks: NDArray[np.uint8],
    cleared_a_row: int,
) -> tuple[int, int]:
    factor = np.uint64(size)
    classes, uniques, base, since = 0, 0, 0, 0
    for block in range(len(bounds) - 1):
        begin, end = bounds[block], bounds[block + 1]
        for row in range(begin, end):
            cell = np.uint64(prefix[row]) * factor + np.uint64(codes[row])
            mark = int(marks[cell])
            first, second = mark <= base, mark == base + 1
            classes += int(first)
            uniques += int(first) - int(second)
            marks[cell] = base + 2 - int(first)
        base += 2
        if base > 253:
            if len(marks) <= cleared_a_row * (end - since):
                marks[:] = 0
            else:
                for row in range(since, end):
                    marks[np.uint64(prefix[row]) * factor + np.uint64(codes[row])] = 0
            base, since = 0, end
    return classes, uniques


def _split(
    bounds: NDArray[np.uint32],
    key: NDArray[Any],
    counters: NDArray[np.int64],
    rows: int,
    places: NDArray[np.uint32],
    within: NDArray[np.uint32],
) -> None:
    """Walk over each block three times: count rows, give places, clear. Below zero, a counter is the next place."""
    free, found = 0, 0
    for block in range(len(bounds) - 1):
        begin, end = bounds[block], bounds[block + 1]
        for row in range(begin, end):
            counters[key[row]] += 1
        for row in range(begin, end):
            count = counters[key[row]]
            if count == 1:
                places[row] = rows
                continue
            if count > 0:
                found += 1
                within[found] = free + count
                count = -free - 1
                free = int(within[found])
            places[row] = -count - 1
            counters[key[row]] = count - 1
        for row in range(begin, end):
            counters[key[row]] = 0


def _move(codes: NDArray[Any], places: NDArray[np.uint32], out: NDArray[Any]) -> None:
    for row in range(len(codes)):
        out[places[row]] = codes[row]
