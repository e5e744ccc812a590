"""What PostgreSQL's csvlog and jsonlog share: entries -> readings, by pgaudit's lines or the server's own.

Rules
1. Taken from pgaudit: READ (but PREPARE and DECLARE CURSOR, whose SELECT has a line of its own), and WRITE with
   RETURNING. One reading for each statement (session, statement, sub-statement) and register: pgaudit writes a line for
   each relation, and again for each audit role.
2. pgaudit, and the server for its own statement lines, hide statement and context. An entry with either is somebody's
   RAISE LOG 'AUDIT: ...', and is let be.
3. Keys come from the statement (see `statement`), rows from `pgaudit.log_rows`. Without that setting a line says that
   the statement began, not that rows left: delivery is unknown.
4. An error line of class 42501 (no permission) is a refused request, 57014 (cancelled) one that was stopped; both only
   where the statement names a register. Other errors are none of our business.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import StrEnum
from typing import Final

from muniment.disclosure import Delivery, Outcome, Party
from muniment.ingest.audit.reading import Keys, Reading
from muniment.ingest.audit.records import csv_fields
from muniment.ingest.audit.relations import Relation, Relations
from muniment.ingest.audit.statement import Asked, Parameters, Statements
from muniment.ingest.audit.tally import Tally
from muniment.ingest.audit.times import postgres_time

SESSIONS: Final = 10_000
"""Sessions whose last statement is remembered; a server has hundreds at a time."""

_AUDIT: Final = "AUDIT: "
_FIELDS: Final = (9, 10)
"""Fields of a pgaudit line, without and with rows."""
_TABLE: Final = "TABLE"
"""The kind of object that reads nothing but itself; a view may read a register."""
_NONE: Final = frozenset({"<none>", "<not logged>", "<previously logged>"})
_SUPPRESSED: Final = "<long field suppressed>"
_UNLOGGED: Final = ("PREPARE", "DECLARE CURSOR")
_COUNTED: Final = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE"})
"""Commands whose rows pgaudit counts; for COPY it writes 0 whatever was copied (seen with pgaudit 1.7)."""
_FAILED: Final = {"42501": Outcome.REFUSED, "57014": Outcome.STOPPED}
_STATEMENT: Final = re.compile(r"(?:duration: [0-9.]++ ms  )?(?:statement|execute [^:]{1,200}): (.*)", re.DOTALL)
_PREPARED: Final = "prepare: "
_DETAIL: Final = re.compile(r"parameters: ", re.IGNORECASE)
_PARAMETER: Final = re.compile(r"\$(\d{1,5}) = (?:NULL|'((?:[^']++|'')*+)')(?:, |\Z)")
_READS: Final = frozenset("select with copy table values declare fetch execute".split())


class Lines(StrEnum):
    """Which lines of the log count. Reading both would count most disclosures twice."""

    PGAUDIT = "pgaudit"
    """Those of the extension pgaudit."""
    STATEMENTS = "statements"
    """Those of log_statement, or log_min_duration_statement, with messages in English."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the log, by the names of csvlog. `place` is its line in the file."""

    place: int
    time: str
    user: str
    host: str
    session: str
    number: str
    state: str
    message: str = field(repr=False)
    detail: str = field(repr=False)
    context: str = field(repr=False)
    query: str = field(repr=False)
    query_id: str = ""


@dataclass(frozen=True, slots=True)
class _Audited:
    """The fields of one pgaudit line."""

    statement: tuple[int, int]
    category: str
    command: str
    kind: str
    relation: str
    text: str
    parameters: Parameters
    rows: int | None

    @classmethod
    def of(cls, message: str) -> _Audited:
        """Cut a message; `ValueError` with a reason."""
        found = csv_fields(message[len(_AUDIT) :])
        if found is None or len(found) not in _FIELDS:
            raise ValueError("malformed line of pgaudit")
        audit, number, part, category, command, kind, relation, text, parameters, *rows = found
        numbers = (number, part, *rows)
        if audit not in {"SESSION", "OBJECT"} or not all(_is_number(text) for text in numbers):
            raise ValueError("malformed line of pgaudit")
        return cls(
            (int(number), int(part)), category, command, kind, relation, "" if text in _NONE else text,
            _parameters(parameters),
            int(rows[0]) if rows and command in _COUNTED else None,
        )  # fmt: skip

    @property
    def gives(self) -> bool:
        """Whether lines of this class can give records out."""
        return (self.category == "READ" and self.command not in _UNLOGGED) or self.category == "WRITE"


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20


def _parameters(text: str) -> Parameters:
    """The logged parameters; an empty one may be NULL or an empty text, so it is neither."""
    if text in _NONE:
        return None
    found = csv_fields(text)
    return None if found is None else [None if value in {"", _SUPPRESSED} else value for value in found]


@dataclass(slots=True)
class _Last:
    """The last statement of one session: what was read of it, for the further lines about it."""

    statement: tuple[int, int]
    fingerprint: str = ""
    registers: set[str] = field(default_factory=set)


