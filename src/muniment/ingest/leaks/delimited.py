"""CSV, TSV and their kin, as dirty as leaks are.

Rules
1. A quote that never closes must not swallow the file. A record over several lines is believed only if its quotes are
   in order and it is not better explained by its first line alone; otherwise that line is split without quotes.
2. The quick path (each line is a record) runs at the speed of the csv module; only a chunk with a record over several
   lines, or a broken one, is read line by line.
3. After RUNAWAYS quotes that never closed, quotes mean nothing in this file any more: else a hostile file could make
   every line cost QUOTED_LINES others.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from muniment.engine.collector import collector_paused
from muniment.errors import InputError
from muniment.ingest.dialect import Dialect
from muniment.ingest.leaks.builder import Builder
from muniment.ingest.leaks.layout import layout_of
from muniment.ingest.leaks.leak import LeakTable
from muniment.ingest.leaks.source import Reading
from muniment.ingest.leaks.text import Text
from muniment.limits import CELL_CHARACTERS, LINE_CHARACTERS, QUOTED_LINES

RUNAWAYS: Final = 100
_SENTINEL: Final = "\x1e end of chunk \x1e"
"""A line put behind each chunk: if it does not come back as a record, a quote is open."""


class _RunawayError(Exception):
    """More lines were asked for than a quoted cell may have; never leaves this module."""


def read_delimited(text: Text, reading: Reading, dialect: Dialect) -> tuple[LeakTable, ...]:
    """Read a delimited text as one table."""
    csv.field_size_limit(max(csv.field_size_limit(), CELL_CHARACTERS))
    # A register whose quotes are out of order is read without; here a stray quote is mended where it stands.
    splitter = _Splitter(replace(dialect, quotechar=dialect.quotechar or '"'))
    builder: Builder | None = None
    for rows, characters in splitter.batches(text.chunks()):
        if builder is None:
            rows = [row for row in rows if row]
            if not rows:
                continue
            layout = layout_of(rows, dialect.header)
            builder = Builder(text.source.title, text.source.name, reading.budget, layout.names, layout.width)
            builder.joiner = dialect.delimiter
            splitter.width = layout.width
            builder.add(layout.data(rows), characters)
        else:
            builder.add(rows, characters)
    if builder is None:
        raise InputError(f"{text.source.name}: holds no row", hint="check that the right file was given")
    builder.mended += splitter.unquoted
    return (builder.finish(),)


class _Splitter:
    """Turns chunks of lines into batches of records; holds what is left of a record that a chunk cuts."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.width = 0
        self.unquoted = 0
        self._runaways = 0

    def batches(self, chunks: Iterator[list[str]]) -> Iterator[tuple[list[list[str]], int]]:
        """Records and the characters they came from."""
        rest: list[str] = []
        for lines in chunks:
            lines = rest + lines
            rows = self._quick(lines)
            if rows is None:
                rows, rest = self._careful(lines, last=False)
            else:
                rest = []
            yield rows, sum(map(len, lines)) - sum(map(len, rest))
        if rest:
            yield self._careful(rest, last=True)[0], sum(map(len, rest))

    def _quick(self, lines: list[str]) -> list[list[str]] | None:
        """One record a line, or `None` where that is not so."""
        last = lines[-1] if lines[-1].endswith(("\n", "\r")) else lines[-1] + "\n"
        try:
            with collector_paused():
                rows = list(self.dialect.reader([*lines[:-1], last, _SENTINEL]))
        except csv.Error:
            return None
        if len(rows) != len(lines) + 1 or rows.pop() != [_SENTINEL]:
            return None
        return rows

    def _careful(self, lines: list[str], *, last: bool) -> tuple[list[list[str]], list[str]]:
        """Records one by one, and the lines of a record that goes on in the next chunk."""
        feed = _Feed(lines)
        reader = self.dialect.reader(feed)
        rows: list[list[str]] = []
        while not feed.done:
            feed.begin()
            row = self._record(reader)
            if feed.asked_beyond and not last and feed.may_go_on and self.dialect.quotechar:
                return rows, lines[feed.start :]
            if row is None or not self._believed(feed, row):
                row = self._unquoted(feed)
                if not self.dialect.quotechar:
                    reader = self.dialect.reader(feed)
            rows.append(row)
        return rows, []

    def _record(self, reader: Iterator[list[str]]) -> list[str] | None:
        try:
            return next(reader)
        except (csv.Error, StopIteration, _RunawayError):
            return None

    def _believed(self, feed: _Feed, row: list[str]) -> bool:
        """Whether a record is what its writer meant."""
        lines = feed.taken
        if feed.asked_beyond:
            return not self.dialect.quotechar
        if len(lines) == 1:
            return True
        try:
            sound = len(list(self.dialect.reader(lines, strict=True))) == 1
        except csv.Error:
            return False
        return sound and (not self.width or len(row) == self.width or len(self._split(lines[0])) != self.width)

    def _unquoted(self, feed: _Feed) -> list[str]:
        """The first line of the record split without regard to quotes; the others are read again."""
        self._runaways += len(feed.taken) > 1
        self.unquoted += 1
        feed.back_to_second()
        if self._runaways >= RUNAWAYS:
            self.dialect = replace(self.dialect, quotechar=None)
        return self._split(feed.taken[0])

    def _split(self, line: str) -> list[str]:
        quote = self.dialect.quotechar or '"'
        return [cell.strip(" " + quote) for cell in line.rstrip("\r\n").split(self.dialect.delimiter)]


class _Feed:
    """Hands lines to a csv reader and knows which of them the current record took."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._next = 0
        self._characters = 0
        self.start = 0
        self.asked_beyond = False

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        if self._next >= len(self._lines):
            self.asked_beyond = True
            raise StopIteration
        line = self._lines[self._next]
        self._characters += len(line)
        if not self.may_go_on:
            raise _RunawayError
        self._next += 1
        return line

    def begin(self) -> None:
        """A new record begins at the next line."""
        self.start, self._characters, self.asked_beyond = self._next, 0, False

    def back_to_second(self) -> None:
        """Give all lines of this record but the first one back."""
        self._next = self.start + 1

    @property
    def done(self) -> bool:
        """Whether all lines are taken."""
        return self._next >= len(self._lines)

    @property
    def taken(self) -> list[str]:
        """The lines of the current record, at least one."""
        return self._lines[self.start : max(self._next, self.start + 1)]

    @property
    def may_go_on(self) -> bool:
        """Whether the record is still short enough to be one."""
        return self._next - self.start < QUOTED_LINES and self._characters <= 2 * LINE_CHARACTERS
