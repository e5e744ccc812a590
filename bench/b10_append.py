"""Appending to the ledger: bulk, single reads from eight processes, and the latency of one; wall time, all durable.

The disk sets the pace, so its own figure stands beside each rate: 500 bytes appended to a file and fdatasync, measured
just before in the same folder. The second place is a folder on the same disk, which is the worst case. Clients are
processes of their own on the same cores as the writer; each keeps up to 1,024 disclosures outstanding.

    MUNIMENT_BENCH_FOLDER   where to write (the temporary folder where it is not set)
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from measurement import Measurement
from muniment.disclosure import Channel, Disclosure, Party, Template
from muniment.keys import Key, Purpose
from muniment.ledger.appender import Appender, Receipt
from muniment.ledger.batch import NUMBERS, TEXTS, Batch, assembled
from muniment.ledger.intake import OUTSTANDING
from muniment.ledger.log.second import FolderStore
from muniment.ledger.ordinals.table import OrdinalTable
from muniment.ledger.service import SharedWriter, SocketWriter, open_writer
from muniment.ledger.wal.files import read_tail

KEYS = (Key("segment-1", Purpose.SEGMENT, bytes(range(32))),)
ACCOUNTS = [Party("agency", f"account {n}", f"10.0.{n // 250}.{n % 250}") for n in range(1_000)]
TEMPLATES = [Template("persons", 1, Channel.GATE, (1, 2, 5), f"purpose {n}") for n in range(200)]
PERSONS = 1_000_000
CLIENTS = 8
SINGLES = 25_000
"""Single reads of each client."""
BATCH = (1_000, 1_000)
"""Disclosures in a bulk batch, and records in each."""
BATCHES = 40
LATENCIES = 3_000


def disk(folder: Path) -> tuple[float, float]:
    """Milliseconds of one append of 500 bytes with fdatasync: median and 99th percentile of 300."""
    path = folder / "disk"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    times = []
    for n in range(300):
        start = time.perf_counter()
        os.pwrite(descriptor, bytes(500), 500 * n)
        os.fdatasync(descriptor)
        times.append(1e3 * (time.perf_counter() - start))
    os.close(descriptor)
    path.unlink()
    return statistics.median(times), statistics.quantiles(times, n=100)[98]


def single(n: int) -> Disclosure:
    """One person looked up by one account."""
    return Disclosure(
        ACCOUNTS[n % len(ACCOUNTS)], TEMPLATES[n % len(TEMPLATES)], (n * 7919 % PERSONS,), f"case {n // 9}", "shape", 1,
        300, 1,
    )  # fmt: skip


def bulk() -> Batch:
    """A batch of lists."""
    rows, records = BATCH
    rng = np.random.default_rng(5)
    heads = Batch.of([Disclosure(ACCOUNTS[n % 50], TEMPLATES[n % 20], (), "", "shape", records) for n in range(rows)])
    step = PERSONS // records
    lists = np.arange(records) * step + rng.integers(0, step, (rows, records))
    return assembled(
        {name: getattr(heads, name) for name in NUMBERS},
        {name: getattr(heads, name) for name in TEXTS},
        np.arange(rows + 1, dtype=np.int64) * records,
        lists.astype(np.uint32).reshape(-1),
    )


def writer(folder: Path) -> SharedWriter:
    """The holder of a new ledger with a table of `PERSONS` ordinals, served to other processes."""
    OrdinalTable.create(folder / "ordinals", KEYS).close()
    opened = open_writer(
        folder,
        KEYS,
        second=FolderStore(folder / "second", "wal-head"),
        table=lambda: OrdinalTable.open(folder / "ordinals", KEYS, writing=True),
        clock=lambda: datetime.now(UTC),
    )
    opened.ordinals(np.arange(PERSONS, dtype=np.uint64) << np.uint64(40))
    return opened


def wait_for(futures: Iterable[Future[Receipt]]) -> int:
    """The last sequence number, once all are durable."""
    return max(future.result().last for future in futures)


def appending(folder: Path, appender: Appender, claim: str) -> Measurement:
    """Bulk batches, one after another without waiting for each."""
    batch = bulk()
    appender.append_many(batch).result()
    median, _ = disk(folder)
    start = time.perf_counter()
    wait_for([appender.append_many(batch) for _ in range(BATCHES)])
    rate = BATCHES * BATCH[0] * BATCH[1] / (time.perf_counter() - start)
    return Measurement(
        f"{claim}, batches of {BATCH[0]:,} disclosures of {BATCH[1]:,} records, durable",
        ">= 5,000,000 records/s",
        f"{rate:,.0f} records/s (fdatasync {median:.2f} ms)",
        rate >= 5e6,
    )


def latency(folder: Path, appender: Appender, claim: str) -> Measurement:
    """One append at a time, waited for."""
    median, _ = disk(folder)
    times = []
    for n in range(LATENCIES):
        start = time.perf_counter()
        appender.append(single(n)).result()
        times.append(1e3 * (time.perf_counter() - start))
    p99 = statistics.quantiles(times, n=100)[98]
    wanted = 3 * median + 5
    return Measurement(
        f"{claim}, p99 of {LATENCIES:,}",
        f"<= 3 fdatasync + 5 ms = {wanted:.2f} ms",
        f"{p99:.2f} ms, median {statistics.median(times):.2f} ms (fdatasync {median:.2f} ms)",
        p99 <= wanted,
    )


def many_clients(folder: Path) -> Measurement:
    """Single reads from processes that append as fast as their window lets them."""
    command = [sys.executable, __file__, str(folder)]
    clients = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(CLIENTS)
    ]
    for client in clients:
        _line(client)
    median, _ = disk(folder)
    start = time.perf_counter()
    for client in clients:
        assert client.stdin is not None
        client.stdin.write("go\n")
        client.stdin.flush()
    seconds = [float(_line(client)) for client in clients]
    wall = time.perf_counter() - start
    for client in clients:
        client.communicate()
    rate = CLIENTS * SINGLES / wall
    return Measurement(
        f"single reads from {CLIENTS} client processes with up to 1,024 outstanding each, durable",
        ">= 50,000 disclosures/s",
        f"{rate:,.0f} disclosures/s (fdatasync {median:.2f} ms; {1e6 * sum(seconds) / CLIENTS / SINGLES:.1f} us of a "
        "client's CPU each)",
        rate >= 5e4,
    )


def _line(client: subprocess.Popen[str]) -> str:
    assert client.stdout is not None
    return client.stdout.readline()


def client(folder: Path) -> None:
    """One client process: says that it is ready, waits for the start, and gives its CPU seconds."""
    appender = SocketWriter.connect(folder, KEYS)
    print("ready", flush=True)
    sys.stdin.readline()
    start = time.process_time()
    outstanding: deque[Future[Receipt]] = deque()
    for n in range(SINGLES):
        if len(outstanding) == OUTSTANDING:
            outstanding.popleft().result()
        outstanding.append(appender.append(single(n)))
    wait_for(outstanding)
    print(time.process_time() - start, flush=True)
    appender.close()


def reading(folder: Path, expected: int) -> Measurement:
    """The tail, read and verified by somebody without the lock."""
    start = time.perf_counter()
    batch = read_tail(folder / "wal", KEYS)
    seconds = time.perf_counter() - start
    rate = len(batch.ordinals) / seconds
    return Measurement(
        f"the unsealed tail read and verified, {len(batch):,} disclosures of {len(batch.ordinals):,} records",
        "complete, >= 5,000,000 records/s",
        f"{rate:,.0f} records/s, {'complete' if len(batch) == expected else 'NOT COMPLETE'}",
        len(batch) == expected and rate >= 5e6,
    )


def main() -> list[Measurement]:
    """All of it on one ledger."""
    with tempfile.TemporaryDirectory(prefix="muniment-bench-", dir=os.environ.get("MUNIMENT_BENCH_FOLDER")) as name:
        folder = Path(name)
        with writer(folder) as holder:
            one = SocketWriter.connect(folder, KEYS)
            lines = [
                latency(folder, holder, "one blocking append in the writer's process"),
                latency(folder, one, "one blocking append in another process"),
                many_clients(folder),
                appending(folder, holder, "bulk in the writer's process"),
                appending(folder, one, "bulk in another process"),
            ]
            expected = holder.append(single(0)).result().last
            one.close()
        lines.append(reading(folder, expected))
    return lines


if __name__ == "__main__":
    if len(sys.argv) == 2:
        client(Path(sys.argv[1]))
    else:
        for line in main():
            print(f"{'yes' if line.holds else 'NO '} | {line.claim} | {line.wanted} | {line.measured}")
