"""The folder of write-ahead files as its one writer holds it: recover, append, rotate, remove.

Rules
1. "Appended" means: the frame written and synced, before `append` returns.
2. The head in the second place says how far the files were acknowledged. Files that end, or stop to verify, before the
   head are `IntegrityError`. Bytes after it that do not verify are a torn append, and are cut off.
3. Frames after the head that do verify are kept: they were written, and perhaps confirmed.
4. A failed append is cut back, and its file given up: the next append starts a new one. Where the cutting fails too, or
   a sync failed, the folder is `broken`: nothing says what is on disk then (Rebello et al., "Can Applications Recover
   from fsync Failures?", ATC 2020), and only a recovery may go on.
5. Each opening writes a file of its own, made by the first append: no key and nonce come twice.
6. A file is removed only after a head that no longer counts it stands in the second place.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from muniment.durable import storage_faults, sync_data, sync_folder, write_all_at
from muniment.errors import IntegrityError, UnreachableError
from muniment.keys import Key
from muniment.ledger.batch import Batch
from muniment.ledger.wal.files import (
    RESTORE,
    FileReader,
    check_follows,
    check_whole,
    file_numbers,
    file_path,
)
from muniment.ledger.wal.frames import (
    HEADER_BYTES,
    FrameCipher,
    Head,
    Point,
    SegmentKeys,
    after,
    genesis,
    make_header,
)

WAL_FILE_BYTES: Final = 256 * 1024**2
"""Bytes after which a write-ahead file is followed by a new one: a minute of most offices fits into one."""

REOPEN: Final = "see that the disk is well, then open the ledger again: it takes up what is on disk"


@dataclass(slots=True)
class _OpenFile:
    """The file that is being written. `end`: offset after the last acknowledged frame."""

    path: Path
    descriptor: int
    cipher: FrameCipher
    frames: int
    end: int


class WalFolder:
    """The write-ahead files of a ledger. Belongs to one thread of the process that holds the writer's lock."""

    def __init__(self, folder: Path, keys: Sequence[Key], random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        """Call `recover` before anything else."""
        self._folder = folder
        self._keys = SegmentKeys(keys)
        self._random_bytes = random_bytes
        self._file: _OpenFile | None = None
        self._newest = self._newest_frames = 0
        self.oldest = 1
        self.point = Point(0, 0, b"")
        self.broken = False

    def __repr__(self) -> str:
        return f"WalFolder({str(self._folder)!r})"

    # --- opening -------------------------------------------------------------------------------------------------

    def recover(self, head: Head | None) -> None:
        """Take up what the files hold, by rules 2 and 3. `head`: from the second place, `None` where nothing is there.

        Raises `IntegrityError` where the files end before the head, were altered, exchanged or put back; and where
        there are disclosures but no head. `UnreachableError` where a torn append cannot be cut off.
        """
        with storage_faults(self._folder, "make the folder"):
            if not self._folder.is_dir():
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                sync_folder(self._folder.parent)
        numbers = file_numbers(self._folder)
        if head is None:
            self._begin(numbers)
        else:
            self._take_up([number for number in numbers if number >= head.oldest], head)
            self._remove([number for number in numbers if number < head.oldest])

    def _begin(self, numbers: Sequence[int]) -> None:
        # Before the first head nothing can have been appended, so an empty first file is all that a crash may leave.
        if numbers not in ([], [1]) or (numbers and self._size(1) > HEADER_BYTES):
            raise IntegrityError(
                f"{self._folder}: there are write-ahead files, but the second place holds no head of them",
                hint="see that the disk of the second place is there; else restore it from a backup",
            )
        self._remove(numbers)
        self.point = genesis(self._random_bytes)
        self._start()

    def _take_up(self, numbers: list[int], head: Head) -> None:
        # 1. no file is missing, 2. each verifies and follows the one before, 3. the head lies on their chain,
        # 4. what follows the last verified frame is cut off
        self._check_numbers(numbers, head)
        point: Point | None = None
        for number in numbers:
            newest = number == numbers[-1]
            if newest and number > head.file and self._size(number) <= HEADER_BYTES:
                self._remove([number])  # nothing was appended to it; its header may be torn
                break
            with FileReader(file_path(self._folder, number), self._keys) as reader:
                check_follows(reader, point)
                self._read_past_head(reader, head, number)
                if not newest:
                    check_whole(reader)
                else:
                    self._settle(reader.path, reader.end, torn=reader.rest() > 0)
                point, frames = reader.point, reader.frames
            self._newest, self._newest_frames = number, frames
        if point is None:
            raise IntegrityError(f"{self._folder}: the write-ahead files are missing", hint=RESTORE)
        self.oldest, self.point = head.oldest, point

    def _check_numbers(self, numbers: Sequence[int], head: Head) -> None:
        expected = list(range(head.oldest, max([head.file, *numbers]) + 1))
        missing = sorted(set(expected) - set(numbers))
        if missing:
            raise IntegrityError(
                f"{file_path(self._folder, missing[0])}: missing; the second place names files {head.oldest} to "
                f"{head.file}: removed, or one of the two places was put back to an older state",
                hint=RESTORE,
            )

    def _read_past_head(self, reader: FileReader, head: Head, number: int) -> None:
        """Read a file to its end; where the head lies in it, it must be met."""
        met = number != head.file or (head.frames == 0 and head.point == reader.point)
        for _ in reader.batches():
            met = met or (reader.frames == head.frames and reader.point == head.point)
        if not met and reader.frames < head.frames:
            raise IntegrityError(
                f"{reader.path}: {head.frames:,} frames, up to disclosure {head.point.sequence:,}, were acknowledged, "
                f"but it is cut short or altered after frame {reader.frames:,}",
                hint=RESTORE,
            )
        if not met:
            raise IntegrityError(
                f"{reader.path}: holds other disclosures than were acknowledged up to number {head.point.sequence:,}: "
                "exchanged, or written by two ledgers",
                hint=RESTORE,
            )

    def _settle(self, path: Path, end: int, *, torn: bool) -> None:
        # What was read may lie in the memory of the system alone: the head must not count it before it is on disk.
        with storage_faults(path, "cut off a torn append" if torn else "bring to disk what was written"):
            descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
            try:
                if torn:
                    os.ftruncate(descriptor, end)
                sync_data(descriptor)
            finally:
                os.close(descriptor)

    # --- what there is -------------------------------------------------------------------------------------------

    @property
    def head(self) -> Head:
        """How far the files are acknowledged now: what goes into the second place."""
        frames = self._file.frames if self._file else self._newest_frames
        return Head(self.oldest, self._newest, frames, self.point)

    def closed(self) -> tuple[int, ...]:
        """The numbers of the files that nothing is written to any more, ascending."""
        return tuple(range(self.oldest, self._newest + (self._file is None)))

    # --- writing -------------------------------------------------------------------------------------------------

    def append(self, batch: Batch) -> None:
        """Append a batch that is numbered from `point` on; it is durable when this returns.

        Raises `UnreachableError` where the disk is full, read-only or fails (rule 4), `LimitError` for too large a one.
        """
        if self.broken:
            raise UnreachableError(f"{self._folder}: a sync failed before: what is on disk is not known", hint=REOPEN)
        file = self._file
        if file is None or file.end >= WAL_FILE_BYTES:
            file = self._start()
        frame = file.cipher.seal(file.frames, batch)
        self._write(file, frame)
        file.frames, file.end = file.frames + 1, file.end + len(frame)
        self.point = after(self.point, frame, len(batch), int(batch.time[-1]))

    def rotate(self) -> int:
        """Close the file that is being written; returns the number of the newest closed file (0: there is none).

        A new file is there when it returns, so that the next point is on disk. Errors as `append`.
        """
        if self._file is not None and self._file.frames:
            self._start()
        return self._newest - (self._file is not None)

    def retire(self, number: int) -> None:
        """Count files up to `number`, all closed, no more. The next head says so; after it comes `remove_retired`."""
        if self._file is None and number == self._newest:
            self._start()
        if number >= self._newest:
            raise ValueError(f"file {number} is not closed")
        self.oldest = max(self.oldest, number + 1)

    def remove_retired(self) -> None:
        """Remove the files that the head in the second place no longer counts."""
        self._remove([number for number in file_numbers(self._folder) if number < self.oldest])

    def close(self) -> None:
        """Close the file that is being written. What was appended is durable already."""
        if self._file is not None:
            self._newest_frames = self._file.frames
            os.close(self._file.descriptor)
            self._file = None

    # --- files ---------------------------------------------------------------------------------------------------

    def _start(self) -> _OpenFile:
        """Make the next file, and write to it from now on."""
        number = self._newest + 1
        path = file_path(self._folder, number)
        _, cipher, header = make_header(number, self.point, self._keys, self._random_bytes)
        with storage_faults(path, "make"):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                write_all_at(descriptor, header, 0)
                sync_data(descriptor)
                sync_folder(self._folder)
            except BaseException:
                os.close(descriptor)
                with suppress(OSError):
                    os.unlink(path)
                raise
        self.close()
        self._newest, self._newest_frames = number, 0
        self._file = _OpenFile(path, descriptor, cipher, 0, HEADER_BYTES)
        return self._file

    def _write(self, file: _OpenFile, frame: bytes) -> None:
        with storage_faults(file.path, "append"):
            try:
                write_all_at(file.descriptor, frame, file.end)
            except BaseException:
                self._give_up(file)
                raise
            try:
                sync_data(file.descriptor)
            except BaseException:
                self.broken = True
                self._give_up(file)
                raise

    def _give_up(self, file: _OpenFile) -> None:
        try:
            os.ftruncate(file.descriptor, file.end)
            sync_data(file.descriptor)
        except OSError:
            self.broken = True
        self.close()

    def _remove(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            path = file_path(self._folder, number)
            with storage_faults(path, "remove"):
                path.unlink(missing_ok=True)
        if numbers:
            with storage_faults(self._folder, "remove files"):
                sync_folder(self._folder)

    def _size(self, number: int) -> int:
        path = file_path(self._folder, number)
        with storage_faults(path, "read"):
            return path.stat().st_size
