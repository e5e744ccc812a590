"""A keyed permutation of the numbers below n: the order in which a reserved range of ordinals is handed out.

It is a Feistel network over the bits of n - 1, halves of at most 16 bits, whose round functions are AES under one key;
a value that falls at n or above is sent through again until it does not (cycle walking: Black and Rogaway, CT-RSA
2002). The halves are so narrow that each round function is tabulated once, 65,536 entries at most: a round is then one
look-up, and a permutation of 25 million numbers takes seconds. Whoever holds the key can undo it; nobody else learns
from an ordinal when its person was first seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.prf import BLOCK, BlockFunction

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROUNDS: Final = 16
"""Rounds of the network: ten are the published minimum for narrow halves (NIST SP 800-38G, FF1); a round is cheap."""
MOST: Final = 2**32
"""Largest n: two halves of 16 bits."""
_CHUNK: Final = 65_536
"""Numbers in one pass: rounds then work in the cache."""


class Permutation:
    """A permutation of 0 .. n - 1 under a 16-byte key; the key never shows in `repr`."""

    def __init__(self, key: bytes, n: int) -> None:
        if not 1 <= n <= MOST:
            raise ValueError(f"a permutation of 1 to {MOST:,} numbers is possible, came {n:,}")
        bits = max(2, (n - 1).bit_length())
        self._n = n
        self._low = np.uint32(bits - bits // 2)
        self._rounds = _tables(BlockFunction(key), n)

    def __repr__(self) -> str:
        return f"Permutation(n={self._n})"

    def __len__(self) -> int:
        return self._n

    def forward(self, numbers: NDArray[np.integer]) -> NDArray[np.uint32]:
        """The image of each number, shape (m,); `ValueError` for a number outside 0 .. n - 1."""
        return self._mapped(numbers, self._rounds)

    def inverse(self, images: NDArray[np.integer]) -> NDArray[np.uint32]:
        """Undo `forward`."""
        return self._mapped(images, self._rounds[::-1])

    def _mapped(
        self, numbers: NDArray[np.integer], rounds: list[tuple[bool, NDArray[np.uint32]]]
    ) -> NDArray[np.uint32]:
        if numbers.size and not 0 <= int(numbers.min()) <= int(numbers.max()) < self._n:
            raise ValueError(f"expected numbers from 0 to {self._n - 1:,}")
        out = numbers.astype(np.uint32)
        for start in range(0, out.size, _CHUNK):
            part = out[start : start + _CHUNK]
            part[:] = self._once(part, rounds)
            while (outside := np.flatnonzero(part >= self._n)).size:
                part[outside] = self._once(part[outside], rounds)
        return out

    def _once(self, values: NDArray[np.uint32], rounds: list[tuple[bool, NDArray[np.uint32]]]) -> NDArray[np.uint32]:
        high, low = values >> self._low, values & np.uint32((1 << int(self._low)) - 1)
        for changes_high, table in rounds:
            if changes_high:
                high ^= table.take(low)
            else:
                low ^= table.take(high)
        return high << self._low | low


def _tables(aes: BlockFunction, n: int) -> list[tuple[bool, NDArray[np.uint32]]]:
    """The round functions: (whether the high half changes, its mask for each value of the other half)."""
    bits, rounds = max(2, (n - 1).bit_length()), []
    high, low = bits // 2, bits - bits // 2
    for number in range(ROUNDS):
        changes_high = number % 2 == 0
        size, width = (1 << low, high) if changes_high else (1 << high, low)
        blocks = np.zeros((size, BLOCK), np.uint8)
        blocks[:, 0] = number
        blocks[:, 8:] = np.frombuffer(n.to_bytes(8, "big"), np.uint8)
        blocks[:, 4:8] = np.arange(size, dtype=">u4").view(np.uint8).reshape(-1, 4)
        masks = aes(blocks)[:, :4].copy().view("<u4").reshape(-1) & np.uint32((1 << width) - 1)
        rounds.append((changes_high, masks))
    return rounds
