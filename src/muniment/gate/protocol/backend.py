"""What PostgreSQL sends, as frozen values.

`parse(kind, body)` gives the value of a message, `value.build()` the message's bytes, type byte and length included.
Source: PostgreSQL 18 documentation, "Frontend/Backend Protocol", section "Message Formats". Texts as in `wire`, rule 2.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar, Final, Self, TypeAlias

from muniment.gate.protocol.frontend import CopyData, CopyDone, Empty
from muniment.gate.protocol.startup import NegotiateProtocolVersion, checked_secret
from muniment.gate.protocol.wire import ProtocolError, Reader, cell_list, message, shown, text_bytes

_FIELD: Final = struct.Struct(">IhIhih")
_CODE: Final = struct.Struct(">I")


# --- authentication ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Authentication:
    """A request or result of authentication: `code` says which, `data` is what follows it."""

    KIND: ClassVar[int] = ord("R")
    OK: ClassVar[int] = 0
    CLEARTEXT: ClassVar[int] = 3
    MD5: ClassVar[int] = 5
    SASL: ClassVar[int] = 10
    SASL_CONTINUE: ClassVar[int] = 11
    SASL_FINAL: ClassVar[int] = 12

    code: int
    data: bytes = field(default=b"", repr=False)

    @classmethod
    def parse(cls, body: bytes) -> Authentication:
        """From a body. Raises `ProtocolError`."""
        reader = Reader("Authentication", body)
        value = cls(reader.uint32(), reader.rest())
        expected = _AUTHENTICATION_BYTES.get(value.code)
        if expected is not None and len(value.data) != expected:
            raise ProtocolError(f"Authentication {value.code} has {len(value.data)} bytes; expected {expected}")
        return value

    @classmethod
    def sasl(cls, mechanisms: tuple[str, ...]) -> Authentication:
        """The offer of SASL mechanisms."""
        return cls(cls.SASL, b"".join(map(text_bytes, mechanisms)) + b"\0")

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """The mechanisms of an offer (code SASL). Raises `ProtocolError` where the list is malformed."""
        reader = Reader("AuthenticationSASL", self.data)
        names = reader.texts_to_zero()
        reader.close()
        return names

    def build(self) -> bytes:
        """The whole message."""
        return message(self.KIND, _CODE.pack(self.code) + self.data)


_AUTHENTICATION_BYTES: Final = {Authentication.OK: 0, Authentication.CLEARTEXT: 0, Authentication.MD5: 4}


@dataclass(frozen=True, slots=True)
class BackendKeyData:
    """What a cancel request must show. `secret` has 4 bytes, from version 3.2 on up to 256."""

    KIND: ClassVar[int] = ord("K")

    process: int
    secret: bytes = field(repr=False)

    @classmethod
    def parse(cls, body: bytes) -> BackendKeyData:
        """From a body. Raises `ProtocolError`."""
        reader = Reader("BackendKeyData", body)
        return cls(reader.int32(), checked_secret(reader.rest()))

    def build(self) -> bytes:
        """The whole message."""
        return message(self.KIND, struct.pack(">i", self.process) + checked_secret(self.secret))


@dataclass(frozen=True, slots=True)
class ParameterStatus:
    """A setting that the client is told of."""

    KIND: ClassVar[int] = ord("S")

    name: str
    value: str

    @classmethod
    def parse(cls, body: bytes) -> ParameterStatus:
        """From a body. Raises `ProtocolError`."""
        reader = Reader("ParameterStatus", body)
        value = cls(reader.text(), reader.text())
        reader.close()
        return value

    def build(self) -> bytes:
        """The whole message."""
        return message(self.KIND, text_bytes(self.name) + text_bytes(self.value))


@dataclass(frozen=True, slots=True)
class ReadyForQuery:
    """PostgreSQL waits. `status`: `I` idle, `T` in a transaction, `E` in one that failed."""

    KIND: ClassVar[int] = ord("Z")

    status: str

    @classmethod
    def parse(cls, body: bytes) -> ReadyForQuery:
        """From a body. Raises `ProtocolError`."""
        if body not in (b"I", b"T", b"E"):
            raise ProtocolError("ReadyForQuery has an unknown status; expected I, T or E")
        return cls(body.decode())

    def build(self) -> bytes:
        """The whole message."""
        return message(self.KIND, self.status.encode())


# --- results -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a result. `table_oid` and `attnum` are 0 where it is no column of a table.

    `size` is the type's (negative: of varying length), `modifier` the column's (-1: none), `format` 0 for text and 1
    for binary; it is always 0 in the answer to Describe of a statement.
    """

    name: str
    table_oid: int
    attnum: int
    type_oid: int
    size: int = -1
    modifier: int = -1
    format: int = 0


