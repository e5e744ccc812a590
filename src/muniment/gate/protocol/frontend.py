"""What a client sends after the startup packet, as frozen values.

`parse(kind, body)` gives the value of a message, `value.build()` the message's bytes, type byte and length included.
Source: PostgreSQL 18 documentation, "Frontend/Backend Protocol", section "Message Formats". Texts as in `wire`, rule 2.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar, Final, Self, TypeAlias

from muniment.gate.protocol.wire import ProtocolError, Reader, cell_list, message, shown, text_bytes, uint16_list

STATEMENT: Final = ord("S")
"""`target` of Describe and Close: a prepared statement."""
PORTAL: Final = ord("P")
"""`target` of Describe and Close: a portal."""


@dataclass(frozen=True, slots=True)
class Empty:
    """Base of messages without a body."""

    KIND: ClassVar[int]

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """From a body, which must be empty. Raises `ProtocolError`."""
        Reader(cls.__name__, body).close()
        return cls()

    def build(self) -> bytes:
        """The whole message."""
        return message(self.KIND, b"")


@dataclass(frozen=True, slots=True)
class Raw:
    """Base of messages whose body is bytes without a grammar of their own."""

    KIND: ClassVar[int]

    data: bytes = field(repr=False)

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """From a body."""
        return cls(body)

    def build(self) -> bytes:
        """The whole message."""
        return message(self.KIND, self.data)


@dataclass(frozen=True, slots=True)
class Text:
    """Base of messages that hold one text."""

    KIND: ClassVar[int]

    text: str = field(repr=False)

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """From a body. Raises `ProtocolError`."""
        reader = Reader(cls.__name__, body)
        value = cls(reader.text())
        reader.close()
        return value

    def build(self) -> bytes:
        """The whole message."""
        return message(self.KIND, text_bytes(self.text))


@dataclass(frozen=True, slots=True)
class Named:
    """Base of Describe and Close. `target` is STATEMENT or PORTAL; an empty name is the unnamed one."""

    KIND: ClassVar[int]

    target: int
    name: str

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """From a body. Raises `ProtocolError`."""
        reader = Reader(cls.__name__, body)
        target = reader.byte()
        if target not in (STATEMENT, PORTAL):
            raise ProtocolError(f"{cls.__name__} is about {shown(target)}; expected 'S' or 'P'")
        value = cls(target, reader.text())
        reader.close()
        return value

    def build(self) -> bytes:
        """The whole message."""
        return message(self.KIND, bytes((self.target,)) + text_bytes(self.name))


class Query(Text):
    """A simple query: `text` may hold several statements."""

    __slots__ = ()
    KIND = ord("Q")


class Describe(Named):
    """Ask for the columns of a statement or portal."""

    __slots__ = ()
    KIND = ord("D")


class Close(Named):
    """Forget a statement or portal."""

    __slots__ = ()
    KIND = ord("C")


class Sync(Empty):
    """End of a pipeline: PostgreSQL answers ReadyForQuery."""

    __slots__ = ()
    KIND = ord("S")


class Flush(Empty):
    """Ask for the answers so far."""

    __slots__ = ()
    KIND = ord("H")


class Terminate(Empty):
    """The client says goodbye."""

    __slots__ = ()
    KIND = ord("X")


class CopyData(Raw):
    """Part of a COPY stream, either way."""

    __slots__ = ()
    KIND = ord("d")


class CopyDone(Empty):
    """End of a COPY stream, either way."""

    __slots__ = ()
    KIND = ord("c")


class CopyFail(Text):
    """The client breaks a COPY off; `text` is its reason."""

    __slots__ = ()
    KIND = ord("f")


class PasswordMessage(Raw):
    """Any answer to an authentication request. Which one it is, only the request says: see the three below."""

    __slots__ = ()
    KIND = ord("p")


class Password(Text):
    """A password, plain or as the MD5 text that was asked for."""

    __slots__ = ()
    KIND = ord("p")


class SASLResponse(Raw):
    """A later message of a SASL exchange."""

    __slots__ = ()
    KIND = ord("p")


@dataclass(frozen=True, slots=True)
class SASLInitialResponse:
    """The first message of a SASL exchange; `data` is `None` where the client sends none with it."""

    KIND: ClassVar[int] = ord("p")

    mechanism: str
    data: bytes | None = field(repr=False)

    @classmethod
    def parse(cls, body: bytes) -> SASLInitialResponse:
        """From a body. Raises `ProtocolError`."""
        reader = Reader("SASLInitialResponse", body)
        value = cls(reader.text(), reader.cell())
        reader.close()
        return value

    def build(self) -> bytes:
        """The whole message."""
        size = -1 if self.data is None else len(self.data)
        return message(self.KIND, text_bytes(self.mechanism) + struct.pack(">i", size) + (self.data or b""))


@dataclass(frozen=True, slots=True)
class Parse:
    """Prepare a statement: `types` are the OIDs of the parameters that the client fixes, 0 where it leaves it open."""

    KIND: ClassVar[int] = ord("P")

    name: str
    text: str = field(repr=False)
    types: tuple[int, ...] = ()

    @classmethod
    def parse(cls, body: bytes) -> Parse:
        """From a body. Raises `ProtocolError`."""
        reader = Reader("Parse", body)
        value = cls(reader.text(), reader.text(), reader.uint32s())
        reader.close()
        return value

    def build(self) -> bytes:
        """The whole message."""
        types = struct.pack(f">H{len(self.types)}I", len(self.types), *self.types)
        return message(self.KIND, text_bytes(self.name) + text_bytes(self.text) + types)


@dataclass(frozen=True, slots=True)
class Bind:
    """Make a portal of a statement. Formats are 0 (text) and 1 (binary): none for all text, one for all, or one each.

    `values` are the parameters as they were sent, `None` for NULL.
    """

    KIND: ClassVar[int] = ord("B")

    portal: str
    statement: str
    formats: tuple[int, ...] = ()
    values: tuple[bytes | None, ...] = field(default=(), repr=False)
    result_formats: tuple[int, ...] = ()

    @classmethod
    def parse(cls, body: bytes) -> Bind:
        """From a body. Raises `ProtocolError`."""
        reader = Reader("Bind", body)
        value = cls(reader.text(), reader.text(), reader.uint16s(), reader.cells(), reader.uint16s())
        reader.close()
        return value

    def build(self) -> bytes:
        """The whole message."""
        names = text_bytes(self.portal) + text_bytes(self.statement)
        values = cell_list(self.values)
        return message(self.KIND, names + uint16_list(self.formats) + values + uint16_list(self.result_formats))


@dataclass(frozen=True, slots=True)
class Execute:
    """Run a portal; at most `rows` rows where that is above zero."""

    KIND: ClassVar[int] = ord("E")

    portal: str
    rows: int = 0

    @classmethod
    def parse(cls, body: bytes) -> Execute:
        """From a body. Raises `ProtocolError`."""
        reader = Reader("Execute", body)
        value = cls(reader.text(), reader.int32())
        reader.close()
        return value

    def build(self) -> bytes:
        """The whole message."""
        return message(self.KIND, text_bytes(self.portal) + struct.pack(">i", self.rows))


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """The legacy call of a function by its OID."""

    KIND: ClassVar[int] = ord("F")

    function: int
    formats: tuple[int, ...] = ()
    values: tuple[bytes | None, ...] = field(default=(), repr=False)
    result_format: int = 0

    @classmethod
    def parse(cls, body: bytes) -> FunctionCall:
        """From a body. Raises `ProtocolError`."""
        reader = Reader("FunctionCall", body)
        value = cls(reader.uint32(), reader.uint16s(), reader.cells(), reader.uint16())
        reader.close()
        return value

    def build(self) -> bytes:
        """The whole message."""
        head = struct.pack(">I", self.function) + uint16_list(self.formats)
        return message(self.KIND, head + cell_list(self.values) + struct.pack(">H", self.result_format))


Message: TypeAlias = (
    Query | Parse | Bind | Describe | Execute | Close | Sync | Flush | CopyData | CopyDone | CopyFail | FunctionCall
    | Terminate | PasswordMessage
)  # fmt: skip

KINDS: Final[Mapping[int, type[Message]]] = MappingProxyType(
    {
        kind.KIND: kind
        for kind in (
            Query, Parse, Bind, Describe, Execute, Close, Sync, Flush, CopyData, CopyDone, CopyFail, FunctionCall,
            Terminate, PasswordMessage,
        )
    }
)  # fmt: skip
"""Every message of a client by its type byte."""


def parse(kind: int, body: bytes) -> Message:
    """The value of a message. Raises `ProtocolError` for an unknown type and for a body that does not fit it."""
    known = KINDS.get(kind)
    if known is None:
        raise ProtocolError(f"a client sent a message of type {shown(kind)}; expected one of protocol 3")
    return known.parse(body)
