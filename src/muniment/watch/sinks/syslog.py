"""Syslog, RFC 5424, over UDP (RFC 5426), TCP with octet counting (RFC 6587, 3.4.1) or TLS (RFC 5425).

Rules
1. Syslog acknowledges nothing. Over UDP a message may be lost unseen; over TCP and TLS each message has a connection of
   its own, and the receiver's end of it is waited for: a receiver that is gone is seen, one that drops messages is not.
2. The message is one line, UTF-8 behind a byte order mark (RFC 5424, 6.4); fields stand in structured data as well.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from muniment.errors import InputError
from muniment.watch.alerts.text import moment
from muniment.watch.sinks.message import Message
from muniment.watch.sinks.sink import SECONDS, network_faults, tls_context

Transport: TypeAlias = Literal["udp", "tcp", "tls"]
PORTS: Final[Mapping[Transport, int]] = {"udp": 514, "tcp": 514, "tls": 6514}
FACILITY: Final = 13
"""Log audit (RFC 5424, table 1)."""
STRUCTURED_ID: Final = "muniment@32473"
"""32473 is the enterprise number kept free for those who have none of their own (RFC 5612)."""
DATAGRAM_BYTES: Final = 2_048
"""Bytes of a UDP message: what every receiver should take (RFC 5426, 3.2); a longer one is cut."""
_CLOSING_SECONDS: Final = 1.0
_BOM: Final = b"\xef\xbb\xbf"
_NOT_PRINTABLE: Final = re.compile(r"[^\x21-\x7e]")


@dataclass(frozen=True, slots=True)
class SyslogSink:
    """`port` 0: the usual one. `authority`: for TLS, a PEM file of certificate authorities; `None`: the system's."""

    host: str
    port: int = 0
    transport: Transport = "udp"
    authority: Path | None = None

    def __post_init__(self) -> None:
        """`InputError` for a transport there is none of."""
        if self.transport not in PORTS:
            raise InputError(f"syslog: transport {self.transport!r}: expected one of {', '.join(PORTS)}")

    def send(self, message: Message) -> None:
        """Hand it over (rule 1). Raises `UnreachableError`."""
        address = (self.host, self.port or PORTS[self.transport])
        context = tls_context(self.authority) if self.transport == "tls" else None
        with network_faults(f"syslog at {address[0]} port {address[1]}"):
            data = encoded(message, socket.gethostname())
            if self.transport == "udp":
                _send_datagram(address, data)
            else:
                _send_stream(address, str(len(data)).encode() + b" " + data, context)


def encoded(message: Message, host: str) -> bytes:
    """The message as RFC 5424 has it: head, structured data, one line of text."""
    priority = FACILITY * 8 + message.severity
    head = f"<{priority}>1 {moment(message.at)} {_name(host, 255)} muniment - {_name(message.kind, 32)} "
    fields = {"id": message.id, **message.fields}
    data = "".join(f' {_name(key, 32)}="{_value(value)}"' for key, value in fields.items())
    text = " | ".join((message.subject, *message.lines))
    return f"{head}[{STRUCTURED_ID}{data}] ".encode() + _BOM + " ".join(text.split()).encode()


def _send_datagram(address: tuple[str, int], data: bytes) -> None:
    family, _, _, _, place = socket.getaddrinfo(*address, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, socket.SOCK_DGRAM) as out:
        out.settimeout(SECONDS)
        out.connect(place)
        out.send(_cut(data, DATAGRAM_BYTES))


def _send_stream(address: tuple[str, int], data: bytes, context: ssl.SSLContext | None) -> None:
    with contextlib.ExitStack() as stack:
        out = stack.enter_context(socket.create_connection(address, SECONDS))
        if context is not None:
            out = stack.enter_context(context.wrap_socket(out, server_hostname=address[0]))
        out.sendall(data)
        if context is None:
            out.shutdown(socket.SHUT_WR)
        # A receiver that refuses the message resets the connection; one that took it closes, or just stays open.
        out.settimeout(_CLOSING_SECONDS)
        with contextlib.suppress(TimeoutError, ssl.SSLEOFError):
            out.recv(1)


def _cut(data: bytes, most: int) -> bytes:
    """At most so many bytes, no character cut in two."""
    return data if len(data) <= most else data[:most].decode(errors="ignore").encode()


def _name(text: str, most: int) -> str:
    """Printable ASCII for the head and names of fields; `-` where nothing is left."""
    return re.sub(r'[=\]"]', "_", _NOT_PRINTABLE.sub("", text))[:most] or "-"


def _value(text: str) -> str:
    """The value of a parameter: quote, backslash and bracket behind a backslash (RFC 5424, 6.3.3)."""
    return re.sub(r'(["\\\]])', r"\\\1", " ".join(text.split()))
