"""The base of a generation: everything as of its making, in sealed frames, read one by one or all together.

Rules
1. File = magic (16) | salt (32) | header | fence | frames. Each of these parts is AES-256-GCM under a key of its own
   salt, table key and generation; its number is the nonce and, with the salt, the associated data: a part opens only
   in its own place of its own file.
2. The header counts the entries, and so fixes the size of the file: what is shorter or longer is refused at opening.
3. Frames hold the persons and behind them, from a new frame on, the further pseudonyms; each by ascending pseudonym,
   as a column of u64 and one of u32, little endian. The fence is the first pseudonym of every frame.
4. A few pseudonyms are looked up in the frames where they must lie; every byte that is used was authenticated. That
   nobody has two ordinals is a matter of all entries: it is checked where all are read.
5. Frames that are read are counted: once a look-up would make them more than there are, it says so instead of
   answering, and all are to be read. One alone takes 30 us; reading, checking and sorting in all of them takes 100 us
   a frame: whoever asks once is never slower for it, and whoever asks often pays a third more.
"""

from __future__ import annotations

import os
import struct
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from muniment.durable import replace_file, storage_faults
from muniment.errors import IntegrityError
from muniment.ledger.ordinals.contents import Contents
from muniment.ledger.ordinals.files import RESTORE, path_of
from muniment.ledger.ordinals.ranges import SEED_BYTES, Reserved
from muniment.ledger.ordinals.runs import Runs
from muniment.prf import hkdf

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAGIC: Final = b"muniment persons"
SALT_BYTES: Final = 32
ENTRIES: Final = 4_096
"""Entries in one frame: 48 KiB, of which one look-up reads one; among 16 million persons the fence is 32 KiB."""
_HEADER = struct.Struct(f">QQI{SEED_BYTES}sQQI")
_ENTRY_BYTES: Final = 12
_TAG: Final = 16
_HEADER_AT: Final = len(MAGIC) + SALT_BYTES
_FENCE_AT: Final = _HEADER_AT + _HEADER.size + _TAG
_HEADER_PART, _FENCE_PART, _FIRST_FRAME = range(3)
Columns = tuple["NDArray[np.uint64]", "NDArray[np.uint32]"]


