"""Sorted Merkle maps: a root over (key, value) digests by ascending key, and proofs that a key has a value or has none.

Rules
1. Keys and values are digests of 32 bytes, made by the caller (salted: a map shows the digests of neighbours). Keys
   rise strictly: one key, one value.
2. leaf = SHA-256(0x20 | key | value); above the leaves the tree is that of RFC 6962, and so is the empty root.
3. Present: the leaf and its inclusion path. Absent: the two leaves between which the key would stand, with neighbouring
   numbers; before the first or behind the last leaf that one alone; nothing where the map is empty. The verifier must
   have the size of the map from the same source as the root: the last leaf is last by that size only.

Building streams over the entries and keeps one digest of every `PAGE` leaves; a proof reads the page again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from muniment.errors import IntegrityError
from muniment.ledger.log.tree import EMPTY, inclusion_spans, verify_inclusion

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIGEST: Final = 32
PAGE: Final = 1_024
"""Leaves under each digest that is kept: a power of two; a proof hashes some 2,000 nodes in a millisecond."""
PATH_DIGESTS: Final = 64
"""Digests of an inclusion path that are read: a map of 2**64 leaves."""
_BLOCK: Final = 64 * PAGE
"""Entries read at once while building."""
_LEAF: Final = 0x20
_NODE: Final = 0x01


class Entries(Protocol):
    """Where a map reads its entries: by number, in ascending order of key."""

    def __len__(self) -> int: ...

    def read(self, start: int, end: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Keys and values of entries `start` up to `end`, shape (end - start, 32) each."""
        ...

    def place(self, key: bytes) -> int:
        """How many keys are smaller than `key`."""
        ...


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ArrayEntries:
    """Entries in memory: `keys` and `values` of shape (n, 32), uint8, ascending by key."""

    keys: NDArray[np.uint8]
    values: NDArray[np.uint8]

    @classmethod
    def of(cls, keys: NDArray[np.uint8], values: NDArray[np.uint8]) -> ArrayEntries:
        """Entries in any order, sorted."""
        order = np.argsort(_comparable(keys), kind="stable")
        return cls(np.ascontiguousarray(keys[order]), np.ascontiguousarray(values[order]))

    def __len__(self) -> int:
        return len(self.keys)

    def read(self, start: int, end: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """As `Entries`."""
        return self.keys[start:end], self.values[start:end]

    def place(self, key: bytes) -> int:
        """As `Entries`."""
        return int(np.searchsorted(_comparable(self.keys), np.frombuffer(key, f"S{DIGEST}"))[0])


@dataclass(frozen=True, slots=True)
class MapLeaf:
    """One leaf with its place and inclusion path, lowest digest first."""

    index: int
    key: bytes
    value: bytes
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class MapProof:
    """What shows that a key has a value, or that it is absent (rule 3)."""

    leaves: tuple[MapLeaf, ...]

    def verify(self, key: bytes, root: bytes, size: int) -> bytes | None:
        """The value of `key` in the map of that root and size; `None` where the proof shows that it is absent.

        Raises `IntegrityError` where it shows neither.
        """
        # 1. every leaf lies under the root, 2. the key is the one leaf's, or 3. it falls between neighbours or beyond
        for leaf in self.leaves:
            verify_inclusion(_leaf_hash(leaf.key, leaf.value), leaf.index, size, leaf.path, root)
        if len(self.leaves) == 1 and self.leaves[0].key == key:
            return self.leaves[0].value
        self._check_absent(key, root, size)
        return None

    def _check_absent(self, key: bytes, root: bytes, size: int) -> None:
        smaller = [leaf.index for leaf in self.leaves if leaf.key < key]
        larger = [leaf.index for leaf in self.leaves if key < leaf.key]
        before, after = max(smaller, default=-1), min(larger, default=size)
        none_equal = len(smaller) + len(larger) == len(self.leaves)
        if after != before + 1 or not none_equal or (size == 0 and root != EMPTY):
            raise IntegrityError("map proof: it shows neither that the key is there nor that it is absent")

    def to_json(self) -> list[dict[str, object]]:
        """A JSON value: a list of leaves with digests as hex."""
        return [
            {
                "index": leaf.index,
                "key": leaf.key.hex(),
                "value": leaf.value.hex(),
                "path": [digest.hex() for digest in leaf.path],
            }
            for leaf in self.leaves
        ]

    @classmethod
    def from_json(cls, stored: object) -> MapProof:
        """Read the JSON value. Raises `IntegrityError` where it has another shape."""
        if not isinstance(stored, list) or len(stored) > 2:
            raise IntegrityError("map proof: malformed; expected a list of at most two leaves")
        return cls(tuple(_parsed(leaf) for leaf in stored))


class MerkleMap:
    """A map over entries: its root, and proofs."""

    def __init__(self, entries: Entries) -> None:
        """Hash all entries once. Raises `ValueError` where their keys do not rise."""
        self._entries = entries
        self._pages = _levels(_page_roots(entries))

    def __repr__(self) -> str:
        return f"MerkleMap(size={len(self)})"

    def __len__(self) -> int:
        return len(self._entries)

    @classmethod
    def build(cls, keys: NDArray[np.uint8], values: NDArray[np.uint8]) -> MerkleMap:
        """A map of digests in any order, shape (n, 32) each. Raises `ValueError` where a key comes twice."""
        return cls(ArrayEntries.of(keys, values))

    @property
    def root(self) -> bytes:
        """The root over all leaves."""
        return self._pages[-1][0].tobytes() if len(self) else EMPTY

    def prove(self, key: bytes) -> MapProof:
        """The proof that `key` has its value, or is absent."""
        place, size = self._entries.place(key), len(self)
        if place < size and self._entries.read(place, place + 1)[0].tobytes() == key:
            return MapProof((self._leaf(place),))
        return MapProof(tuple(self._leaf(index) for index in (place - 1, place) if 0 <= index < size))

    def _leaf(self, index: int) -> MapLeaf:
        start = index // PAGE * PAGE
        keys, values = self._entries.read(start, min(start + PAGE, len(self)))
        within = _levels(_leaf_hashes(keys, values))
        path = []
        for first, end in inclusion_spans(index, len(self)):
            inside = end - first < PAGE and first >= start and end <= start + PAGE
            levels, low, high = (within, first - start, end - start) if inside else (self._pages, first, end)
            unit = 1 if inside else PAGE
            low, high = low // unit, -(-high // unit)
            height = (high - low - 1).bit_length()
            path.append(levels[height][low >> height].tobytes())
        return MapLeaf(index, keys[index - start].tobytes(), values[index - start].tobytes(), tuple(path))


def digests(rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """SHA-256 of each row, shape (n, width) -> (n, 32); some 2 million rows a second."""
    out = np.empty((len(rows), DIGEST), np.uint8)
    for start in range(0, len(rows), _BLOCK):
        part = np.ascontiguousarray(rows[start : start + _BLOCK])
        texts = part.view(f"V{part.shape[1]}").reshape(-1).tolist()
        joined = b"".join([sha256(text).digest() for text in texts])
        out[start : start + _BLOCK] = np.frombuffer(joined, np.uint8).reshape(-1, DIGEST)
    return out


def _page_roots(entries: Entries) -> NDArray[np.uint8]:
    roots, last = [], b""
    for start in range(0, len(entries), _BLOCK):
        keys, values = entries.read(start, min(start + _BLOCK, len(entries)))
        names = _comparable(keys)
        if not (bool((names[1:] > names[:-1]).all()) and (not start or last < keys[0].tobytes())):
            raise ValueError("the keys of a map must rise, each once")
        last = keys[-1].tobytes()
        level = _leaf_hashes(keys, values)
        for _ in range(PAGE.bit_length() - 1):
            level = _above(level)
        roots.append(level)
    return np.concatenate(roots) if roots else np.zeros((0, DIGEST), np.uint8)


def _levels(lowest: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    levels = [lowest]
    while len(levels[-1]) > 1:
        levels.append(_above(levels[-1]))
    return levels


def _above(level: NDArray[np.uint8]) -> NDArray[np.uint8]:
    pairs = len(level) // 2
    rows = np.empty((pairs, 1 + 2 * DIGEST), np.uint8)
    rows[:, 0] = _NODE
    rows[:, 1:] = level[: 2 * pairs].reshape(pairs, 2 * DIGEST)
    return np.concatenate([digests(rows), level[2 * pairs :]])


def _leaf_hashes(keys: NDArray[np.uint8], values: NDArray[np.uint8]) -> NDArray[np.uint8]:
    rows = np.empty((len(keys), 1 + 2 * DIGEST), np.uint8)
    rows[:, 0] = _LEAF
    rows[:, 1 : 1 + DIGEST] = keys
    rows[:, 1 + DIGEST :] = values
    return digests(rows)


def _leaf_hash(key: bytes, value: bytes) -> bytes:
    return sha256(bytes([_LEAF]) + key + value).digest()


def _comparable(keys: NDArray[np.uint8]) -> NDArray[np.bytes_]:
    # Of one width, so that the zeros which numpy strips from the end of a text make no two of them equal.
    return np.ascontiguousarray(keys).view(f"S{DIGEST}").reshape(-1)


def _parsed(stored: object) -> MapLeaf:
    try:
        if not isinstance(stored, Mapping) or sorted(stored) != ["index", "key", "path", "value"]:
            raise ValueError("fields")
        index, path = stored["index"], stored["path"]
        if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < 2**63:
            raise ValueError("index")
        if not isinstance(path, Sequence) or isinstance(path, str) or len(path) > PATH_DIGESTS:
            raise ValueError("path")
        return MapLeaf(index, _digest(stored["key"]), _digest(stored["value"]), tuple(map(_digest, path)))
    except (ValueError, TypeError) as error:
        raise IntegrityError("map proof: malformed leaf") from error


def _digest(stored: object) -> bytes:
    if not isinstance(stored, str) or len(stored) != 2 * DIGEST:
        raise ValueError("digest")
    return bytes.fromhex(stored)
