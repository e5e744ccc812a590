"""The second place: sealed files that take disclosures while the ledger is down, and give them to it later.

Rules
1. `append` returns once its frame is synced; nothing it records leaves before. A file is header | frames, sealed under
   the newest segment key: a thief learns how much was spooled, and when.
2. Header = magic (16) | key number u32 | salt (32) | tag (16). Frame = length u32 | frame number u32 | AES-256-GCM box
   under a key derived from (segment key, salt): nonce is the frame number, associated data the first eight bytes.
3. No pair of key and nonce comes twice: a file has one writer, is never taken up again, and is given up after a write
   that failed. The writer holds its lock; whoever gets the lock may drain, also after a kill.
4. A frame is moved into the ledger with `occurred` = the time when it was spooled; provisional ordinals become real
   ones by their pseudonyms. How many frames were moved stands in the file's name; a file that is through is removed.
5. Once: before a group is handed to the ledger, the name says up to which frame. Where that is not followed by the name
   that it was moved (a crash, a lost answer), the ledger is looked at (`recorded`) before the same group is handed over
   again. Frames of one process have times of their own, so that no other disclosure is taken for them. Without
   `recorded` it is at least once: nothing is ever lost for the sake of not being told twice.
6. A frame that does not verify is a torn write where no frame that verifies follows it, else it was altered; so is a
   file that has fewer frames than this process wrote. Both are `IntegrityError`, and the file stays.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import struct
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from muniment.durable import storage_faults, sync_data, sync_folder, write_all
from muniment.errors import InputError, IntegrityError, UnreachableError
from muniment.gate.server.persons import PROVISIONAL
from muniment.gate.server.recording import batch_of
from muniment.gate.session.commands import Entry
from muniment.keys import Key
from muniment.ledger.appender import Appender
from muniment.ledger.batch import Batch, assembled, concatenated, decode, encode
from muniment.ledger.wal.frames import SegmentKeys

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAGIC: Final = b"muniment spool 1"
FILE_BYTES: Final = 64 * 1024**2
"""Bytes after which another file is begun: one is read whole when it is moved."""
SPOOL_BYTES: Final = 1024**3
"""Bytes that one process writes before it drains: millions of releases; then nothing more is given out."""
GROUP: Final = 1_000
"""Disclosures that are moved at a time: the ledger takes 1,024 of one client."""
DRAIN_SECONDS: Final = 60.0
"""Seconds to wait for the ledger's answer to one group."""
_HEADER = struct.Struct(">16sI32s")
_TAG_BYTES = 16
_HEADER_BYTES = _HEADER.size + _TAG_BYTES
_HEADER_NONCE = b"\xff" * 12
_FRAME_HEAD = struct.Struct(">II")
_MEANT_HEAD = struct.Struct(">I")
_NAME = re.compile(r"(\d{15}-[0-9a-f]{16})\.(\d{9})(?:-(\d{9}))?\.spool")
Pseudonyms: TypeAlias = Mapping[int, tuple[str, tuple[int, ...]]]
"""Provisional ordinal -> register, and pseudonyms under every epoch, old ones first."""


