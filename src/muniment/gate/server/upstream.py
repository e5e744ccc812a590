"""Connections to PostgreSQL: TCP or a unix socket, with TLS where it is configured.

The answer to SSLRequest is one byte. Whatever stands behind it before TLS begins was put there by somebody in between
(CVE-2021-23222): the connection is dropped.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

from muniment.errors import UnreachableError
from muniment.gate.policy.settings import GateSettings
from muniment.gate.protocol.startup import SSLRequest
from muniment.gate.server.sides import Listener, Side, no_delay
from muniment.gate.server.tls import certificate_hash, upstream_tls

CONNECT_SECONDS: Final = 10.0
"""Seconds for a connection to stand, TLS included."""


@dataclass(frozen=True, slots=True, repr=False)
class Target:
    """Where PostgreSQL is. A host that begins with `/` is the folder of its unix socket, or the socket itself."""

    host: str
    port: int
    tls: ssl.SSLContext | None = field(default=None, repr=False)

    @classmethod
    def of(cls, settings: GateSettings, folder: Path) -> Target:
        """From the settings, whose paths begin at `folder`; errors as `tls.upstream_tls`."""
        ca = folder / settings.upstream_ca if settings.upstream_ca else None
        return cls(settings.upstream_host, settings.upstream_port, upstream_tls(settings.upstream_tls, ca))

    @property
    def socket(self) -> str:
        """The path of the unix socket; empty for TCP."""
        if not self.host.startswith("/"):
            return ""
        path = Path(self.host)
        return str(path / f".s.PGSQL.{self.port}" if path.is_dir() else path)


async def connect(target: Target, listener: Callable[[], Listener]) -> tuple[Side, bytes]:
    """A connection to PostgreSQL on which nothing was sent, and the hash of its certificate (empty without TLS).

    It does not read until it is told to. Raises `UnreachableError` where it does not stand in `CONNECT_SECONDS`.
    """
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            side, certificate = await _connect(target, listener)
        if not side.open:  # closed already, which was told to nobody who knew of it
            raise ConnectionResetError
        return side, certificate
    except (OSError, TimeoutError, ssl.SSLError, ssl.CertificateError) as error:
        raise UnreachableError(f"PostgreSQL at {target.host}:{target.port}: {type(error).__name__}") from error


async def _connect(target: Target, listener: Callable[[], Listener]) -> tuple[Side, bytes]:
    loop = asyncio.get_running_loop()
    side = Side(listener())
    side.read(False)
    first = _Answer() if target.tls is not None else side
    if target.socket:
        transport, _ = await loop.create_unix_connection(lambda: side, target.socket)
        return side, b""
    transport, _ = await loop.create_connection(lambda: first, target.host, target.port)
    no_delay(transport.get_extra_info("socket"))
    if target.tls is None:
        return side, b""
    assert isinstance(first, _Answer)
    return await _with_tls(target, transport, first, side)


async def _with_tls(target: Target, plain: asyncio.Transport, first: _Answer, side: Side) -> tuple[Side, bytes]:
    plain.write(SSLRequest().build())
    try:
        if await first.answer != b"S":
            raise UnreachableError(
                f"PostgreSQL at {target.host}:{target.port} does not take TLS", hint="set ssl = on in postgresql.conf"
            )
    except BaseException:
        plain.abort()
        raise
    shown = await side.start_tls(plain, cast(ssl.SSLContext, target.tls), server_hostname=target.host)
    return side, certificate_hash(shown.getpeercert(True) or b"")


class _Answer(asyncio.Protocol):
    """Waits for the one byte that answers SSLRequest."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.pause_reading()
        if not self.answer.done():
            self.answer.set_result(data)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if not self.answer.done():
            self.answer.set_exception(ConnectionResetError())
