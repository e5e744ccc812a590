"""All measures of six quasi-identifiers in one pass of classes, beside DuckDB's five statements and pyCANON.

    PYTHONPATH=src:tests:bench python bench/exposure/measures.py [PERSONS] [muniment|duckdb|pycanon]

CPU seconds (user and system, all threads) of one call each, after one call on a small register that compiles. Each side
runs in a process of its own, so that the peak is its own: of the whole process, and what the call alone added to it.
pyCANON (if it is installed: its own environment will do) has 3,000 persons, where its last measure ends.
"""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from exposure.classes import said, written
from language import households
from muniment.engine.duck import connect, open_parquet
from muniment.exposure.classes import class_value_counts, classes
from muniment.exposure.extract import Extract
from muniment.exposure.likeness import likeness
from muniment.exposure.measures import class_measures
from muniment.exposure.reading import read_extract

SIX: Final = households.Q6
SECRET: Final = "diag"
FEW: Final = 3_000
SIDES: Final = ("muniment", "duckdb", "pycanon")


def all_measures(extract: Extract) -> tuple[Any, Any]:
    """Everything that target T1 names, from codes."""
    of = classes(extract.chosen(SIX))
    secret = extract.column(SECRET)
    return class_measures(of), likeness(of, secret, runs=class_value_counts(of, secret))


def muniment(path: Path) -> None:
    """Ours: read, then all measures."""
    begun = time.process_time()
    warm = households.extract(households.register(FEW), (*SIX, SECRET))
    all_measures(warm)
    said("muniment", "compiled, or fetched from the cache of code", time.process_time() - begun)
    begun = time.process_time()
    told = all_measures(warm)
    said("muniment", f"all measures, {FEW:,} persons", time.process_time() - begun)
    begun = time.process_time()
    extract = read_extract(open_parquet(path), (*SIX, SECRET))
    said("muniment", "read and coded", time.process_time() - begun)
    begun = time.process_time()
    told = all_measures(extract)
    said("muniment", f"all measures, {extract.rows:,} persons", time.process_time() - begun)
    print(f"          {told[0].classes:,} classes, {told[0].uniques} uniques; {told[1]}")


def duckdb(path: Path) -> None:
    """The same by five statements over a table in memory."""
    keys = ", ".join(SIX)
    sizes = f"SELECT count(*) AS n FROM r GROUP BY {keys}"
    runs = f"(SELECT {keys}, {SECRET}, count(*) AS n FROM r GROUP BY {keys}, {SECRET})"
    whole = f"(SELECT {SECRET}, count(*) / (SELECT count(*) FROM r) AS p FROM r GROUP BY {SECRET})"
    parts = f"SELECT *, n / sum(n) OVER (PARTITION BY {keys}) AS q FROM {runs} JOIN {whole} USING ({SECRET})"
    statements = {
        "k, uniques, marketer": f"SELECT min(n), count(*) FILTER (n = 1), count(*) / sum(n) FROM ({sizes})",
        "histogram": f"SELECT n, count(*) FROM ({sizes}) GROUP BY n",
        "l, entropy l": "SELECT min(d), min(exp(h)) FROM "
        f"(SELECT count(*) AS d, ln(sum(n)) - sum(n * ln(n)) / sum(n) AS h FROM {runs} GROUP BY {keys})",
        "t": f"SELECT max(t) FROM (SELECT sum(greatest(q - p, 0)) AS t FROM ({parts}) GROUP BY {keys})",
        "beta, delta": f"SELECT max(q / p) - 1, max(abs(ln(q / p))) FROM ({parts})",
    }
    with connect(files=[path]) as connection:
        connection.execute(f"CREATE TABLE r AS SELECT {keys}, {SECRET} FROM read_parquet('{path}')")
        for what, sql in statements.items():
            begun = time.process_time()
            found = connection.execute(sql).fetchall()
            said("DuckDB", what, time.process_time() - begun)
            print(f"          {found[0]}")


def pycanon(path: Path) -> None:
    """pyCANON on the first few persons."""
    if importlib.util.find_spec("pycanon") is None:
        print("pyCANON   is not installed here")
        return
    pandas, anonymity = (importlib.import_module(name) for name in ("pandas", "pycanon.anonymity"))
    data = pandas.DataFrame(households.register(FEW))[[*SIX, SECRET]]
    calls: dict[str, Callable[[], object]] = {
        "k": lambda: anonymity.k_anonymity(data, list(SIX)),
        "l": lambda: anonymity.l_diversity(data, list(SIX), [SECRET]),
        "t": lambda: anonymity.t_closeness(data, list(SIX), [SECRET]),
    }
    for what, call in calls.items():
        begun = time.process_time()
        call()
        said("pyCANON", f"{what}, {FEW:,} persons", time.process_time() - begun)


def main(persons: int, sides: list[str]) -> None:
    """Print the table of one size, each side in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = written(persons, Path(folder))
        print(f"{persons:,} persons", flush=True)
        for side in sides or SIDES:
            subprocess.run([sys.executable, __file__, "--side", side, str(path)], check=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--side"]:
        {"muniment": muniment, "duckdb": duckdb, "pycanon": pycanon}[sys.argv[2]](Path(sys.argv[3]))
    else:
        main(int(float(sys.argv[1])) if sys.argv[1:] else 1_000_000, sys.argv[2:])
