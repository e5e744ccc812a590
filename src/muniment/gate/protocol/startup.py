"""The packets before the first message: they have a length and a code, but no type byte.

Source: PostgreSQL 18 documentation, "Frontend/Backend Protocol", sections "Start-up" and "Message Formats". A packet
is at most 10,000 bytes (`MAX_STARTUP_PACKET_LENGTH`); keys of CancelRequest have 4 bytes, from version 3.2 on 4 to 256.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar, Final, TypeAlias

from muniment.gate.protocol.wire import ProtocolError, Reader, message, text_bytes

MAX_PACKET: Final = 10_000
"""Bytes of a packet, its length included."""
VERSION_3_0: Final = 3 << 16
VERSION_3_2: Final = 3 << 16 | 2
SECRET_BYTES: Final = (4, 256)
"""Fewest and most bytes of a cancel key."""
_SPECIAL_MAJOR: Final = 1234
_CODE: Final = struct.Struct(">I")


def packet(body: bytes) -> bytes:
    """A whole packet: length, body."""
    return _CODE.pack(len(body) + 4) + body


def checked_secret(secret: bytes) -> bytes:
    """The cancel key itself. Raises `ProtocolError` where its length is not one that 3.0 or 3.2 allows."""
    least, most = SECRET_BYTES
    if not least <= len(secret) <= most:
        raise ProtocolError(f"a cancel key has {len(secret)} bytes; expected {least} to {most}")
    return secret


@dataclass(frozen=True, slots=True)
class SSLRequest:
    """The client asks for TLS; the answer is one byte, `S` or `N`."""

    CODE: ClassVar[int] = 80877103

    def build(self) -> bytes:
        """The whole packet."""
        return packet(_CODE.pack(self.CODE))


@dataclass(frozen=True, slots=True)
class GSSENCRequest:
    """The client asks for GSSAPI encryption; the answer is one byte, `G` or `N`."""

    CODE: ClassVar[int] = 80877104

    def build(self) -> bytes:
        """The whole packet."""
        return packet(_CODE.pack(self.CODE))


@dataclass(frozen=True, slots=True)
class CancelRequest:
    """Somebody who knows the key of a session asks that its statement be cancelled. Nothing is answered."""

    CODE: ClassVar[int] = 80877102

    process: int
    secret: bytes = field(repr=False)

    def build(self) -> bytes:
        """The whole packet."""
        return packet(struct.pack(">Ii", self.CODE, self.process) + checked_secret(self.secret))


@dataclass(frozen=True, slots=True)
class StartupMessage:
    """The client begins a session. `version`: major number in the upper 16 bits, minor number in the lower.

    `parameters` holds `user` (never empty), often `database`, and run-time settings; names that start with `_pq_.` are
    protocol options.
    """

    version: int
    parameters: Mapping[str, str] = field(repr=False)

    @property
    def user(self) -> str:
        """The account that is claimed."""
        return self.parameters["user"]

    @property
    def database(self) -> str:
        """The database that is asked for; PostgreSQL takes the account's name where none is."""
        return self.parameters.get("database") or self.user

    @property
    def minor(self) -> int:
        """The minor version that is asked for."""
        return self.version & 0xFFFF

    @property
    def options(self) -> tuple[str, ...]:
        """The names of protocol options (`_pq_.`), as they came."""
        return tuple(name for name in self.parameters if name.startswith("_pq_."))

    def build(self) -> bytes:
        """The whole packet. Raises `ProtocolError` where it would be longer than PostgreSQL reads."""
        pairs = b"".join(text_bytes(name) + text_bytes(value) for name, value in self.parameters.items())
        body = _CODE.pack(self.version) + pairs + b"\0"
        if len(body) + 4 > MAX_PACKET:
            raise ProtocolError(f"a startup packet has {len(body) + 4:,} bytes; expected at most {MAX_PACKET:,}")
        return packet(body)


Packet: TypeAlias = StartupMessage | SSLRequest | GSSENCRequest | CancelRequest


@dataclass(frozen=True, slots=True)
class NegotiateProtocolVersion:
    """The server's answer to a newer minor version or an unknown option: what it speaks, and what it does not know."""

    KIND: ClassVar[int] = ord("v")

    version: int
    """The newest version it speaks, written like `StartupMessage.version`."""
    unknown: tuple[str, ...] = ()

    @classmethod
    def parse(cls, body: bytes) -> NegotiateProtocolVersion:
        """From a body. Raises `ProtocolError`."""
        reader = Reader("NegotiateProtocolVersion", body)
        version, count = reader.uint32(), reader.uint32()
        if count > len(body):
            raise ProtocolError(f"NegotiateProtocolVersion says {count:,} options; expected fewer than its bytes")
        value = cls(version, tuple([reader.text() for _ in range(count)]))
        reader.close()
        return value

    def build(self) -> bytes:
        """The whole message."""
        head = struct.pack(">II", self.version, len(self.unknown))
        return message(self.KIND, head + b"".join(map(text_bytes, self.unknown)))


def parse(body: bytes) -> Packet:
    """The packet whose bytes after the length are `body`.

    Raises `ProtocolError` for a major version other than 3, for an unknown request code, a parameter named twice (which
    of them counts is not said anywhere), no `user`, or bytes that are missing or left over.
    """
    if len(body) + 4 > MAX_PACKET:
        raise ProtocolError(f"a startup packet has {len(body) + 4:,} bytes; expected at most {MAX_PACKET:,}")
    reader = Reader("a startup packet", body)
    code = reader.uint32()
    if code == CancelRequest.CODE:
        return CancelRequest(reader.int32(), checked_secret(reader.rest()))
    for request in (SSLRequest, GSSENCRequest):
        if code == request.CODE:
            reader.close()
            return request()
    if code >> 16 != VERSION_3_0 >> 16:
        what = "request" if code >> 16 == _SPECIAL_MAJOR else f"protocol {code >> 16}.{code & 0xFFFF}"
        raise ProtocolError(f"a startup packet asks for an unknown {what}; expected protocol 3")
    return StartupMessage(code, _parameters(reader))


def _parameters(reader: Reader) -> Mapping[str, str]:
    parameters: dict[str, str] = {}
    while name := reader.text():
        if name in parameters:
            raise ProtocolError("a startup packet names a parameter twice; expected each once")
        parameters[name] = reader.text()
    reader.close()
    if not parameters.get("user"):
        raise ProtocolError("a startup packet names no user; expected one")
    return MappingProxyType(parameters)
