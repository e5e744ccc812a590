"""One client on real sockets: TLS in both ways, pressure, cancels, timers, and sessions that fail."""

from __future__ import annotations

import asyncio
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest

from language.servers import (
    CATALOGUE,
    LOOPS,
    SSL_REQUEST,
    Upstream,
    client_tls,
    gate_bed,
    make_certificate,
    patience,
    run,
)
from muniment.gate.protocol.startup import CancelRequest
from muniment.gate.server.sides import WRITE_HIGH
from muniment.gate.server.tls import certificate_hash
from muniment.gate.session import events

loops = pytest.mark.parametrize("loop", LOOPS)


def with_tls(folder: Path, **more: Any) -> dict[str, Any]:
    certificate = make_certificate(folder, "gate")
    return {"certificate": str(certificate.path), "certificate_key": str(certificate.key), **more}


@loops
def test_tls_begins_on_request_and_the_session_learns_of_it_first(tmp_path: Path, loop: str) -> None:
    async def main() -> None:
        async with gate_bed(tmp_path, **with_tls(tmp_path)) as bed:
            client = await bed.client(tls=client_tls())
            assert await client.ask("hello") == "hello"
            client.writer.write(b"3000000 bytes\n")
            assert await client.reader.readexactly(3_000_000) == b"x" * 3_000_000
            (session,) = bed.sessions
            assert session.seen[:3] == ["FromClient", "TlsStarted", "FromClient"]
            shown = client.writer.get_extra_info("ssl_object").getpeercert(True)
            assert session.tls.certificate_hash == certificate_hash(shown) and session.tls.subject == ""

    run(main(), loop)


@loops
def test_a_client_that_answers_at_once_is_never_read_before_tls_stands(tmp_path: Path, loop: str) -> None:
    """Its first bytes and its handshake come while the gate is in between: nothing is lost, nothing is taken early."""
    context = client_tls()

    def shakes_hands(port: int) -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
            plain.sendall(SSL_REQUEST)
            assert plain.recv(1) == b"S"
            with context.wrap_socket(plain, server_hostname="localhost") as client:
                client.sendall(b"nobody\n")
                return client.recv(100)

    async def main() -> None:
        async with gate_bed(tmp_path, **with_tls(tmp_path)) as bed:
            for _ in range(50):
                assert await asyncio.to_thread(shakes_hands, bed.gate.port) == b"who\n"

    run(main(), loop)


@loops
def test_plain_bytes_that_were_read_while_tls_begins_are_not_taken_for_its_own(tmp_path: Path, loop: str) -> None:
    async def main() -> None:
        async with gate_bed(tmp_path, login_seconds=0.5, **with_tls(tmp_path)) as bed:
            client = await bed.connect()
            client.writer.write(SSL_REQUEST)
            with patience() as wait:
                await wait(lambda: bool(bed.sessions))
            (connection,) = bed.gate._connections.values()
            if connection._early is None:
                connection._early = []
            connection._early.append(b"clerk\n")
            await client.reader.read()
            assert "VerifierFound" not in bed.sessions[0].seen

    run(main(), loop)


@loops
def test_bytes_stuffed_behind_the_request_for_tls_close(tmp_path: Path, loop: str) -> None:
    async def main() -> None:
        async with gate_bed(tmp_path, **with_tls(tmp_path)) as bed:
            client = await bed.connect()
            client.writer.write(SSL_REQUEST + b"clerk\n")
            assert await client.reader.read() in (b"", b"S")
            assert "FromClient" in bed.sessions[0].seen and "TlsStarted" not in bed.sessions[0].seen
            assert '"bytes-before-tls"' in bed.log.read_text()

    run(main(), loop)


@loops
def test_what_is_sent_before_the_answer_is_no_plain_text(tmp_path: Path, loop: str) -> None:
    async def main() -> None:
        async with gate_bed(tmp_path, **with_tls(tmp_path)) as bed:
            client = await bed.connect()
            client.writer.write(SSL_REQUEST)
            assert await client.reader.readexactly(1) == b"S"
            client.writer.write(b"clerk\n")  # plain text where a handshake must come
            await client.reader.read()
            with patience() as wait:
                await wait(lambda: not bed.gate._connections)
            assert bed.sessions[0].seen == ["FromClient", "ClientClosed"]

    run(main(), loop)


@loops
def test_direct_tls_is_taken_with_alpn_only(tmp_path: Path, loop: str) -> None:
    async def main() -> None:
        async with gate_bed(tmp_path, **with_tls(tmp_path)) as bed:
            client = await bed.connect(ssl=client_tls(alpn=True), server_hostname="localhost")
            await client.login()
            assert await client.ask("hello") == "hello"
            assert bed.sessions[0].door.tls is not None and bed.sessions[0].seen[0] == "FromClient"
            try:
                other = await bed.connect(ssl=client_tls(), server_hostname="localhost")
                assert await other.reader.read() == b""
            except (ConnectionError, ssl.SSLError):
                pass
            assert len(bed.sessions) == 1

    run(main(), loop)


