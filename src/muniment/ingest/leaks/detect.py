"""Which format a source has: told by its bytes, never by its name alone - a leak is named by whoever leaked it.

Rules
1. The first bytes decide where a format has a signature; formats that are known but not read are refused by name, with
   the step that turns them into one that is.
2. Text is looked at in a fixed order: JSON, SQL dump, labelled blocks, delimited, lines. The suffix only breaks ties.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from muniment.errors import InputError
from muniment.ingest.dialect import Dialect, sniff
from muniment.ingest.leaks.archive import open_zip
from muniment.ingest.leaks.json_text import looks_like_json
from muniment.ingest.leaks.pasted import boxed, labelled
from muniment.ingest.leaks.source import Source
from muniment.ingest.leaks.sql_dump import looks_like_sql
from muniment.ingest.leaks.text import EXPECTED, Text, binary
from muniment.ingest.leaks.workbook import is_workbook

_HEAD_BYTES: Final = 512
_LONG_WORD: Final = re.compile(r"(\w{100})\w++")
"""Cut before the dialect is told: it tells nothing, and the search for names must not cost the square of its length."""


class Container(StrEnum):
    """What the first bytes say."""

    ZIP = "zip"
    GZIP = "gzip"
    WORKBOOK = "workbook"
    PARQUET = "parquet"
    TEXT = "text"


_READ: Final = (
    (b"PK\x03\x04", Container.ZIP),
    (b"PK\x05\x06", Container.ZIP),
    (b"\x1f\x8b", Container.GZIP),
    (b"PAR1", Container.PARQUET),
)

_SHEET: Final = "open it in a spreadsheet program and save it as XLSX or CSV"
_UNPACK: Final = "unpack it and give the file inside, or pack it as zip"
_REFUSED: Final = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old or encrypted Office file", _SHEET + ", without a password"),
    (b"SQLite format 3\0", "an SQLite database", "sqlite3 FILE .dump > leak.sql"),
    (b"PGDMP", "a PostgreSQL dump in custom format", "pg_restore -f leak.sql FILE"),
    (b"%PDF", "a PDF", "copy the text out of it, or pdftotext -layout FILE leak.txt"),
    (b"\x89PNG", "an image", "type the text out, or use text recognition"),
    (b"\xff\xd8\xff", "an image", "type the text out, or use text recognition"),
    (b"GIF8", "an image", "type the text out, or use text recognition"),
    (b"II*\0", "an image", "type the text out, or use text recognition"),
    (b"MM\0*", "an image", "type the text out, or use text recognition"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (b"BZh", "a bzip2 file", _UNPACK),
    (b"\xfd7zXZ\0", "an xz file", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "a zstd file", _UNPACK),
    (b"\x7fELF", "a program", ""),
    (b"MZ\x90\0", "a program", ""),
    (b"{\\rtf", "an RTF document", "open it and save it as plain text"),
)
_DUCKDB: Final = b"DUCK"
_TAR: Final = b"ustar"


def container(source: Source) -> Container:
    """Tell the container; `InputError` for an empty source and for formats that are known and not read."""
    head = source.head(_HEAD_BYTES)
    if not head:
        raise InputError(f"{source.name}: the file is empty: {EXPECTED}", hint="check the copy: it has 0 bytes")
    for magic, what, hint in _REFUSED:
        if head.startswith(magic):
            raise binary(source.name, what, hint)
    if head[8:12] == _DUCKDB:
        raise binary(source.name, "a DuckDB database", "duckdb FILE \"COPY table TO 'leak.csv'\"")
    if head[257:262] == _TAR:
        raise binary(source.name, "a tar archive", _UNPACK)
    found = next((kind for magic, kind in _READ if head.startswith(magic)), Container.TEXT)
    if found is Container.ZIP:
        with open_zip(source) as (archive, _):
            if is_workbook(archive.namelist()):
                return Container.WORKBOOK
    return found


class Form(StrEnum):
    """What a text is."""

    JSON = "json"
    SQL = "sql"
    PASTED = "pasted"
    DELIMITED = "delimited"


def form(text: Text) -> tuple[Form, Dialect | None]:
    """Tell the form of a text, and its dialect if it is delimited."""
    sample, suffix = text.sample, text.source.suffix
    if looks_like_json(sample):
        return Form.JSON, None
    if looks_like_sql(sample) or suffix == ".sql":
        return Form.SQL, None
    if boxed(sample) or labelled(sample):
        return Form.PASTED, None
    dialect = sniff(_LONG_WORD.sub(r"\1", sample))
    return (Form.PASTED, None) if dialect.one_column else (Form.DELIMITED, dialect)
