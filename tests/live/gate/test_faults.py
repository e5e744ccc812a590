"""What goes wrong around a gate at work: whatever left is in the ledger, and nothing left that is not."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from language.gates import GateBed, gate_running
from language.guarded_registers import person_key
from language.observer import Client, ClosedByServerError, Messages, message, query, seen
from language.servers import make_certificate
from muniment.disclosure import Delivery, Outcome

pytestmark = pytest.mark.live
CLIENTS = 6


@pytest.fixture
def bed() -> Iterator[GateBed]:
    """A gate of one's own, to be killed or ended."""
    with gate_running(ledger_wait_seconds=1.0, login_seconds=2.0) as made:
        yield made


@pytest.fixture(scope="module")
def shared() -> Iterator[GateBed]:
    """A gate that goes on."""
    with gate_running(ledger_wait_seconds=1.0, login_seconds=2.0) as made:
        yield made


def _read_to_the_end(client: Client) -> None:
    """Everything that comes until the server hangs up."""
    with contextlib.suppress(ClosedByServerError, ConnectionError, ssl.SSLError):
        while True:
            client.read()


def _charged(bed: GateBed, account: str) -> tuple[int, int]:
    recorded = bed.recorded(account)
    named = {one for entry in recorded for one in entry.ordinals}
    return len(named), sum(entry.rows for entry in recorded if entry.outcome is Outcome.UNATTRIBUTED)


def _reads(client: Client, start: int, stop: threading.Event) -> None:
    """One person after the other, and a list now and then, until the connection breaks."""
    with client:
        for number in range(start, start + 10_000):
            if stop.is_set():
                return
            key = person_key(number % 200)
            client.run(f"SELECT id, surname, given FROM office.person WHERE id = {key}")
            if number % 7 == 0:
                client.run("SELECT id, surname FROM office.person ORDER BY id LIMIT 60")


@pytest.mark.parametrize("after", [0.6, pytest.param(1.5, marks=pytest.mark.soak)])
def test_kill_9_under_load_leaves_nothing_that_is_not_recorded(bed: GateBed, after: float) -> None:
    accounts = [bed.account(f"reader_{number}") for number in range(CLIENTS)]
    clients = [bed.client(account) for account in accounts]
    stop = threading.Event()
    with ThreadPoolExecutor(CLIENTS) as pool:
        running = [pool.submit(_reads, client, 30 * at, stop) for at, client in enumerate(clients)]
        time.sleep(after)
        bed.kill()
        stop.set()
        broken = [future.exception(timeout=30) for future in running]
    assert all(isinstance(error, ClosedByServerError | OSError | None) for error in broken)
    came = [len(seen(client.everything)) for client in clients]
    assert sum(came) > 0
    for account, persons in zip(accounts, came, strict=True):
        named, nameless = _charged(bed, account)
        assert persons <= named + nameless
    bed.start()
    with bed.client(accounts[0]) as client:
        client.run("SELECT 1")
        assert not client.states


def test_a_client_that_vanishes_is_recorded_as_received_in_part(bed: GateBed) -> None:
    account = bed.account("gone")
    client = bed.client(account)
    with client:
        client.send(query("COPY (SELECT a.id, a.surname FROM office.person a, generate_series(1, 4000) g) TO STDOUT"))
        client.read()
        client.vanish()
    time.sleep(1.0)
    bed.stop()
    reader = bed.office._parts.ledger.reader()
    batch = reader.batch(reader.select(account=account), records=True)
    assert Delivery.PARTIAL.value in "".join(batch.template.values)


def test_a_slow_client_is_let_go(shared: GateBed) -> None:
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", shared.port), timeout=20) as raw:
        raw.sendall(struct.pack(">i", 8))  # half of an SSLRequest
        assert raw.recv(1) == b""
    assert time.monotonic() - began < 15


@pytest.mark.parametrize("length", [0, 3, 2**31 - 1, 2**31 + 5])
def test_a_message_of_impossible_length_ends_the_session(shared: GateBed, length: int) -> None:
    account = shared.account(f"odd_{length}")
    with shared.client(account) as client:
        client.send(Messages(b"Q" + struct.pack(">I", length) + b"x" * 16, 1))
        _read_to_the_end(client)
    with shared.client(account) as client:
        client.run("SELECT 1")


def test_an_unknown_message_ends_the_session_with_a_gap(shared: GateBed) -> None:
    with shared.client(shared.account("strange")) as client:
        client.send(message(b"\xee", b"what is this"))
        _read_to_the_end(client)
    assert "gap" in shared.log.read_text(encoding="utf-8")


def test_a_server_that_dies_in_mid_result_is_told_and_nothing_more_leaves(shared: GateBed) -> None:
    account = shared.account("witness")
    with shared.client(account) as client:
        client.run("SELECT id, surname FROM office.person ORDER BY id LIMIT 5")
        client.run("SELECT pg_backend_pid()")
        shared.server.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{account}'")
        with pytest.raises((ClosedByServerError, OSError)):
            client.run("SELECT id, surname FROM office.person")
    assert set(client.states) <= {"57P01"}
    named, nameless = _charged(shared, account)
    assert len(seen(client.everything)) <= named + nameless


def test_a_certificate_is_exchanged_while_sessions_go_on(shared: GateBed) -> None:
    def shown() -> bytes:
        with socket.create_connection(("127.0.0.1", shared.port), timeout=10) as raw:
            raw.sendall(struct.pack(">ii", 8, 80877103))
            assert raw.recv(1) == b"S"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            with context.wrap_socket(raw) as tls:
                return tls.getpeercert(True) or b""

    before = shown()
    with shared.client(shared.account("steady")) as client:
        client.run("SELECT 1")
        fresh = make_certificate(shared.folder, "fresh")
        os.replace(fresh.path, shared.certificate.path)
        os.replace(fresh.key, shared.certificate.key)
        shared.signal(signal.SIGHUP)
        end = time.monotonic() + 10
        while shown() == before and time.monotonic() < end:
            time.sleep(0.1)
        assert shown() != before
        client.run("SELECT id, surname FROM office.person LIMIT 1")
        assert not client.states


def test_sigterm_lets_statements_end_and_takes_nobody_new(bed: GateBed) -> None:
    with bed.client(bed.account("last")) as client:
        client.send(query("SELECT pg_sleep(1), 7"))
        time.sleep(0.3)
        bed.signal(signal.SIGTERM)
        _read_to_the_end(client)
        assert client.rows == 1
    assert bed.stop() == 0
    bed.start()