def test_a_client_certificate_says_who_it_is(tmp_path: Path) -> None:
    own = make_certificate(tmp_path, "clerk 7")

    async def main() -> None:
        async with gate_bed(tmp_path, **with_tls(tmp_path, client_ca=str(own.path))) as bed:
            await bed.client(tls=client_tls(shown=own))
            assert bed.sessions[0].tls.subject == "clerk 7"
            stranger = make_certificate(tmp_path, "stranger")
            with pytest.raises((OSError, AssertionError, ValueError)):
                await bed.client(tls=client_tls(shown=stranger))
            assert len(bed.sessions) == 1 or "TlsStarted" not in bed.sessions[1].seen

    run(main())


@loops
def test_upstream_tls_and_what_it_binds_to(tmp_path: Path, loop: str) -> None:
    own = make_certificate(tmp_path / "pg", "pg")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own.path, own.key)

    async def main() -> None:
        settings = {"upstream_tls": "verify-full", "upstream_ca": str(own.path), "upstream_host": "localhost"}
        async with gate_bed(tmp_path, Upstream(tls=context), **settings) as bed:
            client = await bed.client()
            assert client.upstream_hash == certificate_hash(own.der).hex()
            assert await client.ask("hello") == "hello"
        other = make_certificate(tmp_path / "pg", "other")
        settings["upstream_ca"] = str(other.path)
        async with gate_bed(tmp_path, Upstream(tls=context), **settings) as bed:
            assert "SSLCertVerificationError" in await (await bed.connect()).ask("clerk")
        async with gate_bed(tmp_path, Upstream(answer=b"N"), upstream_tls="require") as bed:
            assert "does not take TLS" in await (await bed.connect()).ask("clerk")
        async with gate_bed(tmp_path, Upstream(answer=b"Sstuffed"), upstream_tls="require") as bed:
            assert "does not take TLS" in await (await bed.connect()).ask("clerk")

    run(main(), loop)


@loops
def test_memory_is_bounded_while_a_client_does_not_read(tmp_path: Path, loop: str) -> None:
    async def main() -> None:
        async with gate_bed(tmp_path) as bed:
            client = await bed.client()
            (connection,) = bed.gate._connections.values()
            client.reader._transport.pause_reading()  # type: ignore[attr-defined]
            client.writer.write(b"100000000 bytes\n")
            with patience() as wait:
                await wait(lambda: connection.client.blocked)
            await asyncio.sleep(0.1)
            assert connection.client.transport.get_write_buffer_size() < WRITE_HIGH + 600_000
            client.reader._transport.resume_reading()  # type: ignore[attr-defined]
            assert len(await client.reader.readexactly(100_000_000)) == 100_000_000
            assert await client.ask("after") == "after"

    run(main(), loop)


def test_a_session_that_holds_is_not_read_from(tmp_path: Path) -> None:
    async def main() -> None:
        async with gate_bed(tmp_path) as bed:
            client = await bed.client()
            assert await client.ask("!hold") == "held"
            client.writer.write(b"x" * 1_000 + b"\n")
            await asyncio.sleep(0.05)
            assert bed.upstream.received == 0
            bed.sessions[0].hold = False
            (connection,) = bed.gate._connections.values()
            connection._press()
            assert len(await client.reader.readline()) == 1_001

    run(main())


def test_a_cancel_is_over_when_the_server_closed(tmp_path: Path) -> None:
    async def main() -> None:
        async with gate_bed(tmp_path, Upstream(cancel_seconds=0.1)) as bed:
            client = await bed.client()
            assert await client.ask("!cancel") == "cancelled"
            assert bed.upstream.cancels == [CancelRequest(7, b"secret").build()]

    run(main())


@pytest.mark.parametrize(("shown", "asked"), [(32, True), (4, True), (3, False), (0, False)])
def test_a_cancel_key_of_the_gate_finds_its_session(tmp_path: Path, shown: int, asked: bool) -> None:
    async def main() -> None:
        async with gate_bed(tmp_path) as bed:
            client, other = await bed.client(), await bed.client()
            process, secret = client.key
            canceller = await bed.connect()
            body = (80877102).to_bytes(4, "big") + process.to_bytes(4, "big") + secret[:shown]
            canceller.writer.write((4 + len(body)).to_bytes(4, "big") + body)
            assert await canceller.reader.read() == b""
            if asked:
                assert await client.reader.readline() == b"asked\n"
                assert await client.reader.readline() == b"cancelled\n"
            assert await other.ask("mine") == "mine"
            assert ("CancelAsked" in bed.sessions[0].seen) is asked

    run(main())


