"""The Merkle map over one run: its root for the log, and proofs for one ordinal (`proof` says what they show).

Salts are derived from the oldest segment key and from the leaves that the run covers: the same segments give the same
root, so whoever holds the key re-derives it. Kept are 12 bytes an entry; digests are made again when they are read.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.ledger.index.leaf import MapRoot, RunRoot
from muniment.ledger.index.postings import Postings
from muniment.ledger.index.proof import (
    KEY_LABEL,
    MAP_SALT_BYTES,
    SALT_BYTES,
    VALUE_LABEL,
    Posting,
    RunProof,
    key_digest,
)
from muniment.ledger.ordinals.maps import MerkleMap, digests
from muniment.prf import BLOCK, BlockFunction, hkdf

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.keys import Key

_SLICE: Final = 2**18
"""Ordinals read at a time while the entries are collected."""
_CHUNK: Final = 65_536


class RunMap:
    """The map of one open run. Building it hashes every list once: some 2 microseconds each."""

    def __init__(self, run: Postings, key: Key) -> None:
        """`key`: the oldest segment key of the ring."""
        leaves = run.coverage.leaves
        self._ends = int(leaves[0]), int(leaves[-1])
        about = f"{self._ends[0]}-{self._ends[1]}"
        self._entries = _RunEntries(run, hkdf(key.secret, "muniment index map 1", about, length=32))
        self._map = MerkleMap(self._entries)

    def __repr__(self) -> str:
        return f"RunMap{self._ends}"

    @property
    def root(self) -> RunRoot:
        """What the log says of the run."""
        return RunRoot(*self._ends, MapRoot(self._map.root, len(self._map), sha256(self._entries.map_salt).digest()))

    def prove(self, ordinal: int) -> RunProof:
        """What the run lists for an ordinal, or that it lists nothing."""
        entries = self._entries
        proof = self._map.prove(key_digest(entries.map_salt, ordinal))
        postings = entries.postings(ordinal)
        salt = entries.salts(np.array([ordinal], np.uint32))[0].tobytes() if postings else None
        return RunProof(entries.map_salt, salt, postings, proof)


class _RunEntries:
    """The entries of a run by key digest (`maps.Entries`)."""

    def __init__(self, run: Postings, secret: bytes) -> None:
        self._run = run
        self.map_salt = hkdf(secret, "map salt", length=MAP_SALT_BYTES)
        self._aes = BlockFunction(hkdf(secret, "list salt"))
        self._bounds, self._leaves = run.coverage.bounds, run.coverage.leaves
        held = [run.lists(low, low + _SLICE).ordinals for low in range(0, run.coverage.span, _SLICE)]
        ordinals = np.concatenate([np.zeros(0, np.int64), *held]).astype(np.uint32)
        heads = [_heads(self._keys(ordinals[at : at + _CHUNK])) for at in range(0, len(ordinals), _CHUNK)]
        joined = np.concatenate([np.zeros(0, np.uint64), *heads])
        order = np.argsort(joined, kind="stable")
        self._heads, self._ordinals = joined[order], ordinals[order]
        self._settle_ties()

    def __len__(self) -> int:
        return len(self._ordinals)

    def read(self, start: int, end: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """As `maps.Entries`."""
        chosen = self._ordinals[start:end]
        begins, counts = self._run.find(chosen)
        packed = self._packed(self._run.events(begins, counts))
        ends = (16 * np.cumsum(counts)).tolist()
        salts = self.salts(chosen).tobytes()
        label = bytes([VALUE_LABEL])
        values = [
            sha256(label + salts[SALT_BYTES * n : SALT_BYTES * (n + 1)] + packed[first:last]).digest()
            for n, (first, last) in enumerate(zip([0, *ends[:-1]], ends, strict=False))
        ]
        return self._keys(chosen), np.frombuffer(b"".join(values), np.uint8).reshape(-1, 32)

    def place(self, key: bytes) -> int:
        """As `maps.Entries`."""
        head = np.uint64(int.from_bytes(key[:8], "big"))
        place, end = (int(np.searchsorted(self._heads, head, side)) for side in ("left", "right"))
        while place < end and self._keys(self._ordinals[place : place + 1]).tobytes() < key:
            place += 1
        return place

    def postings(self, ordinal: int) -> tuple[Posting, ...]:
        """The postings of one ordinal."""
        events = self._run.events(*self._run.find(np.array([ordinal], np.uint32)))
        pairs = np.frombuffer(self._packed(events), ">u8").reshape(-1, 2).tolist()
        return tuple((leaf, row) for leaf, row in pairs)

    def salts(self, ordinals: NDArray[np.uint32]) -> NDArray[np.uint8]:
        """The salts of the lists of some ordinals, shape (n, 16)."""
        blocks = np.zeros((len(ordinals), BLOCK), np.uint8)
        blocks[:, :4] = ordinals.astype(">u4").view(np.uint8).reshape(-1, 4)
        return self._aes(blocks)

    def _packed(self, events: NDArray[np.uint64]) -> bytes:
        places = events.astype(np.int64)
        segments = np.searchsorted(self._bounds, places, "right") - 1
        pairs = np.stack([self._leaves[segments], places - self._bounds[segments]], 1)
        return pairs.astype(">u8").tobytes()

    def _keys(self, ordinals: NDArray[np.uint32]) -> NDArray[np.uint8]:
        rows = np.empty((len(ordinals), 1 + MAP_SALT_BYTES + 4), np.uint8)
        rows[:, 0] = KEY_LABEL
        rows[:, 1 : 1 + MAP_SALT_BYTES] = np.frombuffer(self.map_salt, np.uint8)
        rows[:, 1 + MAP_SALT_BYTES :] = ordinals.astype(">u4").view(np.uint8).reshape(-1, 4)
        return digests(rows)

    def _settle_ties(self) -> None:
        """Order entries whose keys agree in 64 bits by the rest of them."""
        equal = np.flatnonzero(self._heads[1:] == self._heads[:-1])
        for head in set(self._heads[equal].tolist()):
            start, end = (int(np.searchsorted(self._heads, np.uint64(head), side)) for side in ("left", "right"))
            chosen = self._ordinals[start:end]
            keys = [key.tobytes() for key in self._keys(chosen)]
            self._ordinals[start:end] = chosen[sorted(range(len(keys)), key=keys.__getitem__)]


def _heads(keys: NDArray[np.uint8]) -> NDArray[np.uint64]:
    return np.ascontiguousarray(keys[:, :8]).view(">u8").reshape(-1).astype(np.uint64)
