"""CSV records over several lines (RFC 4180), bounded, and what to do when a quote never closes.

Rules
1. A record ends at the first line end at which the number of quotes so far is even. So a text inside quotes may hold
   lines that look like records: they never become any.
2. Where the quotes do not close before LINE_BYTES or the end, or close into a record that `is_record` does not accept,
   the record is torn (a server that crashed, a disk that was full). It is refused, and reading goes on at the next
   line that begins like a record (`begins`). Only there could a text pass for a record. Where nothing tells a beginning
   (`begins` is None), a record that does not close costs its first line, one that closes is refused as a whole.
3. Quotes are counted in bytes: in UTF-8 no other character holds the byte of a quote.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final, TypeAlias

from muniment.ingest.audit.lines import LINE_BYTES, bounded_lines
from muniment.ingest.audit.tally import Tally

Record: TypeAlias = tuple[str, ...]
_FIELD: Final = r'(?:"((?:[^"]++|"")*+)"|([^"{d}\r\n]*+))({d}|\r?\n?\Z)'


def csv_fields(line: str, delimiter: str = ",") -> Record | None:
    """The fields of one record, quotes taken off; `None` where it is no CSV. An empty field is ""."""
    pattern = _pattern(delimiter)
    found: list[str] = []
    place = 0
    while match := pattern.match(line, place):
        quoted, plain, end = match.groups()
        found.append(plain if quoted is None else quoted.replace('""', '"'))
        place = match.end()
        if end != delimiter:
            return tuple(found)
    return None


def _pattern(delimiter: str) -> re.Pattern[str]:
    return re.compile(_FIELD.replace("{d}", re.escape(delimiter)))


def csv_records(
    stream: BinaryIO,
    tally: Tally,
    *,
    is_record: Callable[[Record], bool],
    begins: Callable[[bytes], bool] | None,
    delimiter: str = ",",
) -> Iterator[tuple[int, Record]]:
    """First line number and fields of each record; torn ones are refused. Blank lines between records are skipped."""
    lines = _Lines(bounded_lines(stream, tally))
    while (first := lines.take()) is not None:
        number, line = first
        if line.isspace():
            continue
        taken = [first] if _even(line) else _until_closed(first, lines)
        record = _decoded(b"".join(part for _, part in taken), delimiter)
        if record is not None and is_record(record):
            yield number, record
            continue
        lost, rest = _restart(taken, begins)
        tally.refuse(number, "torn or malformed CSV record", lost)
        lines.give_back(rest)


class _Lines:
    """Numbered lines that can be given back, also when the last one was taken. Owns those that were."""

    def __init__(self, lines: Iterator[tuple[int, bytes]]) -> None:
        self._lines = lines
        self._waiting: deque[tuple[int, bytes]] = deque()

    def take(self) -> tuple[int, bytes] | None:
        """The next line; `None` at the end."""
        return self._waiting.popleft() if self._waiting else next(self._lines, None)

    def give_back(self, lines: list[tuple[int, bytes]]) -> None:
        """Lines to be taken next."""
        self._waiting.extendleft(reversed(lines))


def _even(line: bytes) -> bool:
    return line.count(b'"') % 2 == 0


def _until_closed(first: tuple[int, bytes], lines: _Lines) -> list[tuple[int, bytes]]:
    """The lines up to the one that closes the quotes, or as many as a record may have."""
    taken = [first]
    size = len(first[1])
    while size <= LINE_BYTES and (following := lines.take()) is not None:
        taken.append(following)
        size += len(following[1])
        if not _even(following[1]):
            break
    return taken


def _decoded(data: bytes, delimiter: str) -> Record | None:
    if len(data) > 2 * LINE_BYTES:
        return None
    try:
        return csv_fields(data.decode(), delimiter)
    except UnicodeDecodeError:
        return None


def _restart(
    taken: list[tuple[int, bytes]], begins: Callable[[bytes], bool] | None
) -> tuple[int, list[tuple[int, bytes]]]:
    """How many lines are lost, and those from the next record on."""
    if begins is None:
        closed = sum(line.count(b'"') for _, line in taken) % 2 == 0
        return (len(taken), []) if closed else (1, taken[1:])
    for lost, (_, line) in enumerate(taken[1:], 1):
        if begins(line):
            return lost, taken[lost:]
    return len(taken), []
