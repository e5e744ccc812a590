"""The dialect of a delimited text: delimiter, quotes, blanks after the delimiter, header or not.

The rule is consistency: under the right delimiter nearly all records have the same number of fields. Every candidate
reads the same bounded sample; no randomness, no locale. `csv.Sniffer` guesses from character counts and fails on quoted
commas, decimal commas and files of one column.

Rules
1. More consistent wins; of equals the one with more fields; of equals the one that is rarer in ordinary text.
2. A comma between digits is a decimal comma where a semicolon divides the records as well.
3. Where no delimiter divides the records alike, the text has one column.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

ONE_COLUMN: Final = "\x1f"
"""The delimiter of a text of one column: the unit separator, which no honest cell holds."""

_DELIMITERS: Final = ("\t", "|", ";", ",", ":")
"""The rarer in ordinary text first. A colon counts only where no other one does: times hold it as regularly."""
_ALIKE: Final = 0.85
"""Share of records with the usual number of fields that makes a delimiter believable."""

_NUMBER: Final = re.compile(r"[-+]?[\d.,]*\d%?|[-+]?\d+(\.\d+)?[eE][-+]?\d+")
_DATE: Final = re.compile(r"\d{1,4}[-/.年]\d{1,2}[-/.月]\d{1,4}日?([ T].*)?|\d{1,2}:\d\d(:\d\d.*)?")
_IDENTIFIER: Final = re.compile(r"[a-z]+[a-z0-9]*(_[a-z0-9]+)+|[a-z]+([A-Z][a-z0-9]+)+")
_NAME_CHARACTERS: Final = 100
"""A longer cell is no column name; the pattern above would also take the square of its length."""
_HEADER_WORD: Final = re.compile(
    r"\b(id|no|nr|name|first|last|given|family|surname|forename|birth|dob|date|sex|gender|age|address|street|city|town|suburb"
    r"|postcode|zip|state|county|country|phone|tel|mobile|fax|e-?mail|mail|code|number|type|status|key|remark|note|time"
    r"|vorname|nachname|ort|plz|nom|prenom)\b"
    r"|姓名|姓氏|名字|地址|住址|電話|手機|电话|手机|生日|出生|性別|性别|編號|编号|證|证號|身分|戶|統編|日期|郵遞|備註|職業|單位"
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a delimited text is written. `quotechar` and `escapechar` are `None` where the text has none."""

    delimiter: str = ","
    quotechar: str | None = '"'
    doublequote: bool = True
    escapechar: str | None = None
    skip_initial_space: bool = False
    header: bool = True
    lineterminator: str = "\n"

    @property
    def one_column(self) -> bool:
        """Whether the text has no delimiter at all."""
        return self.delimiter == ONE_COLUMN

    def reader(self, lines: Iterable[str], *, strict: bool = False) -> Iterator[list[str]]:
        """Read records from lines with their line ends; with `strict`, `csv.Error` where quotes are not in order."""
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quotechar=self.quotechar,
            quoting=csv.QUOTE_MINIMAL if self.quotechar else csv.QUOTE_NONE,
            doublequote=self.doublequote,
            escapechar=self.escapechar,
            skipinitialspace=self.skip_initial_space,
            strict=strict,
        )


@dataclass(frozen=True, slots=True)
class _Reading:
    """The sample under one candidate: its records, the usual number of fields and the share that has it."""

    dialect: Dialect
    records: list[list[str]]
    fields: int
    alike: float


def sniff(sample: str) -> Dialect:
    """Tell the dialect of a text from its beginning (whole, or cut anywhere); the same sample gives the same answer."""
    ends = Counter(re.findall("\r\n|\n|\r", sample))
    lineterminator = max(("\n", "\r\n", "\r"), key=lambda end: ends[end])
    best = _best(sample)
    if best is None:
        quoted = sample.lstrip().startswith('"')
        best = _read(sample, Dialect(delimiter=ONE_COLUMN, quotechar='"' if quoted else None))
    chosen = best.dialect
    return Dialect(
        delimiter=chosen.delimiter,
        quotechar=chosen.quotechar,
        doublequote=chosen.doublequote,
        escapechar=chosen.escapechar,
        skip_initial_space=chosen.skip_initial_space,
        header=looks_like_header([record for record in best.records if len(record) == best.fields]),
        lineterminator=lineterminator,
    )


def _best(sample: str) -> _Reading | None:
    """The most consistent reading of the sample, or `None` for one column."""
    readings = [_quoted(sample, delimiter) for delimiter in _DELIMITERS if delimiter in sample]
    readings = [reading for reading in readings if reading.fields > 1 and not _prose(reading)]
    found = [reading for reading in readings if reading.alike >= _ALIKE]
    if not found:  # a ragged file: better told so than taken for one column
        found = [reading for reading in readings if reading.alike > 0.5 and len(reading.records[0]) == reading.fields]
    if len(found) > 1:
        found = [reading for reading in found if reading.dialect.delimiter != ":"]
    if any(reading.dialect.delimiter == ";" for reading in found) and _decimal_commas(sample):
        found = [reading for reading in found if reading.dialect.delimiter != ","]
    return max(found, key=lambda reading: (round(reading.alike, 1), reading.fields), default=None)


