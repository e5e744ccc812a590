"""DuckDB behind one door: hardened connections, conditions over batches, files as batches of text.

Rules
1. No connection loads or fetches an extension, sees Python variables, or opens a file it was not given. The settings
   are locked before any SQL of a user or of a foreign file runs: a view inside a DuckDB file is foreign SQL.
2. Batches are read by ranges of row numbers: DuckDB skips the row groups outside, and the whole range arrives as one
   array a column. That is three to five times as fast as fetching rows, in the same order each time, and bounded.
3. Errors of DuckDB end here. A conversion error quotes the cell it failed on, so its text is never passed on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import duckdb
import numpy as np

from muniment.engine.tables import chosen_table, quoted
from muniment.errors import InputError, MunimentError, UnreachableError
from muniment.limits import BATCH_ROWS
from muniment.table import Cells, Table

_ROW: Final = "#row"
"""Name of the row number beside the columns of a batch; columns of a register cannot shadow it (see `_free_name`)."""


_END: Final = "\n"
"""Behind every condition, before the bracket closes: a comment at its end must not swallow the bracket."""
_CONDITION: Final = "the condition"
"""Named in errors without its text: a condition may hold a person's name."""
_HARDENED: Final[Mapping[str, bool]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "allow_persistent_secrets": False,
    "python_enable_replacements": False,
    "preserve_insertion_order": True,
}
_BEFORE_ROWS: Final = (
    duckdb.ParserException,
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.PermissionException,
)
"""Errors that DuckDB raises before it reads a row: their text cannot quote a cell."""


def connect(
    database: Path | None = None,
    *,
    files: Sequence[Path] = (),
    threads: int | None = None,
    writable: bool = False,
    memory_limit: str | None = None,
) -> duckdb.DuckDBPyConnection:
    """Open a hardened connection: in memory, or on a DuckDB file (read-only unless `writable`).

    `files` are the only other paths it may read or write; `memory_limit` is DuckDB's own, such as "2GB". Raises
    `duckdb.Error`; callers sit inside `duck_errors`.
    """
    config: dict[str, str | bool | int | float | list[str]] = dict(_HARDENED)
    if threads is not None:
        config["threads"] = threads
    if memory_limit is not None:
        config["memory_limit"] = memory_limit
    connection = duckdb.connect(str(database or ":memory:"), read_only=bool(database) and not writable, config=config)
    connection.execute("SET temp_directory = ''")  # nothing of a register is spilled beside the current folder
    connection.execute("SET TimeZone = 'UTC'")  # a time stamp has the same text on every machine
    if files:
        connection.execute("SET allowed_paths = $paths", {"paths": [str(path) for path in files]})
    connection.execute("SET pandas_analyze_sample = 0")  # columns of text stay text, also where a batch is all NULL
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


@contextmanager
def duck_errors(what: str, columns: Sequence[str] = (), *, no_rows: bool = False) -> Iterator[None]:
    """Turn errors of DuckDB into ours; `what` names the file or the condition, `columns` are listed for a bad name.

    `no_rows`: the SQL inside reads no row, so the text of any error may be shown.
    """
    try:
        yield
    except duckdb.Error as error:
        shown = no_rows or isinstance(error, _BEFORE_ROWS)
        # A cause whose text may quote a cell is dropped, or a traceback would show it.
        raise _told(error, what, columns, shown) from (error if shown else None)


def _told(error: duckdb.Error, what: str, columns: Sequence[str], shown: bool) -> MunimentError:
    first = str(error).split("\n", 1)[0]
    if isinstance(error, duckdb.IOException) and "lock" in first:
        return UnreachableError(f"{what}: locked by another program", hint="close the program that has it open")
    if isinstance(error, duckdb.OutOfMemoryException) or "No space left" in first:
        return UnreachableError(f"{what}: out of memory or disk space", hint="make room and try again")
    if shown:
        return InputError(f"{what}: {first}" + (f"; the columns are {', '.join(columns)}" if columns else ""))
    if isinstance(error, duckdb.DataError):
        column = re.search(r"source column (\S+)$", first)
        place = f" of column {column[1]!r}" if column else ""
        return InputError(
            f"{what}: a value{place} does not convert (it is not shown)",
            hint="use TRY_CAST(column AS type), which gives NULL for such a value",
        )
    kind = first.partition(":")[0].lower()
    return InputError(f"{what}: cannot be read to its end: {kind} (the rest may quote a cell and is not shown)")


