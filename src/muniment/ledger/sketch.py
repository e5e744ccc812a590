"""A sketch of the records of a leak: enough to tell whether two leaks share records, too little to list them.

Each record falls into one of 2**18 buckets by a keyed hash of its pseudonym; the sketch is the set of buckets that were
hit. Two sketches under one key share every bucket of a shared record, so *no overlap is missed by chance*: that is why
not the 64 smallest hashes (MinHash, Broder 1997) are kept. Those estimate how alike two sets are, and miss what matters
here: a file of 60 rows cut out of a leak of 30,000 shares 0.1 of 64 smallest hashes with it.

A bucket stands for many persons of a large register, and the order of rows is gone: a sketch ties no row to a record.

`may_share` errs towards yes. A wrong yes raises the threshold by k(k+1) (0.8 decades for a second examination); a wrong
no would let someone look at one leak piece by piece at the price of a first look.
"""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from muniment.prf import BLOCK, BlockFunction, hkdf

if TYPE_CHECKING:
    from numpy.typing import NDArray

BUCKETS = 2**18
_DEVIATIONS = 3.0
"""Hits above chance, in standard deviations, that count as an overlap."""


def sketch(secret: bytes, pseudonyms: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """The buckets that the records hit, shape (BUCKETS,); how often each was hit is not kept."""
    blocks = np.zeros((pseudonyms.size, BLOCK), np.uint8)
    blocks[:, :8] = pseudonyms.astype(">u8").view(np.uint8).reshape(-1, 8)
    hashed = BlockFunction(hkdf(secret, "muniment sketch 1"))(blocks)
    hit = np.zeros(BUCKETS, np.bool_)
    hit[np.ascontiguousarray(hashed[:, :4]).view(">u4").reshape(-1) % BUCKETS] = True
    return hit


def may_share(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> bool:
    """Whether two sketches may be of leaks with a record in common.

    1. No bucket in common: no. 2. One lies within the other (a file cut out of a leak): yes. 3. Either is more than
    half full: yes, chance hides an overlap there. 4. Else: whether the hits pass what chance gives disjoint leaks.
    """
    sizes = int(first.sum()), int(second.sum())
    common = int((first & second).sum())
    if common == 0:
        return False
    if common == min(sizes) or max(sizes) > BUCKETS // 2:
        return True
    by_chance = sizes[0] * sizes[1] / BUCKETS
    return common > by_chance + _DEVIATIONS * sqrt(by_chance)


def pack(hit: NDArray[np.bool_]) -> str:
    """A sketch as text for the journal: at most 44 kB, some 20 kB at 30,000 records."""
    return b64encode(zlib.compress(np.packbits(hit).tobytes(), 9)).decode()


def unpack(packed: str) -> NDArray[np.bool_]:
    """Undo `pack`."""
    return np.unpackbits(np.frombuffer(zlib.decompress(b64decode(packed)), np.uint8)).astype(np.bool_)
