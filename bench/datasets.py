"""The reference data sets: found beside the repository, read as text, never copied into it.

`$MUNIMENT_SHARED_DATA` names their folder, else it is `../shared/data`; its README says where each set is from.
"""

from __future__ import annotations

import csv
import gzip
import os
from pathlib import Path

import duckdb

from muniment.table import Cells, Table


def folder() -> Path:
    """The folder of the data sets; `FileNotFoundError` where there is none, so that nothing passes unmeasured."""
    named = os.environ.get("MUNIMENT_SHARED_DATA")
    found = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data"
    if not found.is_dir():
        raise FileNotFoundError("no reference data: set MUNIMENT_SHARED_DATA, or put them into ../shared/data")
    return found


def febrl(part: str = "4a") -> Table:
    """5,000 synthetic Australian persons, one row each; 4a has no errors, 4b one duplicate with errors of each."""
    return _csv(f"febrl_dataset{part}.csv.gz")


def adult() -> Table:
    """32,561 rows of the census income data; it has no key: `row` is added as one, counted from 1."""
    table = _csv("adult_train.csv.gz")
    numbers: Cells = [str(number) for number in range(1, table.rows + 1)]
    return Table(("row", *table.columns), (numbers, *table.cells))


def historical() -> Table:
    """50,578 rows about 5,156 historical persons (`cluster`), duplicates with errors, in the order of `unique_id`.

    The first row of a cluster (`unique_id` ending in -1) comes before its duplicates.
    """
    relation = duckdb.read_parquet(str(folder() / "historical_50k.parquet"))
    rows = relation.order("cluster, CAST(regexp_extract(unique_id, '[0-9]+$') AS INTEGER)").fetchall()
    return Table.from_rows(relation.columns, rows)


def _csv(name: str) -> Table:
    with gzip.open(folder() / name, "rt", encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file, skipinitialspace=True)
    return Table.from_rows(header, [[cell.strip() or None for cell in row] for row in rows if row])
