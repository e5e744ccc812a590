"""The whole ledger as a keeper meets it: append and seal, index, verify, and `muniment who` from a cold start.

Everything goes through a real workspace on disk, each step in a process of its own, as the command line would run it.
The stream has the mix of the reference generator (97.4 % single reads with skewed popularity, 2.6 % lists of 100; one
full dump and two of 40 %), made batch by batch so that memory is the ledger's own. `who` asks for one person among
16 million, over 10 million disclosures, three dumps included; start-up, passphrase and the record of the look-up count.

Memory is the peak of the process that did the step, at two sizes of ledger with the same two million persons.
The whole file takes some ten minutes and 1 GB of disk; MUNIMENT_BENCH_BIG=0 asks `who` over a million disclosures only.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import muniment as mu
from measurement import Measurement
from muniment.disclosure import Channel, Party, Template
from muniment.keys import KeyRing
from muniment.ledger.appender import Receipt
from muniment.ledger.batch import Batch, Texts
from muniment.pseudonym import column_pseudonyms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.ledger.store import Ledger

PASSPHRASE = "a passphrase for benchmarks only"
SEED = 12
ACCOUNTS, TEMPLATES = 10_000, 200
BATCH = 100_000
"""Disclosures in one append."""
SEAL = 1_000_000
"""Disclosures after which the writer seals."""
BIG = os.environ.get("MUNIMENT_BENCH_BIG", "1") != "0"
WHO = (10_000_000, 16_000_000) if BIG else (1_000_000, 1_600_000)
"""Disclosures and persons of the ledger that `who` is asked about."""
SMALL, LARGE, PERSONS = 1_000_000, 4_000_000, 2_000_000
ASKED = 7


def key_of(number: int) -> str:
    """The record key of a person."""
    return f"P{number:09}"


def build(folder: Path, disclosures: int, persons: int) -> dict[str, float]:
    """Make the workspace and fill its ledger; the wall seconds of each step."""
    source = folder / "persons.csv"
    source.write_text("id,name\n" + "".join(f"{key_of(i)},n{i}\n" for i in range(100)))
    ws = mu.init(folder / "office", PASSPHRASE)
    ws.register("persons", source, key="id")
    ledger = ws.ledger.parts.ledger
    ring = KeyRing.open(folder / "office" / "keys" / "ring.json", PASSPHRASE)
    steps = {"append": 0.0, "seal": 0.0, "records": 0.0}
    ordinals = _ordinals(ledger, ring, persons)
    batches = stream(disclosures, ordinals)
    for _ in range(0, disclosures, SEAL):
        _append(ledger, batches, steps)
    start = time.perf_counter()
    ws.ledger.reindex(anew=False)
    return steps | {"index": time.perf_counter() - start}


def _ordinals(ledger: Ledger, ring: KeyRing, persons: int) -> NDArray[np.uint32]:
    parts = []
    with ledger.writing() as appender:
        for start in range(0, persons, 1_000_000):
            keys = [[key_of(i) for i in range(start, min(persons, start + 1_000_000))]]
            parts.append(appender.ordinals(column_pseudonyms(ring.current("pseudonym"), "persons", keys)))
    return np.concatenate(parts)


def _append(ledger: Ledger, batches: Iterator[Batch], steps: dict[str, float]) -> None:
    made = [batch for _, batch in zip(range(SEAL // BATCH), batches, strict=False)]
    steps["records"] += sum(len(batch.ordinals) for batch in made)
    start = time.perf_counter()
    with ledger.writing() as appender:
        futures: list[Future[Receipt]] = [appender.append_many(batch) for batch in made]
        for future in futures:
            future.result()
        written = time.perf_counter()
    steps["append"] += written - start
    steps["seal"] += time.perf_counter() - written


def stream(disclosures: int, ordinals: NDArray[np.uint32]) -> Iterator[Batch]:
    """Batches of disclosures; a dump stands in the first, the middle and the last."""
    parties = tuple(Party(f"agency {i % 50}", f"account {i}").to_text() for i in range(ACCOUNTS))
    templates = tuple(
        Template("persons", 1, Channel.GATE, (1, 2), f"purpose {i}", f"section {i % 9}").to_text()
        for i in range(TEMPLATES)
    )
    shares = np.cumsum(1 / np.arange(1, ACCOUNTS + 1) ** 0.9)
    count = -(-disclosures // BATCH)
    dumps = {0: 1.0, count // 2: 0.4, count - 1: 0.4}
    for number in range(count):
        rng = np.random.default_rng((SEED, number))
        counts = np.where(rng.random(BATCH) < 400 / 15_400, 100, 1)
        records = (len(ordinals) * rng.random(int(counts.sum())) ** 3).astype(np.int64)
        starts, values = _sets(counts, ordinals[(records * 7_368_787 + 12_345) % len(ordinals)])
        if number in dumps:
            whole = np.sort(ordinals if dumps[number] == 1 else rng.choice(ordinals, int(0.4 * len(ordinals)), False))
            values = np.concatenate([values[: starts[-2]], whole])
            starts = np.concatenate([starts[:-1], [len(values)]])
        yield _batch(rng, starts, values, (parties, templates, shares / shares[-1]))


def _sets(counts: NDArray[np.int64], records: NDArray[np.uint32]) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    pairs = np.unique(np.repeat(np.arange(len(counts), dtype=np.uint64), counts) << np.uint64(32) | records)
    sizes = np.bincount((pairs >> np.uint64(32)).astype(np.int64), minlength=len(counts))
    return np.concatenate(([0], np.cumsum(sizes))).astype(np.int64), pairs.astype(np.uint32)


def _batch(rng: np.random.Generator, starts: NDArray[np.int64], values: NDArray[np.uint32], texts: Any) -> Batch:
    parties, templates, shares = texts
    rows, zero = np.diff(starts), np.zeros(BATCH, np.int64)
    account = np.searchsorted(shares, rng.random(BATCH)).clip(0, ACCOUNTS - 1).astype(np.uint32)
    none = Texts(("",), zero.astype(np.uint32))
    template = Texts(templates, rng.integers(0, TEMPLATES, BATCH).astype(np.uint32))
    party = Texts(parties, account)
    return Batch(zero, zero, rows, 120 * rows, rows, zero, party, template, none, none, starts, values)


# --- children: one step, one process ---------------------------------------------------------------------------------


def child(action: str, folder: Path, *numbers: int) -> dict[str, Any]:
    """Run one step in a process of its own; what it gave, with its wall seconds and peak memory in MiB."""
    command = [sys.executable, __file__, "--child", action, str(folder), *map(str, numbers)]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found


def _child(action: str, folder: Path, numbers: list[int]) -> None:
    start = time.perf_counter()
    if action == "build":
        found: dict[str, Any] = dict(build(folder, *numbers))
    elif action == "verify":
        found = mu.open(folder / "office", PASSPHRASE).ledger.verify().to_json()
    else:
        raise ValueError(action)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps(found | {"wall": time.perf_counter() - start, "peak": peak}))


def who(folder: Path, key: str) -> tuple[float, dict[str, Any]]:
    """Wall seconds of `muniment who` in a new process, and its answer."""
    command = [sys.executable, "-m", "muniment", "who", key, "--purpose", "benchmark", "--json"]
    env = {**os.environ, "MUNIMENT_PASSPHRASE": PASSPHRASE, "MUNIMENT_WORKSPACE": str(folder / "office")}
    start = time.perf_counter()
    run = subprocess.run(command, check=True, capture_output=True, text=True, env=env)
    answer: dict[str, Any] = json.loads(run.stdout)
    return time.perf_counter() - start, answer


def size_of(folder: Path, name: str) -> int:
    """Bytes of the files of one part of the ledger."""
    return sum(path.stat().st_size for path in (folder / "office" / "ledger" / name).rglob("*") if path.is_file())


def sync_ms(folder: Path) -> float:
    """Median milliseconds of an fdatasync of 4 KiB on this disk."""
    taken = []
    with (folder / "sync").open("wb") as file:
        for _ in range(21):
            file.write(bytes(4096))
            file.flush()
            start = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - start)
    return 1000 * statistics.median(taken)


def main() -> list[Measurement]:
    """Every claim of the head of this file."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        flat = {size: _flat(folder / str(size), size) for size in (SMALL, LARGE)}
        (folder / "who").mkdir()
        built = child("build", folder / "who", *WHO)
        return [*_memory(flat), *_whole(folder / "who", built), *_asked(folder / "who")]


