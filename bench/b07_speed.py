"""Speed: release with three marked columns, and trace, as rows, candidates and registers grow. One process.

The register is generated: 11 columns like a municipal register, an address that differs in almost every row, a birth
date and a number; street-type, date-layout and code-spacing allowed, coalition 10. Releases are given in CPU time of
this process, traces in wall time; the whole file takes some ten minutes and 3 GB of disk in the temporary folder.

Published peers on this kind of machine embed 1,430 rows/s (NCorr-FP) to 13,800 rows/s (fingerprinting-toolbox) and need
17 to 19 s to detect in 30,000 rows, given the primary key; neither is a package that could be installed here.
"""

from __future__ import annotations

import csv
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

import muniment as mu
from measurement import Measurement
from muniment.config import set_carriers

PASSPHRASE = "a passphrase for benchmarks only"
SEED = 5
CARRIERS = {"address_1": "street-type", "date_of_birth": "date-layout", "soc_sec_id": "code-spacing"}
COLUMNS = (
    "rec_id", "given_name", "surname", "street_number", "address_1", "address_2",
    "suburb", "postcode", "state", "date_of_birth", "soc_sec_id",
)  # fmt: skip
TYPES = ("street", "road", "avenue", "place", "crescent", "circuit", "drive", "court")
BIG = os.environ.get("MUNIMENT_BENCH_BIG", "1") != "0"
"""The 5,000,000-row register takes minutes; `MUNIMENT_BENCH_BIG=0` leaves it out, and its line then says so."""


def rows_of(count: int) -> Iterator[list[str]]:
    """Generated persons; the same seed and row give the same person."""
    rng = np.random.default_rng(SEED)
    for start in range(0, count, 100_000):
        size = min(100_000, count - start)
        draw = {name: rng.integers(0, top, size).tolist() for name, top in _RANGES}
        for i in range(size):
            d = {name: values[i] for name, values in draw.items()}
            yield [
                f"rec-{start + i}", f"given{d['given']}", f"surname{d['surname']}", str(d["number"] + 1),
                f"{d['number'] + 1} {_WORDS[d['word'] % 40]}{_WORDS[d['word'] // 40]} {TYPES[d['type']]}",
                f"flat {d['number'] % 60 + 1}",
                f"suburb{d['suburb']}", f"{d['suburb'] % 9000 + 1000}", "nsw",
                f"{1920 + d['year']}{d['month'] + 1:02}{d['day'] + 1:02}", f"{1_000_000 + d['id']}",
            ]  # fmt: skip


_RANGES = (
    ("given", 2_000), ("surname", 30_000), ("number", 300), ("word", 1_600), ("type", 8), ("suburb", 5_000),
    ("year", 90), ("month", 12), ("day", 28), ("id", 8_999_999),
)  # fmt: skip
_WORDS = [
    a + b
    for a in ("bar", "hol", "win", "mar", "tel", "ros", "kin", "dun")
    for b in ("ton", "ley", "ada", "ford", "wood")
]


def write_register(source: Path, rows: int) -> None:
    """Write the generated register of so many rows."""
    with source.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(rows_of(rows))


def office(folder: Path, rows: int, candidates: int = 0) -> mu.Workspace:
    """A workspace with a generated register of so many rows, and `candidates` recipients on record.

    The recipients get copies of a few rows while the register is small; then it grows to its size, as registers do.
    """
    source, home = folder / "register.csv", folder / "office"
    write_register(source, 1_000)
    mu.init(home, PASSPHRASE).register("persons", source, key="rec_id", kinds={"soc_sec_id": "code"})
    for column, carrier in CARRIERS.items():
        set_carriers(home / "muniment.toml", "persons", column, [carrier])
    ws = mu.open(home, PASSPHRASE)
    few = {f"recipient {i}": folder / f"few-{i}.csv" for i in range(candidates)}
    if few:
        ws.release_many("persons", to=few, purpose="bench", where="CAST(substr(rec_id, 5) AS INTEGER) < 20")
    for path in few.values():
        path.unlink()
    write_register(source, rows)
    return ws


def leak(copy: Path, rows: int, out: Path) -> Path:
    """Rows of a copy in a random order, without the key, under other names: four columns."""
    with copy.open(newline="") as file:
        reader = csv.reader(file)
        next(reader)
        chosen = [[row[i] for i in (1, 2, 4, 9)] for row in reader]
    picked = np.random.default_rng(SEED).permutation(len(chosen))[:rows]
    with out.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["first", "last", "street", "born"])
        writer.writerows(chosen[i] for i in picked)
    return out


