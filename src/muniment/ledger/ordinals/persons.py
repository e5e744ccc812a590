"""The ordinal table as a Merkle map: which ordinal a person has, provable without opening anyone else's.

Rules
1. key = SHA-256(0x21 | map salt (32) | pseudonym u64), value = SHA-256(0x22 | salt (16) | ordinal u32), big endian. A
   person known by several pseudonyms has an entry under each.
2. Map salt and salts come from the table's secret: the root tells nothing to whoever lacks it, and when a person is
   shredded, which makes a new secret, the digests in old proofs can no longer be tried out.
3. An opening names one person: the map salt, the pseudonym, and (where it is there) ordinal and salt. It is complete
   relative to the pseudonym key: that this is the pseudonym of that record key, only its holder can say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.errors import IntegrityError
from muniment.ledger.ordinals.maps import MapProof, MerkleMap, digests
from muniment.prf import BLOCK, BlockFunction, hkdf

if TYPE_CHECKING:
    from numpy.typing import NDArray

SALT_BYTES: Final = 16
MAP_SALT_BYTES: Final = 32
_KEY: Final = 0x21
_VALUE: Final = 0x22
_CHUNK: Final = 65_536


@dataclass(frozen=True, slots=True)
class PersonProof:
    """That a pseudonym has an ordinal, or (`ordinal` and `salt` both `None`) that it has none."""

    map_salt: bytes = field(repr=False)
    pseudonym: int
    ordinal: int | None
    salt: bytes | None = field(repr=False)
    proof: MapProof

    def verify(self, root: bytes, size: int) -> int | None:
        """The ordinal of the pseudonym in the map of that root and size, or `None`: it has none.

        Raises `IntegrityError` where the proof does not show what it says.
        """
        value = self.proof.verify(_key_digest(self.map_salt, self.pseudonym), root, size)
        if (value is None) != (self.ordinal is None):
            raise IntegrityError("person proof: it says of the ordinal what its map proof does not show")
        if self.ordinal is not None and value != _value_digest(self.salt or b"", self.ordinal):
            raise IntegrityError("person proof: the ordinal is not the one in the map")
        return self.ordinal

    def to_json(self) -> dict[str, object]:
        """A JSON value, byte strings and the pseudonym as hex."""
        return {
            "map_salt": self.map_salt.hex(),
            "pseudonym": f"{self.pseudonym:016x}",
            "ordinal": self.ordinal,
            "salt": None if self.salt is None else self.salt.hex(),
            "proof": self.proof.to_json(),
        }

    @classmethod
    def from_json(cls, stored: object) -> PersonProof:
        """Read the JSON value. Raises `IntegrityError` where it has another shape."""
        try:
            if not isinstance(stored, Mapping) or sorted(stored) != _FIELDS:
                raise ValueError("fields")
            ordinal, salt = stored["ordinal"], stored["salt"]
            if (ordinal is None) != (salt is None) or not (ordinal is None or _is_ordinal(ordinal)):
                raise ValueError("ordinal")
            return cls(
                map_salt=_hex(stored["map_salt"], MAP_SALT_BYTES),
                pseudonym=int.from_bytes(_hex(stored["pseudonym"], 8), "big"),
                ordinal=ordinal,
                salt=None if salt is None else _hex(salt, SALT_BYTES),
                proof=MapProof.from_json(stored["proof"]),
            )
        except ValueError as error:
            raise IntegrityError("person proof: malformed") from error


_FIELDS: Final = ["map_salt", "ordinal", "proof", "pseudonym", "salt"]


class PersonMap:
    """The map over the entries of a table, shape (n,) each, pseudonyms rising; `secret`: 32 bytes of the table."""

    def __init__(self, pseudonyms: NDArray[np.uint64], ordinals: NDArray[np.uint32], secret: bytes) -> None:
        self._entries = _PersonEntries(pseudonyms, ordinals, secret)
        self._map = MerkleMap(self._entries)

    def __repr__(self) -> str:
        return f"PersonMap(size={len(self)})"

    def __len__(self) -> int:
        return len(self._map)

    @property
    def root(self) -> bytes:
        """The root, to be logged together with `len`."""
        return self._map.root

    def prove(self, pseudonym: int) -> PersonProof:
        """The proof of what ordinal a pseudonym has, or that it has none."""
        entries = self._entries
        proof = self._map.prove(_key_digest(entries.map_salt, pseudonym))
        place = int(np.searchsorted(entries.pseudonyms, np.uint64(pseudonym)))
        if place == len(entries) or entries.pseudonyms[place] != pseudonym:
            return PersonProof(entries.map_salt, pseudonym, None, None, proof)
        salt = entries.salts(np.array([place]))[0].tobytes()
        return PersonProof(entries.map_salt, pseudonym, int(entries.ordinals[place]), salt, proof)


class _PersonEntries:
    """Entries by key digest, kept as 12 bytes each: the digests are made again when they are read."""

    def __init__(self, pseudonyms: NDArray[np.uint64], ordinals: NDArray[np.uint32], secret: bytes) -> None:
        self.pseudonyms = pseudonyms
        self.ordinals = ordinals
        self.map_salt = hkdf(secret, "muniment person map 1", length=MAP_SALT_BYTES)
        self._aes = BlockFunction(hkdf(secret, "muniment ordinal salt 1"))
        heads = np.empty(len(pseudonyms), np.uint64)
        for start in range(0, len(pseudonyms), _CHUNK):
            keys = self._keys(pseudonyms[start : start + _CHUNK])
            heads[start : start + _CHUNK] = _heads(keys)
        order = np.argsort(heads, kind="stable").astype(np.uint32)
        self._heads = heads[order]
        self._order = order
        self._settle_ties()

    def __len__(self) -> int:
        return len(self.pseudonyms)

    def read(self, start: int, end: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """As `maps.Entries`."""
        chosen = self._order[start:end]
        rows = np.empty((len(chosen), 1 + SALT_BYTES + 4), np.uint8)
        rows[:, 0] = _VALUE
        rows[:, 1 : 1 + SALT_BYTES] = self.salts(chosen)
        rows[:, 1 + SALT_BYTES :] = _big_endian(self.ordinals[chosen], ">u4")
        return self._keys(self.pseudonyms[chosen]), digests(rows)

    def place(self, key: bytes) -> int:
        """As `maps.Entries`."""
        head = np.uint64(int.from_bytes(key[:8], "big"))
        place, end = (int(np.searchsorted(self._heads, head, side)) for side in ("left", "right"))
        while place < end and self.read(place, place + 1)[0].tobytes() < key:
            place += 1
        return place

    def salts(self, chosen: NDArray[np.integer]) -> NDArray[np.uint8]:
        """The salts of some entries, shape (m, 16)."""
        blocks = np.zeros((len(chosen), BLOCK), np.uint8)
        blocks[:, :8] = _big_endian(self.pseudonyms[chosen], ">u8")
        blocks[:, 12:] = _big_endian(self.ordinals[chosen], ">u4")
        return self._aes(blocks)

    def _keys(self, pseudonyms: NDArray[np.uint64]) -> NDArray[np.uint8]:
        rows = np.empty((len(pseudonyms), 1 + MAP_SALT_BYTES + 8), np.uint8)
        rows[:, 0] = _KEY
        rows[:, 1 : 1 + MAP_SALT_BYTES] = np.frombuffer(self.map_salt, np.uint8)
        rows[:, 1 + MAP_SALT_BYTES :] = _big_endian(pseudonyms, ">u8")
        return digests(rows)

    def _settle_ties(self) -> None:
        """Order entries whose keys agree in 64 bits by the rest; one map of 5 million persons in a million has some."""
        equal = np.flatnonzero(self._heads[1:] == self._heads[:-1])
        for head in np.unique(self._heads[equal]):
            start, end = (int(np.searchsorted(self._heads, head, side)) for side in ("left", "right"))
            keys = [row.tobytes() for row in self._keys(self.pseudonyms[self._order[start:end]])]
            self._order[start:end] = self._order[start:end][sorted(range(len(keys)), key=keys.__getitem__)]


def _heads(keys: NDArray[np.uint8]) -> NDArray[np.uint64]:
    return np.ascontiguousarray(keys[:, :8]).view(">u8").reshape(-1).astype(np.uint64)


def _big_endian(numbers: NDArray[np.integer], kind: str) -> NDArray[np.uint8]:
    wide = numbers.astype(kind)
    return wide.view(np.uint8).reshape(-1, wide.itemsize)


def _key_digest(map_salt: bytes, pseudonym: int) -> bytes:
    return sha256(bytes([_KEY]) + map_salt + pseudonym.to_bytes(8, "big")).digest()


def _value_digest(salt: bytes, ordinal: int) -> bytes:
    return sha256(bytes([_VALUE]) + salt + ordinal.to_bytes(4, "big")).digest()


def _hex(stored: object, size: int) -> bytes:
    if not isinstance(stored, str) or len(stored) != 2 * size:
        raise ValueError("hex digits")
    return bytes.fromhex(stored)


def _is_ordinal(stored: object) -> bool:
    return isinstance(stored, int) and not isinstance(stored, bool) and 0 <= stored < 2**32
