"""SQLite files as a source, read with the sqlite3 module of Python.

Rules
1. The file is opened read-only and queries only; functions of a schema that came with the file are not trusted.
2. SQLite types values, not columns. Integers become plain digits, floats their shortest exact text (`repr`), blobs
   upper-case hex; a text stays as it is. SQLite's own CAST would cut floats at 15 digits.
3. The order is that of the row number, of the primary key where there is none, and of the view in a view.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from muniment.engine.collector import collector_paused
from muniment.engine.tables import chosen_table, quoted
from muniment.errors import InputError, UnreachableError
from muniment.limits import BATCH_ROWS
from muniment.table import Cells, Table

SQLITE_MAGIC: Final = b"SQLite format 3\0"
_TYPES: Final = {"INTEGER": "BIGINT", "INT": "BIGINT", "BIGINT": "BIGINT", "REAL": "DOUBLE", "DOUBLE": "DOUBLE"}
_Value = str | int | float | bytes | None


class SqliteSource:
    """One table or view of a SQLite file; `table` may be left out where there is only one."""

    def __init__(self, path: Path, table: str | None = None) -> None:
        self._path = path
        with _told(str(path)), closing(_connect(path)) as connection:
            found = connection.execute(
                "SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%'"
                " ESCAPE '\\' ORDER BY name"
            ).fetchall()
            self._table = chosen_table(path, table, [name for name, _ in found])
            self.location = f"{path}::{self._table}"
            described = connection.execute(f"PRAGMA table_info({quoted(self._table)})").fetchall()
            key = [row[1] for row in sorted(described, key=lambda row: int(row[5])) if row[5]]
            view = dict(found)[self._table] == "view"
            self._order = "" if view else f" ORDER BY {_order(connection, self._table, key)}"
        self.types: Mapping[str, str] = {
            str(row[1]): _TYPES.get(str(row[2]).upper(), "VARCHAR") for row in described
        }
        self.columns = tuple(self.types)

    def batches(self, columns: Sequence[str] | None = None, where: str | None = None) -> Iterator[Table]:
        """The rows that meet `where` (SQLite's SQL), as text; see `ingest.sources.Source`."""
        names = self.columns if columns is None else tuple(columns)
        for name in names:
            if name not in self.types:
                raise InputError(f"{self.location}: no column {name!r}; the columns are {', '.join(self.columns)}")
        # The line end keeps a comment at the end of the condition from swallowing the bracket.
        condition = f" WHERE ({where}\n)" if where is not None else ""
        query = f"SELECT {', '.join(map(quoted, names))} FROM {quoted(self._table)}{condition}{self._order}"
        what, listed = (f"{self.location}: the condition", self.columns) if where is not None else (self.location, ())
        with _told(what, listed), closing(_connect(self._path)) as connection:
            rows = connection.execute(query)
            while True:
                with collector_paused():
                    batch = rows.fetchmany(BATCH_ROWS)
                    cells = tuple([_texts(column) for column in zip(*batch, strict=True)])
                if not batch:
                    return
                yield Table(names, cells)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True, timeout=5)
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def _order(connection: sqlite3.Connection, table: str, key: Sequence[str]) -> str:
    """The row number, or the primary key of a table made WITHOUT ROWID."""
    try:
        connection.execute(f"SELECT rowid FROM {quoted(table)} LIMIT 0")
    except sqlite3.OperationalError as error:
        if "no such column" not in str(error):
            raise
        return ", ".join(map(quoted, key))
    return "rowid"


def _texts(column: Sequence[_Value]) -> Cells:
    """A column of SQLite values as text."""
    if all(cell is None or type(cell) is str for cell in column):
        return [cell for cell in column if cell is None or isinstance(cell, str)]
    return [_text(cell) for cell in column]


def _text(value: _Value) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return value.hex().upper() if isinstance(value, bytes) else repr(value)


@contextmanager
def _told(what: str, columns: Sequence[str] = ()) -> Iterator[None]:
    """Turn errors of SQLite into ours. Its messages name tables and columns, never cells."""
    try:
        yield
    except (sqlite3.Error, sqlite3.Warning) as error:
        text = str(error)
        if "one statement" in text:  # a Warning up to Python 3.11, an Error since
            raise InputError(f"{what} holds more than one statement: expected one condition") from error
        if "locked" in text or "unable to open" in text or "disk I/O" in text:
            raise UnreachableError(f"{what}: {text}", hint="close the program that writes to it") from error
        if "Could not decode" in text:  # quotes the cell
            raise InputError(f"{what}: the table holds text that is not UTF-8") from None
        listed = f"; the columns are {', '.join(columns)}" if columns and "no such column" in text else ""
        raise InputError(f"{what}: {text}{listed}") from error
