"""The bytes of write-ahead files: header, frames, the chain over them, and the head. Pure: no file, no clock.

Rules
1. A file is header | frames. Header = magic (16) | file number u64 | key number u32 | sequence u64 | time i64 | salt
   (32) | chain (32) | tag (16), big endian: sequence, time and chain are those of the point at which it starts.
2. Frame = length u32 | frame number u32 | box; the length counts the box. The box is AES-256-GCM over the bytes of a
   numbered batch, under a key derived from (segment key, salt); its nonce is the frame number, its associated data the
   first eight bytes. Frames count from 0 in each file.
3. No pair of key and nonce comes twice: a file is written by one writer, never taken up again by a later one, and given
   up after a write that failed.
4. chain(n) = SHA-256(chain(n - 1) | frame n), through all files. The chain starts at 32 random bytes.
5. The head says how far the chain was acknowledged. It is sealed, and kept in the second place.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from muniment.errors import IntegrityError, LimitError
from muniment.keys import Key, Purpose
from muniment.ledger.batch import Batch, decode, encode
from muniment.prf import hkdf
from muniment.sealed import seal, unseal

WAL_FRAME_BYTES: Final = 1024**3
"""Bytes of one frame: a dump of 250 million records; AES-GCM itself ends at 64 GiB."""

MAGIC: Final = b"muniment wal 1\0\0"
TAG_BYTES: Final = 16
_HEADER = struct.Struct(">16sQIQq32s32s")
HEADER_BYTES: Final = _HEADER.size + TAG_BYTES
_HEADER_NONCE = b"\xff" * 12
FRAME_HEAD: Final = struct.Struct(">II")
_CHAIN_BYTES = 32
_SALT_BYTES = 32
_HEAD = struct.Struct(">QQIQq32s")
_HEAD_LABEL = b"muniment wal head 1"
_KEY_NUMBER = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Point:
    """A place in the chain: the last disclosure before it, its time (ms since 1970), and the chain digest after it."""

    sequence: int
    time: int
    chain: bytes


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of itself: its number, its segment key and salt, and the point at which it starts."""

    number: int
    key: int
    salt: bytes
    start: Point

    def to_bytes(self) -> bytes:
        """The header without its tag."""
        start = self.start
        return _HEADER.pack(MAGIC, self.number, self.key, start.sequence, start.time, self.salt, start.chain)


@dataclass(frozen=True, slots=True)
class Head:
    """How far the files were acknowledged: `frames` frames of `file`, at `point`. Files before `oldest` are sealed."""

    oldest: int
    file: int
    frames: int
    point: Point


