"""One end of a conversation: told once, closed when everything has gone, and never stuck in a handshake."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from language.servers import LOOPS, client_tls, make_certificate, patience, run
from muniment.gate.server import sides as module
from muniment.gate.server.sides import Side, device_of

loops = pytest.mark.parametrize("loop", LOOPS)


class Ear:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.bytes, self.presses, self.ends = b"", 0, list[str]()

    def heard(self, side: Side, data: bytes) -> None:
        self.bytes += data

    def pressed(self, side: Side) -> None:
        self.presses += 1

    def ended(self, side: Side, reason: str) -> None:
        self.ends.append(reason)


@asynccontextmanager
async def side_and_peer() -> AsyncIterator[tuple[Side, Ear, socket.socket]]:
    ear = Ear()
    side = Side(ear)
    own, peer = socket.socketpair()
    with peer:
        peer.setblocking(False)
        await asyncio.get_running_loop().connect_accepted_socket(lambda: side, own)
        try:
            yield side, ear, peer
        finally:
            side.abort()
            await asyncio.sleep(0)


def context_of(folder: Path) -> ssl.SSLContext:
    certificate = make_certificate(folder, "gate")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.path, certificate.key)
    return context


@loops
def test_parts_leave_in_order_and_the_end_is_told_once(loop: str) -> None:
    async def main() -> None:
        async with side_and_peer() as (side, ear, peer):
            large = bytearray(100_000)
            side.write([b"one ", memoryview(b"two "), memoryview(large)])
            large[:] = b"x" * len(large)  # a view that can change was copied
            found = b""
            while len(found) < 8 + 100_000:
                found += await asyncio.get_running_loop().sock_recv(peer, 65_536)
            assert found == b"one two " + bytes(100_000)
            peer.close()
            with patience() as wait:
                await wait(lambda: bool(ear.ends))
            side.abort()
            side.close()
            side.write([b"dropped"])
            await asyncio.sleep(0.02)
            assert len(ear.ends) == 1 and not side.open

    run(main(), loop)


@loops
def test_what_was_not_to_be_read_is_read_later(loop: str) -> None:
    async def main() -> None:
        async with side_and_peer() as (side, ear, peer):
            side.read(False)
            peer.send(b"early")
            await asyncio.sleep(0.05)
            assert ear.bytes == b""
            side.read(True)
            with patience() as wait:
                await wait(lambda: ear.bytes == b"early")

    run(main(), loop)


@loops
def test_pressure_comes_and_goes_and_a_close_waits_for_what_was_written(loop: str) -> None:
    async def main() -> None:
        async with side_and_peer() as (side, ear, peer):
            side.write([bytes(8 * 1024**2)])
            assert side.blocked and ear.presses == 1
            side.close()
            got = 0
            while more := await asyncio.get_running_loop().sock_recv(peer, 1024**2):
                got += len(more)
            assert got == 8 * 1024**2
            with patience() as wait:
                await wait(lambda: ear.ends == [""])

    run(main(), loop)


async def handshake(side: Side, peer: socket.socket, folder: Path, meanwhile: Callable[[], None]) -> ssl.SSLSocket:
    """TLS on both ends; `meanwhile` comes when the peer has not answered yet."""
    assert side.transport is not None
    task = asyncio.create_task(side.start_tls(side.transport, context_of(folder), server_side=True))
    await asyncio.sleep(0.02)
    meanwhile()
    peer.setblocking(True)
    peer.settimeout(5)
    wrapped = await asyncio.to_thread(client_tls().wrap_socket, peer)
    await task
    return wrapped


@loops
def test_a_wish_not_to_read_does_not_stop_a_handshake_and_holds_after_it(tmp_path: Path, loop: str) -> None:
    async def main() -> None:
        async with side_and_peer() as (side, ear, peer):
            side.read(False)
            with await handshake(side, peer, tmp_path, lambda: side.read(False)) as client:
                client.sendall(b"under TLS")
                await asyncio.sleep(0.05)
                assert ear.bytes == b""
                side.read(True)
                with patience() as wait:
                    await wait(lambda: ear.bytes == b"under TLS")

    run(main(), loop, 5)


@loops
@pytest.mark.parametrize("end", [Side.close, Side.abort])
def test_a_side_that_is_closed_in_its_handshake_says_so(tmp_path: Path, loop: str, end: Callable[[Side], None]) -> None:
    async def main() -> None:
        async with side_and_peer() as (side, _, peer):
            assert side.transport is not None
            task = asyncio.create_task(side.start_tls(side.transport, context_of(tmp_path), server_side=True))
            await asyncio.sleep(0.02)
            end(side)
            with pytest.raises(OSError):
                await task
            assert not side.open
            assert await asyncio.get_running_loop().sock_recv(peer, 10) == b""

    run(main(), loop, 5)


@loops
def test_a_peer_that_reads_nothing_is_not_waited_for_once_everything_has_gone(
    tmp_path: Path, loop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An idle client does not answer the end of TLS; without this a drain takes LINGER_SECONDS."""
    monkeypatch.setattr(module, "LINGER_SECONDS", 1_000.0)
    monkeypatch.setattr(module, "GOODBYE_SECONDS", 0.02)

    async def main() -> None:
        async with side_and_peer() as (side, ear, peer):
            with await handshake(side, peer, tmp_path, lambda: None) as client:
                side.write([bytes(4 * 1024**2)])
                side.close()
                await asyncio.sleep(0.2)
                assert not ear.ends, "bytes are waiting: they are not dropped"
                got = 0
                while got < 4 * 1024**2:
                    got += len(await asyncio.to_thread(client.recv, 1024**2))
                with patience() as wait:
                    await wait(lambda: bool(ear.ends))

    run(main(), loop)


def test_where_a_peer_is(tmp_path: Path) -> None:
    own, peer = socket.socketpair()
    with own, peer:
        assert device_of(own) == "local"
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()[:2]) as client:
            accepted, _ = server.accept()
            with accepted:
                assert device_of(accepted) == device_of(client) == "127.0.0.1"
        with socket.socket() as unconnected:
            assert device_of(unconnected) == ""
