"""What every writer of a release keeps: the protocol, errors of the disk, and how a file is given up.

Rules
1. A writer writes to the path it is given (a temporary one; renaming is the caller's work) and keeps memory bounded
   by one batch.
2. `close` returns after the bytes are on the disk (fsync). Leaving the `with` block on an error aborts: the partial
   file and what lies beside it are removed.
3. A full disk or a missing right is `UnreachableError` with the path; a cell that a format cannot hold is
   `InputError` with row and column.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

import duckdb

from muniment.durable import hint_for
from muniment.errors import InputError, UnreachableError
from muniment.table import Table

SURROGATE: Final = re.compile("[\ud800-\udfff]")
"""Half of a surrogate pair: no character, and no encoding writes it."""
_DUCK_DISK: Final = (
    duckdb.IOException,
    duckdb.OutOfMemoryException,
    duckdb.TransactionException,
    duckdb.FatalException,
)
"""What DuckDB raises when it cannot write: a full disk fails the commit."""
OTHER_FORM: Final = "write another format (.csv, .parquet), or fewer rows with --where"


class Writer(Protocol):
    """One release file being written; a context manager that closes, or aborts on an error."""

    def write(self, table: Table) -> None:
        """Append the rows of a table that has exactly the writer's columns."""

    def close(self) -> None:
        """Finish the file and put it on the disk."""

    def abort(self) -> None:
        """Remove what was written."""

    def __enter__(self) -> Self:
        """Use as a context manager."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close, or abort if the block raised."""


def leave(writer: Writer, kind: type[BaseException] | None) -> None:
    """End the `with` block of a writer: close it, or abort where the block or the closing raised."""
    if kind is not None:
        writer.abort()
        return
    try:
        writer.close()
    except BaseException:
        writer.abort()
        raise


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """A full disk, a missing folder or right: nothing that other data would mend."""
    try:
        yield
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise UnreachableError(f"{path}: cannot be written: {reason}", hint=hint_for(error)) from error
    except _DUCK_DISK as error:
        message = f"{path}: cannot be written: {str(error).splitlines()[0]}"
        raise UnreachableError(message, hint="look whether the disk is full, and write to another one") from error


def private(path: str, flags: int) -> int:
    """Opener for `open`: a new file is for its owner alone until whoever hands it out decides otherwise."""
    return os.open(path, flags, 0o600)


def check_columns(path: Path, columns: Sequence[str], table: Table) -> None:
    """`InputError` unless the table has exactly these columns in this order."""
    if table.columns != tuple(columns):
        raise InputError(f"{path}: expected the columns {', '.join(columns)}, came {', '.join(table.columns)}")


def sync(path: Path) -> None:
    """Put a finished file on the disk; a device such as /dev/stdout is left alone."""
    if path.is_file():
        with path.open("rb") as file:
            os.fsync(file.fileno())


def remove(*paths: Path) -> None:
    """Remove the files among these paths; never a device."""
    for path in paths:
        if path.is_file():
            path.unlink()


def bad_cell(path: Path, table: Table, before: int, pattern: re.Pattern[str], what: str) -> InputError:
    """Name the first cell of a batch that a format cannot hold; `before` rows came earlier."""
    for name, cells in zip(table.columns, table.cells, strict=True):
        for row, cell in enumerate(cells, before + 1):
            if cell and pattern.search(cell):
                place = f"row {row:,}, column {name!r}"
                return InputError(f"{path}: {place} holds {what}: this format cannot", hint=OTHER_FORM)
    return InputError(f"{path}: a column name holds {what}: this format cannot", hint=OTHER_FORM)