class Spool:
    """One process's way into the second place: a `SpoolLike`. Safe to use from several threads.

    `folder` should lie on another disk than the ledger. `keys`: segment keys; `clock`: ms since 1970, UTC.
    """

    def __init__(
        self, folder: Path, keys: Sequence[Key], clock: Callable[[], int], random_bytes: Callable[[int], bytes], *,
        recorded: Callable[[Batch], bool] | None = None,
    ) -> None:  # fmt: skip
        """`recorded`: whether the ledger holds the disclosures of a batch, each with its time (rule 5)."""
        self._recorded = recorded
        self._last = 0
        self._folder = folder
        self._ring = SegmentKeys(keys)
        self._clock = clock
        self._random_bytes = random_bytes
        self._lock = threading.Lock()
        self._writing: _Writing | None = None
        self._bytes = 0
        """Written since the last drain."""
        self._written: dict[str, int] = {}
        """Acknowledged frames of this process's files, by the first part of their names (rule 6)."""

    def append(self, entries: Sequence[Entry], pseudonyms: Pseudonyms) -> None:
        """Record entries; durable when it returns, `UnreachableError` where it could not be.

        `pseudonyms` of each provisional ordinal in them; `ValueError` where one is missing: nothing is written then.
        """
        batch = batch_of(entries)
        meant = {int(one): pseudonyms.get(int(one)) for one in np.unique(batch.ordinals[batch.ordinals >= PROVISIONAL])}
        if None in meant.values():
            raise ValueError("a provisional ordinal came without its pseudonyms")
        texts = json.dumps(meant, ensure_ascii=False, separators=(",", ":")).encode()
        head = _MEANT_HEAD.pack(len(texts)) + texts
        with self._lock:
            now = self._last = max(self._clock(), self._last + 1)
            batch = replace(batch, occurred=np.full(len(batch), now, np.int64))
            self._append(head + encode(batch), now)

    def _append(self, payload: bytes, now: int) -> None:
        if self._bytes + len(payload) > SPOOL_BYTES:
            raise UnreachableError(f"{self._folder}: the second place is full", hint="bring the ledger back")
        if self._writing is not None and self._writing.bytes > FILE_BYTES:
            self._end()
        writing = self._writing = self._writing or self._begun(now)
        try:
            with storage_faults(writing.path, "write"):
                writing.append(payload)
        except BaseException:
            self._end()  # rule 3
            raise
        self._written[_stem(writing.path)] = writing.frames
        self._bytes += len(payload)

    def drain(self, appender: Appender) -> int:
        """Move what is spooled into the ledger; returns how many disclosures, 0 where there was nothing.

        Files that another live process writes are left to it. Raises `UnreachableError` where the ledger does not take
        them, `IntegrityError` for an altered file: what was not moved stays.
        """
        with self._lock:
            self._end()
            moved = sum(self._drained(path, appender) for path in self.files())
            self._bytes = 0
            return moved

    def files(self) -> list[Path]:
        """What waits to be moved, oldest first; empty where there is nothing."""
        with storage_faults(self._folder, "list"):
            there = self._folder.iterdir() if self._folder.is_dir() else iter(())
            return sorted(path for path in there if _NAME.fullmatch(path.name))

    def close(self) -> None:
        """Let go of the file that is written; what it holds stays for `drain`."""
        with self._lock:
            self._end()

    def _begun(self, now: int) -> _Writing:
        path = self._folder / f"{max(now, 0):015d}-{self._random_bytes(8).hex()}.{0:09d}.spool"
        with storage_faults(path, "write"):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return _Writing(path, self._ring, self._random_bytes(32))

    def _end(self) -> None:
        writing, self._writing = self._writing, None
        if writing is not None:
            with suppress(OSError):  # every frame that was acknowledged is synced
                writing.close()

    def _drained(self, path: Path, appender: Appender) -> int:
        """Move one file; 0 where another process holds it, or has moved it meanwhile."""
        with storage_faults(path, "read"):
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                return 0
            try:
                return self._moved(path, descriptor, appender) if _ours(path, descriptor) else 0
            finally:
                os.close(descriptor)

    def _moved(self, path: Path, descriptor: int, appender: Appender) -> int:
        stem, done, tried = _stem(path), *_progress(path)
        with open(descriptor, "rb", closefd=False) as file:
            frames = list(_frames(file.read(), self._ring, path))
        if len(frames) < self._written.get(stem, 0):
            raise IntegrityError(f"{path}: holds {len(frames):,} frames; expected {self._written[stem]:,}: cut short")
        total = 0
        first = [frames[done:tried]] if tried > done else []  # an attempt that nobody knows the end of
        for group in (*first, *_groups(frames[max(done, tried) :])):
            batch = concatenated([_real(frame, appender) for frame in group])
            done += len(group)
            if done > tried or self._recorded is None or not self._recorded(batch):
                path = _renamed(path, f"{stem}.{done - len(group):09d}-{done:09d}")
                _taken(batch, appender, path)
            total += len(batch)
            path = _renamed(path, f"{stem}.{done:09d}")
        os.unlink(path)
        sync_folder(self._folder)
        self._written.pop(stem, None)
        return total


