"""JSON in the shapes that leaks have: a list of records, one record a line, or a document with lists inside.

Rules
1. A list at the top and JSON lines are read as a stream, a record at a time. Any other document is held whole, up to
   limits.DOCUMENT_BYTES.
2. Numbers keep the characters they were written with: no float comes between. `null` and a missing key are `None`.
3. Nested objects become columns with dotted names, short lists too (`phones.0`); below limits.JSON_DEPTH, and for
   longer lists, the JSON text stays as it is.
4. A line that is no JSON is counted and left out; a list or document that breaks off is refused: nobody can say what
   is missing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, TextIO

from muniment.errors import InputError, LimitError
from muniment.ingest.leaks.builder import Budget, Builder, Row
from muniment.ingest.leaks.layout import SAMPLE_ROWS, layout_of
from muniment.ingest.leaks.leak import LeakTable
from muniment.ingest.leaks.records import Records
from muniment.ingest.leaks.source import Reading
from muniment.ingest.leaks.text import Text
from muniment.limits import BATCH_ROWS, COLUMNS, DOCUMENT_BYTES, JSON_DEPTH, JSON_LIST, LINE_CHARACTERS

_SCANNER: Final = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str, strict=False)
_SPACE: Final = re.compile(r"[ \t\r\n\ufeff]*+")
_BETWEEN: Final = re.compile(r"[ \t\r\n]*+([,\]]?+)[ \t\r\n]*+")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_CHUNK: Final = 1 << 20
_NEAR_END: Final = 16
_SHAPES: Final = "expected a list of objects, or one object a line"
_LIST_START: Final = re.compile(r"\[\s*+(?:[\[{\"\]\d-]|null|true|false|$)")
_OBJECT_START: Final = re.compile(r"\{\s*+(?:[\"}]|$)")


def looks_like_json(sample: str) -> bool:
    """Whether a text begins like JSON."""
    start = _SPACE.match(sample)
    place = start.end() if start else 0
    return bool(_LIST_START.match(sample, place) or _OBJECT_START.match(sample, place))


def read_json(text: Text, reading: Reading) -> tuple[LeakTable, ...]:
    """Read a JSON text as tables.

    Raises `InputError` with the place where a list or document breaks off, `LimitError` for a document that is too
    large or nested too deep to be read.
    """
    file = text.source.name
    try:
        if _is_lines(text.sample):
            tables = _read_lines(text, reading.budget)
        elif text.sample.lstrip().startswith("["):
            with text.stream() as stream:
                tables = _read_values(iter(_ListReader(stream, file)), text.source.title, file, reading.budget)
        else:
            tables = _read_document(text, reading.budget)
    except RecursionError as error:
        raise LimitError(f"{file}: JSON nested too deep to be read") from error
    if not tables:
        raise InputError(f"{file}: JSON without a record", hint=_SHAPES)
    return tuple(tables)


def _is_lines(sample: str) -> bool:
    """Whether the first two lines are JSON each on its own."""
    lines = [line for line in sample.splitlines() if line.strip()][:3]
    return len(lines) > 1 and all(_parsed(line) is not None for line in lines[: max(1, len(lines) - 1)])


def _parsed(line: str) -> object:
    """The object or list on a line; `None` where it is no JSON, or a mere value."""
    try:
        value = _SCANNER.decode(line)
    except ValueError:
        return None
    return value if isinstance(value, (dict, list)) else None


def _read_lines(text: Text, budget: Budget) -> list[LeakTable]:
    bad = 0

    def values() -> Iterator[object]:
        nonlocal bad
        for lines in text.chunks():
            for line in lines:
                if not line.isspace():
                    value = _parsed(line)
                    if value is None:
                        bad += 1
                    else:
                        yield value

    tables = _read_values(values(), text.source.title, text.source.name, budget)
    if tables and bad:
        tables[0] = replace(tables[0], unreadable=tables[0].unreadable + bad)
    return tables


class _ListReader:
    """The elements of the list at the top of a stream, one by one, in a buffer that holds a few of them."""

    def __init__(self, stream: TextIO, file: str) -> None:
        self._stream = stream
        self._file = file
        self._buffer = ""
        self._place = 0
        self._done = 0
        self._ended = False

    def __iter__(self) -> Iterator[object]:
        self._fill()
        self._place = self._buffer.index("[") + 1
        while self._step_between():
            yield self._element()

    def _fill(self) -> None:
        """Read on: at least as much as is left, so that the cost stays linear in the length of an element."""
        left = len(self._buffer) - self._place
        if left > 2 * LINE_CHARACTERS:
            place = self._done + self._place
            raise LimitError(f"{self._file}: character {place:,}: a record of more than {LINE_CHARACTERS:,} characters")
        more = self._stream.read(max(_CHUNK, left))
        self._done += self._place
        self._buffer, self._place, self._ended = self._buffer[self._place :] + more, 0, not more

    def _step_between(self) -> bool:
        """Step over blanks and a comma; false behind the bracket that ends the list."""
        while found := _BETWEEN.match(self._buffer, self._place):
            self._place = found.end()
            if found[1] == "]":
                return False
            if self._place < len(self._buffer):
                return True
            if self._ended:
                break
            self._fill()
        raise _broken(self._file, self._done + self._place)

    def _element(self) -> object:
        while True:
            try:
                value, end = _SCANNER.raw_decode(self._buffer, self._place)
            except json.JSONDecodeError as error:
                near_end = error.pos >= len(self._buffer) - _NEAR_END or error.msg.startswith("Unterminated")
                if self._ended or not near_end:
                    raise _broken(self._file, self._done + error.pos) from None
            else:
                if end < len(self._buffer) or self._ended:
                    self._place = end
                    return value
            self._fill()


def _broken(file: str, place: int) -> InputError:
    return InputError(
        f"{file}: JSON breaks off or is damaged at character {place:,}",
        hint="copy the file again; if the rest is lost, save the whole records one a line",
    )


def _read_values(values: Iterator[object], name: str, file: str, budget: Budget) -> list[LeakTable]:
    """Records of one table: objects by their keys, lists by their places, mere values as one column."""
    records = Records(name, file, budget)
    rows: list[Row] = []
    builder: Builder | None = None

    def flush() -> Builder | None:
        if not rows:
            return builder
        made = builder or _row_builder(rows, name, file, budget)
        made.add(rows)
        rows.clear()
        return made

    for value in values:
        if isinstance(value, dict):
            records.put(flat(value))
            continue
        row = [_cell(item) for item in value] if isinstance(value, list) else [_cell(value)]
        if not any(row):
            continue
        rows.append(row)
        if len(rows) >= BATCH_ROWS:
            builder = flush()
    builder = flush()
    tables = [records.finish(), builder.finish() if builder else None]
    return [table for table in tables if table is not None]


def _row_builder(rows: list[Row], name: str, file: str, budget: Budget) -> Builder:
    """A table for lists; a header is taken off `rows`."""
    layout = layout_of(rows, header=None if max(map(len, rows[:SAMPLE_ROWS])) > 1 else False)
    rows[:] = layout.data(rows)
    return Builder(name, file, budget, layout.names, layout.width)


def _read_document(text: Text, budget: Budget) -> list[LeakTable]:
    """A document that is one object."""
    source = text.source
    characters = source.whole(DOCUMENT_BYTES).decode(text.encoding, "replace").removeprefix("\ufeff")
    try:
        document = _SCANNER.decode(characters)
    except json.JSONDecodeError as error:
        if error.msg.startswith("Extra data") and "\n" in characters:
            return _read_lines(text, budget)
        raise _broken(source.name, error.pos) from None
    if not isinstance(document, dict):
        raise InputError(f"{source.name}: JSON without a record", hint=_SHAPES)
    for shape in (_split, _lists, _columns, _keyed):
        if tables := shape(document, source.title, source.name, budget):
            return tables
    return _read_values(iter([document]), source.title, source.name, budget)


_Document = dict[str, object]


def _split(document: _Document, name: str, file: str, budget: Budget) -> list[LeakTable]:
    """`{"columns": [...], "data": [[...], ...]}`, as pandas and many web services write."""
    columns = document.get("columns", document.get("fields"))
    data = document.get("data", document.get("rows"))
    if not (isinstance(columns, list) and columns and all(isinstance(column, str) for column in columns)):
        return []
    if not (isinstance(data, list) and data and all(isinstance(row, list) for row in data)):
        return []
    builder = Builder(name, file, budget, [_cell(column) for column in columns])
    for first in range(0, len(data), BATCH_ROWS):
        builder.add([[_cell(item) for item in row] for row in data[first : first + BATCH_ROWS]])
    return [builder.finish()]


def _lists(document: _Document, name: str, file: str, budget: Budget) -> list[LeakTable]:
    """Every list of objects inside, wherever it is: one table each, named by its path."""
    found: list[tuple[str, list[object]]] = []

    def look(value: Mapping[str, object], path: str, depth: int) -> None:
        for key, inside in value.items():
            place = f"{path}.{key}" if path else key
            if isinstance(inside, list) and inside and all(isinstance(item, dict) for item in inside):
                found.append((place, inside))
            elif isinstance(inside, dict) and depth < JSON_DEPTH:
                look(inside, place, depth + 1)

    if any(isinstance(value, (dict, list)) for value in document.values()):
        look(document, "", 0)
    named = [(place if len(found) > 1 else name, items) for place, items in found]
    # Persons in an object of objects may each hold a list of their own; those are columns of a record, not tables.
    if len(found) > 1 and _keyed_values(document):
        return []
    return [table for place, items in named for table in _read_values(iter(items), place, file, budget)]


def _columns(document: _Document, name: str, file: str, budget: Budget) -> list[LeakTable]:
    """`{"name": ["A", "B"], "city": ["X", "Y"]}`, also with objects of row numbers in place of lists."""
    columns: list[Sequence[object]] = []
    for value in document.values():
        if isinstance(value, dict) and all(key.isdigit() for key in value):
            value = list(value.values())
        if not isinstance(value, list) or any(isinstance(item, (dict, list)) for item in value):
            return []
        columns.append(value)
    if not columns or not columns[0] or len({len(column) for column in columns}) > 1:
        return []
    builder = Builder(name, file, budget, list(document))
    builder.add([[_cell(item) for item in row] for row in zip(*columns, strict=True)])
    return [builder.finish()]


def _keyed_values(document: _Document) -> bool:
    return len(document) > 1 and all(isinstance(value, dict) for value in document.values())


def _keyed(document: _Document, name: str, file: str, budget: Budget) -> list[LeakTable]:
    """`{"1": {"name": "A"}, "2": {"name": "B"}}`: the keys become a column."""
    if not _keyed_values(document):
        return []
    return _read_values(
        ({"key": key, **value} for key, value in document.items() if isinstance(value, dict)), name, file, budget
    )


def flat(record: Mapping[str, object]) -> dict[str, str | None]:
    """The fields of a record under dotted names, each as text."""
    fields: dict[str, str | None] = {}
    _flatten(record, "", fields, 0)
    return fields


def _flatten(value: object, path: str, fields: dict[str, str | None], depth: int) -> None:
    inside = _inside(value) if depth <= JSON_DEPTH and len(fields) <= COLUMNS else None
    if inside is None:
        fields.setdefault(_clean(path), _cell(value))
    elif inside or not path:
        for key, item in inside:
            _flatten(item, f"{path}.{key}" if path else key, fields, depth + 1)
    else:
        fields.setdefault(_clean(path), None)


def _inside(value: object) -> list[tuple[str, object]] | None:
    """What an object or a short list holds, by name; `None` for anything that stays one cell."""
    if isinstance(value, dict):
        return list(value.items())
    if isinstance(value, list) and len(value) <= JSON_LIST:
        return [(str(place), item) for place, item in enumerate(value)]
    return None


_WORDS: Final[Mapping[object, str]] = {True: "true", False: "false"}


def _cell(value: object) -> str | None:
    """A value as the text of a cell."""
    if value is None:
        return None
    if isinstance(value, str):
        return _clean(value)
    return _WORDS[value] if isinstance(value, bool) else _clean(json.dumps(value, ensure_ascii=False))


def _clean(text: str) -> str:
    r"""The text without lone surrogates (JSON may write `\ud800`), which no encoding can hold."""
    return text if text.isascii() or not _SURROGATE.search(text) else _SURROGATE.sub("\ufffd", text)