def write_base(
    folder: Path,
    generation: int,
    table_key: bytes,
    contents: Contents,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> None:
    """Write everything as the base of a generation; `UnreachableError` where the disk is full or fails."""
    cipher = _Cipher(table_key, generation, random_bytes(SALT_BYTES))
    replace_file(path_of(folder, generation, "base"), _sealed(cipher, contents))


def _sealed(cipher: _Cipher, contents: Contents) -> Iterator[bytes]:
    state, columns = contents.state, (contents.persons.entries(), contents.aliases.entries())
    counts = [len(pseudonyms) for pseudonyms, _ in columns]
    yield MAGIC + cipher.salt
    header = _HEADER.pack(state.reserved, state.start, state.used, state.seed, *counts, ENTRIES)
    yield cipher.sealed(_HEADER_PART, header)
    fence = np.concatenate([pseudonyms[::ENTRIES] for pseudonyms, _ in columns])
    yield cipher.sealed(_FENCE_PART, fence.astype("<u8").tobytes())
    number = _FIRST_FRAME
    for pseudonyms, ordinals in columns:
        for start in range(0, len(pseudonyms), ENTRIES):
            part = slice(start, start + ENTRIES)
            text = pseudonyms[part].astype("<u8").tobytes() + ordinals[part].astype("<u4").tobytes()
            yield cipher.sealed(number, text)
            number += 1


class BaseFile:
    """The base of one generation, opened: header and fence verified, frames where they are asked for.

    It keeps the file open, so that a generation that goes away meanwhile can still be read; the descriptor goes with
    the object, or at `close`. `state`: the reservations as of its making. Safe to use from several threads.
    """

    def __init__(self, folder: Path, generation: int, table_key: bytes) -> None:
        """Raises `IntegrityError` where the file is missing, cut short, altered at its start or another one."""
        self._path = path_of(folder, generation, "base")
        if not self._path.is_file():
            raise self._fault("the base of the ordinal table is missing")
        with storage_faults(self._path, "open"):
            self._descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        self._closing = weakref.finalize(self, os.close, self._descriptor)
        start = self._read(0, _FENCE_AT)
        if len(start) != _FENCE_AT or not start.startswith(MAGIC):
            raise self._fault("the base of the ordinal table is none of this version, or altered at its start")
        self._cipher = _Cipher(table_key, generation, start[len(MAGIC) : _HEADER_AT])
        header = self._opened(_HEADER_PART, start[_HEADER_AT:], "header")
        reserved, first, used, seed, persons, aliases, entries = _HEADER.unpack(header)
        self.state = Reserved(reserved, first, used, seed)
        self._entries: int = entries
        self._counts: tuple[int, int] = persons, aliases
        self._read_frames = 0
        self._fence = self._checked_fence()

    def __repr__(self) -> str:
        return f"BaseFile({str(self._path)!r}, persons={self.persons})"

    def close(self) -> None:
        """Let go of the file; may be called twice. Nothing is looked up afterwards."""
        self._closing()

    @property
    def persons(self) -> int:
        """How many persons it holds."""
        return self._counts[0]

    @property
    def frames(self) -> int:
        """In how many frames they lie, with their further pseudonyms."""
        return sum(_parts(count, self._entries) for count in self._counts)

    def lookup(self, pseudonyms: NDArray[np.uint64]) -> tuple[NDArray[np.uint32], NDArray[np.bool_]] | None:
        """The ordinal of each pseudonym, and whether it is known; `None` where `contents` is the cheaper way (rule 5).

        Raises `IntegrityError` where a frame that is needed does not verify.
        """
        ordinals, found = np.zeros(len(pseudonyms), np.uint32), np.zeros(len(pseudonyms), np.bool_)
        if self._read_frames + len(pseudonyms) > self.frames > 0:
            return None
        for first, fence in self._sections():
            left = np.flatnonzero(~found)
            frames = fence.searchsorted(pseudonyms[left], side="right") - 1
            for frame in sorted(set(frames.tolist()) - {-1}):
                here = left[frames == frame]
                ordinals[here], found[here] = self._found(first + frame, pseudonyms[here])
        return ordinals, found

    def contents(self) -> Contents:
        """Everything. Raises `IntegrityError` where a frame does not verify; its rules are the caller's to check."""
        sections: list[Runs] = []
        for (first, fence), count in zip(self._sections(), self._counts, strict=True):
            pseudonyms, ordinals = np.empty(count, np.uint64), np.empty(count, np.uint32)
            for frame in range(len(fence)):
                part = slice(frame * self._entries, (frame + 1) * self._entries)
                pseudonyms[part], ordinals[part] = self._frame(first + frame)
            sections.append(Runs().adding(pseudonyms, ordinals))
        return Contents(sections[0], sections[1], self.state)

    # --- how it is done ------------------------------------------------------------------------------------------

    def _sections(self) -> tuple[tuple[int, NDArray[np.uint64]], tuple[int, NDArray[np.uint64]]]:
        """Persons and further pseudonyms: the number of the first frame of each, and its part of the fence."""
        persons = _parts(self._counts[0], self._entries)
        return (0, self._fence[:persons]), (persons, self._fence[persons:])

    def _found(self, frame: int, values: NDArray[np.uint64]) -> tuple[NDArray[np.uint32], NDArray[np.bool_]]:
        """`lookup` within one frame."""
        self._read_frames += 1
        pseudonyms, ordinals = self._frame(frame)
        at = np.minimum(pseudonyms.searchsorted(values), len(pseudonyms) - 1)
        found = pseudonyms[at] == values
        return np.where(found, ordinals[at], np.uint32(0)), found

    def _frame(self, frame: int) -> Columns:
        start, stop = self._place(frame), self._place(frame + 1)
        text = self._opened(_FIRST_FRAME + frame, self._read(start, stop - start), f"frame {frame}")
        count = len(text) // _ENTRY_BYTES
        pseudonyms = np.frombuffer(text, "<u8", count)
        if pseudonyms[0] != self._fence[frame]:
            raise self._fault("the base of the ordinal table is malformed")
        return pseudonyms, np.frombuffer(text, "<u4", count, 8 * count)

    def _place(self, frame: int) -> int:
        """Where a frame begins; behind the last one, the size of the file."""
        full = _parts(self._counts[0], self._entries)
        entries = min(frame * self._entries, self._counts[0])
        entries += min(max(frame - full, 0) * self._entries, self._counts[1])
        return _FENCE_AT + 8 * self.frames + _TAG + entries * _ENTRY_BYTES + frame * _TAG

    def _checked_fence(self) -> NDArray[np.uint64]:
        with storage_faults(self._path, "read"):
            size = os.fstat(self._descriptor).st_size
        expected = self._place(self.frames) if self._entries else 0
        if size != expected:
            raise self._fault(
                f"the base of the ordinal table is cut short or malformed: expected {expected:,} bytes, came {size:,}"
            )
        text = self._opened(_FENCE_PART, self._read(_FENCE_AT, 8 * self.frames + _TAG), "fence")
        return np.frombuffer(text, "<u8").astype(np.uint64)

    def _read(self, start: int, count: int) -> bytes:
        if not self._closing.alive:
            raise ValueError("the table is not open")
        with storage_faults(self._path, "read"):
            return os.pread(self._descriptor, count, start)

    def _opened(self, part: int, box: bytes, what: str) -> bytes:
        text = self._cipher.opened(part, box)
        if text is None:
            raise self._fault(f"the {what} of the ordinal table's base does not verify: altered, or another key")
        return text

    def _fault(self, message: str) -> IntegrityError:
        return IntegrityError(f"{self._path}: {message}", hint=RESTORE)


class _Cipher:
    """Seals and opens the parts of one base (rule 1)."""

    def __init__(self, table_key: bytes, generation: int, salt: bytes) -> None:
        self.salt = salt
        key = hkdf(table_key, "muniment ordinals base 2", generation.to_bytes(8, "big"), salt, length=32)
        self._cipher = AESGCM(key)

    def __repr__(self) -> str:
        return "_Cipher()"

    def sealed(self, part: int, text: bytes) -> bytes:
        nonce = part.to_bytes(12, "big")
        return self._cipher.encrypt(nonce, text, self.salt + nonce)

    def opened(self, part: int, box: bytes) -> bytes | None:
        nonce = part.to_bytes(12, "big")
        try:
            return self._cipher.decrypt(nonce, box, self.salt + nonce)
        except InvalidTag:
            return None


def _parts(count: int, size: int) -> int:
    return -(-count // size)
