"""PostgreSQL's jsonlog, versions 15 to 17 (manual, section 20.8.5): one object a line, empty fields left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo
from typing import BinaryIO

from muniment.ingest.audit.lines import JsonObject, json_lines, text
from muniment.ingest.audit.postgres import Entry, Lines, PostgresEvents
from muniment.ingest.audit.reading import Reading
from muniment.ingest.audit.relations import Relations
from muniment.ingest.audit.tally import Tally


@dataclass(frozen=True, slots=True)
class JsonLog:
    """A jsonlog as a source. `zone`: that of log_timezone, where it is not UTC and not a plain offset."""

    relations: Relations
    zone: tzinfo | None = None
    lines: Lines = Lines.PGAUDIT

    @property
    def form(self) -> str:
        """For people."""
        return "PostgreSQL jsonlog"

    def readings(self, stream: BinaryIO, tally: Tally) -> Iterator[Reading]:
        """See `reader.AuditSource`."""
        yield from PostgresEvents(self.relations, self.zone, self.lines, tally).readings(_entries(stream, tally))


def _entries(stream: BinaryIO, tally: Tally) -> Iterator[Entry]:
    for number, value in json_lines(stream, tally):
        if not text(value, "timestamp") or not text(value, "error_severity"):
            tally.refuse(number, "no entry of a jsonlog")
            continue
        yield _entry(number, value)


def _entry(number: int, value: JsonObject) -> Entry:
    return Entry(
        place=number,
        time=text(value, "timestamp"),
        user=text(value, "user"),
        host=text(value, "remote_host"),
        session=text(value, "session_id"),
        number=text(value, "line_num"),
        state=text(value, "state_code"),
        message=text(value, "message"),
        detail=text(value, "detail"),
        context=text(value, "context"),
        query=text(value, "statement"),
        query_id=text(value, "query_id"),
    )