def test_a_forged_cancel_key_finds_nobody(tmp_path: Path) -> None:
    async def main() -> None:
        async with gate_bed(tmp_path) as bed:
            client = await bed.client()
            canceller = await bed.connect()
            canceller.writer.write(CancelRequest(client.key[0], bytes(32)).build())
            assert await canceller.reader.read() == b""
            assert "CancelAsked" not in bed.sessions[0].seen

    run(main())


def test_a_session_that_raises_closes_both_sides_and_logs_no_value(tmp_path: Path) -> None:
    async def main() -> None:
        async with gate_bed(tmp_path) as bed:
            client = await bed.client()
            client.writer.write(b"!raise\n")
            assert await client.reader.read() == b""
            with patience() as wait:
                await wait(lambda: not bed.gate._connections)
                await wait(lambda: all(writer.is_closing() for writer in bed.upstream.writers))
            assert '"reason": "RuntimeError"' in bed.log.read_text() and "secret" not in bed.log.read_text()

    run(main())


def test_a_client_that_vanishes_takes_its_upstream_along(tmp_path: Path) -> None:
    async def main() -> None:
        async with gate_bed(tmp_path) as bed:
            client = await bed.client()
            client.writer.transport.abort()
            with patience() as wait:
                await wait(lambda: not bed.gate._connections and not len(bed.gate.cancel_keys))
            assert bed.sessions[0].seen.count("ClientClosed") == 1

    run(main())


def test_an_upstream_that_dies_is_told_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with gate_bed(tmp_path) as bed:
            client = await bed.client()
            bed.upstream.writers[0].transport.abort()
            assert (await client.reader.readline()).startswith(b"upstream")
            assert await client.reader.read() == b""
            assert bed.sessions[0].seen.count("UpstreamClosed") == 1

    run(main())


def test_of_an_upstream_that_was_closed_nothing_more_is_told(tmp_path: Path) -> None:
    async def main() -> None:
        async with gate_bed(tmp_path) as bed:
            client = await bed.client()
            assert (await client.ask("!upstream")).startswith("ready")
            assert await client.ask("on the second") == "on the second"
            assert "UpstreamClosed" not in bed.sessions[0].seen and len(bed.upstream.writers) == 2

    run(main())


def test_it_wakes_when_it_was_asked_to_and_says_goodbye_before_it_closes(tmp_path: Path) -> None:
    async def main() -> None:
        async with gate_bed(tmp_path) as bed:
            client = await bed.client()
            assert await client.ask("!wake") == "woken 1"
            client.writer.write(b"!bye\n")
            assert await client.reader.read() == b"bye\n"

    run(main())


@loops
@pytest.mark.parametrize("event", [events.Woken(1), events.CatalogueChanged(CATALOGUE)])
def test_what_happens_while_tls_shakes_hands_does_not_stop_it(tmp_path: Path, loop: str, event: Any) -> None:
    """A change of tables reaches every session: it stopped reading from those in a handshake, for good."""

    async def main() -> None:
        async with gate_bed(tmp_path, **with_tls(tmp_path)) as bed:
            client = await bed.connect()
            client.writer.write(SSL_REQUEST)
            assert await client.reader.readexactly(1) == b"S"
            (connection,) = bed.gate._connections.values()
            with patience() as wait:
                await wait(lambda: connection.client._shaking)
            connection._session.receive = lambda _: []
            connection.receive(event)
            del connection._session.receive
            async with asyncio.timeout(5):
                await client.writer.start_tls(client_tls(), server_hostname="localhost")
                await client.login()

    run(main(), loop)


@loops
@pytest.mark.parametrize("said", [b"", b"\x16\x03\x01"])
@pytest.mark.parametrize("asked", [True, False])
def test_who_is_in_a_handshake_is_let_go_when_it_takes_too_long_or_the_gate_drains(
    tmp_path: Path, loop: str, said: bytes, asked: bool
) -> None:
    async def main(drain: bool) -> None:
        async with gate_bed(tmp_path, login_seconds=60 if drain else 0.2, **with_tls(tmp_path)) as bed:
            client = await bed.connect()
            client.writer.write(SSL_REQUEST if asked else b"\x16")
            if asked:
                assert await client.reader.readexactly(1) == b"S"
            client.writer.write(said)
            with patience() as wait:
                await wait(lambda: bool(bed.gate._connections))
                if drain:
                    bed.gate.drain()
                await wait(lambda: not bed.gate._connections and not len(bed.gate.cancel_keys))

    run(main(True), loop)
    run(main(False), loop)


@loops
def test_a_fault_of_what_a_session_waits_for_ends_it(tmp_path: Path, loop: str) -> None:
    async def main() -> None:
        async with gate_bed(tmp_path) as bed:

            async def breaks(account: str) -> None:
                raise ValueError(account)

            bed.gate._prepare = breaks
            client = await bed.connect()
            assert await client.ask("clerk") == ""
            with patience() as wait:
                await wait(lambda: not bed.gate._connections)
            assert '"reason": "ValueError"' in bed.log.read_text()

    run(main(), loop)
