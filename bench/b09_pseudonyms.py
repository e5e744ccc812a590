"""From record keys to ordinals: the steps of one core, and the table that they end in. One process, no Arrow or DuckDB.

Claim: keys as they come from a register (Python texts) become ordinals at 5 million a second and core. Keys are
generated: a letter and nine digits, the form of many national numbers; and of varying length. The table holds as many
persons as the register (25 million; `MUNIMENT_BENCH_BIG=0`: 2 million), keys are asked in another order than they were
given ordinals. Rates are CPU time of this process, best of three. A run takes some two minutes and 1.6 GB.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from measurement import Measurement
from muniment.disclosure import canonical_keys
from muniment.keys import Key, Purpose
from muniment.ledger.ordinals.permutation import Permutation
from muniment.ledger.ordinals.table import OrdinalTable
from muniment.pseudonym import column_pseudonyms, pseudonyms

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEY: Final = Key("pseudonym-1", Purpose.PSEUDONYM, bytes(range(32)))
SEGMENT: Final = (Key("segment-1", Purpose.SEGMENT, bytes(range(1, 33))),)
PERSONS: Final = 25_000_000 if os.environ.get("MUNIMENT_BENCH_BIG", "1") != "0" else 2_000_000
ASKED: Final = 1_000_000
SEED: Final = 9
STEP: Final = 1_000_000


def cpu(action: Callable[[], object], times: int = 3) -> float:
    """CPU seconds of an action in this process, the best of some."""
    best = float("inf")
    for _ in range(times):
        start = time.process_time()
        action()
        best = min(best, time.process_time() - start)
    return best


def rate(claim: str, count: int, seconds: float, wanted: float = 0.0) -> Measurement:
    """A line for so many things in so many seconds; `wanted` (millions a second) 0: for information."""
    reached = count / seconds / 1e6
    return Measurement(
        claim, f">= {wanted:g} M/s" if wanted else "(a step)", f"{reached:.1f} M/s", reached >= wanted
    )  # fmt: skip


def numbers(chosen: NDArray[np.int64]) -> list[str]:
    """Record keys of one length."""
    return [f"A{number:09d}" for number in chosen.tolist()]


def filled(folder: Path) -> tuple[OrdinalTable, float]:
    """A table of all persons, and the CPU seconds that allocating took (pseudonyms not counted)."""
    table, seconds = OrdinalTable.create(folder / "ordinals", SEGMENT), 0.0
    values = np.concatenate(
        [
            column_pseudonyms(KEY, "persons", [numbers(np.arange(start, min(start + STEP, PERSONS)))])
            for start in range(0, PERSONS, STEP)
        ]
    )
    seconds = cpu(lambda: table.allocate(values), times=1)
    return table, seconds


def steps(table: OrdinalTable, asked: Sequence[str], kind: str) -> list[Measurement]:
    """Each step from keys to ordinals, then all of them."""
    canonical = canonical_keys([asked])
    fixed = np.array(asked, dtype="S")
    values = column_pseudonyms(KEY, "persons", [asked])
    whole = cpu(lambda: table.lookup(column_pseudonyms(KEY, "persons", [asked])))
    array = cpu(lambda: table.lookup(column_pseudonyms(KEY, "persons", [fixed])))
    apart = cpu(lambda: table.lookup(pseudonyms(KEY, "persons", canonical_keys([asked]))))
    count = len(asked)
    return [
        rate(f"{kind}: canonical keys of texts", count, cpu(lambda: canonical_keys([asked]))),
        rate(f"{kind}: pseudonyms of canonical keys", count, cpu(lambda: pseudonyms(KEY, "persons", canonical))),
        rate(f"{kind}: pseudonyms of texts", count, cpu(lambda: column_pseudonyms(KEY, "persons", [asked]))),
        rate(f"{kind}: look-up among {PERSONS:,}, random order", count, cpu(lambda: table.lookup(values))),
        rate(f"{kind}: texts to ordinals among {PERSONS:,}, one core", count, whole, 5.0),
        rate(f"{kind}: fixed-width arrays to ordinals, one core", count, array, 5.0),
        rate(f"{kind}: texts to ordinals by way of canonical keys", count, apart),
    ]


def single(table: OrdinalTable) -> Measurement:
    """Looking up one person at a time, as a gate does."""
    values = np.random.default_rng(SEED).choice(table.entries()[0], 20_000)
    seconds = cpu(lambda: [table.lookup(values[i : i + 1]) for i in range(len(values))])
    return Measurement(
        "look-up of one pseudonym", "<= 20 us", f"{seconds / len(values) * 1e6:.1f} us", seconds / len(values) <= 2e-5
    )


def allocating_one(folder: Path) -> Measurement:
    """A new person, durable: two syncs; the disk's own sync beside it."""
    with OrdinalTable.create(folder / "small", SEGMENT) as table:
        values = np.random.default_rng(SEED).integers(0, 2**64, 200, dtype=np.uint64)
        start = time.perf_counter()
        for i in range(len(values)):
            table.allocate(values[i : i + 1])
        each = (time.perf_counter() - start) / len(values) * 1e6
    sync = fsync_microseconds(folder)
    return Measurement(
        "new ordinal, durable (wall time)",
        "<= 2 fdatasyncs + 1 ms",
        f"{each:.0f} us (fdatasync here: {sync:.0f} us)",
        each <= 2 * sync + 1_000,
    )


