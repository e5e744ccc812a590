"""XLSX workbooks, each sheet a table, read as a stream.

openpyxl is not used for foreign workbooks: it believes the row numbers, sheet lists and dimensions of the file (one
row numbered 10^12 is an endless loop), parses every sheet twice and holds themes, properties and charts in memory.

Rules
1. Bytes are counted while they are unpacked; XML comes through `xml_stream`. A cell costs memory only if it has text.
2. Rows and cells that a number merely implies do not exist: an empty row is no row.
3. A formula gives its stored result.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import BinaryIO, Final

from muniment.errors import InputError, LimitError
from muniment.ingest.leaks.archive import open_member, open_zip
from muniment.ingest.leaks.builder import Builder, Row
from muniment.ingest.leaks.layout import layout_of
from muniment.ingest.leaks.leak import LeakTable
from muniment.ingest.leaks.source import Meter, Reading, Source
from muniment.ingest.leaks.workbook_parts import OpenPart, Parts, Sheet, number_text, read_parts, unescaped
from muniment.ingest.leaks.xml_stream import read_xml
from muniment.limits import CELL_CHARACTERS, COLUMNS, WORKBOOK_BYTES
from muniment.table import Cells

_BATCH_CELLS: Final = 200_000
_REFERENCE: Final = re.compile(r"\$?([A-Z]{1,3})\$?\d{1,9}")


def read_workbook(source: Source, reading: Reading) -> tuple[LeakTable, ...]:
    """Read all sheets that hold rows.

    Raises `InputError` for a workbook that is cut short, damaged, encrypted, or holds a document type; `LimitError`
    for one that unpacks beyond the bounds.
    """
    with open_zip(source) as (archive, size):
        meter = Meter.for_archive(source.name, size, source.meter.progress)
        meter.most = min(meter.most, WORKBOOK_BYTES)
        members = {info.filename: info for info in archive.filelist}

        def open_part(part: str) -> BinaryIO | None:
            info = members.get(part)
            if info is None:
                return None
            return source.member(part, lambda: open_member(archive, info, source.name), meter).open()

        parts = read_parts(open_part, source.name)
        tables = [table for sheet in parts.sheets if (table := _read_sheet(sheet, parts, open_part, source, reading))]
    if not tables:
        hint = "check that the right file was given"
        raise InputError(f"{source.name}: a workbook without a row of cells", hint=hint)
    return tuple(tables)


def _read_sheet(sheet: Sheet, parts: Parts, open_part: OpenPart, source: Source, reading: Reading) -> LeakTable | None:
    stream = open_part(sheet.part)
    if stream is None:
        return None
    rows = _SheetRows(sheet.title, source.name, reading)
    cells = _Cells(parts, source.name, rows)
    with stream:
        read_xml(stream, f"{source.name}: sheet part {sheet.part[:80]!r}", cells.start, cells.end, cells.text)
    return rows.finish()


class _SheetRows:
    """Collects the rows of a sheet, which end at their last cell with text."""

    def __init__(self, title: str, file: str, reading: Reading) -> None:
        self._title, self._file, self._reading = title, file, reading
        self._batch: list[Row] = []
        self._cells = 0
        self._builder: Builder | None = None

    def put(self, row: Row) -> None:
        """Take a row that has at least one cell."""
        self._batch.append(row)
        self._cells += len(row)
        if self._cells > _BATCH_CELLS:
            self._flush()

    def finish(self) -> LeakTable | None:
        """The table, or `None` where no cell held text."""
        self._flush()
        return self._builder.finish() if self._builder is not None else None

    def _flush(self) -> None:
        batch, self._batch, self._cells = self._batch, [], 0
        if not batch:
            return
        if self._builder is None:
            layout = layout_of(batch)
            self._builder = Builder(self._title, self._file, self._reading.budget, layout.names, layout.width)
            batch = layout.data(batch)
        if self._builder.full:
            self._builder.leave_out(len(batch))
            return
        width = max(self._builder.width, max(map(len, batch), default=0))
        if width > self._builder.width:
            self._builder.widen([None] * (width - self._builder.width))
        self._builder.add([[*row, *[None] * (width - len(row))] for row in batch])


class _Cells:
    """Handlers of a sheet's XML: `row`, `c` (a cell), `v` (its value) and `t` (its own text)."""

    def __init__(self, parts: Parts, file: str, rows: _SheetRows) -> None:
        self._parts, self._file, self._rows = parts, file, rows
        self._row: Cells = []
        self._column = 0
        self._kind = "n"
        self._style = ""
        self._pieces: list[str] = []
        self._length = 0
        self._open = 0
        self._phonetic = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """A tag opens."""
        if tag in {"v", "t"}:
            self._open += 1
        elif tag == "c":
            self._begin_cell(attributes)
        elif tag == "row":
            self._row, self._column = [], 0
        elif tag == "rPh":
            self._phonetic += 1

    def end(self, tag: str) -> None:
        """A tag closes."""
        if tag in {"v", "t"}:
            self._open -= 1
        elif tag == "c":
            self._end_cell()
        elif tag == "row" and self._row:
            self._rows.put(self._row)
            self._row = []
        elif tag == "rPh":
            self._phonetic -= 1

    def text(self, piece: str) -> None:
        """A piece of text."""
        if self._open and not self._phonetic:
            self._length += len(piece)
            if self._length > CELL_CHARACTERS:
                raise LimitError(f"{self._file}: a cell of more than {CELL_CHARACTERS:,} characters")
            self._pieces.append(piece)

    def _begin_cell(self, attributes: Mapping[str, str]) -> None:
        self._kind = attributes.get("t", "n")
        self._style = attributes.get("s", "")
        self._pieces, self._length = [], 0
        found = _REFERENCE.fullmatch(attributes.get("r", ""))
        self._column = _column_number(found[1]) if found else self._column + 1

    def _end_cell(self) -> None:
        text = self._value("".join(self._pieces))
        self._pieces = []
        if not text:
            return
        if self._column > COLUMNS:
            raise LimitError(f"{self._file}: more than {COLUMNS:,} columns in a sheet", hint="save those that matter")
        if len(self._row) < self._column:
            self._row.extend([None] * (self._column - len(self._row)))
        self._row[self._column - 1] = text

    def _value(self, found: str) -> str:
        if self._kind == "s":
            return self._shared(found)
        if self._kind == "b":
            return {"1": "true", "0": "false"}.get(found, found)
        if self._kind == "n" and found:
            formats, place = self._parts.formats, _place(self._style)
            return number_text(found, formats[place] if place < len(formats) else "", self._parts.epoch)
        return unescaped(found)

    def _shared(self, found: str) -> str:
        place = _place(found)
        if place >= len(self._parts.texts):
            raise InputError(f"{self._file}: a cell points to a shared text that is not there: the file is damaged")
        return self._parts.texts[place]


def _place(found: str) -> int:
    """A number of a style or text; one beyond all lists for anything else."""
    return int(found) if found.isascii() and found.isdecimal() and len(found) < 10 else 10**9


def _column_number(letters: str) -> int:
    """`A` -> 1, `AA` -> 27."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def is_workbook(names: Iterable[str]) -> bool:
    """Whether the members of a zip are the parts of a workbook."""
    return "xl/workbook.xml" in set(names)