class _Writing:
    """One file while it is written. Any error ends it: its caller closes it (rule 3)."""

    def __init__(self, path: Path, ring: SegmentKeys, salt: bytes) -> None:
        self.path = path
        self.frames = 0
        self.bytes = _HEADER_BYTES
        header = _HEADER.pack(MAGIC, ring.newest, salt)
        self._cipher = _cipher(ring, ring.newest, salt, path)
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            write_all(self._descriptor, header + self._cipher.encrypt(_HEADER_NONCE, b"", header))
            sync_data(self._descriptor)
            sync_folder(path.parent)
        except BaseException:
            os.close(self._descriptor)
            raise

    def append(self, payload: bytes) -> None:
        """Write one frame and sync it."""
        length = len(payload) + _TAG_BYTES
        head = _FRAME_HEAD.pack(length, self.frames)
        write_all(self._descriptor, head + self._cipher.encrypt(_nonce(self.frames), payload, head))
        sync_data(self._descriptor)
        self.frames += 1
        self.bytes += len(head) + length

    def close(self) -> None:
        """Let go of the file and its lock."""
        os.close(self._descriptor)


@dataclass(frozen=True, slots=True, repr=False)
class _Frame:
    batch: Batch
    meant: Pseudonyms


def _frames(data: bytes, ring: SegmentKeys, path: Path) -> Iterator[_Frame]:
    """The frames of a file up to a torn one (rule 6)."""
    if len(data) < _HEADER_BYTES:
        return  # a crash before the first frame
    magic, number, salt = _HEADER.unpack_from(data)
    if magic != MAGIC:
        raise IntegrityError(f"{path}: no file of the second place; expected {MAGIC.decode()!r} at its start")
    cipher = _cipher(ring, number, salt, path)
    try:
        cipher.decrypt(_HEADER_NONCE, data[_HEADER.size : _HEADER_BYTES], data[: _HEADER.size])
    except InvalidTag as error:
        raise IntegrityError(f"{path}: its header was altered") from error
    offset, frame = _HEADER_BYTES, 0
    while (found := _opened(cipher, data, offset, frame)) is not None:
        payload, offset = found
        yield _parsed(payload, path)
        frame += 1
    if _later(cipher, data, offset, frame):
        raise IntegrityError(f"{path}: frame {frame:,} was altered: it does not verify, and one after it does")


def _opened(cipher: AESGCM, data: bytes, offset: int, frame: int) -> tuple[bytes, int] | None:
    """The payload of the frame at an offset, and where it ends; `None` where it is not whole or does not verify."""
    head = data[offset : offset + _FRAME_HEAD.size]
    if len(head) < _FRAME_HEAD.size:
        return None
    length, number = _FRAME_HEAD.unpack(head)
    end = offset + _FRAME_HEAD.size + length
    if number != frame or length < _TAG_BYTES or end > len(data):
        return None
    try:
        return cipher.decrypt(_nonce(frame), data[offset + _FRAME_HEAD.size : end], head), end
    except InvalidTag:
        return None


def _later(cipher: AESGCM, data: bytes, offset: int, frame: int) -> bool:
    """Whether a frame that verifies begins after the bad one at `offset`; its number is in its head."""
    at = offset
    while (at := data.find(_MEANT_HEAD.pack(frame + 1), at + 1)) >= 0:
        if _opened(cipher, data, at - 4, frame + 1) is not None:
            return True
    return False


def _parsed(payload: bytes, path: Path) -> _Frame:
    try:
        (size,) = _MEANT_HEAD.unpack_from(payload)
        end = _MEANT_HEAD.size + size
        stored = json.loads(payload[_MEANT_HEAD.size : end])
        meant = {int(one): (str(register), tuple(map(int, epochs))) for one, (register, epochs) in stored.items()}
    except (struct.error, ValueError, AttributeError) as error:  # authenticated: another version wrote it
        raise IntegrityError(f"{path}: a frame is malformed") from error
    return _Frame(decode(payload[end:]), meant)


