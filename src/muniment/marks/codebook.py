"""The codebook: which bit a recipient has at an address. Rateless, never stored, derived from the mark key.

No copy can be traced after this file changes, so the layout has a version and published test vectors
(tests/vectors/codebook.json).

Layout, version 1
    K_rec, K_bias, K_bit = HKDF(mark key, "muniment codebook", register, label)
    record      = first 64 bits of CMAC(K_rec, canonical record key)
    block       = record 64 | column 12 | carrier 8 | layout version 4 | recipient >> 2 in 40 bits    (big endian)
    bias lanes  = AES(K_bias, block with recipient 0): lane 0 chooses T in the law's table, lane 1 is the phase
    bit lanes   = AES(K_bit, block): four lanes of 32 bits, one for each of four neighbouring recipients
    bit         = lane[recipient & 3] < T        and the bias is p = T / 2**32 exactly

Rules
1. An address is (register, carrier, record, column) under one mark key; equal blocks are one address.
2. The law of an address belongs to (mark key, register, carrier, column) and is logged before the first copy. No
   release chooses it. The score uses the integer T; no floating-point comparison takes part.
3. No ordinal, pseudonym key, clock or random number takes part: the same recipient always has the same bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from muniment.errors import LimitError
from muniment.limits import RECIPIENTS
from muniment.marks.laws import Law
from muniment.prf import BLOCK, CHUNK_BLOCKS, BlockFunction, cmac64_many, hkdf

if TYPE_CHECKING:
    from numpy.typing import NDArray

LAYOUT_VERSION = 1
LANES = 4
_COLUMN_SHIFT, _CARRIER_SHIFT, _VERSION_SHIFT = 52, 44, 40


@dataclass(frozen=True, slots=True, repr=False)
class Addresses:
    """Addresses of one register as columns of equal length: record (uint64), column (uint16), carrier (uint8)."""

    record: NDArray[np.uint64]
    column: NDArray[np.uint16]
    carrier: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.record)

    def take(self, chosen: NDArray[np.intp]) -> Addresses:
        """The addresses with these numbers."""
        return Addresses(self.record[chosen], self.column[chosen], self.carrier[chosen])

    @property
    def numbers(self) -> NDArray[np.uint64]:
        """One 64-bit number an address: the record, turned by a multiple of the part that names column and carrier."""
        part = (self.column.astype(np.uint64) << np.uint64(8)) | self.carrier
        return self.record ^ (part * np.uint64(0x9E3779B97F4A7C15))

    @classmethod
    def of(cls, record: NDArray[np.uint64], column: int, carrier: int) -> Addresses:
        """The addresses of one family: these records under one column and carrier."""
        shape = len(record)
        return cls(record, np.full(shape, column, np.uint16), np.full(shape, carrier, np.uint8))


class Codebook:
    """The bits of every recipient at every address of one register under one mark key."""

    def __init__(self, mark_key: bytes, register: str) -> None:
        derive = [hkdf(mark_key, "muniment codebook", register, label) for label in ("record", "bias", "bit")]
        self._record_key = derive[0]
        self._bias = BlockFunction(derive[1])
        self._bit = BlockFunction(derive[2])

    def records(self, canonical_keys: Sequence[bytes]) -> NDArray[np.uint64]:
        """The record part of the addresses of these canonical record keys."""
        return cmac64_many(self._record_key, canonical_keys)

    def biases(self, addresses: Addresses, law: Law) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        """Thresholds T (p = T / 2**32) and phases of addresses that share one law."""
        lanes = self._bias(_blocks(addresses, np.zeros(1, np.int64))).view(">u4")
        table = np.asarray(law.table, np.uint32)
        index = (lanes[:, 0].astype(np.uint64) * np.uint64(len(table))) >> np.uint64(32)
        return table[index], lanes[:, 1].astype(np.uint32)

    def bits(
        self, addresses: Addresses, thresholds: NDArray[np.uint32], recipients: Sequence[int]
    ) -> NDArray[np.uint8]:
        """The bits of these recipients, shape (recipients, addresses), values 0 and 1."""
        numbers = np.asarray(recipients, np.int64)
        if len(numbers) and not 0 <= numbers.min() <= numbers.max() < RECIPIENTS:
            raise LimitError(
                f"a recipient number lies outside 0 to {RECIPIENTS - 1}: {numbers.min()} to {numbers.max()}"
            )
        out = np.empty((len(numbers), len(addresses)), np.uint8)
        groups, place = np.unique(numbers // LANES, return_inverse=True)
        # As many groups in one call as fill a chunk: few addresses and many recipients are then as fast as the reverse.
        step = max(1, CHUNK_BLOCKS // max(1, len(addresses)))
        for start in range(0, len(groups), step):
            chosen = groups[start : start + step]
            lanes = self._bit(_blocks(addresses, chosen)).view(">u4").reshape(len(chosen), len(addresses), LANES)
            for position in np.flatnonzero((place >= start) & (place < start + step)):
                lane = lanes[place[position] - start, :, numbers[position] % LANES]
                np.less(lane, thresholds, out=out[position].view(np.bool_))
        return out


def _blocks(addresses: Addresses, groups: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The AES blocks of addresses for some groups of recipients, group by group, shape (groups * n, 16)."""
    low = (
        (addresses.column.astype(np.uint64) << np.uint64(_COLUMN_SHIFT))
        | (addresses.carrier.astype(np.uint64) << np.uint64(_CARRIER_SHIFT))
        | np.uint64(LAYOUT_VERSION << _VERSION_SHIFT)
    )
    words = np.empty((len(groups), len(addresses), 2), ">u8")
    words[:, :, 0] = addresses.record
    words[:, :, 1] = low | groups.astype(np.uint64)[:, None]
    return words.view(np.uint8).reshape(-1, BLOCK)