@dataclass(frozen=True, slots=True)
class RowDescription:
    """The columns of the rows that follow."""

    KIND: ClassVar[int] = ord("T")

    fields: tuple[Field, ...]

    @classmethod
    def parse(cls, body: bytes) -> RowDescription:
        """From a body. Raises `ProtocolError`."""
        reader = Reader("RowDescription", body)
        fields = tuple([Field(reader.text(), *reader.unpack(_FIELD)) for _ in range(reader.uint16())])
        reader.close()
        return cls(fields)

    def build(self) -> bytes:
        """The whole message."""
        parts = [struct.pack(">H", len(self.fields))]
        for one in self.fields:
            numbers = (one.table_oid, one.attnum, one.type_oid, one.size, one.modifier, one.format)
            parts.append(text_bytes(one.name) + _FIELD.pack(*numbers))
        return message(self.KIND, b"".join(parts))


@dataclass(frozen=True, slots=True)
class DataRow:
    """One row, `None` for NULL. Results are read by `scan`; this is for single rows."""

    KIND: ClassVar[int] = ord("D")

    cells: tuple[bytes | None, ...] = field(repr=False)

    @classmethod
    def parse(cls, body: bytes) -> DataRow:
        """From a body. Raises `ProtocolError`."""
        reader = Reader("DataRow", body)
        value = cls(reader.cells())
        reader.close()
        return value

    def build(self) -> bytes:
        """The whole message."""
        return message(self.KIND, cell_list(self.cells))


@dataclass(frozen=True, slots=True)
class ParameterDescription:
    """The types of a prepared statement's parameters."""

    KIND: ClassVar[int] = ord("t")

    types: tuple[int, ...]

    @classmethod
    def parse(cls, body: bytes) -> ParameterDescription:
        """From a body. Raises `ProtocolError`."""
        reader = Reader("ParameterDescription", body)
        value = cls(reader.uint32s())
        reader.close()
        return value

    def build(self) -> bytes:
        """The whole message."""
        return message(self.KIND, struct.pack(f">H{len(self.types)}I", len(self.types), *self.types))


@dataclass(frozen=True, slots=True)
class CommandComplete:
    """A statement ended well; `tag` is like `SELECT 5`."""

    KIND: ClassVar[int] = ord("C")

    tag: str

    @classmethod
    def parse(cls, body: bytes) -> CommandComplete:
        """From a body. Raises `ProtocolError`."""
        reader = Reader("CommandComplete", body)
        value = cls(reader.text())
        reader.close()
        return value

    @property
    def rows(self) -> int:
        """The count at the end of the tag; 0 where it has none."""
        last = self.tag.rpartition(" ")[2]
        return int(last) if last.isascii() and last.isdigit() else 0

    def build(self) -> bytes:
        """The whole message."""
        return message(self.KIND, text_bytes(self.tag))


@dataclass(frozen=True, slots=True)
class CopyResponse:
    """Base of the three that start a COPY: `overall` 0 for text and 1 for binary, and the format of each column."""

    KIND: ClassVar[int]

    overall: int
    formats: tuple[int, ...]

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """From a body. Raises `ProtocolError`."""
        reader = Reader(cls.__name__, body)
        value = cls(reader.byte(), reader.uint16s())
        reader.close()
        return value

    def build(self) -> bytes:
        """The whole message."""
        layout = f">BH{len(self.formats)}H"
        return message(self.KIND, struct.pack(layout, self.overall, len(self.formats), *self.formats))


class CopyInResponse(CopyResponse):
    """COPY FROM STDIN begins."""

    __slots__ = ()
    KIND = ord("G")


class CopyOutResponse(CopyResponse):
    """COPY TO STDOUT begins."""

    __slots__ = ()
    KIND = ord("H")


class CopyBothResponse(CopyResponse):
    """Replication begins."""

    __slots__ = ()
    KIND = ord("W")


@dataclass(frozen=True, slots=True)
class FunctionCallResponse:
    """The result of FunctionCall; `None` for NULL."""

    KIND: ClassVar[int] = ord("V")

    value: bytes | None = field(repr=False)

    @classmethod
    def parse(cls, body: bytes) -> FunctionCallResponse:
        """From a body. Raises `ProtocolError`."""
        reader = Reader("FunctionCallResponse", body)
        value = cls(reader.cell())
        reader.close()
        return value

    def build(self) -> bytes:
        """The whole message."""
        size = -1 if self.value is None else len(self.value)
        return message(self.KIND, struct.pack(">i", size) + (self.value or b""))