def _flat(folder: Path, size: int) -> dict[str, dict[str, Any]]:
    folder.mkdir()
    return {"append and seal": child("build", folder, size, PERSONS), "verify": child("verify", folder)}


def _memory(flat: dict[int, dict[str, dict[str, Any]]]) -> Iterator[Measurement]:
    for step in ("append and seal", "verify"):
        small, large = (flat[size][step]["peak"] for size in (SMALL, LARGE))
        yield Measurement(
            f"peak memory of {step}, {SMALL:,} and {LARGE:,} disclosures, {PERSONS:,} persons",
            "flat: within 25 %",
            f"{small:,} and {large:,} MiB",
            large <= 1.25 * small,
        )


def _whole(folder: Path, built: dict[str, Any]) -> Iterator[Measurement]:
    records, sync = built["records"], sync_ms(folder)
    rate = records / built["append"] / 1e6
    yield Measurement(
        f"append of {WHO[0]:,} disclosures ({records / 1e6:.0f} M records) through a workspace, durable, wall",
        ">= 5 M records/s",
        f"{rate:.1f} M records/s; fdatasync {sync:.2f} ms; sealing {records / built['seal'] / 1e6:.2f} M records/s, "
        f"index with its roots {built['index']:.0f} s",
        rate >= 5,
    )
    verified = child("verify", folder)
    size = size_of(folder, "segments")
    scaled = verified["wall"] * 10e9 / size
    yield Measurement(
        "verify the ledger from disk, every byte hashed again, wall",
        "<= 60 s per 10 GB",
        f"{verified['wall']:.1f} s for {size / 1e6:.0f} MB ({scaled:.0f} s per 10 GB), ok: {verified['ok']}",
        scaled <= 60 and verified["ok"],
    )
    index = size_of(folder, "index") / records
    yield Measurement(
        "record index on disk, whole", "<= 2.5 B a disclosed record", f"{index:.2f} B", index <= 2.5
    )


def _asked(folder: Path) -> Iterator[Measurement]:
    rng = np.random.default_rng(SEED)
    runs = [who(folder, key_of(int(number))) for number in rng.integers(0, WHO[1], ASKED)]
    seconds = statistics.median(taken for taken, _ in runs)
    complete = all(answer["complete"] and len(answer["disclosures"]) >= 2 for _, answer in runs)
    yield Measurement(
        f"`muniment who` over {WHO[0]:,} disclosures and {WHO[1]:,} persons, cold start, median of {ASKED}",
        "< 1 s, complete, dumps included",
        f"{seconds:.2f} s ({min(taken for taken, _ in runs):.2f} to {max(taken for taken, _ in runs):.2f}), "
        f"complete: {complete}",
        seconds < 1 and complete,
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        _child(sys.argv[2], Path(sys.argv[3]), [int(number) for number in sys.argv[4:]])
    else:
        for line in main():
            print(f"{'ok ' if line.holds else 'NO '} {line.claim}: {line.measured} (wanted {line.wanted})")
