"""Loops over codes in machine code: numbering and counting of keys. Arrays in, arrays out; nothing here knows a column.

The public words are in `classes`. A kernel of another module is made by `compiled(function)`: a plain function of
arrays and numbers that calls no other Python function; numba itself is imported nowhere else.

Rules
1. numba is the extra `[exposure]`, imported at the first call. Compiled code is kept on disk where a folder for it can
   be written (beside the source, else the user's cache, else NUMBA_CACHE_DIR), and made anew in each process elsewhere.
2. A key is an unsigned integer below `cells`. Direct addressing where the cells are few for the rows, a hash table
   beyond: the choice changes the time, never the result.
3. Exact and deterministic: one thread, no sample. Class ids follow the order of keys where addressed directly, and of
   first appearance where hashed; nobody may rely on either.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

import numpy as np

from muniment.errors import MissingExtraError

if TYPE_CHECKING:
    from numpy.typing import NDArray

P = ParamSpec("P")
R = TypeVar("R")

DIRECT_CELLS: Final = 2**30
"""Cells that are ever addressed directly when rows are numbered: a bit and half a bit of rank each, 192 MB."""
CELLS_A_ROW: Final = 256
"""Cells for each row up to which a table that must be cleared and read through costs less than hashing."""
PAIR_CELLS: Final = 5 * 2**28
"""Cells of which classes and uniques are ever counted directly: two bits each, 320 MB."""
BYTE_CELLS: Final = 2**27
"""Cells of which sizes are ever counted directly: a byte each, 128 MB."""
CAP: Final = 255
"""The largest size that a saturating counter tells; larger classes are told as this one."""


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """The function in machine code, compiled at its first call for each kind of argument (numba, no Python objects).

    Raises `MissingExtraError` (an `InputError`) where numba is not installed.
    """
    made: Callable[P, R] = _compiled(function)
    return made


@cache
def _compiled(function: Callable[..., Any]) -> Any:
    try:
        numba = import_module("numba")
    except ImportError as error:
        raise MissingExtraError(
            "exposure needs numba, which is not installed", hint="pip install 'muniment[exposure]'"
        ) from error
    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # no folder in which compiled code could be kept
        return numba.njit(nogil=True)(function)


# --- numbering: the id of each row's class ---------------------------------------------------------------------


def numbered(keys: NDArray[Any], cells: int) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """The id of each row's class, and the size of each class.

    keys: any unsigned type, (rows,), each below `cells`. Returns uint32 (rows,) and int64 (classes,).
    """
    if cells <= min(DIRECT_CELLS, max(2**16, 2 * CELLS_A_ROW * len(keys))):
        return _numbered_by_rank(keys, cells)
    return _numbered_by_hash(keys)


def _numbered_by_rank(keys: NDArray[Any], cells: int) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    words = np.zeros((cells + 63) // 64, np.uint64)
    compiled(_mark)(keys, words)
    before = np.empty(len(words), np.uint32)
    sizes = np.zeros(compiled(_rank)(words, before), np.int64)
    ids = np.empty(len(keys), np.uint32)
    compiled(_look_up)(keys, words, before, ids, sizes)
    return ids, sizes


def _numbered_by_hash(keys: NDArray[Any]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    rows = len(keys)
    ids, slots, known = np.empty(rows, np.uint32), 2**12, np.empty(2**11, keys.dtype)
    table = np.zeros(slots, np.uint32)
    row, count = 0, 0
    while True:
        row, count = compiled(_enter)(keys, row, count, known, table, ids)
        if row == rows:
            break
        slots *= 4
        known = np.resize(known, slots // 2)
        table = np.zeros(slots, np.uint32)
        compiled(_enter_again)(known, count, table)
    del table, known
    sizes = np.zeros(count, np.int64)
    compiled(_tally)(ids, sizes)
    return ids, sizes


def _mark(keys: NDArray[Any], words: NDArray[np.uint64]) -> None:
    for key in keys:
        cell = np.uint64(key)
        words[cell >> np.uint64(6)] |= np.uint64(1) << (cell & np.uint64(63))


def _rank(words: NDArray[np.uint64], before: NDArray[np.uint32]) -> int:
    """Write how many bits are set before each word; return how many there are (bits of a word: Wilkes et al. 1957)."""
    total = 0
    for place in range(len(words)):
        before[place] = total
        bits = words[place]
        if bits:
            bits -= (bits >> np.uint64(1)) & np.uint64(0x5555555555555555)
            bits = (bits & np.uint64(0x3333333333333333)) + ((bits >> np.uint64(2)) & np.uint64(0x3333333333333333))
            bits = (bits + (bits >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
            total += int((bits * np.uint64(0x0101010101010101)) >> np.uint64(56))
    return total


def _look_up(
    keys: NDArray[Any],
    words: NDArray[np.uint64],
    before: NDArray[np.uint32],
    ids: NDArray[np.uint32],
    sizes: NDArray[np.int64],
) -> None:
    for row in range(len(keys)):
        cell = np.uint64(keys[row])
        place = cell >> np.uint64(6)
        bits = words[place] & ((np.uint64(1) << (cell & np.uint64(63))) - np.uint64(1))
        bits -= (bits >> np.uint64(1)) & np.uint64(0x5555555555555555)
        bits = (bits & np.uint64(0x3333333333333333)) + ((bits >> np.uint64(2)) & np.uint64(0x3333333333333333))
        bits = (bits + (bits >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
        number = np.uint32(before[place] + np.uint32((bits * np.uint64(0x0101010101010101)) >> np.uint64(56)))
        ids[row] = number
        sizes[number] += 1


def _enter(
    keys: NDArray[Any],
    row: int,
    count: int,
    known: NDArray[Any],
    table: NDArray[np.uint32],
    ids: NDArray[np.uint32],
) -> tuple[int, int]:
    """Number rows from `row` on until all are done or `known` is full; return the row reached and the classes.

    Open addressing by a mixed key (the finaliser of MurmurHash3, Appleby 2011: keys of products differ in few bits).
    """
    last = np.uint64(len(table) - 1)
    rows = len(keys)
    full = len(known)
    while row < rows:
        key = keys[row]
        mixed = np.uint64(key)
        mixed = (mixed ^ (mixed >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
        mixed = (mixed ^ (mixed >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
        slot = (mixed ^ (mixed >> np.uint64(33))) & last
        while True:
            entry = table[slot]
            if entry == 0:
                if count == full:
                    return row, count
                known[count] = key
                count += 1
                table[slot] = count
                ids[row] = count - 1
                break
            if known[entry - 1] == key:
                ids[row] = entry - 1
                break
            slot = (slot + np.uint64(1)) & last
        row += 1
    return row, count


def _enter_again(known: NDArray[Any], count: int, table: NDArray[np.uint32]) -> None:
    last = np.uint64(len(table) - 1)
    for number in range(count):
        mixed = np.uint64(known[number])
        mixed = (mixed ^ (mixed >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
        mixed = (mixed ^ (mixed >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
        slot = (mixed ^ (mixed >> np.uint64(33))) & last
        while table[slot] != 0:
            slot = (slot + np.uint64(1)) & last
        table[slot] = number + 1


def _tally(ids: NDArray[np.uint32], sizes: NDArray[np.int64]) -> None:
    for number in ids:
        sizes[number] += 1


# --- counting without ids --------------------------------------------------------------------------------------


def tallied(keys: NDArray[Any], codes: NDArray[Any], size: int, cells: int) -> tuple[int, int]:
    """Classes, and rows alone in theirs, of `keys * size + codes` (all below `cells`); the product is not built."""
    if cells <= min(PAIR_CELLS, max(2**16, CELLS_A_ROW * len(keys))):
        words = np.zeros((cells + 31) // 32, np.uint64)
        compiled(_count_pairs)(keys, codes, size, words)
        seen, again = compiled(_sum_pairs)(words)
        return seen, seen - again
    _, sizes = _numbered_by_hash(combined(keys, codes, size, cells))
    return len(sizes), int((sizes == 1).sum())


def combined(keys: NDArray[Any], codes: NDArray[Any], size: int, cells: int) -> NDArray[Any]:
    """`keys * size + codes`, uint32 where `cells` are fewer than 2**32, else uint64."""
    built: NDArray[Any] = keys.astype(np.uint32 if cells < 2**32 else np.uint64)
    np.multiply(built, built.dtype.type(size), out=built)
    np.add(built, codes, out=built, casting="unsafe")
    return built


def _count_pairs(keys: NDArray[Any], codes: NDArray[Any], size: int, words: NDArray[np.uint64]) -> None:
    """Two bits a cell: 0 for none, 1 for one row, 3 for more."""
    factor = np.uint64(size)
    for row in range(len(keys)):
        cell = np.uint64(keys[row]) * factor + np.uint64(codes[row])
        shift = (cell & np.uint64(31)) << np.uint64(1)
        word = words[cell >> np.uint64(5)]
        once = (word >> shift) & np.uint64(1)
        words[cell >> np.uint64(5)] = word | ((np.uint64(1) + (once << np.uint64(1))) << shift)


def _sum_pairs(words: NDArray[np.uint64]) -> tuple[int, int]:
    """How many cells have their lower bit set, and how many their upper."""
    low, high = 0, 0
    for word in words:
        if word:
            ones = word & np.uint64(0x5555555555555555)
            ones = (ones & np.uint64(0x3333333333333333)) + ((ones >> np.uint64(2)) & np.uint64(0x3333333333333333))
            ones = (ones + (ones >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
            low += int((ones * np.uint64(0x0101010101010101)) >> np.uint64(56))
            twos = (word >> np.uint64(1)) & np.uint64(0x5555555555555555)
            twos = (twos & np.uint64(0x3333333333333333)) + ((twos >> np.uint64(2)) & np.uint64(0x3333333333333333))
            twos = (twos + (twos >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
            high += int((twos * np.uint64(0x0101010101010101)) >> np.uint64(56))
    return low, high


def sizes_told(keys: NDArray[Any], cells: int) -> NDArray[np.int64]:
    """How many classes there are of each size, (256,); sizes above `CAP` are told as `CAP`."""
    if cells <= min(BYTE_CELLS, max(2**16, CELLS_A_ROW * len(keys))):
        counters = np.zeros((cells + 7) // 8 * 8, np.uint8)
        compiled(_count_bytes)(keys, counters)
        told = np.zeros(CAP + 1, np.int64)
        compiled(_sum_bytes)(counters.view(np.uint64), told)
        return told
    _, sizes = numbered(keys, cells)
    return np.bincount(np.minimum(sizes, CAP), minlength=CAP + 1).astype(np.int64)


def _count_bytes(keys: NDArray[Any], counters: NDArray[np.uint8]) -> None:
    for key in keys:
        seen = counters[key]
        counters[key] = seen + np.uint8(seen < 255)


def _sum_bytes(words: NDArray[np.uint64], told: NDArray[np.int64]) -> None:
    for word in words:
        while word:
            size = word & np.uint64(255)
            if size:
                told[size] += 1
            word >>= np.uint64(8)


# --- values in classes -----------------------------------------------------------------------------------------


def runs(
    ids: NDArray[np.uint32], codes: NDArray[Any], classes: int, size: int
) -> tuple[NDArray[np.int64], NDArray[np.uint32], NDArray[np.uint32]]:
    """How often each code stands in each class: `starts` of each class's runs, the code and the count of each run.

    Sorted by class, then code. Rows are put into the order of codes once; no class is sorted, so that one class of
    all rows, or one of each row, costs the same.
    """
    bounds = np.zeros(size + 1, np.int64)
    np.cumsum(np.bincount(codes, minlength=size), out=bounds[1:])
    ordered = np.empty(len(ids), np.uint32)
    compiled(_order)(ids, codes, bounds[:-1].copy(), ordered)
    starts = np.zeros(classes + 1, np.int64)
    compiled(_distinct)(ordered, bounds, np.full(classes, 2**32 - 1, np.uint32), starts[1:])
    np.cumsum(starts, out=starts)
    values, counts = np.empty(starts[-1], np.uint32), np.empty(starts[-1], np.uint32)
    compiled(_fill_runs)(ordered, bounds, starts[:-1] - 1, starts, values, counts)
    return starts, values, counts


def _order(
    ids: NDArray[np.uint32], codes: NDArray[Any], cursor: NDArray[np.int64], ordered: NDArray[np.uint32]
) -> None:
    for row in range(len(ids)):
        code = codes[row]
        ordered[cursor[code]] = ids[row]
        cursor[code] += 1


def _distinct(
    ordered: NDArray[np.uint32], bounds: NDArray[np.int64], last: NDArray[np.uint32], counts: NDArray[np.int64]
) -> None:
    for code in range(len(bounds) - 1):
        for place in range(bounds[code], bounds[code + 1]):
            number = ordered[place]
            if last[number] != code:
                last[number] = code
                counts[number] += 1


def _fill_runs(
    ordered: NDArray[np.uint32],
    bounds: NDArray[np.int64],
    cursor: NDArray[np.int64],
    starts: NDArray[np.int64],
    values: NDArray[np.uint32],
    counts: NDArray[np.uint32],
) -> None:
    """`cursor`: the run of each class that was written last, one before its first at the beginning."""
    for code in range(len(bounds) - 1):
        for place in range(bounds[code], bounds[code + 1]):
            number = ordered[place]
            run = cursor[number]
            if run >= starts[number] and values[run] == code:
                counts[run] += 1
            else:
                cursor[number] = run + 1
                values[run + 1] = code
                counts[run + 1] = 1
