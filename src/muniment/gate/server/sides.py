"""One end of a conversation as the event loop sees it: bytes come, pressure comes and goes, the end comes once."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from typing import Final, Protocol, cast

WRITE_HIGH: Final = 1024**2
"""Bytes that wait for a peer to take them, from which on nothing more is read from the other side."""
WRITE_LOW: Final = WRITE_HIGH // 4
LINGER_SECONDS: Final = 10.0
"""Seconds that a closing connection has to take what was written."""
_JOIN_BYTES = 64 * 1024


class Listener(Protocol):
    """Who is told of what happens on a side."""

    def heard(self, side: Side, data: bytes) -> None:
        """Bytes came."""
        ...

    def pressed(self, side: Side) -> None:
        """The side began or ended to be `blocked`."""
        ...

    def ended(self, side: Side, reason: str) -> None:
        """The connection is gone; told once."""
        ...


class Side(asyncio.Protocol):
    """A transport with its pressure. TLS exchanges the transport under it (`attach`)."""

    __slots__ = ("_closing", "_ended", "_listener", "_reading", "blocked", "transport")

    def __init__(self, listener: Listener) -> None:
        """Not connected yet."""
        self._listener = listener
        self._reading = True
        self._ended = self._closing = False
        self.blocked = False
        """Whether the peer does not take what is written."""
        self.transport: asyncio.Transport | None = None

    def attach(self, transport: asyncio.Transport) -> None:
        """Use this transport from now on."""
        self.transport = transport
        transport.set_write_buffer_limits(WRITE_HIGH, WRITE_LOW)
        if not self._reading:
            transport.pause_reading()

    @property
    def open(self) -> bool:
        """Whether bytes can still be written."""
        return self.transport is not None and not self._closing and not self._ended

    def write(self, parts: Sequence[bytes | memoryview]) -> None:
        """Write parts in order; what cannot be delivered any more is dropped."""
        if not self.open:
            return
        transport = cast(asyncio.Transport, self.transport)
        if len(parts) == 1:
            transport.write(_kept(parts[0]))
        elif sum(map(len, parts)) <= _JOIN_BYTES:
            transport.write(b"".join(parts))
        else:
            transport.writelines([_kept(part) for part in parts])

    def read(self, wanted: bool) -> None:
        """Read from the peer from now on, or stop reading.

        The transport is asked what it does: uvloop begins to read after `connection_made`, whatever was said there.
        """
        self._reading = wanted
        transport = self.transport
        if transport is None or self._ended or transport.is_closing() or transport.is_reading() is wanted:
            return
        transport.resume_reading() if wanted else transport.pause_reading()

    def close(self) -> None:
        """Close once everything is written; after `LINGER_SECONDS` whatever is left is dropped."""
        if not self.open:
            return
        self._closing = True
        transport = cast(asyncio.Transport, self.transport)
        transport.close()
        asyncio.get_running_loop().call_later(LINGER_SECONDS, transport.abort)

    def abort(self) -> None:
        """Close at once."""
        self._closing = True
        if self.transport is not None and not self._ended:
            self.transport.abort()

    # --- asyncio.Protocol ------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self.attach(cast(asyncio.Transport, transport))

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        if not self._closing:
            self._listener.heard(self, data)

    def pause_writing(self) -> None:
        """See `asyncio.Protocol`."""
        self.blocked = True
        self._listener.pressed(self)

    def resume_writing(self) -> None:
        """See `asyncio.Protocol`."""
        self.blocked = False
        self._listener.pressed(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        if not self._ended:
            self._ended = True
            self._listener.ended(self, "" if exc is None else type(exc).__name__)


def device_of(connection: socket.socket) -> str:
    """The peer's address without its port; `local` for a unix socket, empty where it has gone already."""
    if connection.family == socket.AF_UNIX:
        return "local"
    try:
        return str(connection.getpeername()[0])
    except OSError:
        return ""


def no_delay(connection: socket.socket) -> None:
    """Send small packets at once, where the socket is TCP."""
    if connection.family in (socket.AF_INET, socket.AF_INET6):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def _kept(part: bytes | memoryview) -> bytes | memoryview:
    """A loop may hold on to what it writes: a view of memory that can change is copied."""
    return part if isinstance(part, bytes) or part.readonly else bytes(part)
