"""The grammar that all messages share: a type byte, a length, a body of big-endian integers and zero-ended texts.

Rules
1. A length counts itself and the body, not the type byte: at least 4, at most `MAX_LENGTH` (PostgreSQL documentation,
   chapter "Frontend/Backend Protocol", section "Message Data Types").
2. Texts are `str`, decoded as UTF-8 with surrogate escapes: whatever the client's encoding is, `build` gives back the
   bytes that `parse` took.
3. A body is read to its last byte. What is missing, left over or out of range is `ProtocolError`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any, Final

from muniment.errors import InputError

MAX_LENGTH: Final = 0x3FFF_FFFF
"""Bytes that a length may say: PostgreSQL itself allocates no message of 1 GiB."""
HEAD_BYTES: Final = 5
_HEAD: Final = struct.Struct(">BI")


class ProtocolError(InputError):
    """The bytes are not what the protocol allows here; nothing after them can be trusted, so both sides are closed."""


def message(kind: int, body: bytes) -> bytes:
    """A whole message: type byte, length, body."""
    return _HEAD.pack(kind, len(body) + 4) + body


def text_bytes(text: str) -> bytes:
    """A text as it stands on the wire, with its closing zero.

    Raises `ProtocolError` for a text that holds a zero or cannot be encoded.
    """
    try:
        encoded = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise ProtocolError("a text of a message holds half a surrogate pair; expected valid text") from None
    if 0 in encoded:
        raise ProtocolError("a text of a message holds a zero byte; expected none")
    return encoded + b"\0"


def decoded(data: bytes) -> str:
    """Bytes of a message as text (rule 2)."""
    return data.decode("utf-8", "surrogateescape")


def shown(kind: int) -> str:
    """A type byte for an error message: its letter, or its number where it is none."""
    return f"'{chr(kind)}'" if 0x21 <= kind < 0x7F else f"0x{kind:02x}"


def uint16_list(numbers: Iterable[int]) -> bytes:
    """A count and so many 16-bit integers."""
    items = tuple(numbers)
    return struct.pack(f">H{len(items)}H", len(items), *items)


def cell_list(cells: Iterable[bytes | None]) -> bytes:
    """A count and so many values, each with its length in front; -1 stands for NULL."""
    parts = [b""]
    for cell in cells:
        parts.append(b"\xff\xff\xff\xff" if cell is None else len(cell).to_bytes(4, "big") + cell)
    parts[0] = (len(parts) - 1).to_bytes(2, "big")
    return b"".join(parts)


class Reader:
    """Reads one body from front to back. `name` is the message's, for errors; the body itself is in no error."""

    __slots__ = ("_data", "_name", "_pos")

    def __init__(self, name: str, data: bytes) -> None:
        self._name = name
        self._data = data
        self._pos = 0

    def unpack(self, layout: struct.Struct) -> tuple[Any, ...]:
        """The next values of a fixed layout."""
        start = self._advance(layout.size)
        return layout.unpack_from(self._data, start)

    def byte(self) -> int:
        """One byte as a number."""
        return self._data[self._advance(1)]

    def uint16(self) -> int:
        """A 16-bit count or code, unsigned."""
        return self._integer(2, signed=False)

    def uint32(self) -> int:
        """A 32-bit number, unsigned: an OID or a code."""
        return self._integer(4, signed=False)

    def int32(self) -> int:
        """A 32-bit number."""
        return self._integer(4, signed=True)

    def _integer(self, size: int, *, signed: bool) -> int:
        start = self._advance(size)
        return int.from_bytes(self._data[start : start + size], "big", signed=signed)

    def text(self) -> str:
        """A text up to its closing zero, which is taken too."""
        end = self._data.find(b"\0", self._pos)
        if end < 0:
            raise ProtocolError(f"a text in {self._name} has no end; expected a zero byte")
        start, self._pos = self._pos, end + 1
        return decoded(self._data[start:end])

    def take(self, size: int) -> bytes:
        """So many bytes."""
        start = self._advance(size)
        return self._data[start : start + size]

    def rest(self) -> bytes:
        """Everything that is left."""
        start, self._pos = self._pos, len(self._data)
        return self._data[start:]

    def uint16s(self) -> tuple[int, ...]:
        """A count and so many 16-bit integers."""
        layout = struct.Struct(f">{self.uint16()}H")
        return self.unpack(layout)

    def uint32s(self) -> tuple[int, ...]:
        """A 16-bit count and so many 32-bit integers."""
        layout = struct.Struct(f">{self.uint16()}I")
        return self.unpack(layout)

    def cell(self) -> bytes | None:
        """A length and so many bytes; `None` for length -1."""
        size = self.int32()
        if size == -1:
            return None
        if size < 0:
            raise ProtocolError(f"a value in {self._name} has length {size}; expected -1 or more")
        return self.take(size)

    def cells(self) -> tuple[bytes | None, ...]:
        """A 16-bit count and so many values."""
        return tuple([self.cell() for _ in range(self.uint16())])

    def texts_to_zero(self) -> tuple[str, ...]:
        """Texts up to an empty one, which closes the list."""
        found: list[str] = []
        while text := self.text():
            found.append(text)
        return tuple(found)

    @property
    def more(self) -> bool:
        """Whether bytes are left."""
        return self._pos < len(self._data)

    def close(self) -> None:
        """Raises `ProtocolError` where bytes are left."""
        if self.more:
            raise ProtocolError(f"{self._name} has {len(self._data) - self._pos:,} bytes too many")

    def _advance(self, size: int) -> int:
        start = self._pos
        if start + size > len(self._data):
            left = len(self._data) - start
            raise ProtocolError(f"{self._name} ends too early: {size:,} more bytes expected, {left:,} came")
        self._pos = start + size
        return start
