"""Names of tables: which one is meant, and how a name stands in SQL. No DuckDB here, so a SQLite file needs none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from muniment.errors import InputError


def quoted(name: str) -> str:
    """A column or table name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def chosen_table(path: Path, table: str | None, tables: Sequence[str]) -> str:
    """The table that was asked for, or the only one; `InputError` lists what there is."""
    listed = ", ".join(tables[:20]) or "none"
    if table is None and len(tables) == 1:
        return tables[0]
    if table is None:
        raise InputError(f"{path} holds {len(tables)} tables: {listed}", hint=f"name one: {path.name}::TABLE")
    if table not in tables:
        raise InputError(f"{path} has no table {table!r}; its tables are {listed}")
    return table