def fsync_microseconds(folder: Path) -> float:
    """The mean time of appending 100 bytes and syncing them."""
    descriptor = os.open(folder / "sync", os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        start = time.perf_counter()
        for _ in range(200):
            os.write(descriptor, bytes(100))
            os.fdatasync(descriptor)
        return (time.perf_counter() - start) / 200 * 1e6
    finally:
        os.close(descriptor)


def asked_once(folder: Path, value: NDArray[np.uint64]) -> None:
    """What a command does that asks for one person."""
    with OrdinalTable.open(folder, SEGMENT) as table:
        table.lookup(value)


def table_steps(table: OrdinalTable, folder: Path, allocated: float) -> list[Measurement]:
    """What is done to the table as a whole."""
    table.compact()
    table.close()
    reader = OrdinalTable.open(folder / "ordinals", SEGMENT)
    opened = cpu(reader.verify, times=1)
    one = reader.entries()[0][PERSONS // 3 :][:1]
    first = cpu(lambda: asked_once(folder / "ordinals", one))
    mapped = cpu(reader.person_map, times=1)
    permuted = cpu(lambda: Permutation(bytes(16), PERSONS).forward(np.arange(PERSONS)), times=1)
    return [
        rate(f"allocating {PERSONS:,} new ordinals at once, durable", PERSONS, allocated),
        Measurement(
            f"opening a table of {PERSONS:,}, and one look-up", "<= 20 ms", f"{first * 1e3:.1f} ms", first <= 0.02
        ),
        rate(f"loading a table of {PERSONS:,}, verified", PERSONS, opened),
        rate(f"keyed permutation of {PERSONS:,}", PERSONS, permuted),
        Measurement(f"Merkle map of {PERSONS:,} persons", "<= 75 s", f"{mapped:.0f} s", mapped <= 75),
    ]


def main() -> list[Measurement]:
    """Fill a table, ask it, and look at it as a whole."""
    with tempfile.TemporaryDirectory(prefix="muniment-bench-") as name:
        folder = Path(name)
        table, allocated = filled(folder)
        chosen = np.random.default_rng(SEED).integers(0, PERSONS, ASKED)
        lines = steps(table, numbers(chosen), "one length")
        lines += steps(table, [f"person-{number}" for number in chosen.tolist()], "varying length, in no table")
        lines += [single(table), allocating_one(folder)]
        return lines + table_steps(table, folder, allocated)
