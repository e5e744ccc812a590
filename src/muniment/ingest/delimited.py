"""CSV and TSV files (any dialect, any encoding, plain or gzip) as a source of text.

Rules
1. A cell is the text between the delimiters, quotes taken off: nothing is trimmed, an empty cell is "" and never NULL,
   so that a release can give back what stood in the file. Only the blank after the delimiter goes where the whole file
   is written `a, b, c`.
2. The first line names the columns. Names are distinct and not empty.
3. Every record has as many fields as the header; blank lines are skipped. A record that does not fit, a quote that is
   never closed, text after a closing quote, a NUL byte: `InputError` with the line. Nothing is repaired.
4. Every column is VARCHAR. A condition casts what it compares: `CAST(age AS INTEGER) > 30`.

The csv module reads some 440,000 rows/s of 11 columns (one core); memory is bounded by a batch and a long line.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from operator import itemgetter
from pathlib import Path

from muniment.disclosure import checked_name
from muniment.engine.collector import collector_paused
from muniment.errors import InputError, LimitError
from muniment.ingest.dialect import Dialect, names_columns, sniff
from muniment.ingest.encoding import detect_file, line_chunks, open_text
from muniment.limits import BATCH_ROWS, CELL_CHARACTERS, COLUMNS, SNIFF_CHARACTERS
from muniment.table import Cells, Table


class DelimitedSource:
    """A delimited file under the dialect and encoding that were found when it was opened."""

    def __init__(self, path: Path, encoding: str, dialect: Dialect, columns: tuple[str, ...]) -> None:
        self.location = str(path)
        self.encoding = encoding
        self.dialect = dialect
        self.columns = columns
        self.types: Mapping[str, str] = dict.fromkeys(columns, "VARCHAR")
        self._path = path

    def batches(self, columns: Sequence[str] | None = None, where: str | None = None) -> Iterator[Table]:
        """The rows in the order of the file, as tables of at most `BATCH_ROWS` rows; see `ingest.sources.Source`."""
        names = self.columns if columns is None else tuple(columns)
        for name in names:
            if name not in self.types:
                raise InputError(f"{self.location}: no column {name!r}; the columns are {', '.join(self.columns)}")
        if where is None:
            yield from self._read(names)
            return
        # Imported here: a file that is read whole needs no database engine.
        from muniment.engine.duck import Condition

        condition = Condition(where, self.columns)
        for table in self._read(self.columns):
            rows = condition.rows(table)
            if rows:
                chosen = table.select(names)
                yield chosen if len(rows) == table.rows else chosen.take(rows)

    def _read(self, names: tuple[str, ...]) -> Iterator[Table]:
        records = self.dialect.reader(chain.from_iterable(line_chunks(self._path, self.encoding)), strict=True)
        picks = None if names == self.columns else [itemgetter(self.columns.index(name)) for name in names]
        width = {len(self.columns)}
        csv.field_size_limit(CELL_CHARACTERS)  # of the whole process; the module's own default is smaller
        try:
            next(record for record in records if record)  # the header
            while True:
                with collector_paused():
                    rows = list(islice(records, BATCH_ROWS))
                    if set(map(len, rows)) - width:
                        rows = self._without_blanks(rows)
                    cells: list[Cells]
                    if picks is None:
                        cells = [list(column) for column in zip(*rows, strict=True)] if rows else []
                    else:
                        cells = [list(map(pick, rows)) for pick in picks]
                if rows:
                    yield Table(names, tuple(cells))
                elif next(records, None) is None:
                    return
        except csv.Error as error:
            raise self._fault() from error

    def _without_blanks(self, rows: list[list[str]]) -> list[list[str]]:
        """The rows without blank lines; `InputError` for the first that is too long or too short."""
        filled = [row for row in rows if row]
        if any(len(row) != len(self.columns) for row in filled):
            raise self._fault()
        return filled

    def _fault(self) -> InputError:
        return _first_fault(self._path, self.encoding, self.dialect, len(self.columns))


def _first_fault(path: Path, encoding: str, dialect: Dialect, width: int | None) -> InputError:
    """Read from the start, slowly, and name the first line that does not fit (`width` `None`: no width known yet)."""
    records = dialect.reader(chain.from_iterable(line_chunks(path, encoding)), strict=True)
    line = 1
    try:
        for record in records:
            if record and width and len(record) != width:
                return InputError(
                    f"{path}: line {line:,}: expected {width} fields, found {len(record)}",
                    hint="quote cells that hold the delimiter, or save the file as CSV again",
                )
            line = _line_number(records) + 1
    except csv.Error as error:
        return _quote_fault(path, line, error)
    return InputError(f"{path}: changed while it was read", hint="try again on a copy")


def _line_number(records: Iterator[list[str]]) -> int:
    """The number of lines that a csv reader has taken so far."""
    return int(getattr(records, "line_num", 0))


def _quote_fault(path: Path, line: int, error: csv.Error) -> InputError:
    """Say in our words what the csv module found wrong in the record that begins in `line`."""
    text = str(error)
    if "field limit" in text:
        return LimitError(
            f"{path}: line {line:,}: a cell has more than {CELL_CHARACTERS:,} characters",
            hint="look for a quote that is opened there and never closed",
        )
    if "unexpected end" in text:
        return InputError(f"{path}: line {line:,}: a quote is opened and never closed", hint="close or double it")
    return InputError(f"{path}: line {line:,}: text follows a closing quote", hint='write a quote in a cell as ""')


def open_delimited(path: Path, *, encoding: str | None = None) -> DelimitedSource:
    """Open a CSV or TSV file: find its encoding and dialect, read its header.

    Raises `InputError`: no such file, empty, not text, bytes that are not of the encoding, no usable column names.
    """
    known = encoding or detect_file(path).name
    with open_text(path, known) as stream:
        sample = stream.read(SNIFF_CHARACTERS)
    if not sample.strip("\ufeff\r\n\t "):
        raise InputError(
            f"{path}: the file is empty: expected a line of column names and records below it",
            hint="export the register again, and look whether the disk was full when it was written",
        )
    if "\0" in sample:
        raise InputError(f"{path}: holds NUL bytes: not a text file in {known}", hint="--encoding utf-16 or another")
    dialect = sniff(sample)
    csv.field_size_limit(CELL_CHARACTERS)
    records = dialect.reader(chain.from_iterable(line_chunks(path, known)), strict=True)
    try:
        header = next(record for record in records if record)
        first = [record for record in islice(records, 100) if len(record) == len(header)]
    except csv.Error as error:
        raise _first_fault(path, known, dialect, None) from error
    return DelimitedSource(path, known, dialect, _column_names(path, header, first))


def _column_names(path: Path, header: Sequence[str], below: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The names in the header; `InputError` where they do not name columns."""
    names = [name.strip().removeprefix("\ufeff") for name in header]
    if len(names) > COLUMNS:
        raise LimitError(f"{path}: {len(names):,} columns: expected at most {COLUMNS:,}")
    if not names_columns(names, below):
        raise InputError(f"{path}: line 1 looks like a record", hint="put a line with the column names before it")
    for number, name in enumerate(names, 1):
        if not name:
            raise InputError(f"{path}: column {number} has no name in line 1", hint="name every column in line 1")
        checked_name(f"{path}: the name of column {number}", name)
        if name in names[: number - 1]:
            earlier = names.index(name) + 1
            raise InputError(f"{path}: columns {earlier} and {number} are both named {name!r}", hint="rename one")
    return tuple(names)
