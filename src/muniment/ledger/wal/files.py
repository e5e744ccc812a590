"""Write-ahead files as they are read: names, one file frame by frame, the closed files, and the unsealed tail.

Rules
1. A file is read up to the first frame that is incomplete or does not verify. What that means is for the reader of the
   whole folder to say: it knows the head.
2. A crash tears the last frame alone, as each frame is synced before the next is written. A frame that does not verify
   *before* one that does was altered, and is `IntegrityError` wherever it lies.
3. Reading takes no lock and writes nothing.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from muniment.durable import storage_faults
from muniment.errors import IntegrityError, UnreachableError
from muniment.keys import Key
from muniment.ledger.batch import Batch, concatenated
from muniment.ledger.wal.frames import (
    FRAME_HEAD,
    HEADER_BYTES,
    TAG_BYTES,
    WAL_FRAME_BYTES,
    FrameCipher,
    Head,
    Header,
    Point,
    SegmentKeys,
    advanced,
    parse_header,
)

RESTORE: Final = "restore the folder `ledger` from a backup, then run: muniment ledger verify"
_NAME = re.compile(r"[0-9]{20}\.wal")
_TRIES: Final = 8
"""Times that a reader lists the folder anew because a file was sealed and removed meanwhile."""
_CANDIDATES: Final = 64
"""Places of a torn tail at which a later frame is looked for."""


def file_path(folder: Path, number: int) -> Path:
    """The path of file `number`."""
    return folder / f"{number:020d}.wal"


def file_numbers(folder: Path) -> list[int]:
    """The numbers of the files in a folder, ascending; none where there is no folder."""
    with storage_faults(folder, "list"):
        names = os.listdir(folder) if folder.is_dir() else []
    return sorted(int(name[:20]) for name in names if _NAME.fullmatch(name))


class MissingFileError(IntegrityError):
    """A write-ahead file that should be there is not; to a reader without the lock: sealed and removed meanwhile."""


class FileReader:
    """One file, read once from front to back. After `batches` is used up, the attributes say how far it verified."""

    def __init__(self, path: Path, keys: SegmentKeys) -> None:
        """Open a file and verify its header; use it in a `with` block.

        Raises `IntegrityError` where the header does not verify, `MissingFileError` where there is no such file,
        `UnreachableError` where it cannot be read.
        """
        self.path = path
        with storage_faults(path, "read"):
            try:
                self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError as error:
                raise MissingFileError(f"{path}: missing from the write-ahead files", hint=RESTORE) from error
        try:
            self.header, self._cipher = self._read_header(keys)
        except BaseException:
            os.close(self._descriptor)
            raise
        self.point = self.header.start
        self.frames = 0
        self.end = HEADER_BYTES

    def __enter__(self) -> FileReader:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def _read_header(self, keys: SegmentKeys) -> tuple[Header, FrameCipher]:
        header, cipher = parse_header(self._read(0, HEADER_BYTES), keys, what=str(self.path))
        if file_path(self.path.parent, header.number) != self.path:
            raise IntegrityError(f"{self.path}: holds file {header.number}: renamed or exchanged", hint=RESTORE)
        return header, cipher

    def batches(self) -> Iterator[Batch]:
        """The verified batches, one a frame; the attributes `point`, `frames` and `end` are those after it."""
        while (frame := self._frame()) is not None:
            batch = self._cipher.open(self.frames, frame)
            if batch is None:
                return
            self.point = advanced(self.point, frame, batch)
            self.frames += 1
            self.end += len(frame)
            yield batch

    def rest(self) -> int:
        """Bytes after the last frame that verified: 0, or a torn append.

        Raises `IntegrityError` where a whole frame comes after one that does not verify (rule 2).
        """
        size = self._size() - self.end
        if size > 0 and self._later_frame(self._read(self.end, min(size, WAL_FRAME_BYTES))):
            frame = self._frame()  # a reader may have met it while it was being written
            if frame is None or self._cipher.open(self.frames, frame) is None:
                raise IntegrityError(
                    f"{self.path}: frame {self.frames:,} was altered: it does not verify, and one after it does",
                    hint=RESTORE,
                )
        return size

    def _frame(self) -> bytes | None:
        head = self._read(self.end, FRAME_HEAD.size)
        if len(head) < FRAME_HEAD.size:
            return None
        length, number = FRAME_HEAD.unpack(head)
        most = min(WAL_FRAME_BYTES, self._size() - self.end - FRAME_HEAD.size)
        if number != self.frames or not TAG_BYTES <= length <= most:
            return None
        frame = self._read(self.end, FRAME_HEAD.size + length)
        return frame if len(frame) == FRAME_HEAD.size + length else None

    def _later_frame(self, rest: bytes) -> bool:
        wanted = struct.pack(">I", self.frames + 1)
        place = rest.find(wanted, 4)
        for _ in range(_CANDIDATES):
            if place < 0:
                return False
            start = place - 4
            end = start + FRAME_HEAD.size + int.from_bytes(rest[start:place], "big")
            if end <= len(rest) and self._cipher.open(self.frames + 1, rest[start:end]) is not None:
                return True
            place = rest.find(wanted, place + 1)
        return False

    def _read(self, offset: int, size: int) -> bytes:
        parts = []
        with storage_faults(self.path, "read"):
            while size and (part := os.pread(self._descriptor, size, offset)):
                parts.append(part)
                offset, size = offset + len(part), size - len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _size(self) -> int:
        with storage_faults(self.path, "read"):
            return os.fstat(self._descriptor).st_size


def read_closed(folder: Path, keys: Sequence[Key], numbers: Sequence[int]) -> tuple[Batch, Point]:
    """The disclosures of closed files, and the point after them: what a segment is sealed from.

    Raises `IntegrityError` where a file is missing, altered, cut short, or does not go on from the one before it.
    """
    batches: list[Batch] = []
    point: Point | None = None
    for number in numbers:
        with FileReader(file_path(folder, number), SegmentKeys(keys)) as reader:
            check_follows(reader, point)
            batches += reader.batches()
            check_whole(reader)
            point = reader.point
    if point is None:
        raise ValueError("the numbers of one closed file or more are needed")
    return joined(batches), point


def read_tail(folder: Path, keys: Sequence[Key], *, after: int | None = None, head: Head | None = None) -> Batch:
    """The disclosures that are not sealed yet, with numbers above `after`: read-only, without a lock.

    `head`: from the second place, read before; where its file is still there, it must be met on the way. They may
    include some that are being written and were not confirmed to anyone so far; a torn end is passed over.
    Raises `UnreachableError` where disclosures after `after` have been sealed meanwhile (read the segments again), and
    `IntegrityError` where a file is missing from their middle, altered, or under a key that the ring does not hold.
    """
    ring = SegmentKeys(keys)
    for _ in range(_TRIES):
        try:
            return _tail(folder, ring, after, head)
        except MissingFileError as error:
            missing = error
    raise UnreachableError(f"{folder}: files were sealed while they were read", hint="read them again") from missing


def _tail(folder: Path, keys: SegmentKeys, after: int | None, head: Head | None) -> Batch:
    batches: list[Batch] = []
    point: Point | None = None
    numbers = file_numbers(folder)
    for number in numbers:
        reader = _opened(folder, number, keys, last=number == numbers[-1])
        if reader is None:
            continue
        with reader:
            check_follows(reader, point)
            if after is not None and point is None and reader.header.start.sequence > after:
                upto = reader.header.start.sequence
                raise UnreachableError(
                    f"{folder}: disclosures up to number {upto:,} were sealed since; here are only later ones",
                    hint="read the segments again",
                )
            batches += _above(_meeting(reader, head), after)
            if number == numbers[-1]:
                reader.rest()
            else:
                check_whole(reader)
            point = reader.point
    return joined(batches)


def _opened(folder: Path, number: int, keys: SegmentKeys, *, last: bool) -> FileReader | None:
    try:
        return FileReader(file_path(folder, number), keys)
    except MissingFileError:
        raise
    except IntegrityError:
        with storage_faults(folder, "read"):
            size = os.stat(file_path(folder, number)).st_size
        if last and size <= HEADER_BYTES:  # its writer is just making it, or was stopped there
            return None
        raise


def _meeting(reader: FileReader, head: Head | None) -> Iterator[Batch]:
    """The batches of a file. Where the head lies in it, `IntegrityError` if it says otherwise; a file that ends before
    the head is for the caller to see, who knows what was sealed.
    """
    mine = head if head is not None and head.file == reader.header.number else None
    _check_met(reader, mine)
    for batch in reader.batches():
        _check_met(reader, mine)
        yield batch


def _check_met(reader: FileReader, head: Head | None) -> None:
    if head is not None and reader.frames == head.frames and reader.point != head.point:
        raise IntegrityError(
            f"{reader.path}: holds other disclosures than were acknowledged up to number {head.point.sequence:,}: "
            "exchanged, or written by two ledgers",
            hint=RESTORE,
        )


def _above(batches: Iterator[Batch], after: int | None) -> Iterator[Batch]:
    for batch in batches:
        if after is None or int(batch.sequence[0]) > after:
            yield batch
        elif int(batch.sequence[-1]) > after:
            yield batch.take((batch.sequence > after).nonzero()[0])


def check_follows(reader: FileReader, point: Point | None) -> None:
    """`IntegrityError` where a file does not start at the point at which the one before it ended."""
    start = reader.header.start
    if point is not None and start != point:
        raise IntegrityError(
            f"{reader.path}: starts after disclosure {start.sequence:,}, which is not where the file before it ends "
            f"(disclosure {point.sequence:,}): one of them was cut short or exchanged",
            hint=RESTORE,
        )


def check_whole(reader: FileReader) -> None:
    """`IntegrityError` where a file that was closed does not verify to its end."""
    if rest := reader.rest():
        raise IntegrityError(
            f"{reader.path}: {rest:,} bytes after frame {reader.frames:,} of a closed file do not verify", hint=RESTORE
        )


def joined(batches: Sequence[Batch]) -> Batch:
    """Several batches as one; an empty one where there are none."""
    return concatenated(batches) if batches else Batch.of([])