def _quoted(sample: str, delimiter: str) -> _Reading:
    """The best reading under one delimiter: kind of quotes, escapes, blanks after the delimiter."""
    spaced = _spaced(sample, delimiter)
    candidates = [Dialect(delimiter, '"', skip_initial_space=spaced)]
    if '\\"' in sample:
        candidates.append(Dialect(delimiter, '"', doublequote=False, escapechar="\\", skip_initial_space=spaced))
    if re.search(rf"(^|[\n{re.escape(delimiter)}])\s?'", sample):
        candidates.append(Dialect(delimiter, "'", skip_initial_space=spaced))
    if '"' in sample:
        candidates.append(Dialect(delimiter, None, skip_initial_space=spaced))
    readings = [_read(sample, dialect) for dialect in candidates]
    # The first of equals: plain double quotes unless another reading is clearly more consistent.
    return max(readings, key=lambda reading: (round(reading.alike, 2), -reading.fields if reading.alike < 1 else 0))


def _read(sample: str, dialect: Dialect) -> _Reading:
    """Read the sample under a dialect; the record that the end of a long sample cuts is left out."""
    try:
        records = [record for record in dialect.reader(io.StringIO(sample, newline="")) if record]
    except csv.Error:
        return _Reading(dialect, [], 0, 0.0)
    if len(records) > 10 and not sample.endswith(("\n", "\r")):
        records.pop()
    if not records:
        return _Reading(dialect, [], 0, 0.0)
    fields, count = Counter(map(len, records)).most_common(1)[0]
    return _Reading(dialect, records, fields, 0.0 if _swallows(sample, records, dialect) else count / len(records))


def _swallows(sample: str, records: list[list[str]], dialect: Dialect) -> bool:
    """Whether line breaks in most records come from a stray quote that swallows rows, not from long cells."""
    if not dialect.quotechar or 2 * sum(any("\n" in cell for cell in record) for record in records) <= len(records):
        return False
    try:
        for _ in dialect.reader(io.StringIO(sample, newline=""), strict=True):
            pass
    except csv.Error as error:  # an open quote at the end is what the cut of a long sample leaves behind
        return "unexpected end" not in str(error) or sample.endswith("\n")
    return False


def _spaced(sample: str, delimiter: str) -> bool:
    """Whether a blank follows nearly every delimiter, as in `a, b, c` or `a, , c`."""
    after = re.findall(re.escape(delimiter) + r"(.|$)", sample)
    return len(after) > 0 and sum(char == " " for char in after) >= 0.97 * len(after)


def _prose(reading: _Reading) -> bool:
    """Whether the delimiter is punctuation: one column such as `12 High Street, Miami` under a plain header."""
    dialect = reading.dialect
    plain = len(reading.records[0]) == 1 and reading.fields == 2
    return plain and (dialect.skip_initial_space or dialect.delimiter == ":")


def _decimal_commas(sample: str) -> bool:
    """Whether most commas stand between digits."""
    return 2 * len(re.findall(r"\d,\d", sample)) > sample.count(",")


def looks_like_header(records: Sequence[Sequence[str]]) -> bool:
    """Whether the first of the records (all of one length) names the columns below it.

    Each column votes: a first cell that is no number over numbers, an identifier or a word such as "name" or 姓名
    speak for a header; a number, a date or a value that comes again below speak against. A draw of texts is a header:
    a register has one.
    """
    if not records:
        return False
    first, below = records[0], records[1:]
    if any(not cell.strip() for cell in first) or len(set(first)) < len(first):
        # A name is missing or doubled: a header only if it is one beyond doubt.
        filled = [cell.lower() for cell in first if cell.strip()]
        return 2 * sum(bool(_HEADER_WORD.search(cell)) for cell in filled) >= max(len(filled), 1)
    votes = sum(_vote(cell.strip(), [record[i].strip() for record in below]) for i, cell in enumerate(first))
    return votes > 0 or (votes == 0 and not any(_is_value(cell) for cell in first))


def names_columns(header: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Whether a first line can be taken as the header of a register: it is one, or at least holds one plain name.

    A line with a name missing or doubled passes: the caller says what is wrong with it in more useful words.
    """
    short = [cell for cell in header if len(cell) <= _NAME_CHARACTERS]
    known = any(_IDENTIFIER.fullmatch(cell) or _HEADER_WORD.search(cell.lower()) for cell in short)
    faulty = not all(map(str.strip, header)) or len(set(header)) < len(header)
    return known or faulty or looks_like_header([header, *below])


def _vote(cell: str, column: Sequence[str]) -> float:
    """How much one column speaks for a header (positive) or against (negative)."""
    if _is_value(cell):
        return -2.0
    filled = [value for value in column if value]
    vote = 0.0
    if _names(cell):
        vote += 2.0
    if not filled:
        return vote
    if sum(map(_is_value, filled)) >= 0.8 * len(filled):
        vote += 1.5
    if cell in filled:
        vote -= 1.5
    if cell.islower() and sum(value[:1].isupper() for value in filled) > 0.8 * len(filled):
        vote += 1.0
    return vote


def _names(cell: str) -> bool:
    """Whether a cell is written like the name of a column, or holds a word that such names hold."""
    written = len(cell) <= _NAME_CHARACTERS and _IDENTIFIER.fullmatch(cell)
    return bool(written or (len(cell) <= 40 and _HEADER_WORD.search(cell.lower())))


def _is_value(cell: str) -> bool:
    """Whether a cell is a number, a date, a time or an e-mail address: no name of a column."""
    return bool(_NUMBER.fullmatch(cell) or _DATE.fullmatch(cell)) or ("@" in cell and "." in cell)