class Condition:
    """A keeper's SQL condition over batches of text; every column is VARCHAR, so `CAST(age AS INTEGER) > 30`.

    Owns a connection of its own; make one for a pass and use it for all batches.
    """

    def __init__(self, where: str, columns: Sequence[str]) -> None:
        self._where = where
        self._columns = tuple(columns)
        self._row = _free_name(columns)
        with duck_errors(_CONDITION, self._columns):
            self._connection = connect(threads=1)
            check_one_expression(self._connection, where)
        self.rows(Table(self._columns, tuple([] for _ in self._columns)))  # a bad condition fails before any row

    def rows(self, table: Table) -> list[int]:
        """The numbers (from 0, rising) of the rows of `table` for which the condition is true."""
        arrays: dict[str, np.ndarray] = {
            name: np.array(cells, dtype=object) for name, cells in zip(table.columns, table.cells, strict=True)
        }
        arrays[self._row] = np.arange(table.rows)
        row = quoted(self._row)
        with duck_errors(_CONDITION, self._columns):
            self._connection.register("batch", arrays)
            try:
                found = self._connection.execute(f"SELECT {row} FROM batch WHERE ({self._where}{_END}) ORDER BY {row}")
                return [int(number) for number in found.fetchnumpy()[self._row]]
            finally:
                self._connection.unregister("batch")


def matching_rows(table: Table, where: str) -> list[int]:
    """The numbers (from 0) of the rows of one table that meet a condition; see `Condition` for many batches."""
    return Condition(where, table.columns).rows(table)


def folded_names(columns: Sequence[str]) -> set[str]:
    """The names in lower case; `InputError` where two differ in case only: SQL could not tell them apart."""
    seen: dict[str, str] = {}
    for name in columns:
        other = seen.setdefault(name.lower(), name)
        if other != name:
            raise InputError(f"columns {other!r} and {name!r} differ in case only: SQL cannot tell them apart")
    return set(seen)


def _free_name(columns: Sequence[str]) -> str:
    taken = folded_names(columns)
    return next(name for name in (_ROW + "#" * count for count in range(len(columns) + 1)) if name not in taken)


def check_one_expression(connection: duckdb.DuckDBPyConnection, where: str) -> None:
    """Refuse a "condition" that closes the bracket and goes on with a statement of its own."""
    if not where.strip():
        raise InputError("the condition is empty", hint="leave --where out to take every row")
    for sql in (f"SELECT 1 WHERE ({where}{_END})", f"SELECT ({where}{_END}) IS TRUE"):
        if len(connection.extract_statements(sql)) != 1:
            raise InputError("the condition holds more than one statement: expected one condition")


