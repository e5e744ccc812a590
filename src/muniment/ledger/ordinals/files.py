"""The files of the ordinal table: key, base and append file of one generation after another.

Rules
1. A generation is three files: NUMBER.key (the table key, boxed under a segment key), NUMBER.base (everything as of its
   making, see `base`), NUMBER.append (what came since; see `frames`). All is encrypted under the table key.
2. A generation is made by writing base and append file and then the key file: that is the step that counts. The highest
   key file is the table. After it the older key files are overwritten, synced and removed, then their other files; a
   crash in between is made good by the next writer.
3. Appended means: frames synced, then acknowledged by a head in the same file, synced too. Frames after the head that
   verify are kept by the next writer (rewritten first: after a failed sync the cache may show what the disk does not
   hold); bytes that do not verify are cut off. A file that ends, or stops to verify, before its head is refused. A
   reader stops at the head, unless a head is torn: then the frames after the other one are synced, and it reads on.
4. A failed append is cut off again while no head may name it; afterwards it stays (rule 3).
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

from muniment.durable import read_file, replace_file, storage_faults, sync_data, sync_folder, write_all_at
from muniment.errors import InputError, IntegrityError, LimitError
from muniment.keys import Key, Purpose
from muniment.ledger.ordinals.frames import (
    FRAMES_START,
    HEADER_BYTES,
    MAGIC,
    SLOT_BYTES,
    SLOTS,
    AppendCipher,
    Frame,
    Point,
    next_frame,
)
from muniment.prf import hkdf
from muniment.sealed import seal, unseal

RESTORE: Final = "restore the folder `ordinals` from a backup, together with the rest of the ledger"
KEY_BYTES: Final = 32
KEY_FILE_BYTES: Final = 4 + 12 + KEY_BYTES + 16
APPEND_BYTES: Final = 8 * 1024**3
"""Bytes of an append file that is read: 700 million entries; a compaction starts a new one long before."""
_COPY: Final = 1024**2
_NUMBER = struct.Struct(">I")
_FILE = re.compile(r"\.?(\d{8})\.(?:key|base|append)(?:\..*\.partial)?")


def path_of(folder: Path, generation: int, kind: str) -> Path:
    """The path of a file of one generation; `kind` is key, base or append."""
    return folder / f"{generation:08d}.{kind}"


def newest_generation(folder: Path) -> int:
    """The generation that counts (rule 2). Raises `InputError` where there is no table."""
    with storage_faults(folder, "read the folder"):
        numbers = [int(path.stem) for path in folder.glob("[0-9]" * 8 + ".key")] if folder.is_dir() else []
    if not numbers:
        raise InputError(f"{folder}: there is no ordinal table", hint="`muniment init DIR` makes a workspace with one")
    return max(numbers)


# --- the table key -----------------------------------------------------------------------------------------------


class KeyBoxes:
    """Boxes for table keys under the segment keys: the newest seals, each one opens what it sealed."""

    def __init__(self, keys: Sequence[Key]) -> None:
        if not keys or any(key.purpose != Purpose.SEGMENT for key in keys):
            raise ValueError("one segment key or more is needed")
        self._keys = {key.number: hkdf(key.secret, "muniment ordinals 1", length=32) for key in keys}

    def __repr__(self) -> str:
        return "KeyBoxes()"

    def write(self, folder: Path, generation: int, table_key: bytes) -> None:
        """Write the key file of a generation: from now on it is the table."""
        number = _NUMBER.pack(max(self._keys))
        box = seal(self._keys[max(self._keys)], table_key, _key_place(generation, number))
        replace_file(path_of(folder, generation, "key"), [number + box])

    def read(self, folder: Path, generation: int) -> bytes:
        """The table key of a generation.

        Raises `IntegrityError` where its file is missing, altered, or boxed under a key that is not in the ring.
        """
        path = path_of(folder, generation, "key")
        data = read_file(path, KEY_FILE_BYTES)
        if data is None or len(data) != KEY_FILE_BYTES:
            raise IntegrityError(f"{path}: the key of the ordinal table is missing or cut short", hint=RESTORE)
        number = data[: _NUMBER.size]
        key = self._keys.get(int.from_bytes(number, "big"))
        if key is None:
            raise IntegrityError(f"{path}: boxed under a segment key that this key ring does not hold")
        return unseal(key, data[_NUMBER.size :], _key_place(generation, number), what=str(path))


def _key_place(generation: int, number: bytes) -> bytes:
    return b"muniment ordinals key 1" + generation.to_bytes(8, "big") + number


def destroy_older(folder: Path, generation: int, random_bytes: Callable[[int], bytes]) -> None:
    """Overwrite and remove the keys of all generations before this one, then every file that is not of this one."""
    with storage_faults(folder, "remove the files of an older table"):
        others = [path for path in folder.iterdir() if _generation(path) not in (None, generation)]
        others += list(folder.glob(f".{generation:08d}.*.partial"))
        for path in others:
            if ".key" in path.suffixes:
                _overwrite(path, random_bytes)
        for path in others:
            path.unlink()
        if others:
            sync_folder(folder)


def _generation(path: Path) -> int | None:
    matched = _FILE.fullmatch(path.name)
    return int(matched[1]) if matched else None


def _overwrite(path: Path, random_bytes: Callable[[int], bytes]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        write_all_at(descriptor, random_bytes(os.fstat(descriptor).st_size), 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# --- the append file ---------------------------------------------------------------------------------------------


class AppendFile:
    """The append file of a generation. `point` is what was read or written here; it owns a descriptor when writing."""

    def __init__(self, folder: Path, generation: int, table_key: bytes, *, writing: bool) -> None:
        self.path = path_of(folder, generation, "append")
        start = self._start()
        self._cipher = AppendCipher(table_key, generation, start[:HEADER_BYTES])
        self.point = self._cipher.genesis
        self._descriptor = -1
        if writing:
            with storage_faults(self.path, "open"):
                self._descriptor = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)

    def __repr__(self) -> str:
        return f"AppendFile({str(self.path)!r}, frames={self.point.frames})"

    @staticmethod
    def create(folder: Path, generation: int, table_key: bytes, random_bytes: Callable[[int], bytes]) -> None:
        """Write the append file of a new generation, without frames."""
        header = MAGIC + random_bytes(HEADER_BYTES - len(MAGIC))
        cipher = AppendCipher(table_key, generation, header)
        _, slot = cipher.slot(cipher.genesis)
        start = bytearray(random_bytes(FRAMES_START))  # what lies between the slots must not stand out either
        start[:HEADER_BYTES] = header
        for offset in SLOTS:
            start[offset : offset + SLOT_BYTES] = slot
        replace_file(path_of(folder, generation, "append"), [bytes(start)])

    def close(self) -> None:
        """Let go of the descriptor; may be called twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def heads(self) -> list[Point]:
        """The heads in the file, the newest last. Raises `IntegrityError` where there is none that verifies."""
        points = sorted(self._cipher.heads(self._start()), key=lambda point: point.frames)
        if not points:
            raise IntegrityError(
                f"{self.path}: the head of the ordinal table does not verify: altered, exchanged, or another key",
                hint=RESTORE,
            )
        return points

    def read(self, *, beyond_head: bool, expected: Sequence[tuple[int, bytes]] = ()) -> list[Frame]:
        """The frames after `point`, which moves on: up to the head, or (`beyond_head`) all that verify.

        `expected`: pairs of a number of frames and the chain digest after them, as they were told elsewhere.
        Raises `IntegrityError` where the file does not verify up to its head, or does not hold what is expected.
        """
        heads = self.heads()
        head, last = heads[-1], None if beyond_head or len(heads) < len(SLOTS) else heads[-1].frames
        frames, point, seen = [], self.point, {self.point.frames: self.point.digest}
        with storage_faults(self.path, "read"), self.path.open("rb") as file:
            file.seek(point.end)
            for frame, after in self._verified(file, last):
                frames.append(frame)
                point, seen[after.frames] = after, after.digest
        for count, digest in ((head.frames, head.digest), *expected):
            if seen.get(count) != digest:
                raise IntegrityError(
                    f"{self.path}: {count:,} changes of the ordinal table were acknowledged, but the file is cut "
                    f"short, altered or an older one: {point.frames:,} verify",
                    hint=RESTORE,
                )
        self.point = point
        return frames

    def append(self, frames: Sequence[Frame]) -> None:
        """Write frames and acknowledge them; durable when this returns (rule 3).

        Raises `UnreachableError` where the disk is full or fails: read the file again before the next append.
        """
        data, point = bytearray(), self.point
        for frame in frames:
            sealed, point = self._cipher.sealed(frame, point)
            data += sealed
        if point.end > APPEND_BYTES:
            raise LimitError(f"{self.path}: expected at most {APPEND_BYTES:,} bytes; compact the table first")
        with storage_faults(self.path, "append"):
            try:
                write_all_at(self._descriptor, bytes(data), self.point.end)
                sync_data(self._descriptor)
            except BaseException:
                with suppress(OSError):
                    os.ftruncate(self._descriptor, self.point.end)
                    sync_data(self._descriptor)
                raise
            self._acknowledge(point)
        self.point = point

    def recover(self) -> None:
        """After `read(beyond_head=True)`: keep what verifies, cut off what does not, acknowledge what is kept."""
        head = self.heads()[-1]
        with storage_faults(self.path, "recover"):
            for offset in range(head.end, self.point.end, _COPY):
                kept = os.pread(self._descriptor, min(_COPY, self.point.end - offset), offset)
                write_all_at(self._descriptor, kept, offset)
            torn = os.fstat(self._descriptor).st_size > self.point.end
            if torn:
                os.ftruncate(self._descriptor, self.point.end)
            if torn or head != self.point or len(self.heads()) < len(SLOTS):
                sync_data(self._descriptor)
                self._acknowledge(self.point)

    def _acknowledge(self, point: Point) -> None:
        offset, slot = self._cipher.slot(point)
        write_all_at(self._descriptor, slot, offset)
        sync_data(self._descriptor)

    def _verified(self, file: BinaryIO, last: int | None) -> Iterator[tuple[Frame, Point]]:
        point = self.point
        while point.frames != last and (data := next_frame(file)):
            opened = self._cipher.opened(data, point)
            if opened is None:
                return
            yield opened
            point = opened[1]

    def _start(self) -> bytes:
        if not self.path.is_file():
            raise IntegrityError(f"{self.path}: the append file of the ordinal table is missing", hint=RESTORE)
        with storage_faults(self.path, "read"), self.path.open("rb") as file:
            if (size := os.fstat(file.fileno()).st_size) > APPEND_BYTES:
                raise LimitError(f"{self.path}: {size:,} bytes; expected at most {APPEND_BYTES:,}")
            start = file.read(FRAMES_START)
        if len(start) != FRAMES_START or not start.startswith(MAGIC):
            raise IntegrityError(f"{self.path}: no append file of this version, or altered at its start", hint=RESTORE)
        return start
