"""What csvlog and jsonlog share: lines of pgaudit, in the shapes that version 1.7 writes, and the server's own."""

from __future__ import annotations

import pytest

from language.audit_logs import RELATIONS, TIME, audit, read_all
from language.audit_logs import jsonlog as entry
from muniment.disclosure import Delivery, Outcome
from muniment.ingest.audit import JsonLog, Question, Reading, Summary
from muniment.ingest.audit import postgres as module
from muniment.ingest.audit.postgres import Lines

LOG = JsonLog(RELATIONS)
STATEMENTS = JsonLog(RELATIONS, lines=Lines.STATEMENTS)


def read(*lines: str) -> tuple[list[Reading], Summary]:
    """Readings and summary of pgaudit's lines."""
    return read_all(LOG, lines)


def test_a_read_by_key() -> None:
    line = entry(audit("select name from person where id = $1", "5", 1), number=3)
    (reading,), summary = read(line)
    assert reading.keys == (("5",),) and reading.exact and reading.rows == 1
    assert (reading.register, reading.columns, reading.outcome) == ("people", ("name",), Outcome.GIVEN)
    assert (reading.party.recipient, reading.party.account, reading.party.device) == ("", "clerk", "10.0.0.7")
    assert reading.delivery is Delivery.UNKNOWN
    assert reading.event == "6b054abd.3d6d/3"
    assert reading.time.isoformat() == "2026-11-24T09:00:00.123000+00:00"
    assert summary.keyed == 1
    assert dict(summary.unanswered) == {Question.RECIPIENT: 1, Question.PURPOSE: 1, Question.CASE: 1}


@pytest.mark.parametrize(
    ("statement", "parameters", "rows", "keys", "exact"),
    [
        ("select * from person where id in (1, 2, 999)", "<none>", 2, 3, False),  # one of them was not given
        ("select * from person where id in (1, 2)", "<none>", 2, 2, True),
        ("select * from person where id = 7", "<none>", None, 1, False),  # begun; whether rows left is not known
        ("select * from person where id = 7", "<none>", 0, 0, True),
        ("select * from person where id = any($1)", '"{3,4}"', 2, 2, True),
        ("select * from person where name = $1 and id = $2", '"a,""b",9', 1, 1, True),
        ("prepare p (int) as select * from person where id = $1", "8", 1, 1, True),
    ],
)
def test_asked_and_given(statement: str, parameters: str, rows: int | None, keys: int, exact: bool) -> None:
    (reading,), _ = read(entry(audit(statement, parameters, rows)))
    assert reading.keys is not None and len(reading.keys) == keys
    assert (reading.exact, reading.rows) == (exact, rows)


@pytest.mark.parametrize(
    ("statement", "parameters"),
    [
        ("select * from person where id = $1", "<not logged>"),
        ("select * from person where id = $1", "<long field suppressed>"),
        ("select * from person where id = $1", ""),  # NULL and an empty text look alike
        ("select * from person where id = $2", "5"),
        ("select a.* from person a, person b where a.id = 7", "<none>"),
        ("<not logged>", "<not logged>"),
    ],
)
def test_without_keys_a_read_is_counted(statement: str, parameters: str) -> None:
    line = entry(audit(statement, parameters, 40, kind="TABLE", relation="public.person"))
    (reading,), summary = read(line)
    assert reading.keys is None and reading.rows == 40
    assert summary.count_only
    assert {Question.WHO_RECEIVED, Question.OVERLAP, Question.RECEIVED} <= dict(summary.unanswered).keys()


def test_one_reading_for_a_statement_and_register() -> None:
    """pgaudit repeats a statement for each relation and audit role, without its text where log_statement_once is on."""
    named = {"kind": "TABLE", "relation": "public.person"}
    said = "select * from person where id = 7"
    hidden = "<previously logged>"
    lines = [
        entry(audit(said, rows=1, type="OBJECT", **named)),
        entry(audit(hidden, hidden, 1, **named)),
        entry(audit(said, rows=1, id=2)),
        entry(audit(said, rows=1, sub=2, id=2, **named)),  # a function that reads again
        entry(audit(said, rows=1), session_id="6b054abd.3d6e"),
    ]
    readings, summary = read(*lines)
    assert len(readings) == 4
    assert summary.repeated == 1


def test_a_relation_without_its_statement_has_the_shape_of_the_line_before() -> None:
    said = "select o.name from orders o, person p"
    first = entry(audit(said, kind="TABLE", relation="public.orders"))
    second = entry(audit("<previously logged>", "<previously logged>", kind="TABLE", relation="public.person"))
    (reading,), summary = read(first, second)
    assert reading.fingerprint and reading.keys is None
    assert summary.other == 1


def test_a_register_behind_a_view_is_counted_and_a_view_alone_is_told() -> None:
    """Object logging names the table behind a view; session logging only the view."""
    named = {"type": "OBJECT", "kind": "TABLE", "relation": "public.person"}
    behind = entry(audit("select * from vp where id = 3", rows=1, **named))
    (reading,), _ = read(behind)
    assert reading.keys is None
    none, summary = read(
        entry(audit("select * from vp where id = 3", kind="VIEW", relation="public.vp")),
        entry(audit("select * from vp where id = 3", id=2)),
        entry(audit("select * from other", id=3, kind="TABLE", relation="public.other")),
    )
    assert not none
    assert (summary.unnamed, summary.other) == (2, 1)


