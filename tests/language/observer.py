"""A client made by hand that keeps every byte it was sent, and an observer who knows which byte is whose.

The observer's register is generated: each cell of a person holds a token that no other cell holds. Whoever finds a
token in what a client received knows that this person's data left, whatever way it took: rows, errors, notices,
notifications, parameters. Nothing here uses the gate's own code: an error there must not hide itself here.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import socket
import ssl
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

SECONDS = 20.0
_TOKEN = re.compile(rb"([A-Za-z])(\d{6})x([0-9a-f]{6})", re.IGNORECASE)
_HEX = re.compile(rb"[0-9a-fA-F]{28,}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{18,}")
_SECRET = b"what the observer alone knows"
REGISTERS = {
    **dict.fromkeys("SGATNEBL", "persons"), **dict.fromkeys("VWM", "vehicles"), **dict.fromkeys("CD", "matters"),
    **dict.fromkeys("RQ", "residents"), **dict.fromkeys("PK", "pupils"),
}  # fmt: skip
"""The register that a token's letter is of."""


def token(letter: str, number: int) -> str:
    """The secret of one cell: a letter for the column, the record's number, and six digits that prove it."""
    return f"{letter}{number:06d}x{_proof(letter, number)}"


def _proof(letter: str, number: int) -> str:
    return hmac.digest(_SECRET, f"{letter}{number}".encode(), hashlib.sha256).hex()[:6]


def seen(data: bytes) -> set[tuple[str, int]]:
    """The (register, number) of everybody whose cell is in these bytes, in any spelling that is easily undone."""
    return {found for spelling in _spellings(data) for found in _tokens(spelling)}


def _tokens(data: bytes) -> Iterator[tuple[str, int]]:
    for match in _TOKEN.finditer(data):
        letter, number, proof = (part.decode() for part in match.groups())
        if letter.upper() in REGISTERS and proof.lower() == _proof(letter.upper(), int(number)):
            yield REGISTERS[letter.upper()], int(number)


