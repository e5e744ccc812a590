"""Pasted text: one person a line, or one block of lines a person.

Rules
1. Labelled blocks (`Name: ...`, `姓名：...`) become columns by label. A blank line, or the label that the block began
   with, begins the next person.
2. Lines are split by the divider under which most of them have the same number of fields.
3. Blocks without labels become columns by the place of the line in its block.
4. Where nothing divides the lines alike, they are one column, `line`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from typing import Final

from muniment.errors import InputError
from muniment.ingest.leaks.builder import Builder, Row
from muniment.ingest.leaks.layout import layout_of
from muniment.ingest.leaks.leak import LeakTable
from muniment.ingest.leaks.records import Records
from muniment.ingest.leaks.source import Reading
from muniment.ingest.leaks.text import Text
from muniment.limits import BATCH_ROWS, CELL_CHARACTERS, QUOTED_LINES
from muniment.table import Table

_LABEL: Final = re.compile(r"[ \t\u3000\-*•]*+([^\W\d][^:：\n]{0,39}?)[ \t\u3000]*[:：](?!//)[ \t\u3000]*+(.*)")
_LABELLED_SHARE: Final = 0.6
_ALIKE: Final = 0.8
_RULER: Final = re.compile(r"[\s|+:=─┼│-]*+")
_BOX: Final = re.compile(r"^[ \t]*+[|+]?+[-:=─]{2,}+[|+┼]", re.M)

_DIVIDERS: Final = (
    re.compile(r"\t+"),
    re.compile(r"[ \t]{2,}+"),
    re.compile(r"[ ]*+\u3000++[ ]*+"),
    re.compile(r"、"),
    re.compile(r"，"),
    re.compile(r"；"),
    re.compile(r"[ ]*+[|｜][ ]*+"),
    re.compile(r";[ ]*+"),
    re.compile(r",[ ]*+"),
)
"""The rarer inside a field first: of equals the first wins."""


def labelled(sample: str) -> bool:
    """Whether a text is blocks of labelled lines: most lines carry a label, and the labels come again."""
    lines = [line for line in sample.splitlines() if line.strip()]
    labels = [found[1] for line in lines if (found := _LABEL.match(line))]
    return len(labels) >= _LABELLED_SHARE * len(lines) and len(lines) > 1 and 2 * len(set(labels)) <= len(labels) + 1


def boxed(sample: str) -> bool:
    """Whether a text is a table drawn with lines, as psql, mysql and Markdown draw it."""
    return bool(_BOX.search(sample))


def read_pasted(text: Text, reading: Reading) -> tuple[LeakTable, ...]:
    """Read pasted text as one table; `InputError` where it has no line with text."""
    name, file = text.source.title, text.source.name
    if labelled(text.sample):
        table = _read_labelled(text, Records(name, file, reading.budget))
    else:
        table = _read_rows(text, reading)
    if table is None:
        raise InputError(f"{file}: holds no line of text", hint="check that the right file was given")
    return (table,)


def _lines(text: Text) -> Iterator[str]:
    for lines in text.chunks():
        yield from (line.strip(" \t\r\n") for line in lines)


class _Block:
    """One person of a labelled text while it is read."""

    def __init__(self) -> None:
        self.fields: dict[str, str | None] = {}
        self._label = ""

    def begins_again(self, label: str) -> bool:
        """Whether a label is the one that this person began with: then it begins the next."""
        return label == next(iter(self.fields), None)

    def put(self, label: str, value: str) -> None:
        """A labelled line. A label twice in one person stands beside, not in place of, the earlier."""
        self._label = label if label not in self.fields else _free(label, self.fields)
        self.fields[self._label] = value

    def go_on(self, line: str) -> bool:
        """A line without a label belongs to the one before; false where there is none, or no end to it."""
        before = self.fields.get(self._label)
        if before is None or len(before) > CELL_CHARACTERS:
            return False
        self.fields[self._label] = f"{before}\n{line}".strip()
        return True


def _read_labelled(text: Text, records: Records) -> LeakTable | None:
    block = _Block()
    for line in _lines(text):
        found = _LABEL.match(line)
        if not line or (found and block.begins_again(found[1])):
            records.put(block.fields)
            block = _Block()
        if found:
            block.put(found[1], found[2])
        elif line:
            records.unreadable += not block.go_on(line)
    records.put(block.fields)
    return records.finish()


def _free(label: str, record: dict[str, str | None]) -> str:
    return next(name for number in range(2, len(record) + 3) if (name := f"{label} ({number})") not in record)


def _read_rows(text: Text, reading: Reading) -> LeakTable | None:
    sample = [line.strip(" \t\r\n") for line in text.sample.splitlines()[:1000]]
    if boxed(text.sample):
        rows: Iterator[list[str]] = (_box_row(line) for line in _lines(text) if line and not _RULER.fullmatch(line))
        return _table(rows, text, reading)
    if divider := _divider([line for line in sample if line]):
        return _table((divider.split(line) for line in _lines(text) if line), text, reading)
    if _in_blocks(sample):
        return _table(_blocks(_lines(text)), text, reading, header=False)
    table = _table(([line] for line in _lines(text) if line), text, reading, header=False)
    return table and replace(table, table=Table(("line", *table.table.columns[1:]), table.table.cells))


def _box_row(line: str) -> list[str]:
    inner = line.removeprefix("|").removesuffix("|") if line.startswith("|") else line
    return [cell.strip() for cell in re.split(r"[|│]", inner)]


def _divider(lines: list[str]) -> re.Pattern[str] | None:
    """The divider under which the lines are most alike, of equals the one with most fields; `None` for none."""
    best, best_rank = None, (_ALIKE, 1)
    for divider in _DIVIDERS:
        counts = Counter(len(divider.split(line)) for line in lines)
        fields, alike = counts.most_common(1)[0] if counts else (1, 0)
        rank = (round(alike / max(len(lines), 1), 1), fields)
        if fields > 1 and rank > best_rank:
            best, best_rank = divider, rank
    return best


def _in_blocks(lines: list[str]) -> bool:
    """Whether blank lines divide the text into two or more blocks, most of several lines."""
    sizes = [len(list(block)) for filled, block in groupby(lines, bool) if filled]
    return len(sizes) > 1 and sum(size > 1 for size in sizes) > len(sizes) / 2 and max(sizes) <= QUOTED_LINES


def _blocks(lines: Iterator[str]) -> Iterator[list[str]]:
    block: list[str] = []
    for line in lines:
        if line and len(block) < QUOTED_LINES:
            block.append(line)
            continue
        if block:
            yield block
        block = [line] if line else []
    if block:
        yield block


def _table(
    rows: Iterator[list[str]], text: Text, reading: Reading, header: bool | None = None
) -> LeakTable | None:
    """The rows as a table; unless `header` says so, the rows tell whether the first names the columns."""
    builder: Builder | None = None
    batch: list[Row] = []

    def flush() -> None:
        nonlocal builder
        if batch and builder is None:
            layout = layout_of(batch, header)
            builder = Builder(text.source.title, text.source.name, reading.budget, layout.names, layout.width)
            builder.joiner = " "
            batch[:] = layout.data(batch)
        if builder is not None:
            builder.add(batch)
        batch.clear()

    for row in rows:
        batch.append(row)
        if len(batch) >= BATCH_ROWS:
            flush()
    flush()
    return builder.finish() if builder is not None else None
