"""What one run says of one ordinal, as a proof under the run's logged root. Pure.

Rules
1. The map of a run: key = SHA-256(0x30 | map salt (32) | ordinal u32), value = SHA-256(0x31 | salt (16) | postings); a
   posting is leaf index of the segment (u64) | row in it (u64); big endian. Dumps are not among the postings.
2. Map salt and salts are derived under the segment key: neighbours show in a proof as digests that tell nothing.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from muniment.errors import IntegrityError
from muniment.ledger.index.leaf import MapRoot
from muniment.ledger.ordinals.maps import MapProof

KEY_LABEL: Final = 0x30
VALUE_LABEL: Final = 0x31
MAP_SALT_BYTES: Final = 32
SALT_BYTES: Final = 16
PROOF_POSTINGS: Final = 1_000_000
"""Postings of one person in one run that a proof may list (limits.PROOF_POSTINGS): far more than anybody has."""
_HEX = re.compile(r"[0-9a-f]*")
_POSTING = struct.Struct(">QQ")
_FIELDS: Final = {"map_salt", "salt", "postings", "proof"}

Posting = tuple[int, int]
"""Leaf index of the segment, and row."""


@dataclass(frozen=True, slots=True)
class RunProof:
    """That a run lists exactly these postings for an ordinal; `salt` is `None` where it lists none."""

    map_salt: bytes = field(repr=False)
    salt: bytes | None = field(repr=False)
    postings: tuple[Posting, ...]
    proof: MapProof

    def verify(self, ordinal: int, logged: MapRoot) -> tuple[Posting, ...]:
        """The postings. Raises `IntegrityError` where the proof does not show them, all of them and no others."""
        logged.check_salt(self.map_salt)
        value = self.proof.verify(key_digest(self.map_salt, ordinal), logged.root, logged.entries)
        if (value is None) != (self.salt is None):
            raise IntegrityError("run proof: it says of the ordinal what its map proof does not show")
        if self.salt is not None and value != value_digest(self.salt, self.postings):
            raise IntegrityError("run proof: the postings are not those of the map")
        return self.postings

    def to_json(self) -> dict[str, object]:
        """A JSON value, byte strings as hex."""
        return {
            "map_salt": self.map_salt.hex(),
            "salt": None if self.salt is None else self.salt.hex(),
            "postings": [list(posting) for posting in self.postings],
            "proof": self.proof.to_json(),
        }

    @classmethod
    def from_json(cls, stored: object) -> RunProof:
        """Read the JSON value. Raises `IntegrityError` where it has another shape."""
        try:
            if not isinstance(stored, Mapping) or set(stored) != _FIELDS:
                raise ValueError("fields")
            salt, postings = stored["salt"], stored["postings"]
            if not isinstance(postings, list) or len(postings) > PROOF_POSTINGS or (salt is None) != (not postings):
                raise ValueError("postings")
            return cls(
                map_salt=_bytes(stored["map_salt"], MAP_SALT_BYTES),
                salt=None if salt is None else _bytes(salt, SALT_BYTES),
                postings=tuple(_posting(posting) for posting in postings),
                proof=MapProof.from_json(stored["proof"]),
            )
        except (ValueError, TypeError) as error:
            raise IntegrityError("run proof: malformed") from error


def key_digest(map_salt: bytes, ordinal: int) -> bytes:
    """The key of an ordinal (rule 1)."""
    return sha256(bytes([KEY_LABEL]) + map_salt + ordinal.to_bytes(4, "big")).digest()


def value_digest(salt: bytes, postings: tuple[Posting, ...]) -> bytes:
    """The value of a list of postings (rule 1)."""
    return sha256(bytes([VALUE_LABEL]) + salt + b"".join(_POSTING.pack(*posting) for posting in postings)).digest()


def _posting(value: object) -> Posting:
    if not isinstance(value, list) or len(value) != 2 or any(type(n) is not int or not 0 <= n < 2**63 for n in value):
        raise ValueError("posting")
    return value[0], value[1]


def _bytes(value: object, size: int) -> bytes:
    if not isinstance(value, str) or len(value) != 2 * size or not _HEX.fullmatch(value):
        raise ValueError("hex digits")
    return bytes.fromhex(value)
