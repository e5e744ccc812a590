"""The encrypted container of a segment: frames that can be read in any order, each one verified before it is used.

Rules
1. A file is magic (16) | segment id (16) | number of the epoch key (u32, big endian) | wrapped key (60) | frames.
2. The wrapped key is nonce (12) | AES-256-GCM of 32 fresh random bytes under HKDF(epoch key, "muniment segment 1"); its
   associated data is everything before it. So a segment opens only under its own id, and each has a key of its own.
3. A frame is AES-256-GCM of 1 MiB (the last one: of the rest, at least one byte) under HKDF(fresh key, "muniment
   segment frames 1"). Nonce: frame number (11 bytes, big endian) | 1 for the last frame, else 0; associated data:
   segment id | nonce. A file cut short at a frame's end has no last frame and does not open (STREAM, CRYPTO 2015).
4. Plaintext is in memory only, a few frames at a time.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from muniment.durable import replace_file, storage_faults
from muniment.errors import InputError, IntegrityError, LimitError
from muniment.keys import Key
from muniment.prf import hkdf

MAGIC: Final = b"muniment segment"
FRAME: Final = 1024**2
"""Plaintext bytes of a frame."""
FILE_BYTES: Final = 2**36
"""Bytes of a segment file that is opened: a thousand times what a seal every minute writes."""
ID_BYTES: Final = 16
_SECRET, _NONCE, _TAG = 32, 12, 16
_HEAD = struct.Struct(">16s16sI")
HEADER_BYTES: Final = _HEAD.size + _NONCE + _SECRET + _TAG
_READ_BYTES: Final = 4 * 1024**2
_RESTORE = "restore this segment from a copy: the log says which bytes it must have"


@dataclass(frozen=True, slots=True)
class Written:
    """What came of writing: SHA-256 (hex) and size of the file."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class SegmentKey:
    """The fresh secret of one segment and its id; made before writing, because the commitments are derived from it."""

    id: bytes
    secret: bytes = field(repr=False)

    @classmethod
    def fresh(cls, random_bytes: Callable[[int], bytes]) -> SegmentKey:
        """A new id and a new secret."""
        return cls(random_bytes(ID_BYTES), random_bytes(_SECRET))


def write_container(
    path: Path, chunks: Iterable[bytes], *, own: SegmentKey, key: Key, random_bytes: Callable[[int], bytes]
) -> Written:
    """Seal `chunks` (not empty) into a file; a crash leaves the whole file or none. Raises `UnreachableError`."""
    digest, size = sha256(), 0

    def counted() -> Iterator[bytes]:
        nonlocal size
        for part in _sealed(chunks, own, key, random_bytes(_NONCE)):
            digest.update(part)
            size += len(part)
            yield part

    replace_file(path, counted(), mode=0o600)
    return Written(digest.hexdigest(), size)


def _sealed(chunks: Iterable[bytes], own: SegmentKey, key: Key, nonce: bytes) -> Iterator[bytes]:
    head = _HEAD.pack(MAGIC, own.id, key.number)
    yield head + nonce + _wrapping(key).encrypt(nonce, own.secret, head)
    cipher = _frame_cipher(own.secret)
    for number, (frame, last) in enumerate(_frames(chunks)):
        nonce = _frame_nonce(number, last)
        yield cipher.encrypt(nonce, frame, own.id + nonce)


