"""What the gate's benchmarks share: a table, accounts, a client that discards rows, sources plain and compiled.

Everything runs on loopback, over TLS with SCRAM on every path that is compared. Rounds are interleaved: each round runs
every path once, in turn, and a ratio is of one round; medians and quartiles are over rounds.
"""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import statistics
import struct
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / folder) for folder in ("src", "tests", "bench", "tools")]

DATABASE: Final = "bench"
TABLE: Final = "public.person"
COLUMNS: Final = ("id", "surname", "given", "address", "born", "district")
MAKE: Final = """
CREATE TABLE person (id integer PRIMARY KEY, surname text, given text, address text, born date, district integer);
INSERT INTO person SELECT i, 'Surname' || i, 'Given' || i % 9973, 'Long Street ' || i % 977 || ', Town of ' || i % 89,
    DATE '1950-01-01' + i % 20000, i % 40 FROM generate_series(1, {rows}) i;
VACUUM ANALYZE person;
"""
READY: Final = b"Z\0\0\0\x05"
CHUNK: Final = 256 * 1024


def make_table(server: Any, rows: int) -> None:
    """The database `bench` with a table of so many persons, 106 bytes each."""
    server.sql(f"CREATE DATABASE {DATABASE}")
    server.sql(*(part for part in MAKE.format(rows=rows).split(";\n") if part.strip()), database=DATABASE)


def make_accounts(server: Any, names: Sequence[str]) -> None:
    """Accounts that may read everything."""
    from language.gates import VERIFIER

    roles = [f"CREATE ROLE {name} LOGIN PASSWORD '{VERIFIER}' IN ROLE pg_read_all_data" for name in names]
    server.sql(*roles, database=DATABASE)


@dataclass(frozen=True, slots=True)
class Read:
    """One bulk read: its seconds and bytes."""

    seconds: float
    size: int


def bulk_read(port: int, user: str, sql: str, database: str = DATABASE) -> Read:
    """Run a Query and discard what comes; whatever ends in an error is `AssertionError`."""
    from language.observer import Client
    from language.tls_server import PASSWORD

    with Client(port, user, PASSWORD, database, seconds=600.0) as client:
        buffer, view = _buffer()
        text = sql.encode() + b"\0"
        start = time.perf_counter()
        client.socket.sendall(b"Q" + struct.pack(">i", len(text) + 4) + text)
        size, tail = 0, b""
        while not (len(tail) >= 6 and tail[-6:-1] == READY):
            got = _receive(client.socket, view)
            size += got
            tail = (tail + bytes(buffer[max(0, got - 400) : got]))[-400:]
        seconds = time.perf_counter() - start
        if b"SELECT " not in tail and b"COPY " not in tail:
            raise AssertionError(f"the read did not end well: {tail[-300:]!r}")
        return Read(seconds, size)


def _buffer() -> tuple[bytearray, memoryview]:
    buffer = bytearray(CHUNK)
    return buffer, memoryview(buffer)


def _receive(connection: socket.socket | ssl.SSLSocket, view: memoryview) -> int:
    got = connection.recv_into(view)
    if not got:
        raise AssertionError("the connection was closed")
    return got


@contextmanager
def sources(compiled: bool) -> Iterator[Path]:
    """A copy of the sources for a gate to run from: plain Python alone, or with the scan compiled."""
    with tempfile.TemporaryDirectory(prefix="muniment-sources-") as name:
        folder = Path(name) / "src"
        shutil.copytree(ROOT / "src", folder, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
        if compiled:
            from compile import compile_into

            compile_into(folder)
        yield folder


def middle(values: Sequence[float]) -> str:
    """Median and quartiles."""
    low, median, high = statistics.quantiles(values, n=4) if len(values) > 1 else (values[0],) * 3
    return f"{median:.2f} ({low:.2f}-{high:.2f})"


def durable_append(folder: Path) -> float:
    """Seconds of one durable append of the ledger in the writer's process, median of 500, beside the gate's."""
    from b10_append import single, writer

    with tempfile.TemporaryDirectory(dir=folder) as name:
        times = []
        with writer(Path(name)) as appender:
            for n in range(500):
                start = time.perf_counter()
                appender.append(single(n)).result()
                times.append(time.perf_counter() - start)
    return statistics.median(times)


def bench_folder() -> Path:
    """Where workspaces lie: `MUNIMENT_BENCH_FOLDER` (with /dev/shm there, the ledger's fsync costs nothing)."""
    return Path(os.environ.get("MUNIMENT_BENCH_FOLDER") or tempfile.gettempdir())


def label() -> str:
    """What is to be said of durability."""
    return "fsync off (tmpfs)" if str(bench_folder()).startswith("/dev/shm") else "fsync on"


def show(lines: Sequence[Any]) -> int:
    """Print measurements; returns the exit code."""
    for line in lines:
        print(f"{'yes' if line.holds else 'NO '} | {line.claim} | {line.wanted} | {line.measured}", flush=True)
    return 0 if all(line.holds for line in lines) else 1
