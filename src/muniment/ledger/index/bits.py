"""Integers of one width packed side by side in 64-bit words, lowest bit first (pure).

A group of 64 values of width w fills w words exactly, so that groups can be packed and cut without a carry.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Item = TypeVar("Item", np.uint16, np.uint32, np.uint64, np.int64)
GROUP: Final = 64
"""Values that fill a whole number of words at any width."""
WORD_BYTES: Final = 8


def width_of(most: int) -> int:
    """Bits that values up to `most` need; at least one."""
    return max(1, most.bit_length())


def pack(values: NDArray[np.uint64], width: int) -> bytes:
    """Pack values below 2**width, shape (n,) with n a multiple of `GROUP`: n * width / 8 bytes."""
    groups = values.reshape(-1, GROUP)
    words = np.zeros((len(groups), width), "<u8")
    for place in range(GROUP):
        word, shift = divmod(place * width, 64)
        words[:, word] |= groups[:, place] << np.uint64(shift)
        if shift + width > 64:
            words[:, word + 1] |= groups[:, place] >> np.uint64(64 - shift)
    return words.tobytes()


def unpack(data: bytes, width: int) -> NDArray[np.uint64]:
    """Undo `pack`."""
    words = np.frombuffer(data, "<u8").reshape(-1, width)
    values = np.empty((len(words), GROUP), np.uint64)
    for place in range(GROUP):
        word, shift = divmod(place * width, 64)
        values[:, place] = words[:, word] >> np.uint64(shift)
        if shift + width > 64:
            values[:, place] |= words[:, word + 1] << np.uint64(64 - shift)
    values &= _mask(width)
    return values.reshape(-1)


def pick(
    words: Callable[[NDArray[np.int64]], NDArray[np.uint64]], places: NDArray[np.int64], width: int
) -> NDArray[np.uint64]:
    """The values at some places of a packed array, whose words `words` reads; a place is a number of a value."""
    bits = places * width
    first, shift = bits >> 6, (bits & 63).astype(np.uint64)
    values = words(first) >> shift
    # A value that ends within its word takes nothing from the next one: the mask cuts that off.
    crossing = np.flatnonzero(shift + np.uint64(width) > 64)
    values[crossing] |= words(first[crossing] + 1) << (np.uint64(64) - shift[crossing])
    values &= _mask(width)
    return values


def padded(values: NDArray[Item], multiple: int) -> NDArray[Item]:
    """The values, and zeros behind them up to a multiple."""
    return np.concatenate((values, np.zeros(-len(values) % multiple, values.dtype)))


def distinct(values: NDArray[Item]) -> NDArray[Item]:
    """The distinct values, ascending; by sorting, as the hash table of `np.unique` (2.4) takes 15 s for 5 million."""
    ordered = np.sort(values)
    return ordered[np.concatenate(([True], ordered[1:] != ordered[:-1]))] if ordered.size else ordered


def _mask(width: int) -> np.uint64:
    return np.uint64(2**width - 1)