def cpu(action: Callable[[], object]) -> float:
    """CPU seconds of an action in this process."""
    start = time.process_time()
    action()
    return time.process_time() - start


def peak_mib() -> int:
    """The peak memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def release_speed(folder: Path) -> list[Measurement]:
    """One copy of 200,000 rows, first and later; and many copies in one pass."""
    rows = 200_000
    ws = office(folder, rows)
    first = cpu(lambda: ws.release("persons", to="first", purpose="bench", out=folder / "first.csv"))
    later = min(
        cpu(lambda i=i: ws.release("persons", to=f"later {i}", purpose="bench", out=folder / f"later{i}.csv"))  # type: ignore[misc]
        for i in range(3)
    )
    many = {f"many {i}": folder / f"many{i}.csv" for i in range(10)}
    together = cpu(lambda: ws.release_many("persons", to=many, purpose="bench"))
    claim = "release, three marked columns, 200,000 rows of 11 columns, one core"
    return [
        Measurement(
            claim + ", first copy (with baseline)",
            ">= 100,000 rows/s",
            f"{rows / first:,.0f} rows/s",
            rows / first >= 1e5,
        ),
        Measurement(
            claim + ", later copies (best of 3)",
            ">= 100,000 rows/s",
            f"{rows / later:,.0f} rows/s",
            rows / later >= 1e5,
        ),
        Measurement(
            claim + ", ten copies in one pass",
            ">= 100,000 rows/s",
            f"{10 * rows / together:,.0f} rows/s",
            10 * rows / together >= 1e5,
        ),
    ]


def trace_speed(folder: Path, register: int, leaked: int, candidates: int, seconds: float, gib: float) -> Measurement:
    """One trace with alignment."""
    ws = office(folder, register, candidates - 1)
    copy = folder / f"copy-{register}-{candidates}.csv"
    ws.release("persons", to="the leaker", purpose="bench", out=copy)
    file = leak(copy, leaked, folder / f"leak-{register}-{leaked}.csv")
    copy.unlink()
    start = time.perf_counter()
    verdict = ws.trace(file)
    wall = time.perf_counter() - start
    right = [named.recipient for named in verdict.named] == ["the leaker"]
    peak = peak_mib() / 1024
    return Measurement(
        f"trace {leaked:,} leaked rows, {candidates:,} recipients, register of {register:,}, with alignment",
        f"<= {seconds:.0f} s, <= {gib:g} GiB, the right one named",
        f"{wall:.1f} s, {peak:.2f} GiB, {'right' if right else 'WRONG'}, {verdict.rows_aligned:,} rows aligned, "
        f"{verdict.symbols_read:,} symbols",
        right and wall <= seconds and peak <= gib,
    )


def in_a_folder(action: Callable[[Path], list[Measurement]]) -> list[Measurement]:
    """Run one measurement in a temporary folder of its own."""
    with tempfile.TemporaryDirectory(prefix="muniment-bench-") as name:
        return action(Path(name))


TRACES = (
    # register, leaked rows, candidates, seconds, GiB
    (50_000, 3_000, 1_000, 10, 1.0),
    (50_000, 30_000, 100, 10, 1.0),
    (50_000, 30_000, 1_000, 10, 1.0),
    (500_000, 100_000, 1_000, 60, 4.0),
    (500_000, 100_000, 10_000, 60, 4.0),
)
BIGGEST = (5_000_000, 1_000_000, 10_000, 180, 8.0)


def main() -> list[Measurement]:
    """Release, then traces of growing size; the largest last, because peak memory never falls again."""
    lines = in_a_folder(release_speed)
    for register, leaked, candidates, seconds, gib in (*TRACES, *([BIGGEST] if BIG else [])):
        with tempfile.TemporaryDirectory(prefix="muniment-bench-") as name:
            lines.append(trace_speed(Path(name), register, leaked, candidates, seconds, gib))
    if not BIG:
        claim = "trace 1,000,000 leaked rows, 10,000 recipients, register of 5,000,000"
        lines.append(Measurement(claim, "<= 180 s", "not run", False))
    return lines
