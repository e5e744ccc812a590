"""One pass over a register before it is added: how many rows, is its key a key, what are its columns.

Rules
1. A key that repeats or is missing stops everything: marks are addressed by it, and two records under one key would
   share their marks. The error names rows, never values.
2. Memory is eight bytes a row: the hash of each key is kept, not the key (Python's own, keyed anew in each process).
   Hashes that agree are looked at again, key by key, in a second pass, so a collision of 64 bits accuses nobody.
3. All columns are read of the first batch, which tells the kinds; of the rest only the key.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from muniment.disclosure import Kind
from muniment.errors import InputError
from muniment.ingest.kinds import guess_kinds
from muniment.ingest.sources import Source
from muniment.table import Table

_NAMED_ROWS = 5
"""Row numbers in an error: enough to look, not a list."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What one pass found: the number of rows, and the columns with their likeliest kinds (in the source's order)."""

    rows: int
    kinds: dict[str, Kind]
    columns: tuple[str, ...]


def survey(source: Source, key: Sequence[str]) -> Survey:
    """Read a register once and check its key.

    Raises `InputError` where a key column does not exist, a key is NULL or empty, or two rows share one: with up to
    five row numbers (the first record is row 1) and what to do; and where the register has no row.
    """
    key = tuple(key)
    _check_columns(source, key)
    sample = next(source.batches(), None)
    if sample is None:
        raise InputError(f"{source.location}: no rows: expected at least one record")
    hashes = array("q")
    missing: list[int] = []
    for table in source.batches(key):
        missing.extend(_missing(table, key, len(hashes), _NAMED_ROWS - len(missing)))
        hashes.extend(map(hash, _keys(table, key)))
    named = ", ".join(key)
    if missing:
        raise InputError(
            f"{source.location}: the key ({named}) is NULL or empty in {_rows(missing)}",
            hint="give every record a key, or name other columns with --key COLUMN[,COLUMN]",
        )
    repeated = _repeated(source, key, np.frombuffer(hashes, dtype=np.int64))
    if repeated:
        raise InputError(
            f"{source.location}: the key ({named}) is not unique: it repeats in {_rows(repeated)}",
            hint="remove the duplicates, or name more columns with --key COLUMN,COLUMN",
        )
    return Survey(len(hashes), guess_kinds(source.columns, sample), source.columns)


def _check_columns(source: Source, key: tuple[str, ...]) -> None:
    if not key or len(set(key)) < len(key):
        raise InputError("the key names no column, or one twice", hint="--key COLUMN[,COLUMN]")
    for name in key:
        if name not in source.columns:
            raise InputError(f"{source.location}: no key column {name!r}; the columns are {', '.join(source.columns)}")


def _missing(table: Table, key: tuple[str, ...], before: int, most: int) -> list[int]:
    """Row numbers (from 1) of the first rows of which a part of the key is NULL or blank."""
    found: set[int] = set()
    for name in key:
        cells = table[name]
        if None in cells or any(not cell or cell.isspace() for cell in cells):
            found.update(row for row, cell in enumerate(cells, before + 1) if not cell or cell.isspace())
    return sorted(found)[: max(most, 0)]


def _keys(table: Table, key: tuple[str, ...]) -> Iterable[object]:
    """The key of each row: the cell, or a tuple of cells."""
    return table[key[0]] if len(key) == 1 else table.select(key).iter_rows()


def _repeated(source: Source, key: tuple[str, ...], hashes: NDArray[np.int64]) -> list[int]:
    """Row numbers (from 1) of the first rows whose key stands in an earlier row as well."""
    order = np.argsort(hashes, kind="stable")
    ranked = hashes[order]
    alike = np.zeros(len(ranked), dtype=bool)
    alike[1:] = ranked[1:] == ranked[:-1]
    alike[:-1] |= alike[1:]
    if not alike.any():
        return []
    suspects = np.sort(order[alike])
    seen: set[object] = set()
    repeated: list[int] = []
    first = 0
    for table in source.batches(key):
        last = first + table.rows
        rows = suspects[np.searchsorted(suspects, first) : np.searchsorted(suspects, last)]
        for row, value in zip(rows, _keys(table.take([int(row) - first for row in rows]), key), strict=True):
            if value in seen:
                repeated.append(int(row) + 1)
                if len(repeated) == _NAMED_ROWS:
                    return repeated
            seen.add(value)
        first = last
    return repeated


def _rows(numbers: Sequence[int]) -> str:
    more = " and more" if len(numbers) == _NAMED_ROWS else ""
    return ("row " if len(numbers) == 1 else "rows ") + ", ".join(f"{number:,}" for number in numbers) + more