class PostgresEvents:
    """One pass over the entries of a log. Owns what is remembered of sessions."""

    def __init__(self, relations: Relations, zone: tzinfo | None, lines: Lines, tally: Tally) -> None:
        self._relations, self._zone, self._lines, self._tally = relations, zone, lines, tally
        self._statements = Statements(relations)
        self._sessions: OrderedDict[str, _Last] = OrderedDict()

    def readings(self, entries: Iterable[Entry]) -> Iterator[Reading]:
        """The disclosures among the entries, in their order."""
        for entry in entries:
            try:
                found = self._found(entry)
            except ValueError as error:
                self._tally.refuse(entry.place, str(error))
                continue
            yield from found

    def _found(self, entry: Entry) -> list[Reading]:
        if entry.state in _FAILED:
            return self._failed(entry)
        own = not (entry.context or entry.query)
        if self._lines is Lines.PGAUDIT and own and entry.message.startswith(_AUDIT):
            return self._audited(entry, _Audited.of(entry.message))
        if self._lines is Lines.STATEMENTS and own and (match := _STATEMENT.match(entry.message)):
            return self._stated(entry, match[1])
        self._tally.other += 1
        return []

    def _failed(self, entry: Entry) -> list[Reading]:
        """A request that was refused or stopped; the statement stands in the entry itself."""
        what = self._statements.asked(entry.query)
        if not what.relations:
            self._tally.other += 1
        outcome = _FAILED[entry.state]
        keys: Keys | None = () if outcome is Outcome.REFUSED else None
        return [self._reading(entry, relation, what, keys, None, outcome) for relation in what.relations]

    def _audited(self, entry: Entry, line: _Audited) -> list[Reading]:
        what = self._statements.asked(line.text, line.parameters)
        if not line.gives or (line.category == "WRITE" and not what.returns):
            self._tally.other += 1
            return []
        last = self._last(entry.session, line, what)
        relations = self._touched(line, what)
        fresh = [relation for relation in relations if relation.register not in last.registers]
        self._tally.repeated += len(relations) > 0 and not fresh
        last.registers.update(relation.register for relation in fresh)
        what = what if what.fingerprint else Asked(what.relations, last.fingerprint)
        return [self._reading(entry, relation, what, what.of(relation), line.rows) for relation in fresh]

    def _touched(self, line: _Audited, what: Asked) -> tuple[Relation, ...]:
        """The registers of a line: by the relation that pgaudit names, else by the statement."""
        if not line.relation:
            self._tally.unnamed += not what.relations
            return what.relations
        found = self._relations.named(line.relation)
        if found:
            return (found,)
        self._tally.other += line.kind == _TABLE
        self._tally.unnamed += line.kind != _TABLE
        return ()

    def _last(self, session: str, line: _Audited, what: Asked) -> _Last:
        """What is remembered of this statement; the session that rested longest is forgotten first."""
        last = self._sessions.pop(session, None)
        if last is None or last.statement != line.statement:
            last = _Last(line.statement, what.fingerprint)
        self._sessions[session] = last
        if len(self._sessions) > SESSIONS:
            self._sessions.popitem(last=False)
        return last

    def _stated(self, entry: Entry, text: str) -> list[Reading]:
        """A line of the server's own; an EXECUTE is followed to the statement that was prepared."""
        detail = entry.detail
        executed = detail.startswith(_PREPARED)
        what = self._statements.asked(detail[len(_PREPARED) :] if executed else text, _detailed(detail))
        if executed or what.verb in _READS or what.returns:
            self._tally.unnamed += not what.relations
            return [self._reading(entry, relation, what, what.of(relation), None) for relation in what.relations]
        self._tally.other += 1
        return []

    def _reading(
        self,
        entry: Entry,
        relation: Relation,
        what: Asked,
        keys: Keys | None,
        rows: int | None,
        outcome: Outcome = Outcome.GIVEN,
    ) -> Reading:
        given = rows is not None and keys is not None
        if given and not rows:
            keys = ()
        return Reading(
            time=postgres_time(entry.time, self._zone),
            line=entry.place,
            party=Party("", entry.user, entry.host),
            register=relation.register,
            outcome=outcome,
            delivery=Delivery.UNKNOWN,
            keys=keys,
            exact=given and keys is not None and len(keys) <= (rows or 0),
            rows=0 if outcome is Outcome.REFUSED else rows,
            columns=what.columns,
            fingerprint=what.fingerprint or _by_id(entry.query_id),
            event=f"{entry.session}/{entry.number}",
        )


def _by_id(query_id: str) -> str:
    """PostgreSQL's own name of a query's shape, where compute_query_id is on."""
    number = query_id.removeprefix("-")
    return f"query_id {query_id}" if _is_number(number) and int(number) else ""


def _detailed(detail: str) -> Parameters:
    """`Parameters: $1 = '5', $2 = NULL` of a line for the extended protocol (before version 16 in lower case)."""
    start = _DETAIL.match(detail)
    if not start:
        return None
    values: list[str | None] = []
    place = start.end()
    while match := _PARAMETER.match(detail, place):
        if int(match[1]) != len(values) + 1:
            return None
        values.append(match[2].replace("''", "'") if match[2] is not None else None)
        place = match.end()
    return values if place == len(detail) else None
