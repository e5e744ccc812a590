"""What a sweep costs: all sets of at most three of thirteen columns, beside DuckDB with one GROUP BY for each set.

    PYTHONPATH=src:tests:bench python bench/exposure/sweep.py [PERSONS] [EVERY]   1,000,000 of households.py; each set

In one run, in turn: muniment sweeps, DuckDB counts a third of the sets, and so on until it has counted each EVERY-th
set once (EVERY 1: all of them). CPU seconds, user and system, of both; the counts of both are compared. DuckDB has its
table in memory; so has muniment its codes. The peak is that of muniment's process, without DuckDB, after the file was
read and after the sweep. What compiles is called on a small register first, and its time is printed by itself.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from exposure.classes import written
from language import households
from muniment.engine.duck import connect, open_parquet
from muniment.exposure.reading import read_extract
from muniment.exposure.sweep import Tally, tally

SWEEPS: Final = 3
NAMES: Final = households.SWEPT
Tallies = dict[tuple[int, ...], Tally]


def peak() -> float:
    """The largest resident memory of this process so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def alone(path: Path) -> None:
    """muniment in a process of its own: what reading, compiling and one sweep cost."""
    begun = time.process_time()
    tally(households.extract(households.register(5_000), NAMES).columns)
    print(f"muniment  compiled, or fetched        {time.process_time() - begun:8.2f} s CPU", flush=True)
    begun = time.process_time()
    extract = read_extract(open_parquet(path), NAMES)
    print(f"muniment  read, {len(NAMES)} columns           {time.process_time() - begun:8.2f} s CPU, {peak():,.0f} MB")
    begun = time.process_time()
    tally(extract.columns)
    print(f"muniment  one sweep                   {time.process_time() - begun:8.2f} s CPU, {peak():,.0f} MB")


def in_turn(path: Path, every: int) -> None:
    """Both in one process, in turn, and the ratio."""
    extract = read_extract(open_parquet(path), NAMES)
    ours: list[float] = []
    theirs, asked, wrong = 0.0, 0, 0
    with connect(files=[path]) as connection:
        connection.execute(f"CREATE TABLE r AS SELECT {', '.join(NAMES)} FROM read_parquet('{path}')")
        for part in range(SWEEPS):
            begun = time.process_time()
            found, _ = tally(extract.columns)
            ours.append(time.process_time() - begun)
            for places in sorted(found)[::every][part::SWEEPS]:
                begun = time.process_time()
                counted = by_group(connection, places)
                theirs += time.process_time() - begun
                asked += 1
                wrong += counted != (found[places].classes, found[places].uniques)
    each, other = min(ours) / len(found), theirs / asked
    spread = ", ".join(f"{spent:.2f}" for spent in ours)
    print(f"muniment  {len(found)} sets   {min(ours):8.2f} s CPU ({spread}), {each * 1e3:.2f} ms a set")
    print(f"DuckDB    {asked} sets   {theirs:8.2f} s CPU, {other * 1e3:.2f} ms a set")
    print(f"ratio {other / each:.1f}; sets that differ: {wrong}")


def by_group(connection: Any, places: Sequence[int]) -> tuple[int, int]:
    """Classes and uniques of one set, by DuckDB."""
    keys = ", ".join(NAMES[place] for place in places)
    sql = f"SELECT count(*), count(*) FILTER (n = 1) FROM (SELECT count(*) AS n FROM r GROUP BY {keys})"
    classes, uniques = connection.execute(sql).fetchone()
    return int(classes), int(uniques)


def main(persons: int, every: int) -> None:
    """Print the table of one size."""
    print(f"{persons:,} persons, sets of at most 3 of {len(NAMES)} columns", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        path = written(persons, Path(folder))
        process = multiprocessing.get_context("spawn").Process(target=alone, args=(path,))
        process.start()
        process.join()
        in_turn(path, every)


if __name__ == "__main__":
    main(int(float(sys.argv[1])) if sys.argv[1:] else 1_000_000, int(sys.argv[2]) if sys.argv[2:] else 1)
