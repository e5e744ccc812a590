"""One end of a conversation as the event loop sees it: bytes come, pressure comes and goes, the end comes once.

Rules
1. While TLS shakes hands the transport under it is the handshake's: to stop reading from it then would stop the
   handshake, so what was wished meanwhile holds from its end on.
2. A handshake ends in TLS that stands, or in an error and a transport that is closed. Never in between: a connection
   that was lost meanwhile is an error too.
3. Closing waits until what was written has gone, and no longer: a peer that does not answer the end of TLS (an idle
   client reads nothing) is not waited for (RFC 8446, section 6.1).
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence
from typing import Any, Final, Protocol, cast

WRITE_HIGH: Final = 1024**2
"""Bytes that wait for a peer to take them, from which on nothing more is read from the other side."""
WRITE_LOW: Final = WRITE_HIGH // 4
LINGER_SECONDS: Final = 10.0
"""Seconds that a closing connection has to take what was written."""
GOODBYE_SECONDS: Final = 0.25
"""Seconds between looks whether a closing connection has taken it."""
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

    __slots__ = ("_closing", "_ended", "_listener", "_reading", "_shaking", "_under", "blocked", "transport")

    def __init__(self, listener: Listener) -> None:
        """Not connected yet."""
        self._listener = listener
        self._reading = True
        self._ended = self._closing = self._shaking = False
        self._under: asyncio.Transport | None = None  # below TLS, where that began on request
        self.blocked = False
        """Whether the peer does not take what is written."""
        self.transport: asyncio.Transport | None = None

    def attach(self, transport: asyncio.Transport) -> None:
        """Use this transport from now on."""
        self.transport = transport
        transport.set_write_buffer_limits(WRITE_HIGH, WRITE_LOW)
        if not self._reading:
            transport.pause_reading()

    async def start_tls(self, under: asyncio.Transport, context: ssl.SSLContext, **how: Any) -> ssl.SSLObject:
        """Have TLS above a transport, and use it from then on. `how`: as `loop.start_tls`.

        Raises `OSError` (also `ssl.SSLError`, `TimeoutError`) where the handshake fails or the connection is lost
        meanwhile: `under` is closed then, and the listener need not have been told.
        """
        self._shaking, self._under = True, under
        try:
            over = await asyncio.get_running_loop().start_tls(under, self, context, **how)
            # Lost meanwhile: asyncio gives nothing, uvloop a transport that is closed and tells nobody so.
            if over is None or over.is_closing() or self._closing or self._ended:
                raise ConnectionResetError
        except BaseException:
            under.abort()
            raise
        finally:
            self._shaking = False
        self.attach(over)
        return cast(ssl.SSLObject, over.get_extra_info("ssl_object"))

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
        if transport is None or self._shaking or self._ended or transport.is_closing():
            return
        if transport.is_reading() is not wanted:
            transport.resume_reading() if wanted else transport.pause_reading()

    def close(self) -> None:
        """Close once everything is written; after `LINGER_SECONDS` whatever is left is dropped."""
        if not self.open:
            return
        self._closing = True
        transport = cast(asyncio.Transport, self.transport)
        transport.close()
        self._linger(LINGER_SECONDS)

    def abort(self) -> None:
        """Close at once."""
        self._closing = True
        if self.transport is not None and not self._ended:
            self.transport.abort()

    def _linger(self, seconds: float) -> None:
        if not self._ended:
            asyncio.get_running_loop().call_later(GOODBYE_SECONDS, self._look, seconds - GOODBYE_SECONDS)

    def _look(self, seconds: float) -> None:
        transport = cast(asyncio.Transport, self.transport)
        if self._ended:
            return
        if seconds <= 0 or (self._under is not None and not _waiting(self._under, transport)):
            transport.abort()
        else:
            self._linger(seconds)

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


def _waiting(*transports: asyncio.Transport) -> int:
    return sum(one.get_write_buffer_size() for one in transports)


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
