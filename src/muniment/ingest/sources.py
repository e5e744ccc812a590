"""`open_source`: a register at any usual place, as batches of text in an order that stays.

Locations
    people.csv, people.tsv, people.txt        delimited text of any dialect and encoding, also as .gz
    people.parquet                            a Parquet file
    people.duckdb::people                     a table or view of a DuckDB file
    people.sqlite::people                     a table or view of a SQLite file
    postgresql://user@host:port/db/table      a PostgreSQL table or view (schema.table where needed)

A file is known by its first bytes, not by its name. The table may be left out where the file holds only one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

from muniment.errors import InputError, UnreachableError
from muniment.table import Table

_SQLITE: Final = b"SQLite format 3\0"
_PARQUET: Final = b"PAR1"
_DUCKDB: Final = b"DUCK"
_DUCKDB_AT: Final = 8
"""A DuckDB file begins with a checksum of eight bytes."""
_ZIP: Final = b"PK\x03\x04"
_SCHEMES: Final = ("postgresql://", "postgres://")


class Source(Protocol):
    """One register to read. Opening checks what it can; reading holds a connection or file open for one pass only."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, in order."""

    @property
    def types(self) -> Mapping[str, str]:
        """The DuckDB type of each column; VARCHAR in text files, and where DuckDB has no type for the same values."""

    @property
    def location(self) -> str:
        """Where it is read from, without secrets; `open_source(location)` opens it again."""

    def batches(self, columns: Sequence[str] | None = None, where: str | None = None) -> Iterator[Table]:
        """The rows as tables of at most `BATCH_ROWS` rows with these columns, in the same order on each call.

        Cells are text: ISO dates and time stamps (UTC), exact decimals, shortest exact floats, `true` and `false`;
        NULL is `None`. `where` is a SQL condition of the keeper, in the language of the place it is read from; it may
        use columns that are not selected. In text files every column is text: `CAST(age AS INTEGER) > 30`.

        Raises `InputError` (no such column, a bad condition, a damaged file) and `UnreachableError` (disk, server).
        """


def open_source(location: str, *, encoding: str | None = None) -> Source:
    """Open a register for reading; `encoding` is for text files whose encoding is not detected rightly.

    Raises `InputError` where there is nothing to read or it is not what its place says, `UnreachableError` where the
    disk or server does not answer. The libraries behind a kind of place are imported only when it is used.
    """
    if location.startswith(_SCHEMES):
        from muniment.ingest.postgres import PostgresSource

        return PostgresSource(location)
    path, table = _split(location)
    head, tail = _ends(path)
    if head.startswith(_SQLITE):
        from muniment.ingest.sqlite import SqliteSource

        return SqliteSource(path, table)
    if head[_DUCKDB_AT:].startswith(_DUCKDB):
        from muniment.engine.duck import open_duckdb

        return open_duckdb(path, table)
    if table is not None:
        raise InputError(f"{path}: neither a DuckDB nor a SQLite file: {location!r} names a table in it")
    if head.startswith(_PARQUET) or path.suffix.lower() == ".parquet":
        return _parquet(path, head, tail)
    return _text(path, head, encoding)


def _split(location: str) -> tuple[Path, str | None]:
    """The path and the table of a location; a file whose own name holds `::` is taken as it is."""
    path, mark, table = location.rpartition("::")
    return (Path(path), table) if mark and not Path(location).exists() else (Path(location), None)


def _ends(path: Path) -> tuple[bytes, bytes]:
    """The first 16 and the last 4 bytes of a file."""
    try:
        with path.open("rb") as file:
            head = file.read(16)
            file.seek(max(file.seek(0, 2) - 4, 0))
            return head, file.read(4)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError(f"{path}: no such file", hint="check the path; a server is postgresql://...") from error
    except IsADirectoryError as error:
        raise InputError(f"{path} is a folder: expected a file") from error
    except OSError as error:
        raise UnreachableError(f"{path}: cannot be read: {error.strerror or error}") from error


def _parquet(path: Path, head: bytes, tail: bytes) -> Source:
    """A Parquet file begins and ends with the same four bytes."""
    if not head.startswith(_PARQUET):
        raise InputError(f"{path}: not a Parquet file")
    if tail != _PARQUET:
        raise InputError(f"{path}: a Parquet file that is cut short", hint="copy the file again and compare its size")
    from muniment.engine.duck import open_parquet

    return open_parquet(path)


def _text(path: Path, head: bytes, encoding: str | None) -> Source:
    if not head:
        raise InputError(
            f"{path}: the file is empty: expected a line of column names and records below it",
            hint="export the register again, and look whether the disk was full when it was written",
        )
    if head.startswith(_ZIP):
        raise InputError(f"{path}: a zip or spreadsheet, not a table", hint="save the sheet as CSV (UTF-8)")
    if path.suffix.lower() in {".duckdb", ".sqlite", ".sqlite3", ".db"}:
        raise InputError(f"{path}: neither a DuckDB nor a SQLite file, or its first bytes are lost")
    from muniment.ingest.delimited import open_delimited

    return open_delimited(path, encoding=encoding)
