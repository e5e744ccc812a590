"""What the memory of a recipient costs: a 1 M extract judged on top of three earlier ones; CPU seconds and peak.

    PYTHONPATH=src:tests:bench python bench/exposure/cumulative.py [PERSONS]   1,000,000 of tests/language/households.py

The three earlier releases are those of the published accumulation figures, each suppressed to classes of 5; the new one
is six quasi-identifiers of everybody. *From rows*: four Parquet files are coded, classed and joined. *From kept*: the
three earlier ones are read back from bytes. DuckDB: the joint class of all four by one join and GROUP BY, the count of
persons alone compared. Each figure is one call, after one on a small register that compiles.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np

from language import households
from muniment.engine.duck import connect, open_parquet
from muniment.exposure.classes import classes
from muniment.exposure.cumulative import Cumulative, accumulate
from muniment.exposure.kept import Kept, keep
from muniment.exposure.reading import read_extract

KEY: Final = b"k" * 32
T = TypeVar("T")


def releases(persons: int) -> list[households.Columns]:
    """The three earlier releases and the new one, with the number of each person and the diagnosis."""
    of = households.register(persons)
    first = {"sex": of["sex"], "birth_year": of["birth_year"], "county": of["town"] // 16, "marital": of["marital"]}
    second = {"sex": of["sex"], "decade": of["birth_year"] // 10, "town": of["town"], "half": of["edu"] // 2}
    third = {"band": of["birth_year"] // 5, "village": of["village"], "sex": of["sex"]}
    new = {name: of[name] for name in households.Q6}
    return [*(_safe(columns, of) for columns in (first, second, third)), {**new, "diag": of["diag"], "pid": of["pid"]}]


def _safe(columns: households.Columns, of: households.Columns) -> households.Columns:
    found = classes(households.extract(columns).columns)
    rows = np.flatnonzero(found.sizes[found.ids] >= 5)
    return {name: values[rows] for name, values in {**columns, "diag": of["diag"], "pid": of["pid"]}.items()}


def said(side: str, what: str, seconds: float) -> None:
    """One line of the table."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{side:9} {what:44} {seconds:8.3f} s CPU   peak so far {peak:6,.0f} MB", flush=True)


def spent(call: Callable[[], T]) -> tuple[T, float]:
    """What a call gives, and its CPU seconds."""
    begun = time.process_time()
    return call(), time.process_time() - begun


def from_rows(path: Path) -> Kept:
    """The classes of a release from its file; the number of a person is the ordinal."""
    source = open_parquet(path)
    quasi = tuple(name for name in source.columns if name not in ("diag", "pid"))
    extract = read_extract(source, (*quasi, "diag"), labels=True)
    with connect(files=[path]) as connection:
        record = connection.execute(f"SELECT pid FROM read_parquet('{path}')").fetchnumpy()["pid"]  # noqa: S608
    return keep(replace(extract, record=record.astype(np.uint32)), quasi, KEY, sensitive="diag")


def duckdb(paths: list[Path]) -> int:
    """Persons of the new release that are alone together with all earlier ones."""
    *held, new = [open_parquet(path).columns for path in paths]
    keys = [f"t{n}.{name}" for n, columns in enumerate((*held, new)) for name in columns if name not in ("diag", "pid")]
    joins = " ".join(f"LEFT JOIN read_parquet('{path}') t{n} USING (pid)" for n, path in enumerate(paths[:-1]))
    rows = f"SELECT 1 FROM read_parquet('{paths[-1]}') t{len(held)} {joins} GROUP BY {', '.join(keys)}"  # noqa: S608
    sql = f"SELECT count(*) FROM ({rows} HAVING count(*) = 1)"  # noqa: S608
    with connect(files=paths) as connection:
        found: Any = connection.execute(sql).fetchone()
    return int(found[0])


def judged(paths: list[Path]) -> Cumulative:
    """All from rows."""
    *held, new = [from_rows(path) for path in paths]
    return accumulate(new, held)


def main() -> None:
    """Print the table."""
    persons = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        _, compiling = spent(lambda: judged(_written(Path(folder), 20_000)))
        said("muniment", "first call on 20,000 (compiles)", compiling)
        paths = _written(Path(folder), persons)
        kept = [from_rows(path) for path in paths]
        data = [b"".join(one.to_bytes()) for one in kept[:-1]]
        found, seconds = spent(lambda: accumulate(kept[-1], [Kept.from_bytes(one) for one in data]))
        said("muniment", "from kept arrays", seconds)
        again, seconds = spent(lambda: judged(paths))
        said("muniment", "from rows of four files", seconds)
        alone, seconds = spent(lambda: duckdb(paths))
        said("DuckDB", "joint classes only, no diagnosis", seconds)
        assert again == found and alone == found.together.alone.at_least
        for step in found.steps:
            print(step.to_json())
        for survivors in found.surviving:
            print(survivors.to_json())


def _written(folder: Path, persons: int) -> list[Path]:
    paths = []
    for number, columns in enumerate(releases(persons)):
        paths.append(path := folder / f"{persons}-{number}.parquet")
        with connect(files=[path], writable=True) as connection:
            connection.register("given", columns)
            connection.execute(f"COPY (SELECT * FROM given) TO '{path}' (FORMAT parquet)")
    return paths


if __name__ == "__main__":
    main()
