"""What classes cost: numbering, values in classes, counts and coding, beside DuckDB's GROUP BY; CPU seconds and peak.

    PYTHONPATH=src:tests:bench python bench/exposure/classes.py [PERSONS]   1,000,000 of tests/language/households.py
    ... PERSONS duckdb|muniment                                             one side alone, for its own peak

Each figure is the least of three calls in one process, after one call on a small register that compiles; the time of
that call is printed by itself. DuckDB has its table in memory; so has muniment its codes. Peak: of the whole process.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from language import households
from muniment.engine.duck import connect, open_parquet
from muniment.exposure.classes import class_value_counts, classes, count_only
from muniment.exposure.extract import Coded, Extract
from muniment.exposure.reading import read_extract

CALLS: Final = 3
COLUMNS: Final = households.SWEPT
SETS: Final = {"q6": households.Q6, "q9": households.Q9}


def least(call: Callable[[], Any]) -> float:
    """CPU seconds (user and system, all threads) of the quickest of some calls."""
    spent = []
    for _ in range(CALLS):
        begun = time.process_time()
        call()
        spent.append(time.process_time() - begun)
    return min(spent)


def said(side: str, what: str, seconds: float) -> None:
    """One line of the table."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{side:9} {what:44} {seconds:8.3f} s CPU   peak so far {peak:6,.0f} MB", flush=True)


def written(persons: int, folder: Path) -> Path:
    """The register as a Parquet file, written by a process of its own so that its memory is not in the peak."""
    import multiprocessing

    path = folder / "register.parquet"
    process = multiprocessing.get_context("spawn").Process(target=_write, args=(persons, path))
    process.start()
    process.join()
    return path


def _write(persons: int, path: Path) -> None:
    with connect(files=[path], writable=True) as connection:
        connection.register("register", households.register(persons))
        connection.execute(f"COPY (SELECT * FROM register) TO '{path}' (FORMAT parquet)")


def ours(path: Path) -> None:
    """muniment: read and code, then each count."""
    begun = time.process_time()
    warm = households.extract(households.register(5_000), COLUMNS)
    _each(warm, lambda what, call: call())
    said("muniment", "compiled, or fetched from the cache of code", time.process_time() - begun)
    begun = time.process_time()
    extract = read_extract(open_parquet(path), COLUMNS)
    said("muniment", f"read and coded, {len(COLUMNS)} columns", time.process_time() - begun)
    _each(extract, lambda what, call: said("muniment", what, least(call)))


def _each(extract: Extract, run: Callable[[str, Callable[[], Any]], None]) -> None:
    secret = extract.column("diag")
    for label, names in SETS.items():
        columns = extract.chosen(names)
        found = classes(columns)
        run(f"{label}: classes and their sizes", partial(classes, columns))
        run(f"{label}: k, uniques, marketer by counts", partial(count_only, columns))
        run(f"{label}: values in classes", partial(class_value_counts, found, secret))
        run(f"{label}: classes, values, l and entropy l", partial(_diversity, columns, secret))


def _diversity(columns: Sequence[Coded], secret: Coded) -> tuple[int, float]:
    """Distinct and entropy l, as a measure would have them from classes."""
    found = classes(columns)
    runs = class_value_counts(found, secret)
    share = runs.counts / np.repeat(found.sizes, np.diff(runs.starts))
    entropy = -np.add.reduceat(share * np.log(share), runs.starts[:-1])
    return int(np.diff(runs.starts).min()), float(np.exp(entropy.min()))


def theirs(path: Path) -> None:
    """DuckDB: the same by statements over a table in memory."""
    with connect(files=[path]) as connection:
        begun = time.process_time()
        connection.execute(f"CREATE TABLE r AS SELECT {', '.join(COLUMNS)} FROM read_parquet('{path}')")
        said("DuckDB", f"read, {len(COLUMNS)} columns", time.process_time() - begun)
        for label, names in SETS.items():
            keys = ", ".join(names)
            sizes = f"SELECT count(*) AS n FROM r GROUP BY {keys}"
            pairs = f"SELECT {keys}, count(*) AS n FROM r GROUP BY {keys}, diag"
            entropy = "ln(sum(n)) - sum(n * ln(n)) / sum(n)"
            each = f"SELECT count(*) AS d, {entropy} AS h FROM ({pairs}) GROUP BY {keys}"
            for what, sql in {
                "k, uniques, marketer": f"SELECT min(n), count(*) FILTER (n = 1), count(*) FROM ({sizes})",
                "l and entropy l": f"SELECT min(d), min(exp(h)) FROM ({each})",
            }.items():
                said("DuckDB", f"{label}: {what}", least(partial(_fetched, connection, sql)))


def _fetched(connection: Any, sql: str) -> Any:
    return connection.execute(sql).fetchall()


def main(persons: int, sides: list[str]) -> None:
    """Print the table of one size."""
    print(f"{persons:,} persons; numpy {np.__version__}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        path = written(persons, Path(folder))
        for name, side in (("muniment", ours), ("duckdb", theirs)):
            if name in sides or not sides:
                side(path)


if __name__ == "__main__":
    main(int(float(sys.argv[1])) if sys.argv[1:] else 1_000_000, sys.argv[2:])
