"""Household joint risk, implied relations, kin, attacks and unicity: CPU seconds, and DuckDB's statement beside ours.

Claim: households as joint keys cost at most 5 CPU s at 10 M persons, in any row order, and give the figures of
DuckDB's `string_agg` over sorted members. Data: the reference register of tests/language/households.py.

    PYTHONPATH=src:tests:bench python bench/exposure/household.py [PERSONS ...]

Some 15 s at 1 M, a minute at 10 M, where only households are looked at.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from typing import Final, TypeVar

import duckdb
import numpy as np

from language.households import Columns, extract, register
from measurement import Measurement
from muniment.exposure.attack import inference, linkability, singling_out
from muniment.exposure.extract import Extract
from muniment.exposure.household import household
from muniment.exposure.implied import implied, revealing
from muniment.exposure.kin import background, kin
from muniment.exposure.relations import shared
from muniment.exposure.unicity import unicity

T = TypeVar("T")
OWN: Final = ("sex", "birth_year", "town")
SECONDS: Final = {1_000_000: 0.5, 10_000_000: 5.0}
SQL: Final = """
with homes as (select hid, string_agg((sex * 10000 + birth_year)::bigint * 400 + town, ','
                                      order by (sex * 10000 + birth_year)::bigint * 400 + town) as members
               from people group by hid)
select count(*) from (select 1 from people join homes using (hid) group by sex, birth_year, town, members
                      having count(*) = 1)
"""


def timed(call: Callable[[], T]) -> tuple[T, float]:
    """What a call gives, and its CPU seconds (user and system, all threads)."""
    before = time.process_time()
    told = call()
    return told, time.process_time() - before


def peak() -> int:
    """The largest resident memory of this process so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main(persons: int = 1_000_000) -> list[Measurement]:
    """The table at so many persons: ours first, so that its peak is its own."""
    household_of(extract(register(2_000), (*OWN, "hid")))  # compiled before it is timed
    columns = {name: values for name, values in register(persons).items() if name in (*OWN, "hid", "diag", "village")}
    rows = np.random.default_rng(1).permutation(persons)
    told = _households(columns, persons, "household order")
    if persons <= 1_000_000:
        told += _others(extract(columns))
    told += _households({name: values[rows] for name, values in columns.items()}, persons, "shuffled")
    return [*told, *_beside_duckdb(columns, persons)]


def household_of(table: Extract) -> int:
    """Persons singled out with their household."""
    return household(table.chosen(OWN), shared(table, ("hid",))).joint.at_least


def _households(columns: Columns, persons: int, order: str) -> list[Measurement]:
    table, before = extract(columns, (*OWN, "hid")), peak()
    count, seconds = timed(lambda: household_of(table))
    bound = SECONDS.get(persons, float("inf"))
    told = f"{seconds:.2f} s, {count / persons:.1%}, peak {before} -> {peak()} MB"
    return [Measurement(f"household joint risk, {persons:,}, {order}", f"<= {bound} CPU s", told, seconds <= bound)]


def _others(table: Extract) -> list[Measurement]:
    ties, near = shared(table, ("hid",)), background(table.chosen(("town",)))
    draw, many = np.random.default_rng(2), table.rows
    visits = {"who": np.arange(many) // 10, "place": draw.zipf(1.3, many) % 2_000, "day": draw.integers(0, 90, many)}
    events = extract(visits)
    calls: dict[str, Callable[[], object]] = {
        "kin, one column": lambda: kin(table.column("diag"), ties, near),
        "revealing pairs of 5 columns": lambda: revealing(table, ties, (*OWN, "village", "diag")),
        "implied relations of 6 columns": lambda: implied(table),
        "singling out, all rows": lambda: singling_out(table, table, OWN),
        "linkability, all rows": lambda: linkability(table, table, OWN, ("village", "diag")),
        "inference, all rows": lambda: inference(table, table, OWN, "diag"),
        "unicity, a tenth as many persons, 10 events each": lambda: unicity(events.column("who"), events.columns[1:]),
    }
    told = []
    for name, call in calls.items():
        call()
        told.append(Measurement(name, "stated", f"{timed(call)[1]:.2f} CPU s at {table.rows:,}", True))
    return told


def _beside_duckdb(columns: Columns, persons: int) -> list[Measurement]:
    """One interleaved run of both; DuckDB on two threads with its own table loaded."""
    table, with_sql = extract(columns, (*OWN, "hid")), duckdb.connect(config={"threads": 2})
    people = {name: columns[name] for name in (*OWN, "hid")}
    with_sql.register("given", people)
    with_sql.execute("create table people as select * from given")
    ours, theirs, wanted = [], [], set()
    for _ in range(3 if persons <= 1_000_000 else 1):
        answer, seconds = timed(lambda: household_of(table))
        ours.append(seconds)
        row, seconds = timed(lambda: with_sql.execute(SQL).fetchone())
        theirs.append(seconds)
        wanted |= {answer, row[0] if row else None}
    ratio = float(np.median(theirs) / np.median(ours))
    equal = "equal" if len(wanted) == 1 else f"not equal: {wanted}"
    told = f"{np.median(ours):.2f} : {np.median(theirs):.2f} CPU s = {ratio:.0f}x, {equal}"
    holds = ratio >= 9 and len(wanted) == 1
    return [Measurement("ours : DuckDB string_agg, person level", ">= 9x, equal", told, holds)]


if __name__ == "__main__":
    for size in [int(one) for one in sys.argv[1:]] or [1_000_000]:
        for line in main(size):
            print(f"{'ok ' if line.holds else 'NOT'}  {line.claim}: {line.measured} (wanted {line.wanted})")