def _groups(frames: Sequence[_Frame]) -> Iterator[list[_Frame]]:
    """Frames in order, in groups of at most `GROUP` disclosures, or of one frame."""
    group: list[_Frame] = []
    size = 0
    for frame in frames:
        if group and size + len(frame.batch) > GROUP:
            yield group
            group, size = [], 0
        group.append(frame)
        size += len(frame.batch)
    if group:
        yield group


def _real(frame: _Frame, appender: Appender) -> Batch:
    """The batch with real ordinals; each row's ascending again, each once."""
    if not frame.meant:
        return frame.batch
    real = _ordinals(frame.meant, appender)
    batch = frame.batch
    rows = []
    for row in range(len(batch)):
        records = [real.get(one, one) for one in batch.records(row).tolist()]
        rows.append(np.unique(np.array(records, np.uint32)))
    starts = np.concatenate(([0], np.cumsum([len(row) for row in rows]))).astype(np.int64)
    numbers = {name: getattr(batch, name) for name in ("sequence", "time", "rows", "size", "released", "occurred")}
    texts = {name: getattr(batch, name) for name in ("party", "template", "case", "fingerprint")}
    return assembled(numbers, texts, starts, np.concatenate([np.empty(0, np.uint32), *rows]))


def _ordinals(meant: Pseudonyms, appender: Appender) -> dict[int, int]:
    """The real ordinal of each provisional one. Frames of before a key rotation have fewer epochs: asked by number."""
    real: dict[int, int] = {}
    for epochs in sorted({len(pseudonyms) for _, pseudonyms in meant.values()}):
        of = [(one, pseudonyms) for one, (_, pseudonyms) in meant.items() if len(pseudonyms) == epochs]
        table: NDArray[np.uint64] = np.array([pseudonyms for _, pseudonyms in of], np.uint64).reshape(len(of), epochs)
        given = appender.ordinals(table[:, -1].copy(), [table[:, epoch].copy() for epoch in range(epochs - 1)])
        real |= dict(zip((one for one, _ in of), given.tolist(), strict=True))
    return real


def _taken(batch: Batch, appender: Appender, path: Path) -> None:
    try:
        appender.append_many(batch).result(DRAIN_SECONDS)
    except FutureTimeout as error:
        raise UnreachableError(f"{path}: the ledger did not answer within {DRAIN_SECONDS:.0f} s") from error
    except InputError as error:
        raise IntegrityError(f"{path}: the ledger does not take what was spooled: {error.message}") from error


def _ours(path: Path, descriptor: int) -> bool:
    """Take the lock of an open file; false where somebody has it, or moved the file before we got it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        there = path.stat()
    except (BlockingIOError, FileNotFoundError):
        return False
    return there.st_ino == os.fstat(descriptor).st_ino


def _renamed(path: Path, name: str) -> Path:
    """Note in the name how many frames were moved, and up to which one it is tried (rules 4 and 5)."""
    target = path.with_name(f"{name}.spool")
    if target == path:
        return path
    with storage_faults(path, "rename"):
        os.replace(path, target)
        sync_folder(path.parent)
    return target


def _stem(path: Path) -> str:
    return path.name.partition(".")[0]


def _progress(path: Path) -> tuple[int, int]:
    """How many frames were moved, and up to which one it was tried; 0 where nothing is under way."""
    moved, _, tried = path.name.split(".")[1].partition("-")
    return int(moved), int(tried or 0)


def _cipher(ring: SegmentKeys, number: int, salt: bytes, path: Path) -> AESGCM:
    return AESGCM(ring.derived(number, "muniment spool 1", salt, what=str(path)))


def _nonce(frame: int) -> bytes:
    return frame.to_bytes(12, "big")