@pytest.mark.parametrize(
    ("category", "command", "statement", "readings"),
    [
        ("READ", "PREPARE", "prepare p(int) as select * from person where id = $1", 0),
        ("READ", "DECLARE CURSOR", "declare c cursor for select * from person", 0),
        ("READ", "COPY", "copy person to stdout", 1),
        ("WRITE", "UPDATE", "update person set city = 'x' where id = 3", 0),
        ("WRITE", "UPDATE", "update person set city = 'x' where id = 3 returning *", 1),
        ("FUNCTION", "DO", "do $$ begin perform * from person; end $$", 0),
        ("MISC", "EXECUTE", "execute p (7)", 0),
        ("DDL", "CREATE TABLE", "create table person (id int)", 0),
    ],
)
def test_what_gives_records_out(category: str, command: str, statement: str, readings: int) -> None:
    found, summary = read(entry(audit(statement, rows=0, category=category, command=command)))
    assert len(found) == readings
    assert summary.other == 1 - readings


def test_the_rows_of_a_copy_are_not_believed() -> None:
    (reading,), _ = read(entry(audit("copy person to stdout", rows=0, command="COPY")))
    assert reading.rows is None and reading.keys is None


def test_a_forged_line_is_let_be() -> None:
    """RAISE LOG writes what it likes, but PostgreSQL adds the context or the statement that pgaudit hides."""
    forged = audit("select * from person where id = 7")
    readings, summary = read(
        entry(forged, context="PL/pgSQL function inline_code_block line 1 at RAISE"),
        entry(forged, query="do $$ begin raise log 'AUDIT: ...'; end $$"),
    )
    assert not readings and summary.other == 2
    readings, summary = read_all(STATEMENTS, entry("statement: select * from person", context="at RAISE"))
    assert not readings and summary.other == 1


def test_refused_and_stopped_requests() -> None:
    said = {"error_severity": "FEHLER", "query": "select * from person, pg_authid"}
    (refused, stopped), summary = read(
        entry("permission denied for table pg_authid", sql_state_code="42501", **said),
        entry("canceling statement due to user request", sql_state_code="57014", **said),
        entry("division by zero", sql_state_code="22012", **said),
        entry("permission denied for table other", sql_state_code="42501", query="select * from other"),
    )
    assert (refused.outcome, refused.keys, refused.rows) == (Outcome.REFUSED, (), 0)
    assert (stopped.outcome, stopped.keys, stopped.rows) == (Outcome.STOPPED, None, None)
    assert summary.other == 2


@pytest.mark.parametrize(
    "message",
    [
        "AUDIT: ", "AUDIT: SESSION,1,1,READ,SELECT", "AUDIT: SESSION,one,1,READ,SELECT,,,select 1,<none>",
        "AUDIT: OTHER,1,1,READ,SELECT,,,select 1,<none>", 'AUDIT: SESSION,1,1,READ,SELECT,,,"select 1,<none>',
        "AUDIT: SESSION,1,1,READ,SELECT,,,select 1,<none>,many", "AUDIT: SESSION,1,1,READ,SELECT,,,select 1,<none>,1,1",
    ],
)  # fmt: skip
def test_a_malformed_line_is_a_fault(message: str) -> None:
    readings, summary = read(entry(message))
    assert not readings
    assert summary.reasons == (("malformed line of pgaudit", 1),)


def test_a_time_without_a_zone_that_is_known_is_a_fault() -> None:
    _, summary = read(entry(audit("select * from person"), log_time=TIME.replace("UTC", "CET")))
    assert summary.reasons == (("abbreviation of a time zone that was not named", 1),)


def test_sessions_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SESSIONS", 2)
    line = audit("select * from person where id = 7")
    sessions = ["a", "b", "a", "c", "b", "a"]  # b is forgotten when c comes, then a when b comes again
    readings, summary = read(*(entry(line, session_id=name) for name in sessions))
    assert len(readings) == 5 and summary.repeated == 1


def test_the_query_id_names_a_shape_where_the_text_is_not_logged() -> None:
    hidden = audit("<not logged>", "<not logged>", kind="TABLE", relation="public.person")
    (first, second), _ = read(entry(hidden, query_id="-81234"), entry(hidden.replace(",1,1,", ",2,1,"), query_id="0"))
    assert first.fingerprint == "query_id -81234"
    assert second.fingerprint == ""


@pytest.mark.parametrize(
    ("message", "detail", "keys"),
    [
        ("statement: select * from person where id = 7", "", "7"),
        ("duration: 0.412 ms  statement: select * from person where id = 7", "", "7"),
        ("execute <unnamed>: select * from person where name = $1 and id=$2",
         "parameters: $1 = 'o''b, $3 = ''x', $2 = '9'", "9"),
        ("execute S_1: select * from person where id=$1 and name=$2", "Parameters: $1 = '4', $2 = NULL", "4"),
        ("execute S_1: select * from person where id=$1", "Parameters: $1 = NULL", None),
        ("execute S_1: select * from person where id=$1", "Parameters: $2 = '4'", None),
        ("execute S_1: select * from person where id=$1", "Parameters: $1 = '4' and more", None),
        ("execute S_1: select * from person where id=$1", "", None),
        ("statement: execute p(8)", "prepare: prepare p(int) as select name from person where id=$1", None),
        ("statement: table person", "", None),
    ],
)  # fmt: skip
def test_statement_lines_of_the_server(message: str, detail: str, keys: str | None) -> None:
    (reading,), _ = read_all(STATEMENTS, entry(message, detail=detail))
    assert reading.keys == (None if keys is None else ((keys,),))
    assert reading.rows is None and not reading.exact


def test_other_lines_of_the_server() -> None:
    readings, summary = read_all(
        STATEMENTS,
        [
            entry("statement: update person set city = 'x'"),
            entry("statement: prepare p(int) as select name from person where id=$1"),
            entry("statement: fetch all from c"),
            entry(audit("select * from person")),
            entry("connection received: host=127.0.0.1"),
        ],
    )
    assert not readings
    assert (summary.other, summary.unnamed) == (4, 1)
