"""The bytes of one journal entry and the chain over them. Pure: bytes in, values out, no file and no clock.

Rules
1. A file is header | frames. Header = magic (16) | random journal id (16). Frame = length u32 | key number u32 | box,
   all big endian; the length counts what follows it.
2. chain(0) = SHA-256(header); chain(i) = SHA-256(chain(i - 1) | frame i).
3. The box is AES-256-GCM over canonical JSON (sorted keys, no spaces, UTF-8); its associated data is the entry's number
   (u64), the key number and chain(i - 1): an entry opens only in its own place, after the entries it was written after.
4. Reading stops at the first byte that does not verify. What that means is for the journal to say: it knows the head.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TypeAlias

from muniment import limits
from muniment.errors import IntegrityError, LimitError
from muniment.keys import Key, Purpose
from muniment.prf import hkdf
from muniment.sealed import seal, unseal

JsonValue: TypeAlias = object
Body: TypeAlias = Mapping[str, JsonValue]

MAGIC = b"muniment journal"
HEADER_BYTES = 32
_LENGTH = struct.Struct(">I")
_NUMBER = struct.Struct(">I")
_HEAD = b"muniment journal head 1"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the journal. `digest` is the chain digest after it, as hex; `time` has a time zone."""

    sequence: int
    kind: str
    body: Body
    time: datetime
    digest: str


@dataclass(frozen=True, slots=True)
class Head:
    """A point of the journal: everything up to entry `sequence` (0: nothing yet) is fixed by `digest`."""

    sequence: int
    digest: str
    time: datetime | None = None

    def __str__(self) -> str:
        return f"{self.sequence}:{self.digest}"


class Boxes:
    """Seals and opens journal bytes under the segment keys: the newest seals, each one opens what it sealed."""

    def __init__(self, keys: Sequence[Key]) -> None:
        if not keys or any(key.purpose != Purpose.SEGMENT for key in keys):
            raise ValueError("one segment key or more is needed")
        self._keys = {key.number: hkdf(key.secret, "muniment journal 1", length=32) for key in keys}
        self._newest = max(self._keys)

    def __repr__(self) -> str:
        return "Boxes()"

    def seal(self, plaintext: bytes, place: bytes) -> bytes:
        """Key number and box."""
        number = _NUMBER.pack(self._newest)
        return number + seal(self._keys[self._newest], plaintext, number + place)

    def open(self, sealed: bytes, place: bytes, *, what: str) -> bytes:
        """Undo `seal`; `IntegrityError` where it does not verify or the key is not in the ring."""
        number = sealed[: _NUMBER.size]
        key = self._keys.get(int.from_bytes(number, "big"))
        if key is None:
            raise IntegrityError(f"{what} was written under a segment key that this key ring does not hold")
        return unseal(key, sealed[_NUMBER.size :], number + place, what=what)


@dataclass(frozen=True, slots=True)
class Chain:
    """Verified entries, the chain digest after the last one, and the offset of the first byte that was not used."""

    entries: tuple[Entry, ...]
    digest: bytes
    end: int


def encode_entries(items: Sequence[tuple[str, Body]], now: datetime, start: Head, boxes: Boxes) -> tuple[bytes, Chain]:
    """Turn (kind, body) pairs into the bytes that follow `start`, and the entries as they will be read back.

    Raises `LimitError` where an entry is longer than a frame may be, `ValueError` for a time without a zone.
    """
    if now.tzinfo is None:
        raise ValueError("a time with a time zone is needed")
    digest, frames, entries = bytes.fromhex(start.digest), bytearray(), []
    for sequence, (kind, body) in enumerate(items, start.sequence + 1):
        text = canonical_json({"kind": kind, "body": body, "time": now.isoformat()})
        if len(text) > limits.JOURNAL_FRAME_BYTES:
            most = limits.JOURNAL_FRAME_BYTES
            raise LimitError(f"journal entry of kind {kind!r}: {len(text):,} bytes; expected at most {most:,}")
        sealed = boxes.seal(text, _place(sequence, digest))
        frame = _LENGTH.pack(len(sealed)) + sealed
        digest = sha256(digest + frame).digest()
        frames += frame
        entries.append(_entry(text, sequence, digest))
    return bytes(frames), Chain(tuple(entries), digest, len(frames))


def read_chain(data: bytes, start: Head, boxes: Boxes) -> Chain:
    """Verify the frames in `data`, which follows `start`, up to the first that is incomplete or does not verify."""
    digest, offset, entries = bytes.fromhex(start.digest), 0, []
    sequence = start.sequence + 1
    while (end := _frame_end(data, offset)) is not None:
        frame = data[offset:end]
        try:
            text = boxes.open(frame[_LENGTH.size :], _place(sequence, digest), what=f"entry {sequence}")
        except IntegrityError:
            break
        digest = sha256(digest + frame).digest()
        entries.append(_entry(text, sequence, digest))
        offset, sequence = end, sequence + 1
    return Chain(tuple(entries), digest, offset)


def genesis(header: bytes) -> Head:
    """The head of a journal without entries."""
    return Head(0, sha256(header).hexdigest())


def seal_head(head: Head, header: bytes, boxes: Boxes) -> bytes:
    """The head file: number and chain digest of the last acknowledged entry, in a box tied to this journal."""
    return boxes.seal(canonical_json({"sequence": head.sequence, "digest": head.digest}), _HEAD + header)


def open_head(sealed: bytes, header: bytes, boxes: Boxes, *, what: str) -> Head:
    """Undo `seal_head`; `IntegrityError` where it does not verify."""
    stored = json.loads(boxes.open(sealed, _HEAD + header, what=what))
    return Head(stored["sequence"], stored["digest"])


def canonical_json(value: JsonValue) -> bytes:
    """Sorted keys, no spaces, UTF-8, no NaN: one value has one form."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _place(sequence: int, previous: bytes) -> bytes:
    return sequence.to_bytes(8, "big") + previous


def _frame_end(data: bytes, offset: int) -> int | None:
    if len(data) - offset < _LENGTH.size:
        return None
    end = offset + _LENGTH.size + int.from_bytes(data[offset : offset + _LENGTH.size], "big")
    return end if end <= len(data) else None


def _entry(text: bytes, sequence: int, digest: bytes) -> Entry:
    # The text was authenticated, so its shape is ours; reading it back here gives writer and reader the same value.
    stored = json.loads(text)
    return Entry(sequence, stored["kind"], stored["body"], datetime.fromisoformat(stored["time"]), digest.hex())