class SegmentKeys:
    """The segment keys of a ring: the newest one writes, each one opens what it wrote. No secret shows in `repr`."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._keys: Mapping[int, Key] = {key.number: key for key in keys}
        if not self._keys or any(key.purpose != Purpose.SEGMENT for key in self._keys.values()):
            raise ValueError("one segment key or more is needed")
        self.newest = max(self._keys)

    def __repr__(self) -> str:
        return f"SegmentKeys(newest={self.newest})"

    def derived(self, number: int, label: str, *parts: bytes, what: str) -> bytes:
        """32 bytes for one use of one key; `IntegrityError` where the ring does not hold it."""
        key = self._keys.get(number)
        if key is None:
            raise IntegrityError(f"{what} was written under a segment key that this key ring does not hold")
        return hkdf(key.secret, label, *parts, length=32)


class FrameCipher:
    """Seals and opens the frames of one file."""

    def __init__(self, keys: SegmentKeys, header: Header, *, what: str) -> None:
        self._cipher = AESGCM(keys.derived(header.key, "muniment wal 1", header.salt, what=what))

    def __repr__(self) -> str:
        return "FrameCipher()"

    def tag(self, header: Header) -> bytes:
        """The 16 bytes that authenticate a header."""
        return self._cipher.encrypt(_HEADER_NONCE, b"", header.to_bytes())

    def check(self, header: Header, tag: bytes, *, what: str) -> None:
        """`IntegrityError` where `tag` is not that of the header."""
        try:
            self._cipher.decrypt(_HEADER_NONCE, tag, header.to_bytes())
        except InvalidTag as error:
            raise IntegrityError(
                f"{what}: its header does not verify: altered, or written under another key"
            ) from error

    def seal(self, number: int, batch: Batch) -> bytes:
        """Frame `number` of the file, with the bytes of `batch`. `LimitError` where it would be too long."""
        plaintext = encode(batch)
        if len(plaintext) + TAG_BYTES > WAL_FRAME_BYTES:
            raise LimitError(
                f"disclosures of {len(plaintext):,} bytes in one batch; expected at most {WAL_FRAME_BYTES:,}",
                hint="append them in several batches",
            )
        head = FRAME_HEAD.pack(len(plaintext) + TAG_BYTES, number)
        return head + self._cipher.encrypt(_nonce(number), plaintext, head)

    def open(self, number: int, frame: bytes) -> Batch | None:
        """The batch in a whole frame; `None` where it is not frame `number` of this file."""
        head, box = frame[: FRAME_HEAD.size], frame[FRAME_HEAD.size :]
        if len(box) < TAG_BYTES or head != FRAME_HEAD.pack(len(box), number):
            return None
        try:
            return decode(self._cipher.decrypt(_nonce(number), box, head))
        except InvalidTag:
            return None


def genesis(random_bytes: Callable[[int], bytes]) -> Point:
    """The point before the first disclosure of a ledger."""
    return Point(0, 0, random_bytes(_CHAIN_BYTES))


def make_header(
    number: int, start: Point, keys: SegmentKeys, random_bytes: Callable[[int], bytes]
) -> tuple[Header, FrameCipher, bytes]:
    """A new file: its header, its cipher, and the bytes to write first."""
    header = Header(number, keys.newest, random_bytes(_SALT_BYTES), start)
    cipher = FrameCipher(keys, header, what=f"file {number}")
    return header, cipher, header.to_bytes() + cipher.tag(header)


def parse_header(data: bytes, keys: SegmentKeys, *, what: str) -> tuple[Header, FrameCipher]:
    """Read and verify the header of a file named `what`.

    Raises `IntegrityError` where it is cut short, of another version, altered, or under a key that the ring lacks.
    """
    if len(data) < HEADER_BYTES:
        raise IntegrityError(f"{what}: cut short in its header: expected {HEADER_BYTES} bytes, came {len(data)}")
    magic, number, key, sequence, time, salt, chain = _HEADER.unpack_from(data)
    if magic != MAGIC:
        raise IntegrityError(f"{what}: no write-ahead file of this version, or altered at its start")
    header = Header(number, key, salt, Point(sequence, time, chain))
    cipher = FrameCipher(keys, header, what=what)
    cipher.check(header, data[_HEADER.size : HEADER_BYTES], what=what)
    return header, cipher


def advanced(point: Point, frame: bytes, batch: Batch) -> Point:
    """The point after `frame`, which holds `batch`.

    Raises `IntegrityError` where the batch does not go on from `point` in sequence and time: its writer was at fault.
    """
    expected = np.arange(point.sequence + 1, point.sequence + 1 + len(batch), dtype=np.int64)
    times = np.concatenate(([point.time], batch.time))
    if not len(batch) or not np.array_equal(batch.sequence, expected) or bool((np.diff(times) < 0).any()):
        raise IntegrityError(f"the disclosures after number {point.sequence:,} do not follow it in number and time")
    return after(point, frame, len(batch), int(times[-1]))


def after(point: Point, frame: bytes, rows: int, time: int) -> Point:
    """The point after a frame of `rows` disclosures that were just numbered from `point` on."""
    digest = sha256(point.chain)
    digest.update(frame)
    return Point(point.sequence + rows, time, digest.digest())


def seal_head(head: Head, keys: SegmentKeys) -> bytes:
    """The bytes of a head for the second place: key number and box."""
    point = head.point
    text = _HEAD.pack(head.oldest, head.file, head.frames, point.sequence, point.time, point.chain)
    number = _KEY_NUMBER.pack(keys.newest)
    key = keys.derived(keys.newest, "muniment wal head 1", what="the head")
    return number + seal(key, text, _HEAD_LABEL + number)


def open_head(data: bytes, keys: SegmentKeys, *, what: str) -> Head:
    """Undo `seal_head`; `IntegrityError` where it does not verify."""
    number = data[: _KEY_NUMBER.size]
    key = keys.derived(int.from_bytes(number, "big"), "muniment wal head 1", what=what)
    text = unseal(key, data[_KEY_NUMBER.size :], _HEAD_LABEL + number, what=what)
    if len(text) != _HEAD.size:
        raise IntegrityError(f"{what} is malformed: expected {_HEAD.size} bytes, came {len(text)}")
    oldest, file, frames, sequence, time, chain = _HEAD.unpack(text)
    return Head(oldest, file, frames, Point(sequence, time, chain))


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")