def _frames(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Regroup into full frames and a last one that is never empty."""
    held = bytearray()
    for chunk in chunks:
        view = memoryview(chunk)
        while len(held) + len(view) > FRAME:
            taken = FRAME - len(held)
            yield bytes(held + view[:taken]), False
            held, view = bytearray(), view[taken:]
        held += view
    if not held:
        raise ValueError("a container holds one byte or more")
    yield bytes(held), True


class Container:
    """An open container. It keeps no file open: each read opens the file anew, so that pruning never waits for it."""

    def __init__(self, path: Path, own: SegmentKey, stored: int) -> None:
        """For `open` only."""
        self._path = path
        self._own = own
        self._frames = -(-(stored - HEADER_BYTES) // (FRAME + _TAG))
        self._cipher = _frame_cipher(own.secret)
        self._held: dict[int, bytes] = {}
        self.stored = stored
        self.size = stored - HEADER_BYTES - self._frames * _TAG

    def __repr__(self) -> str:
        return f"Container({str(self._path)!r})"

    @property
    def own(self) -> SegmentKey:
        """Id and secret of this segment."""
        return self._own

    @classmethod
    def open(cls, path: Path, keys: Sequence[Key]) -> Container:
        """Read the header and check the last frame.

        Raises `InputError` where there is no file, `IntegrityError` where it was altered, cut short or sealed under
        another key, `LimitError` where it is too large, `UnreachableError` where it cannot be read.
        """
        if not path.is_file():
            raise InputError(f"{path}: there is no such segment", hint="muniment ledger verify says what is missing")
        with storage_faults(path, "read"), path.open("rb") as file:
            stored = os.fstat(file.fileno()).st_size
            header = file.read(HEADER_BYTES)
        if stored > FILE_BYTES:
            raise LimitError(f"{path}: {stored:,} bytes; expected a segment of at most {FILE_BYTES:,}")
        container = cls(path, _unwrapped(path, header, keys), stored)
        if container.size < 1:
            raise IntegrityError(f"{path}: cut short after its header", hint=_RESTORE)
        for _ in container._opened(container._frames - 1, container._frames):
            pass
        return container

    def read(self, offset: int, length: int) -> bytes:
        """Plaintext bytes, verified; `ValueError` beyond the end, `IntegrityError` for a frame that does not verify."""
        if not 0 <= offset <= offset + length <= self.size:
            raise ValueError(f"bytes {offset} to {offset + length} of {self.size}")
        first, last = offset // FRAME, -(-(offset + length) // FRAME)
        data = b"".join(self._opened(first, last)) if last > first else b""
        return data[offset - first * FRAME : offset - first * FRAME + length]

    def chunks(self) -> Iterator[bytes]:
        """The plaintext, frame by frame."""
        for number in range(self._frames):
            yield from self._opened(number, number + 1)

    def check(self, expected: Written) -> None:
        """Compare size and SHA-256 of the file. Raises `IntegrityError` where it is another file."""
        if self.stored != expected.size:
            raise IntegrityError(
                f"{self._path}: {self.stored:,} bytes; the log says {expected.size:,}: another file, or cut short",
                hint=_RESTORE,
            )
        digest = sha256()
        with storage_faults(self._path, "read"), self._path.open("rb") as file:
            while block := file.read(_READ_BYTES):
                digest.update(block)
        if digest.hexdigest() != expected.sha256:
            raise IntegrityError(f"{self._path}: not the file that is in the log: its SHA-256 differs", hint=_RESTORE)

    def _opened(self, first: int, stop: int) -> Iterator[bytes]:
        """Frames `first` to `stop`.

        The last two are kept, so that whoever reads on (from a column to the next, from the head of a page to its body)
        verifies no frame twice.
        """
        while first < stop and first in self._held:
            yield self._held[first]
            first += 1
        if first >= stop:
            return
        with storage_faults(self._path, "read"), self._path.open("rb") as file:
            file.seek(HEADER_BYTES + first * (FRAME + _TAG))
            for number in range(first, stop):
                frame = self._decrypted(number, file.read(FRAME + _TAG))
                before = self._held.get(number - 1)
                self._held = {number: frame} if before is None else {number - 1: before, number: frame}
                yield frame

    def _decrypted(self, number: int, sealed: bytes) -> bytes:
        nonce = _frame_nonce(number, number == self._frames - 1)
        try:
            return self._cipher.decrypt(nonce, sealed, self._own.id + nonce)
        except InvalidTag as error:
            raise IntegrityError(
                f"{self._path}: frame {number + 1:,} of {self._frames:,} does not verify: altered or cut short",
                hint=_RESTORE,
            ) from error


def _unwrapped(path: Path, header: bytes, keys: Sequence[Key]) -> SegmentKey:
    if len(header) != HEADER_BYTES or not header.startswith(MAGIC):
        raise IntegrityError(f"{path}: no segment of this version; expected {MAGIC.decode()!r} at its start")
    head, wrapped = header[: _HEAD.size], header[_HEAD.size :]
    _, ident, number = _HEAD.unpack(head)
    key = next((key for key in keys if key.number == number), None)
    if key is None:
        raise IntegrityError(f"{path}: sealed under segment-{number}, which this key ring does not hold")
    try:
        secret = _wrapping(key).decrypt(wrapped[:_NONCE], wrapped[_NONCE:], head)
    except InvalidTag as error:
        raise IntegrityError(f"{path}: the header does not verify: altered, or sealed under another key") from error
    return SegmentKey(ident, secret)


def _wrapping(key: Key) -> AESGCM:
    return AESGCM(hkdf(key.secret, "muniment segment 1", length=_SECRET))


def _frame_cipher(secret: bytes) -> AESGCM:
    return AESGCM(hkdf(secret, "muniment segment frames 1", length=_SECRET))


def _frame_nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(_NONCE - 1, "big") + bytes([last])
