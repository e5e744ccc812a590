"""The bytes of the append file of the ordinal table: header, head slots, frames. Pure: bytes in, values out.

Rules
1. File = magic (16) | salt (32) | zeros | two head slots, each in a sector of its own | frames. Frame = length u32 |
   box; the length counts the box. The length and the numbers of a box are big endian, its columns little endian.
2. chain(0) = SHA-256(magic | salt); chain(i) = SHA-256(chain(i - 1) | frame i). A box is AES-256-GCM under a random
   nonce (a place that was cut off is written again: a counter would repeat), its associated data the frame's number
   and chain(i - 1): a frame opens only in its own place.
3. The head after frame i stands in slot i mod 2, so that the one before it survives a torn write. A new file has its
   first head in both: from then on one that does not verify was torn, or damaged.
4. Every frame carries the whole state of reservations after it: what a crash leaves is consistent at any frame.
"""

from __future__ import annotations

import struct
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np

from muniment.errors import IntegrityError
from muniment.ledger.ordinals.ranges import SEED_BYTES, Reserved
from muniment.prf import hkdf
from muniment.sealed import seal, unseal

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAGIC: Final = b"muniment ordinal"
HEADER_BYTES: Final = 48
SLOTS: Final = (512, 1024)
"""Offsets of the head slots: a disk writes a sector of 512 bytes whole or not at all."""
SLOT_BYTES: Final = 12 + 48 + 16
FRAMES_START: Final = 1536
FRAME_ENTRIES: Final = 65_536
"""Entries in one frame: 768 KiB; nothing unverified beyond a frame is ever in memory."""
FRAME_BYTES: Final = 1024**2
"""Bytes of one frame that is read."""
_LENGTH = struct.Struct(">I")
_HEAD = struct.Struct(">QQ32s")
_BODY = struct.Struct(f">BQQI{SEED_BYTES}sI")
_ENTRY_BYTES: Final = 12
_SLOT_LABEL: Final = b"muniment ordinals head 1"


class Change(IntEnum):
    """What a frame does."""

    ALLOCATE = 0
    """Gives new persons ordinals that nobody had."""
    ALIAS = 1
    """Gives further pseudonyms (of another epoch) to ordinals that somebody has."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Frame:
    """One change: its entries, shape (m,) each, and the state of reservations after it."""

    change: Change
    pseudonyms: NDArray[np.uint64]
    ordinals: NDArray[np.uint32]
    state: Reserved

    def __repr__(self) -> str:
        return f"Frame({self.change.name}, entries={len(self.pseudonyms)})"


@dataclass(frozen=True, slots=True)
class Point:
    """A point of an append file: `frames` frames, up to byte `end`, fixed by the chain digest `digest`."""

    frames: int
    end: int
    digest: bytes


class AppendCipher:
    """Seals and opens the frames and heads of one append file; the key never shows in `repr`."""

    def __init__(self, table_key: bytes, generation: int, header: bytes) -> None:
        self._key = hkdf(table_key, "muniment ordinals append 1", generation.to_bytes(8, "big"), header, length=32)
        self.genesis = Point(0, FRAMES_START, sha256(header).digest())

    def __repr__(self) -> str:
        return "AppendCipher()"

    def sealed(self, frame: Frame, before: Point) -> tuple[bytes, Point]:
        """The bytes of a frame that comes after `before`, and the point after it."""
        state = frame.state
        head = _BODY.pack(
            frame.change, state.reserved, state.start, state.used, state.seed, len(frame.pseudonyms)
        )  # fmt: skip
        text = head + frame.pseudonyms.astype("<u8").tobytes() + frame.ordinals.astype("<u4").tobytes()
        box = seal(self._key, text, _place(before))
        return (data := _LENGTH.pack(len(box)) + box), _after(before, data)

    def opened(self, frame: bytes, before: Point) -> tuple[Frame, Point] | None:
        """The value of one frame (its bytes whole, with the length), and the point after it; `None`: it is not ours."""
        try:
            text = unseal(self._key, frame[_LENGTH.size :], _place(before))
        except IntegrityError:
            return None
        return _decoded(text), _after(before, frame)

    def slot(self, point: Point) -> tuple[int, bytes]:
        """Offset and bytes of the head that acknowledges `point`."""
        return SLOTS[point.frames % 2], seal(self._key, _HEAD.pack(point.frames, point.end, point.digest), _SLOT_LABEL)

    def heads(self, start: bytes) -> list[Point]:
        """The heads that verify in the first bytes of a file, `FRAMES_START` of them: two, or one where one is torn."""
        points = []
        for offset in SLOTS:
            with suppress(IntegrityError):
                text = unseal(self._key, start[offset : offset + SLOT_BYTES], _SLOT_LABEL)
                points.append(Point(*_HEAD.unpack(text)))
        return points


def next_frame(file: BinaryIO) -> bytes:
    """Read the bytes of one frame; empty at the end of the file, or where no whole frame follows."""
    head = file.read(_LENGTH.size)
    if len(head) < _LENGTH.size or (length := int.from_bytes(head, "big")) > FRAME_BYTES:
        return b""
    body = file.read(length)
    return head + body if len(body) == length else b""


def _place(before: Point) -> bytes:
    return (before.frames + 1).to_bytes(8, "big") + before.digest


def _after(before: Point, frame: bytes) -> Point:
    return Point(before.frames + 1, before.end + len(frame), sha256(before.digest + frame).digest())


def _decoded(text: bytes) -> Frame:
    # The bytes were authenticated: a malformed frame is a bug of the writer; it is refused all the same.
    try:
        change, reserved, start, used, seed, count = _BODY.unpack_from(text)
        if len(text) != _BODY.size + _ENTRY_BYTES * count:
            raise ValueError("length")
        pseudonyms = np.frombuffer(text, "<u8", count, _BODY.size)
        ordinals = np.frombuffer(text, "<u4", count, _BODY.size + 8 * count)
        return Frame(Change(change), pseudonyms, ordinals, Reserved(reserved, start, used, seed))
    except (struct.error, ValueError) as error:
        raise IntegrityError("a frame of the ordinal table is malformed") from error
