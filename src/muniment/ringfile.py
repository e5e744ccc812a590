"""The stored form of a key ring: JSON text, parsed into frozen values or refused; no secret is opened here.

The seal is a box over the digest of everything but the signing boxes: a key taken out, put in or exchanged is found,
while a ring without its signing secrets still verifies.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from muniment.errors import IntegrityError
from muniment.passphrase import PassphraseLock, decode, encode
from muniment.sealed import seal, unseal

FORMAT = "muniment key ring 1"
_SEAL = b"muniment key ring seal 1"
_SIGNING = "signing"
_PURPOSES = ("mark", "pseudonym", "segment", _SIGNING)


@dataclass(frozen=True, slots=True)
class Entry:
    """One key as stored. `box` is `None` where the secret was left out; `made` is an ISO 8601 time."""

    id: str
    purpose: str
    made: str
    commitment: str
    custody: bool
    box: bytes | None = field(repr=False)

    def to_json(self) -> dict[str, object]:
        """The stored form."""
        return {
            "id": self.id,
            "purpose": self.purpose,
            "made": self.made,
            "commitment": self.commitment,
            "custody": self.custody,
            "box": None if self.box is None else encode(self.box),
        }


@dataclass(frozen=True, slots=True)
class RingFile:
    """A key ring as stored, entries in the order in which they were made."""

    lock: PassphraseLock
    custodians: tuple[PassphraseLock, PassphraseLock] | None
    entries: tuple[Entry, ...]
    seal: bytes | None = field(default=None, repr=False, compare=False)
    """The box over `digest`; `None` until it was written."""

    def digest(self) -> bytes:
        """SHA-256 of the canonical JSON without the signing boxes."""
        content = self.content()
        without_box = {"box": ""}
        content["keys"] = [e.to_json() | (without_box if e.purpose == _SIGNING else {}) for e in self.entries]
        return sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).digest()

    def content(self) -> dict[str, object]:
        """Everything but the seal, as JSON values."""
        return {
            "format": FORMAT,
            "scrypt": self.lock.to_json(),
            "custodians": None if self.custodians is None else [lock.to_json() for lock in self.custodians],
            "keys": [entry.to_json() for entry in self.entries],
        }

    def verify(self, path: Path, kek: bytes) -> None:
        """Check the seal; `IntegrityError` where any part but a signing box was altered."""
        if self.seal is None:
            return
        if unseal(kek, self.seal, _SEAL, what=f"{path}: the seal over the key ring") != self.digest():
            raise IntegrityError(
                f"{path}: the list of keys was altered after it was sealed", hint="restore the key ring from a backup"
            )


def render_ring(ring: RingFile, kek: bytes) -> bytes:
    """The file, sealed under the key that the passphrase gave."""
    content = ring.content() | {"seal": encode(seal(kek, ring.digest(), _SEAL))}
    return (json.dumps(content, indent=1) + "\n").encode()


def parse_ring(path: Path, data: bytes) -> RingFile:
    """Read a key ring; `IntegrityError` where it is malformed. Whether it is genuine shows when it is opened."""
    try:
        stored = json.loads(data)
        if stored["format"] != FORMAT:
            raise ValueError("another format")
        locks = None if stored["custodians"] is None else tuple(map(PassphraseLock.from_json, stored["custodians"]))
        if locks is not None and len(locks) != 2:
            raise ValueError("two custodians expected")
        custodians = None if locks is None else (locks[0], locks[1])
        entries = tuple(_entry(entry) for entry in stored["keys"])
        return RingFile(PassphraseLock.from_json(stored["scrypt"]), custodians, entries, decode(stored["seal"]))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise IntegrityError(
            f"{path}: not a key ring of this version, or altered; expected {FORMAT!r}",
            hint="restore the key ring from a backup",
        ) from error


def _entry(stored: Mapping[str, object]) -> Entry:
    texts = [stored[name] for name in ("id", "purpose", "made", "commitment")]
    key_id, purpose, made, commitment = (text if isinstance(text, str) else "" for text in texts)
    held, box = stored["custody"], stored["box"]
    if purpose not in _PURPOSES or not isinstance(held, bool) or not key_id.startswith(f"{purpose}-"):
        raise ValueError("malformed key")
    return Entry(key_id, purpose, made, commitment, held, None if box is None else decode(box))
