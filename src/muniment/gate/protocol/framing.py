"""Bytes into messages, whatever the chunks they come in.

Rules
1. A message whose body is not longer than the limit comes whole. A longer one comes in pieces where its type may be
   long (`STREAMED`), else it is `ProtocolError`: memory is bounded by the limit and by what was fed at once.
2. Nothing is copied while whole messages lie in one chunk: `rows` looks at the chunk itself.
3. After `ProtocolError` the framer is of no more use: the boundaries are lost.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Set
from dataclasses import dataclass, field
from typing import Final

from muniment.gate.protocol.copyscan import COPY_DATA, CopyRows
from muniment.gate.protocol.scan import scan
from muniment.gate.protocol.startup import MAX_PACKET
from muniment.gate.protocol.wire import HEAD_BYTES, MAX_LENGTH, ProtocolError, message, shown

STREAMED: Final = frozenset(b"DdBPQ")
"""Types whose messages may be longer than the limit: rows, COPY data, parameters and statements."""
_HEAD: Final = struct.Struct(">BI")
_LENGTH: Final = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Frame:
    """A whole message."""

    kind: int
    body: bytes = field(repr=False)

    def build(self) -> bytes:
        """The whole message, type byte and length included."""
        return message(self.kind, self.body)


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a long message, as it came: joined, the `data` of all pieces is the message, type and length included."""

    kind: int
    first: bool
    last: bool
    data: bytes = field(repr=False)


class Framer:
    """One direction of one connection: bytes in, messages out."""

    __slots__ = ("_buffer", "_kind", "_later", "_left", "_pos", "_streamed", "limit")

    limit: int
    """Bytes of the longest body that is held whole; may be changed between messages."""

    def __init__(self, limit: int, streamed: Set[int] = STREAMED) -> None:
        self.limit = limit
        self._streamed = streamed
        self._buffer = b""
        self._pos = 0
        self._later = bytearray()  # fed while the buffer was not used up; joined once a whole message is there
        self._kind = 0
        self._left = 0  # bytes to come of a message in pieces

    def feed(self, data: bytes) -> None:
        """Bytes that came."""
        if self._pos == len(self._buffer) and not self._later:
            self._buffer, self._pos = data, 0
        else:
            self._later += data

    @property
    def pending(self) -> int:
        """Bytes that were fed and not taken: after SSLRequest there must be none (CVE-2021-23214)."""
        return len(self._buffer) - self._pos + len(self._later)

    @property
    def inside(self) -> bool:
        """Whether a message in pieces is under way."""
        return self._left > 0

    def packet(self) -> bytes | None:
        """The bytes after the length of a startup packet (no type byte), for `startup.parse`; `None`: not all here.

        Raises `ProtocolError` for a length below 8 or above `startup.MAX_PACKET`.
        """
        if not self._reach(4):
            return None
        (length,) = _LENGTH.unpack_from(self._buffer, self._pos)
        if not 8 <= length <= MAX_PACKET:
            raise ProtocolError(f"a startup packet says {length:,} bytes; expected 8 to {MAX_PACKET:,}")
        if not self._reach(length):
            return None
        return self._taken(length)[4:]

    def peek(self) -> int | None:
        """The type of the next message; `None` where nothing is there or a message in pieces is under way."""
        if self._left or not self._reach(1):
            return None
        return self._buffer[self._pos]

    def next(self) -> Frame | Piece | None:
        """The next message, or a piece of a long one; `None` where more bytes are needed.

        Raises `ProtocolError` for a length below 4, above `MAX_LENGTH`, or above the limit where the type is not one of
        those that come in pieces.
        """
        if self._left:
            return self._piece(first=False)
        if not self._reach(HEAD_BYTES):
            return None
        kind, length = _HEAD.unpack_from(self._buffer, self._pos)
        if not 4 <= length <= MAX_LENGTH:
            raise ProtocolError(f"a message of type {shown(kind)} says length {length:,}; expected 4 to {MAX_LENGTH:,}")
        if length - 4 > self.limit:
            return self._begin(kind, length)
        if not self._reach(length + 1):
            return None
        return Frame(kind, self._taken(length + 1)[HEAD_BYTES:])

    def rows(
        self, kind: int, fields: tuple[int, ...], ends: list[int], cells: list[list[bytes | None]], limit: int
    ) -> bytes | memoryview:
        """The raw bytes of the complete messages of type `kind` that come next, at most `limit` of them.

        Appends to `ends` where each ends in the bytes returned, to `cells[i]` the cell in column `fields[i]` (see
        `scan.scan`). Empty where another message, a piece or an incomplete message comes next; then ask `next`. A row
        above the limit is taken too where it lies in the buffer. Raises `ProtocolError` for rows that are malformed.
        """
        return self._many(
            lambda data, start: scan(data, start, len(data), kind, fields, ends, cells, limit), kind, ends
        )  # fmt: skip

    def copy_rows(
        self, reader: CopyRows, ends: list[int], cells: list[list[bytes | None]], limit: int
    ) -> bytes | memoryview:
        """`rows` for the CopyData messages of a COPY. The bytes may go on after the last row, see `CopyRows.take`."""
        return self._many(lambda data, start: reader.take(data, start, len(data), ends, cells, limit), COPY_DATA, ends)

    def _many(self, take: Callable[[bytes, int], int], kind: int, ends: list[int]) -> bytes | memoryview:
        if self._left or not self._reach(HEAD_BYTES):
            return b""
        (length,) = _LENGTH.unpack_from(self._buffer, self._pos + 1)
        if self._later and length <= self.limit + 4:
            self._reach(length + 1)
        buffer, start, known = self._buffer, self._pos, len(ends)
        try:
            stop = take(buffer, start)
        except ValueError as error:
            raise ProtocolError(f"{error} (message type {shown(kind)})") from None
        self._pos = stop
        if stop == start:
            return b""
        if start:
            ends[known:] = [end - start for end in ends[known:]]
        return buffer if stop - start == len(buffer) else memoryview(buffer)[start:stop]

    def _begin(self, kind: int, length: int) -> Piece:
        if kind not in self._streamed:
            expected = f"at most {self.limit:,}"
            raise ProtocolError(f"a message of type {shown(kind)} has {length - 4:,} bytes; expected {expected}")
        self._kind, self._left = kind, length + 1
        piece = self._piece(first=True)
        assert piece is not None  # its head is here
        return piece

    def _piece(self, *, first: bool) -> Piece | None:
        if self._pos == len(self._buffer):
            self._reach(1)
        size = min(self._left, len(self._buffer) - self._pos)
        if not size:
            return None
        self._left -= size
        return Piece(self._kind, first, self._left == 0, self._taken(size))

    def _reach(self, size: int) -> bool:
        """Whether `size` bytes from here on lie in the buffer, which is joined with what came later if that helps."""
        held = len(self._buffer) - self._pos
        if held < size <= held + len(self._later):
            self._buffer, self._pos = self._buffer[self._pos :] + self._later, 0
            self._later = bytearray()
            return True
        return held >= size

    def _taken(self, size: int) -> bytes:
        start = self._pos
        self._pos = start + size
        return self._buffer[start : self._pos]
