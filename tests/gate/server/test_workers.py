"""Several workers behind one port: one budget, one ledger, and an end of all where one ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from language.ledgers import LedgerFolder
from language.postgres import free_port
from language.servers import parts_of
from muniment.gate.server.workers import run


@contextmanager
def echo() -> Iterator[int]:
    """An upstream in a process of its own: the gate forks, and must find no threads."""
    listener = socket.create_server(("127.0.0.1", 0))
    child = os.fork()
    if child == 0:
        while True:
            connection, _ = listener.accept()
            if os.fork() == 0:
                while data := connection.recv(65_536):
                    connection.sendall(data)
                os._exit(0)
            connection.close()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@contextmanager
def workers(folder: Path, upstream: int, count: int = 2) -> Iterator[tuple[int, int, int]]:
    """A gate in a process of its own; its process, port and port of metrics."""
    port, metrics = free_port(), free_port()
    ledger = LedgerFolder.made(folder / "office")
    child = os.fork()
    if child == 0:
        code = 70
        try:
            code = run(parts_of(
                ledger, upstream, [], recorded=True, workers=count, listen=(f"127.0.0.1:{port}",),
                metrics=f"127.0.0.1:{metrics}",
            ))  # fmt: skip
        finally:
            os._exit(code)
    try:
        yield child, port, metrics
    finally:
        try:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        except (ProcessLookupError, ChildProcessError):
            pass


def client(port: int) -> socket.socket:
    """A client that has logged in, on whichever worker."""
    deadline = time.monotonic() + 10
    while True:
        try:
            connection = socket.create_connection(("127.0.0.1", port), timeout=20)
            break
        except ConnectionRefusedError:  # it is still opening its ledger
            assert time.monotonic() < deadline
            time.sleep(0.02)
    connection.sendall(b"clerk\n")
    assert connection.recv(4_096).startswith(b"ready ")
    return connection


def test_workers_share_port_ledger_and_end(tmp_path: Path) -> None:
    with echo() as upstream, workers(tmp_path, upstream) as (gate, port, metrics):
        clients = [client(port) for _ in range(8)]
        for number, one in enumerate(clients):
            one.sendall(f"row {number}\n".encode())
            assert one.recv(100) == f"row {number}\n".encode()
        assert len(LedgerFolder(tmp_path / "office").cases()) == 8
        deadline = time.monotonic() + 10
        while True:
            with urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics") as answer:
                text = answer.read().decode()
            if "muniment_gate_sessions 8\n" in text or time.monotonic() > deadline:
                break
        assert "muniment_gate_sessions 8\n" in text
        assert 'muniment_gate_rows_total{outcome="given"} 8\n' in text
        os.kill(gate, signal.SIGTERM)
        assert [one.recv(100) for one in clients] == [b"draining\n"] * 8
        _, status = os.waitpid(gate, 0)
        for one in clients:
            one.close()
    assert os.waitstatus_to_exitcode(status) == 0
    log = [json.loads(line) for line in (tmp_path / "office" / "gate.log").read_text().splitlines()]
    assert sorted(line["worker"] for line in log if line["event"] == "started") == [0, 1]


def test_a_worker_that_is_killed_ends_the_gate(tmp_path: Path) -> None:
    with echo() as upstream, workers(tmp_path, upstream) as (gate, port, _):
        client(port).close()
        children = Path(f"/proc/{gate}/task/{gate}/children").read_text().split()
        os.kill(int(children[0]), signal.SIGKILL)
        _, status = os.waitpid(gate, 0)
    assert os.waitstatus_to_exitcode(status) == 4
    assert '"event": "worker-ended"' in (tmp_path / "office" / "gate.log").read_text()