def _spellings(data: bytes) -> Iterator[bytes]:
    yield data
    yield data[::-1]
    folded = re.sub(rb"[^0-9A-Za-z]", b"", data)  # letter by letter, with separators, one cell each
    yield folded
    yield folded[::-1]
    yield data.translate(bytes.maketrans(b"ghijklmnop", b"0123456789"))
    for run in _HEX.findall(data):
        for start in (0, 1):
            even = run[start : start + (len(run) - start) // 2 * 2]
            yield bytes.fromhex(even.decode())
    for run in _BASE64.findall(data.replace(b"\n", b"")):
        for start in range(4):
            part = run[start:]
            yield base64.b64decode(part[: len(part) // 4 * 4])


# --- messages --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Messages:
    """Bytes to send in one go, and how often the server will be ready for a query after them.

    `copied`: what is sent when the server asks for the data of a COPY. `tear`: the client is gone after so many bytes.
    """

    data: bytes
    ready: int
    copied: bytes = b""

    def __add__(self, other: Messages) -> Messages:
        return Messages(self.data + other.data, self.ready + other.ready, self.copied + other.copied)


def message(kind: bytes, body: bytes, ready: int = 0) -> Messages:
    """Any message."""
    return Messages(kind + struct.pack(">i", len(body) + 4) + body, ready)


def _text(value: str) -> bytes:
    return value.encode() + b"\0"


def query(sql: str) -> Messages:
    """Query of the simple protocol."""
    return message(b"Q", _text(sql), 1)


def parse(sql: str, name: str = "", types: Iterable[int] = ()) -> Messages:
    """Parse; `types` by OID."""
    oids = tuple(types)
    return message(b"P", _text(name) + _text(sql) + struct.pack(f">h{len(oids)}I", len(oids), *oids))


def bind(*values: str | bytes | None, portal: str = "", name: str = "", formats: tuple[int, ...] = ()) -> Messages:
    """Bind; a `bytes` value is sent in binary. `formats`: of the columns, as the protocol has them."""
    codes = [int(isinstance(value, bytes)) for value in values]
    body = _text(portal) + _text(name) + struct.pack(f">h{len(codes)}h", len(codes), *codes)
    body += struct.pack(">h", len(values))
    for value in values:
        raw = value.encode() if isinstance(value, str) else value
        body += struct.pack(">i", -1) if raw is None else struct.pack(">i", len(raw)) + raw
    return message(b"B", body + struct.pack(f">h{len(formats)}h", len(formats), *formats))


def describe(kind: str, name: str = "") -> Messages:
    """Describe; `kind` is S for a statement and P for a portal."""
    return message(b"D", kind.encode() + _text(name))


def execute(rows: int = 0, portal: str = "") -> Messages:
    """Execute a portal."""
    return message(b"E", _text(portal) + struct.pack(">i", rows))


def close(kind: str, name: str) -> Messages:
    """Close a statement or portal."""
    return message(b"C", kind.encode() + _text(name))


def sync() -> Messages:
    """Sync."""
    return message(b"S", b"", 1)


def flush() -> Messages:
    """Flush."""
    return message(b"H", b"")


def function_call(oid: int, *values: bytes) -> Messages:
    """FunctionCall, all arguments and the result in text."""
    body = struct.pack(">Ihh", oid, 0, len(values))
    body += b"".join(struct.pack(">i", len(value)) + value for value in values)
    return message(b"F", body + struct.pack(">h", 0), 1)


def extended(sql: str, *values: str | bytes | None, binary: bool = False, rows: int = 0) -> Messages:
    """One statement by the extended protocol, with the unnamed statement and portal. `rows`: at most so many."""
    formats = (1,) if binary else ()
    return parse(sql) + bind(*values, formats=formats) + describe("P") + execute(rows) + sync()


def copy_in(sql: str, data: bytes) -> Messages:
    """COPY FROM STDIN by a Query, and its data when the server asks for it."""
    return Messages(query(sql).data, 1, message(b"d", data).data + message(b"c", b"").data)


# --- the client ------------------------------------------------------------------------------------------------------


def _cells(body: bytes) -> Iterator[bytes]:
    place = 2
    for _ in range(struct.unpack_from(">h", body)[0]):
        length = struct.unpack_from(">i", body, place)[0]
        place += 4 + max(0, length)
        yield body[place - max(0, length) : place]


class ClosedByServerError(Exception):
    """The connection ended before the answer was complete."""


@dataclass
class Client:
    """A connection, over TLS where the server has it, by SCRAM. `received`: every byte that came."""

    port: int
    user: str
    password: str
    database: str = "postgres"
    options: dict[str, str] = field(default_factory=dict)
    received: bytearray = field(default_factory=bytearray)
    errors: list[dict[str, str]] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    rows: int = 0
    cells: bytearray = field(default_factory=bytearray)
    seconds: float = SECONDS
    _buffer: bytearray = field(default_factory=bytearray)
    _copied: bytes = b""

    def __enter__(self) -> Client:
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=self.seconds)
        self.socket: socket.socket = raw
        try:
            self._begin(raw)
        except BaseException:
            self.vanish()
            raise
        return self

    def _begin(self, raw: socket.socket) -> None:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        raw.sendall(struct.pack(">ii", 8, 80877103))
        self.tls = raw.recv(1) == b"S"
        if self.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self.socket = context.wrap_socket(raw)
        told = {"user": self.user, "database": self.database, "application_name": "observer", **self.options}
        body = b"".join(_text(word) for pair in told.items() for word in pair) + b"\0"
        self.socket.sendall(struct.pack(">ii", len(body) + 8, 196608) + body)
        self._authenticate()
        self._until_ready(1)

    def __exit__(self, *_: object) -> None:
        self.vanish()

    def vanish(self) -> None:
        """Go without a word."""
        self.socket.close()

    @property
    def states(self) -> list[str]:
        """SQLSTATEs of the errors that came."""
        return [error.get("C", "") for error in self.errors]

    @property
    def everything(self) -> bytes:
        """What came, and then the cells of all rows again, end to end: a value may come in pieces."""
        return bytes(self.received) + b"\n" + bytes(self.cells)

    def run(self, step: str | Messages) -> None:
        """Send one step, and take everything until the server is ready; `ClosedByServerError` where it hangs up."""
        self.send(step)
        self._until_ready((step if isinstance(step, Messages) else query(step)).ready)

    def send(self, step: str | Messages) -> None:
        """Send one step without waiting."""
        messages = step if isinstance(step, Messages) else query(step)
        self._copied = messages.copied
        self.socket.sendall(messages.data)

    def read(self) -> tuple[str, bytes]:
        """The next message."""
        while len(self._buffer) < 5 or len(self._buffer) < 1 + struct.unpack_from(">i", self._buffer, 1)[0]:
            data = self.socket.recv(65_536)
            if not data:
                raise ClosedByServerError(f"closed after {self.kinds[-3:]} {self.errors[-1:]}")
            self._buffer += data
            self.received += data
        length = 1 + struct.unpack_from(">i", self._buffer, 1)[0]
        kind, body = chr(self._buffer[0]), bytes(self._buffer[5:length])
        del self._buffer[:length]
        self._note(kind, body)
        return kind, body

    def _note(self, kind: str, body: bytes) -> None:
        if kind == "E":
            fields = [part for part in body.split(b"\0") if part]
            self.errors.append({chr(part[0]): part[1:].decode("utf-8", "replace") for part in fields})
        if kind in ("D", "d"):
            self.rows += 1
            self.cells += b"".join(_cells(body)) if kind == "D" else b""
        elif not self.kinds or self.kinds[-1] != kind:
            self.kinds.append(kind)

    def _until_ready(self, times: int) -> None:
        while times:
            kind, _ = self.read()
            if kind == "Z":
                times -= 1
            elif kind in ("G", "W"):
                self.socket.sendall(self._copied or message(b"f", b"nothing to copy\0").data)

    def _authenticate(self) -> None:
        scram = Scram(self.user, self.password)
        while True:
            kind, body = self.read()
            if kind == "E":
                raise ClosedByServerError(self.errors[-1])
            code = struct.unpack_from(">i", body)[0] if kind == "R" else -1
            if code == 0:
                return
            if code == 10:
                first = scram.first()
                body = _text("SCRAM-SHA-256") + struct.pack(">i", len(first)) + first
                self.socket.sendall(message(b"p", body).data)
            elif code == 11:
                self.socket.sendall(message(b"p", scram.final(body[4:])).data)
            elif code != 12:
                raise ClosedByServerError(f"authentication {code}")


class Scram:
    """SCRAM-SHA-256 of a client without channel binding (RFC 5802); salted keys are kept, they cost milliseconds."""

    _salted: dict[tuple[str, bytes, int], bytes] = {}  # noqa: RUF012 - shared on purpose

    def __init__(self, user: str, password: str) -> None:
        self.password = password
        self.nonce = base64.b64encode(os.urandom(18)).decode()

    def first(self) -> bytes:
        """client-first-message"""
        return f"n,,n=,r={self.nonce}".encode()

    def final(self, server_first: bytes) -> bytes:
        """client-final-message"""
        told = dict(part.split("=", 1) for part in server_first.decode().split(","))
        salt, rounds = base64.b64decode(told["s"]), int(told["i"])
        known = (self.password, salt, rounds)
        if known not in self._salted:
            self._salted[known] = hashlib.pbkdf2_hmac("sha256", self.password.encode(), salt, rounds)
        key = hmac.digest(self._salted[known], b"Client Key", "sha256")
        bare = f"c=biws,r={told['r']}"
        signed = f"n=,r={self.nonce},{server_first.decode()},{bare}".encode()
        signature = hmac.digest(hashlib.sha256(key).digest(), signed, "sha256")
        proof = bytes(one ^ other for one, other in zip(key, signature, strict=True))
        return f"{bare},p={base64.b64encode(proof).decode()}".encode()