# --- errors, notices, notifications ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Report:
    """Base of errors and notices: texts by their one-letter code (documentation, "Error and Notice Message Fields").

    `S` and `V` severity, `C` SQLSTATE, `M` message, `D` detail, `H` hint. They may quote cells: never log them.
    """

    KIND: ClassVar[int]

    fields: Mapping[str, str] = field(repr=False)

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """From a body; where a code comes twice, the first stays. Raises `ProtocolError`."""
        reader = Reader(cls.__name__, body)
        fields: dict[str, str] = {}
        while code := reader.byte():
            fields.setdefault(chr(code), reader.text())
        reader.close()
        return cls(fields)

    @classmethod
    def of(cls, severity: str, sqlstate: str, text: str, *, detail: str = "", hint: str = "") -> Self:
        """One of our own. `severity` as PostgreSQL writes it, like `ERROR` or `WARNING`."""
        fields = {"S": severity, "V": severity, "C": sqlstate, "M": text, "D": detail, "H": hint}
        return cls({code: value for code, value in fields.items() if value})

    @property
    def sqlstate(self) -> str:
        """The code of five characters; empty where there is none."""
        return self.fields.get("C", "")

    @property
    def severity(self) -> str:
        """The severity, not translated; empty where there is none."""
        return self.fields.get("V") or self.fields.get("S", "")

    def build(self) -> bytes:
        """The whole message."""
        parts = [code.encode("latin-1") + text_bytes(value) for code, value in self.fields.items()]
        return message(self.KIND, b"".join(parts) + b"\0")


class ErrorResponse(Report):
    """A statement, or the session (severity FATAL, PANIC), failed."""

    __slots__ = ()
    KIND = ord("E")


class NoticeResponse(Report):
    """A remark; it may come at any time."""

    __slots__ = ()
    KIND = ord("N")


@dataclass(frozen=True, slots=True)
class NotificationResponse:
    """What somebody sent by NOTIFY; it may come at any time."""

    KIND: ClassVar[int] = ord("A")

    process: int
    channel: str
    payload: str = field(repr=False)

    @classmethod
    def parse(cls, body: bytes) -> NotificationResponse:
        """From a body. Raises `ProtocolError`."""
        reader = Reader("NotificationResponse", body)
        value = cls(reader.int32(), reader.text(), reader.text())
        reader.close()
        return value

    def build(self) -> bytes:
        """The whole message."""
        texts = text_bytes(self.channel) + text_bytes(self.payload)
        return message(self.KIND, struct.pack(">i", self.process) + texts)


# --- messages without a body -----------------------------------------------------------------------------------------


class ParseComplete(Empty):
    """Answer to Parse."""

    __slots__ = ()
    KIND = ord("1")


class BindComplete(Empty):
    """Answer to Bind."""

    __slots__ = ()
    KIND = ord("2")


class CloseComplete(Empty):
    """Answer to Close."""

    __slots__ = ()
    KIND = ord("3")


class NoData(Empty):
    """Answer to Describe: no rows will come."""

    __slots__ = ()
    KIND = ord("n")


class PortalSuspended(Empty):
    """Execute gave as many rows as it was to, and there may be more."""

    __slots__ = ()
    KIND = ord("s")


class EmptyQueryResponse(Empty):
    """Stands for CommandComplete where the query was empty."""

    __slots__ = ()
    KIND = ord("I")


Message: TypeAlias = (
    Authentication | BackendKeyData | ParameterStatus | ReadyForQuery | RowDescription | DataRow | ParameterDescription
    | CommandComplete | CopyInResponse | CopyOutResponse | CopyBothResponse | CopyData | CopyDone | FunctionCallResponse
    | ErrorResponse | NoticeResponse | NotificationResponse | NegotiateProtocolVersion | ParseComplete | BindComplete
    | CloseComplete | NoData | PortalSuspended | EmptyQueryResponse
)  # fmt: skip

KINDS: Final[Mapping[int, type[Message]]] = MappingProxyType(
    {
        kind.KIND: kind
        for kind in (
            Authentication, BackendKeyData, ParameterStatus, ReadyForQuery, RowDescription, DataRow,
            ParameterDescription, CommandComplete, CopyInResponse, CopyOutResponse, CopyBothResponse, CopyData,
            CopyDone, FunctionCallResponse, ErrorResponse, NoticeResponse, NotificationResponse,
            NegotiateProtocolVersion, ParseComplete, BindComplete, CloseComplete, NoData, PortalSuspended,
            EmptyQueryResponse,
        )
    }
)  # fmt: skip
"""Every message of PostgreSQL by its type byte."""


def parse(kind: int, body: bytes) -> Message:
    """The value of a message. Raises `ProtocolError` for an unknown type and for a body that does not fit it."""
    known = KINDS.get(kind)
    if known is None:
        raise ProtocolError(f"PostgreSQL sent a message of type {shown(kind)}; expected one of protocol 3")
    return known.parse(body)
