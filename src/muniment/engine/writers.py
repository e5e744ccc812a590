"""`open_writer`: a release file of the form that was asked for; and CSV, the plainest of them."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self, TypeAlias

from muniment.engine.parquet import ParquetWriter
from muniment.engine.writing import (
    SURROGATE,
    Writer,
    bad_cell,
    check_columns,
    disk_errors,
    leave,
    private,
    remove,
    sync,
)
from muniment.engine.xlsx import XlsxWriter
from muniment.errors import InputError
from muniment.table import Table

__all__ = ["CsvWriter", "Form", "Writer", "open_writer"]

Form: TypeAlias = Literal["csv", "parquet", "xlsx"]
_BUFFER: Final = 1 << 20


def open_writer(
    path: Path,
    columns: Sequence[str],
    types: Mapping[str, str],
    form: Form,
    *,
    bom: bool = False,
    rows: int | None = None,
) -> Writer:
    """Open a writer on a temporary path.

    `types` are DuckDB type names (`Source.types`), restored in Parquet where every cell casts back exactly. `bom` puts
    a byte order mark before CSV, without which Excel takes UTF-8 for a code page. `rows`, where known, lets a sheet
    that will not hold them be refused at once.

    Raises `InputError` (unknown form, a column name that the form cannot hold), `LimitError` (too many rows for a
    sheet) and `UnreachableError` (the path cannot be written).
    """
    if form == "csv":
        return CsvWriter(path, columns, bom=bom)
    if form == "parquet":
        return ParquetWriter(path, columns, types)
    if form == "xlsx":
        return XlsxWriter(path, columns, rows=rows)
    raise InputError(f"{path}: unknown form {form!r}: expected csv, parquet or xlsx")


class CsvWriter:
    """UTF-8, comma, quotes where needed, CR LF (RFC 4180).

    CSV knows no types: an empty cell stands for NULL and for "", and a spreadsheet that opens the file may take a cell
    that begins with `=` for a formula (a release never changes a cell to prevent that; write XLSX instead).
    """

    def __init__(self, path: Path, columns: Sequence[str], *, bom: bool = False) -> None:
        self._path = path
        self._columns = tuple(columns)
        self._rows = 0
        with disk_errors(path):
            encoding = "utf-8-sig" if bom else "utf-8"
            self._file = open(path, "w", encoding=encoding, newline="", buffering=_BUFFER, opener=private)  # noqa: SIM115 - closed by `close`
        self._writer = csv.writer(self._file, lineterminator="\r\n")
        self._put(Table(self._columns, tuple([name] for name in self._columns)))

    def write(self, table: Table) -> None:
        """Append rows; `InputError` names a cell that is no valid Unicode."""
        check_columns(self._path, self._columns, table)
        self._put(table)
        self._rows += table.rows

    def _put(self, table: Table) -> None:
        try:
            with disk_errors(self._path):
                self._writer.writerows(table.iter_rows())
        except UnicodeEncodeError:
            raise bad_cell(self._path, table, self._rows, SURROGATE, "half a surrogate pair") from None

    def close(self) -> None:
        """Flush and fsync."""
        with disk_errors(self._path):
            self._file.close()
            sync(self._path)

    def abort(self) -> None:
        """Remove the partial file."""
        with suppress(OSError, ValueError):  # what is still in the buffer may not fit on the disk
            self._file.close()
        remove(self._path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        leave(self, kind)
