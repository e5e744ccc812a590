"""Connections to PostgreSQL: where it is, and what counts as not reached."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from language.servers import LOOPS, SSL_REQUEST, Certificate, make_certificate, run
from muniment.errors import UnreachableError
from muniment.gate.policy.settings import GateSettings
from muniment.gate.server import upstream as module
from muniment.gate.server.sides import Side
from muniment.gate.server.tls import upstream_tls
from muniment.gate.server.upstream import Target, connect

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
loops = pytest.mark.parametrize("loop", LOOPS)


class Deaf:
    """Listens to nothing."""

    def heard(self, side: Side, data: bytes) -> None: ...
    def pressed(self, side: Side) -> None: ...
    def ended(self, side: Side, reason: str) -> None: ...


def of(certificate: Certificate) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.path, certificate.key)
    return context


async def reached(serve: Serve, tls: ssl.SSLContext | None = None) -> None:
    """A connection to a server that serves it so, and has done with it at the end."""
    served: list[asyncio.Task[None]] = []

    async def bounded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        served.append(task)
        with suppress(OSError):
            await serve(reader, writer)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(bounded, "127.0.0.1", 0)
    async with server:
        try:
            side, _ = await connect(Target("127.0.0.1", server.sockets[0].getsockname()[1], tls), Deaf)
            assert side.open
            side.abort()
        finally:
            await asyncio.wait(served)


def test_a_host_that_is_a_folder_or_a_path_is_a_unix_socket(tmp_path: Path) -> None:
    assert Target(str(tmp_path), 5433).socket == str(tmp_path / ".s.PGSQL.5433")
    assert Target(str(tmp_path / "pg.sock"), 5433).socket == str(tmp_path / "pg.sock")
    assert Target("db.example", 5432).socket == ""
    settings = GateSettings(upstream_host="db.example", upstream_port=5433, upstream_tls="off", control="", listen=())
    assert Target.of(settings, tmp_path) == Target("db.example", 5433)


@loops
def test_one_that_hangs_up_as_soon_as_tls_stands_is_not_reached_or_tells_its_end(tmp_path: Path, loop: str) -> None:
    """Either way whoever asked learns of it: a side that ended before he had it would never tell him."""
    context = of(make_certificate(tmp_path, "pg"))

    async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readexactly(len(SSL_REQUEST)) == SSL_REQUEST
        writer.write(b"S")
        await writer.start_tls(context)
        writer.transport.abort()

    async def main() -> None:
        for _ in range(20):
            with suppress(UnreachableError):  # else `reached` finds it open
                await reached(hangs_up, upstream_tls("require"))

    run(main(), loop)


@loops
def test_a_side_that_ended_before_it_was_handed_over_is_not_reached(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = module._connect

    async def ended(target: Target, listener: Callable[[], Deaf]) -> tuple[Side, bytes]:
        side, certificate = await real(target, listener)
        side.abort()
        while not side._ended:
            await asyncio.sleep(0)
        return side, certificate

    async def accepts(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def main() -> None:
        monkeypatch.setattr(module, "_connect", ended)
        with pytest.raises(UnreachableError, match="ConnectionResetError"):
            await reached(accepts)

    run(main(), loop)


@loops
def test_one_that_does_not_answer_is_waited_for_as_long_as_was_said(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECT_SECONDS", 0.05)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def main() -> None:
        with pytest.raises(UnreachableError, match="TimeoutError"):
            await reached(silent, upstream_tls("require"))

    run(main(), loop)
