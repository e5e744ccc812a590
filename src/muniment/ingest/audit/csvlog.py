"""PostgreSQL's csvlog, versions 14 to 17 (manual, section 20.8.4: 26 columns; 24 in version 13).

Some of the columns are written by clients (application name, statement), so nothing but their place in the record says
what they are; quoting keeps them in place (`records`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo
from typing import BinaryIO, Final

from muniment.ingest.audit.postgres import Entry, Lines, PostgresEvents
from muniment.ingest.audit.reading import Reading
from muniment.ingest.audit.records import Record, csv_records
from muniment.ingest.audit.relations import Relations
from muniment.ingest.audit.tally import Tally

_COLUMNS: Final = (
    "log_time user_name database_name process_id connection_from session_id session_line_num command_tag"
    " session_start_time virtual_transaction_id transaction_id error_severity sql_state_code message detail hint"
    " internal_query internal_query_pos context query query_pos location application_name backend_type leader_pid"
    " query_id"
).split()
_WIDTHS: Final = (len(_COLUMNS) - 2, len(_COLUMNS))
_BEGIN: Final = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [^,]{1,20},")
_SEVERITY: Final = re.compile(r"[^\W\d_]{2,20}\d?")
"""ERROR, or what the language of the server's messages calls it."""
_STATE: Final = re.compile(r"[0-9A-Z]{5}")


@dataclass(frozen=True, slots=True)
class CsvLog:
    """A csvlog as a source. `zone`: that of log_timezone, where it is not UTC and not a plain offset."""

    relations: Relations
    zone: tzinfo | None = None
    lines: Lines = Lines.PGAUDIT

    @property
    def form(self) -> str:
        """For people."""
        return "PostgreSQL csvlog"

    def readings(self, stream: BinaryIO, tally: Tally) -> Iterator[Reading]:
        """See `reader.AuditSource`."""
        records = csv_records(stream, tally, is_record=_is_record, begins=_begins)
        entries = (_entry(line, record) for line, record in records)
        yield from PostgresEvents(self.relations, self.zone, self.lines, tally).readings(entries)


def _begins(line: bytes) -> bool:
    return _BEGIN.match(line) is not None


def _is_record(record: Record) -> bool:
    return len(record) in _WIDTHS and bool(_SEVERITY.match(record[11]) and _STATE.fullmatch(record[12]))


def _entry(line: int, record: Record) -> Entry:
    value = dict(zip(_COLUMNS, record, strict=False))
    return Entry(
        place=line,
        time=value["log_time"],
        user=value["user_name"],
        host=_host(value["connection_from"]),
        session=value["session_id"],
        number=value["session_line_num"],
        state=value["sql_state_code"],
        message=value["message"],
        detail=value["detail"],
        context=value["context"],
        query=value["query"],
        query_id=value.get("query_id", ""),
    )


def _host(connection: str) -> str:
    """`10.0.0.7:52114` or `::1:52114` without its port; the port changes with every connection. `[local]` is kept."""
    host, colon, port = connection.rpartition(":")
    return host if colon and port.isdigit() else connection
