"""Writing found files in each format, and reading them back, in one line of a test."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from muniment.ingest.leaks import Leak, LeakTable, read_leak
from muniment.table import Table

PEOPLE = Table.from_rows(
    ("id", "name", "city", "note"),
    [
        ("1", "王小明", "臺北市", "O'Brien; \"quoted\""),
        ("2", "Ada Lovelace", "London", None),
        ("3", "Ana María", "Zürich", "two\nlines"),
        ("4", "Li Wei", "高雄市", "back\\slash"),
    ],
)
"""A small register with what breaks parsers: quotes, a line break, a backslash, NULL, three scripts."""


def leak_of(folder: Path, content: bytes | str, name: str = "leak.bin", encoding: str | None = None) -> Leak:
    """Write the bytes (or UTF-8 text) to a file and read it as a leak."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_leak(path, encoding=encoding)


def table_of(folder: Path, content: bytes | str, name: str = "leak.bin") -> LeakTable:
    """The only table of a leak."""
    (table,) = leak_of(folder, content, name).tables
    return table


def rows_of(found: LeakTable) -> list[tuple[str | None, ...]]:
    """The rows of a leaked table."""
    return list(found.table.iter_rows())


def zipped(members: Mapping[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of these members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def workbook_bytes(sheets: Mapping[str, Sequence[Sequence[object]]], formats: Mapping[str, str] | None = None) -> bytes:
    """A workbook as openpyxl writes it; `formats` gives number formats by cell (`A1`) of the first sheet."""
    from openpyxl import Workbook

    book = Workbook()
    for number, (title, rows) in enumerate(sheets.items()):
        sheet = book.active if number == 0 else book.create_sheet()
        sheet.title = title
        for row in rows:
            sheet.append(list(row))
    for cell, code in (formats or {}).items():
        book.worksheets[0][cell].number_format = code
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def json_lines(table: Table) -> str:
    """A table as one JSON object a line."""
    records = [dict(zip(table.columns, row, strict=True)) for row in table.iter_rows()]
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
