"""`read_leak`: the one door to found files. It opens, measures, detects and hands to the parser of the format.

Steps
1. The path must be a readable, regular, non-empty file within limits.LEAK_BYTES.
2. Container, then form, then the parser. An archive comes back here for each member, one inside another at most.
3. The digest is taken of the bytes as found, as a stream; last, so that gigabytes of rubbish are refused at once.
4. The file must not have changed meanwhile: digest and tables are of the same bytes.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from muniment.errors import InputError, LimitError, UnreachableError
from muniment.ingest.leaks.archive import read_gzip, read_zip
from muniment.ingest.leaks.builder import Budget
from muniment.ingest.leaks.delimited import read_delimited
from muniment.ingest.leaks.detect import Container, Form, container, form
from muniment.ingest.leaks.json_text import read_json
from muniment.ingest.leaks.leak import Leak, LeakTable, shown
from muniment.ingest.leaks.parquet import read_parquet
from muniment.ingest.leaks.pasted import read_pasted
from muniment.ingest.leaks.source import Meter, Reading, Source
from muniment.ingest.leaks.sql_dump import read_sql_dump
from muniment.ingest.leaks.text import EXPECTED, Text
from muniment.ingest.leaks.workbook import read_workbook
from muniment.limits import LEAK_BYTES

_ARCHIVES: Final = 2
"""Archives around a table: one, and one inside it."""


def read_leak(path: Path, *, encoding: str | None = None, progress: Callable[[int], None] | None = None) -> Leak:
    """Read a found file of unknown shape as tables of text.

    `progress` is called with the bytes done so far (after unpacking). Raises `InputError` for a file that is empty,
    damaged, encrypted or holds no table, `LimitError` for one beyond `muniment.limits`, `UnreachableError` for one
    that cannot be read.
    """
    path = Path(path)
    before = _checked(path)
    reading = Reading(encoding, Budget(), [])
    try:
        tables = _read(Source.of_file(path, Meter(shown(path.name), progress=progress)), reading, 0)
    except UnicodeError as error:  # a codec that gives up in spite of "replace", such as idna
        raise InputError(f"{path}: does not decode as {error.args[0]!r:.40}", hint="--encoding utf-8, ...") from error
    digest = _digest(path)
    if _identity(_checked(path)) != _identity(before):
        raise InputError(f"{path}: the file changed while it was read", hint="make a copy and give the copy")
    return Leak(shown(path.name), digest, tables, tuple(reading.skipped))


def _checked(path: Path) -> os.stat_result:
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise InputError(f"{path}: no such file", hint="check the path") from error
    except OSError as error:
        raise UnreachableError(f"{path}: cannot be read: {error.strerror}") from error
    if stat.S_ISDIR(found.st_mode):
        hint = f"give a file, or zip the directory: zip -r leak.zip {path.name}"
        raise InputError(f"{path}: a directory: {EXPECTED}", hint=hint)
    if not stat.S_ISREG(found.st_mode):
        raise InputError(f"{path}: a device or pipe: expected a regular file", hint="save it to a file first")
    if found.st_size > LEAK_BYTES:
        hint = "cut it: head -n 5000000 FILE > part"
        raise LimitError(f"{path}: {found.st_size:,} bytes: at most {LEAK_BYTES:,} are read", hint=hint)
    return found


def _identity(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_ino, found.st_size, found.st_mtime_ns


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UnreachableError(f"{path}: cannot be read: {error.strerror}", hint="check its permissions") from error


def _read(source: Source, reading: Reading, archives: int) -> tuple[LeakTable, ...]:
    """Read one source; `archives` counts those that it lies in."""
    found = container(source)
    if found in {Container.ZIP, Container.GZIP} and archives >= _ARCHIVES:
        raise InputError(f"{source.name}: an archive inside {_ARCHIVES} archives", hint="unpack it and give it alone")
    match found:
        case Container.ZIP:
            return read_zip(source, reading, lambda member: _read(member, reading, archives + 1))
        case Container.GZIP:
            return read_gzip(source, lambda inside: _read(inside, reading, archives + 1))
        case Container.WORKBOOK:
            return read_workbook(source, reading)
        case Container.PARQUET:
            return read_parquet(source, reading)
        case Container.TEXT:
            return _read_text(Text.of(source, reading.encoding), reading)


def _read_text(text: Text, reading: Reading) -> tuple[LeakTable, ...]:
    shape, dialect = form(text)
    match shape:
        case Form.JSON:
            return read_json(text, reading)
        case Form.SQL:
            return read_sql_dump(text, reading)
        case Form.DELIMITED if dialect is not None:
            return read_delimited(text, reading, dialect)
        case _:
            return read_pasted(text, reading)