class DuckRelation:
    """A Parquet file, or a table or view of a DuckDB file, as batches of text in a fixed order."""

    def __init__(
        self,
        location: str,
        opener: Callable[..., duckdb.DuckDBPyConnection],
        relation: str,
        row_number: str | None,
    ) -> None:
        self.location = location
        self.sql = relation
        self.is_view = row_number is None
        self._opener = opener
        self._relation = relation
        self._row_number = row_number
        with duck_errors(location, no_rows=True), opener() as connection:
            described = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
        hidden = {row_number}
        self.types: Mapping[str, str] = {str(row[0]): str(row[1]) for row in described if row[0] not in hidden}
        self.columns = tuple(self.types)

    def connection(self, memory_limit: str | None = None) -> duckdb.DuckDBPyConnection:
        """A connection of its own, on which `sql` names this relation; errors as `connect`."""
        return self._opener(memory_limit=memory_limit)

    def batches(self, columns: Sequence[str] | None = None, where: str | None = None) -> Iterator[Table]:
        """The rows that meet `where`, as text, in the order of the file; see `ingest.sources.Source`."""
        names = self.columns if columns is None else tuple(columns)
        for name in names:
            if name not in self.types:
                raise InputError(f"{self.location}: no column {name!r}; the columns are {', '.join(self.columns)}")
        what, listed = (self.location, ()) if where is None else (f"{self.location}: {_CONDITION}", self.columns)
        texts = ", ".join(f"CAST({quoted(name)} AS VARCHAR) AS {quoted(name)}" for name in names)
        with duck_errors(what, listed), self._opener() as connection:
            if where is not None:
                check_one_expression(connection, where)
            # A name in the condition is the typed column, not its text: DuckDB looks at columns before aliases.
            sql = f"SELECT {texts} FROM {self._relation} WHERE {'TRUE' if where is None else f'({where}{_END})'}"
            if self._row_number is None:
                yield from _fetched_rows(connection, sql, names)
            else:
                yield from self._ranges(connection, sql, names, quoted(self._row_number))

    def _ranges(
        self, connection: duckdb.DuckDBPyConnection, sql: str, names: tuple[str, ...], number: str
    ) -> Iterator[Table]:
        """The rows of a query by ranges of the column `number`; ranges without a row give no table."""
        found = connection.execute(f"SELECT max({number}) FROM {self._relation}").fetchone()
        rows = int(found[0]) + 1 if found and found[0] is not None else 0
        for first in range(0, rows, BATCH_ROWS):
            bounds = {"first": first, "last": first + BATCH_ROWS - 1}
            arrays = connection.execute(f"{sql} AND {number} BETWEEN $first AND $last", bounds).fetchnumpy()
            table = Table(names, tuple(_cells(arrays[name]) for name in names))
            if table.rows:
                yield table


def _cells(array: np.ndarray) -> Cells:
    """A column that DuckDB returned as text, with `None` for NULL (`filled(None)` would put a question mark there)."""
    if not isinstance(array, np.ma.MaskedArray):
        return list(array.tolist())
    plain = np.ma.getdata(array)
    plain[np.ma.getmaskarray(array)] = None
    return list(plain.tolist())


def _fetched_rows(connection: duckdb.DuckDBPyConnection, sql: str, names: tuple[str, ...]) -> Iterator[Table]:
    """Batches of a view, which has no row numbers; slower, in the order of the view."""
    connection.execute(sql)
    while rows := connection.fetchmany(BATCH_ROWS):
        yield Table.from_rows(names, rows)


def open_parquet(path: Path) -> DuckRelation:
    """A Parquet file as batches; `InputError` if it is truncated or no Parquet file."""
    if set("*?[") & set(str(path)):
        # DuckDB would take the path for a pattern and read whatever matches it.
        raise InputError(f"{path}: a Parquet file's path may not hold *, ? or [", hint="give the file another name")
    place = str(path).replace("'", "''")
    relation = f"read_parquet('{place}', file_row_number = true)"
    return DuckRelation(str(path), partial(connect, files=[path]), relation, "file_row_number")


def open_duckdb(path: Path, table: str | None) -> DuckRelation:
    """A table or view of a DuckDB file as batches; `InputError` names the tables there are."""
    with duck_errors(str(path), no_rows=True), connect(path) as connection:
        found = connection.execute(
            "SELECT table_schema, table_name, table_type = 'VIEW' FROM information_schema.tables"
            " WHERE table_catalog = current_database() ORDER BY ALL"
        ).fetchall()
    views = {(str(name) if schema == "main" else f"{schema}.{name}"): bool(view) for schema, name, view in found}
    name = chosen_table(path, table, list(views))
    relation = ".".join(map(quoted, name.split("."))) if name not in {row[1] for row in found} else quoted(name)
    return DuckRelation(f"{path}::{name}", partial(connect, path), relation, None if views[name] else "rowid")
