"""What leaks past rows: an attacker who may run SQL tries to carry one cell out, by every way that was found."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql

from language.postgres import programs_of_wheel, running
from muniment.gate.attribution.catalogue import Attribute, Catalogue, Relation
from muniment.gate.session.messages import PATTERNS, WITHHELD, told
from muniment.gate.session.redaction import (
    CHANNELS,
    NOTICES_PER_MINUTE,
    NOTIFICATIONS_PER_MINUTE,
    OWN_WORDS,
    REMEMBERED,
    Redaction,
    known_names,
)

NOW = 1_790_000_000_000
SECRET = "Xanthippe"
NAMES = frozenset(("person", "person_pkey", "id", "surname", "public"))


def redaction() -> Redaction:
    return Redaction(NAMES.__contains__)


def fields(message: str, **more: str) -> dict[str, str]:
    return {"S": "ERROR", "V": "ERROR", "C": "22P02", "M": message, "F": "int.c", "L": "7", "R": "pg_strtoint32"} | more


# --- against a real server -------------------------------------------------------------------------------------------

_CODES: Mapping[str, str] = {
    "S": "severity", "V": "severity_nonlocalized", "C": "sqlstate", "M": "message_primary", "D": "message_detail",
    "H": "message_hint", "P": "statement_position", "p": "internal_position", "q": "internal_query", "W": "context",
    "s": "schema_name", "t": "table_name", "c": "column_name", "d": "datatype_name", "n": "constraint_name",
    "F": "source_file", "L": "source_line", "R": "source_function",
}  # fmt: skip
_SETUP = """
create schema redacted;
set search_path to redacted;
create table person (id int primary key, surname text, note text);
insert into person values (7, 'Xanthippe', 'Xanthippe lives here'), (8, 'Other', 'x');
create table copyof (id int primary key, surname text unique check (surname <> 'Xanthippe'), n int not null);
create domain short as text check (value <> 'Xanthippe');
create function leak_sql(out x int) language sql as $$ select surname::int from person where id = 7 $$;
create function leak_constant() returns int language plpgsql immutable as $$
  begin raise exception '%', (select surname from person where id = 7); end $$;
create function leak_trigger() returns trigger language plpgsql as $$
  begin raise exception 'syntax error at or near "%"', (select surname from person where id = 7)
    using errcode = 'syntax_error'; end $$;
create table trapped (id int);
create trigger t before insert on trapped for each row execute function leak_trigger();
"""
_P = "(select surname from person where id = 7)"


def _do(body: str) -> str:
    return f"do $x$ declare s text := {_P}; begin {body} end $x$"


ATTACKS: Mapping[str, str] = {
    "cast": f"select {_P}::int",
    "cast of a value that closes the quote": f"""select ('7" or "' || {_P} || '" or "7')::int""",
    "cast of a value that looks like a message": f"""select ('a" of relation "' || {_P})::int""",
    "cast behind a line break": f"select (e'x\\n' || {_P})::int",
    "cast to a date": f"select {_P}::date",
    "cast to json": f"select ('{{' || {_P})::json",
    "cast to an array": f"select ('}}' || {_P})::int[]",
    "cast to a table": f"select {_P}::regclass",
    "too many dots": f"select ({_P} || '.a.b.c.d')::regclass",
    "cast to an operator": f"select {_P}::regoper",
    "cast to an operator with types": f"select ({_P} || '(int,int)')::regoperator",
    "cast to a function": f"select ({_P} || '(int)')::regprocedure",
    "cast to a type": f"select {_P}::regtype",
    "cast to a type that does not parse": f"select ({_P} || ' ((')::regtype",
    "cast to a role": f"select {_P}::regrole",
    "cast to an enum's": f"select enum_in({_P}::cstring, 0)",
    "cast to a domain": f"select {_P}::short",
    "setting that does not exist": f"select current_setting({_P})",
    "setting of a bad value": f"select set_config('work_mem', {_P}, false)",
    "setting of a bad time zone": f"select now() at time zone {_P}",
    "file": f"select pg_read_file({_P})",
    "encoding": f"select convert_to({_P}, {_P})",
    "character without equivalent": f"select convert_to({_P} || '李', 'LATIN1')",
    "dynamic query": f"select query_to_xml('select ' || {_P}, true, true, '')",
    "dynamic table": f"select query_to_xml('select * from ' || {_P}, true, true, '')",
    "dynamic cast": f"select query_to_xml('select ' || quote_literal({_P}) || '::int', true, true, '')",
    "text search": f"select ({_P} || ' & (')::tsquery",
    "json path": f"select ('$.' || {_P} || ' ((')::jsonpath",
    "regular expression": f"select 'x' ~ ({_P} || '[[:' || {_P} || ':]]')",
    "date format": f"select to_date({_P}, 'YYYY')",
    "unit of an extract": f"select date_trunc({_P}, now())",
    "privilege": f"select has_table_privilege({_P}, 'person', 'select')",
    "privilege's name": f"select has_table_privilege('person', {_P})",
    "xml": f"select xmlparse(document '<a>' || {_P})",
    "format": f"select format('%' || {_P}, 1)",
    "key of an object": f"select jsonb_build_object(null, {_P})",
    "json of a bad key": f"select ({_P} || '{{')::jsonb",
    "duplicate key": "insert into copyof select 1, surname || 'x', 1 from person union all "
                     "select 1, surname || 'x', 1 from person",
    "duplicate text": "insert into copyof select row_number() over (), 'x' || s, 1 from "
                      "(select surname s from person where id = 7) x, generate_series(1, 2)",
    "check": "insert into copyof select 1, surname, 1 from person",
    "null": "insert into copyof select 1, surname || 'x', null from person",
    "foreign function": "select leak_sql()",
    "constant function": "select leak_constant()",
    "trigger": "insert into trapped values (1)",
    "raise": _do("raise exception '%', s;"),
    "raise like a message": _do("""raise exception 'invalid input syntax for type integer: "%"', s;"""),
    "raise into detail and hint": _do("raise exception 'x' using detail = s, hint = s;"),
    "raise into names": _do("raise exception 'x' using table = s, column = s, schema = s, constraint = s, "
                            "datatype = s;"),
    "raise into a code": _do("raise exception 'x' using errcode = upper(substr(s, 1, 5));"),
    "raise again": _do("begin perform s::int; exception when others then raise; end;"),
    "assert": _do("assert false, s;"),
    "execute": _do("execute 'select ' || s;"),
    "execute a statement that does not parse": _do("execute s;"),
    "quoted name": _do("execute format('select %I from person', s);"),
    "table that is there": _do("execute format('create temp table %I (a int)', s); "
                               "execute format('create temp table %I (a int)', s);"),
    "prepared statement": _do("execute format('deallocate %I', s);"),
}  # fmt: skip


@pytest.fixture(scope="module", params=["machine", *("wheel" for _ in programs_of_wheel()[:1])])
def _server(request: pytest.FixtureRequest, postgres_url: str) -> Iterator[str]:
    """The server of all tests, and the newest there is: what errors say changes from version to version."""
    with contextlib.ExitStack() as stack:
        url = postgres_url
        if request.param == "wheel":
            url = stack.enter_context(running(programs_of_wheel()[0])).url
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("drop schema if exists redacted cascade")
            connection.execute(_SETUP)  # type: ignore[arg-type]
        yield url
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("drop schema if exists redacted cascade")


@pytest.fixture
def server(_server: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(_server, autocommit=True) as connection:
        connection.execute("set search_path to redacted; set lc_messages to 'C'")
        yield connection


def _fields(diagnostic: psycopg.errors.Diagnostic) -> dict[str, str]:
    found = {code: getattr(diagnostic, name) for code, name in _CODES.items()}
    return {code: value for code, value in found.items() if value is not None}


def _failed(server: psycopg.Connection[tuple[object, ...]], statement: str) -> dict[str, str]:
    with pytest.raises(psycopg.Error) as caught:
        server.execute(statement.encode())
    return _fields(caught.value.diag)


@pytest.mark.live
@pytest.mark.parametrize("name", ATTACKS)
def test_an_error_does_not_carry_a_cell_out(server: psycopg.Connection[tuple[object, ...]], name: str) -> None:
    sent = _failed(server, ATTACKS[name])
    passed = redaction().error(sent, [ATTACKS[name]])
    for code, value in passed.items():
        assert SECRET.lower() not in value.lower(), code
        assert SECRET[:5].lower() not in value.lower(), code
    assert passed["S"] == "ERROR" and len(passed["C"]) == 5


@pytest.mark.live
def test_the_attacks_would_work_without_the_gate(server: psycopg.Connection[tuple[object, ...]]) -> None:
    """Else the test above proves nothing: nearly all of them do carry the cell."""
    carried = [name for name, text in ATTACKS.items() if SECRET[:5].lower() in str(_failed(server, text)).lower()]
    assert len(carried) > 0.8 * len(ATTACKS)


HONEST: Mapping[str, tuple[str, str]] = {
    "typing error": ("selec 1", 'syntax error at or near "selec"'),
    "column": ("select surnam from person", 'column "surnam" does not exist'),
    "table": ("select * from persons", 'relation "persons" does not exist'),
    "operator": ("select id from person where surname = 7", "operator does not exist: text = integer"),
    "literal": ("select id from person where id = 'seven'", 'invalid input syntax for type integer: "seven"'),
    "key": ("insert into person values (7, 'a', 'b')", 'duplicate key value violates unique constraint "person_pkey"'),
    "zero": ("select 1 / (id - 7) from person", "division by zero"),
    "cast of one's own": ("select ('sev' || 'en')::int, 'seven'", 'invalid input syntax for type integer: "seven"'),
}


@pytest.mark.live
@pytest.mark.parametrize("name", HONEST)
def test_an_honest_mistake_is_told(server: psycopg.Connection[tuple[object, ...]], name: str) -> None:
    statement, expected = HONEST[name]
    assert redaction().error(_failed(server, statement), [statement])["M"] == expected


@pytest.mark.live
def test_a_dictionary_of_ones_own_words_comes_back_empty(server: psycopg.Connection[tuple[object, ...]]) -> None:
    """Every surname there is, as literals of the statement: which of them fails would be told."""
    words = ", ".join(f"'{word}'" for word in [f"w{number}" for number in range(2 * OWN_WORDS)] + [SECRET])
    statement = f"select (select s from unnest(array[{words}]) s where s = {_P})::int"
    passed = redaction().error(_failed(server, statement), [statement])
    assert passed["M"] == f'invalid input syntax for type integer: "{WITHHELD}"'


@pytest.mark.live
def test_notices_carry_nothing_and_not_without_end(server: psycopg.Connection[tuple[object, ...]]) -> None:
    sent: list[dict[str, str]] = []
    server.add_notice_handler(lambda diagnostic: sent.append(_fields(diagnostic)))
    for body in ("raise notice '%', s;", "raise warning 'x' using detail = s, errcode = 'XANTH';"):
        server.execute(_do(body).encode())
    server.execute(_do("for i in 1 .. 200 loop raise notice '%', s; end loop;").encode())
    server.execute(_do("execute format('drop table if exists %I', s);").encode())
    one, passed = redaction(), []
    for each in sent:
        told_ = one.notice(each, NOW)
        if told_ is not None:
            passed.append(told_)
    assert len(sent) == 203 and len(passed) == NOTICES_PER_MINUTE
    assert all(SECRET[:5].lower() not in value.lower() for each in passed for value in each.values())
    assert all(each["C"] in ("00000", "01000") for each in passed)
    assert one.notice(sent[0], NOW + 60_000) is not None


@pytest.mark.live
def test_a_notification_carries_neither_payload_nor_an_unheard_channel(
    server: psycopg.Connection[tuple[object, ...]],
) -> None:
    server.execute("listen news")
    server.execute(sql.SQL("listen {}").format(sql.Identifier(SECRET.lower())))
    server.execute(f"select pg_notify('news', {_P}), pg_notify(lower({_P}), '')".encode())
    one = redaction()
    one.listen("news")
    told_ = [one.notification(each.channel, each.payload, NOW) for each in server.notifies(timeout=1, stop_after=2)]
    assert told_ == [("news", ""), None]


@pytest.mark.live
@pytest.mark.parametrize("name", ["application_name", "TimeZone", "client_encoding", "DateStyle"])
def test_a_reported_setting_carries_only_what_the_client_said(
    server: psycopg.Connection[tuple[object, ...]], name: str
) -> None:
    values = {"TimeZone": f"'<' || {_P} || '>+08'", "client_encoding": "'LATIN1'", "DateStyle": "'SQL, DMY'"}
    statement = f"select set_config('{name}', {values.get(name, _P)}, false)"
    with contextlib.suppress(psycopg.Error):
        server.execute(statement.encode())
    reported = server.pgconn.parameter_status(name.encode())
    assert reported is not None
    passed = redaction().parameter(name, reported.decode(), [statement])
    assert SECRET.lower() not in passed.lower()
    closed = {"client_encoding": "LATIN1", "DateStyle": "SQL, DMY"}
    assert passed == closed.get(name, WITHHELD)


# --- without a server ------------------------------------------------------------------------------------------------


def test_a_statement_that_is_proved_to_touch_no_register_is_told_everything() -> None:
    sent = fields('invalid input syntax for type integer: "x"', D="detail", H="hint")
    assert redaction().error(sent, harmless=True) == sent


def test_but_not_what_a_function_raised_in_it() -> None:
    sent = fields("Xanthippe", R="exec_stmt_raise", C="XANTH", W="PL/pgSQL function f() line 1 at RAISE")
    passed = redaction().error(sent, harmless=True)
    assert passed["M"] != sent["M"] and passed["C"] == "P0001" and "W" not in passed


def test_no_context_passes_for_the_engines_own_by_its_first_line() -> None:
    for context in (
        "COPY t, line 1\nPL/pgSQL function f() line 3 at RAISE",
        "PL/pgSQL function f() line 3 at RAISE\nCOPY t, line 1",
        'SQL function "f" statement 1',
        'JSON data, line 1: x\nSQL statement "x"',
        "PL/pgSQL函式f()於第3行RAISE",
    ):
        passed = redaction().error(fields("division by zero", W=context, P="8"), ["division by zero"])
        assert passed["M"] not in ("division by zero", WITHHELD), context


def test_a_position_beside_an_inner_query_proves_nothing() -> None:
    for more in ({"q": "select x"}, {"p": "3"}, {"W": "COPY t, line 1"}, {"P": "x"}, {"P": ""}):
        passed = redaction().error(fields(f"operator does not exist: {SECRET}", **({"P": "8"} | more)))
        assert passed["M"] == WITHHELD


def test_names_of_a_constraint_pass_as_names_only() -> None:
    sent = fields(
        'duplicate key value violates unique constraint "person_pkey"',
        C="23505", s="public", t="person", n="person_pkey", c=SECRET, d=SECRET, D="Key (id)=(7) already exists.",
    )  # fmt: skip
    passed = redaction().error(sent)
    assert passed["M"] == sent["M"]
    assert {code: passed.get(code) for code in "stncdD"} == {
        "s": "public", "t": "person", "n": "person_pkey", "c": None, "d": None, "D": None,
    }  # fmt: skip


def test_a_severity_that_is_none_is_not_told() -> None:
    assert redaction().error(fields("x", V=SECRET))["V"] == "ERROR"


def test_in_another_language_nothing_is_told_in_words() -> None:
    assert redaction().error(fields('無效的整數輸入語法: "Xanthippe"'))["M"] == WITHHELD


def test_own_words_are_whole_words() -> None:
    """A text of one long literal is no alphabet from which any value could be cut."""
    own = "select 'abcdefghijklmnopqrstuvwxyz' from person"
    passed = redaction().error(fields('invalid input syntax for type integer: "def"'), [own])
    assert passed["M"] == f'invalid input syntax for type integer: "{WITHHELD}"'
    passed = redaction().error(fields('invalid input syntax for type integer: "def"'), [own, "def"])
    assert passed["M"] == 'invalid input syntax for type integer: "def"'


def test_a_long_text_proves_no_words() -> None:
    passed = redaction().error(fields('relation "x" does not exist'), ["select x from y", "a " * 1_000_000])
    assert passed["M"] == f'relation "{WITHHELD}" does not exist'


def test_channels_are_no_dictionary() -> None:
    one = redaction()
    for number in range(1_000):
        one.listen(f"c{number}")
        one.unlisten(f"c{number}")
    heard = [number for number in range(1_000) if one.notification(f"c{number}", "x", NOW)]
    assert heard == list(range(CHANNELS))


def test_notifications_are_counted_over_all_channels() -> None:
    one = redaction()
    one.listen("news")
    passed = [one.notification("news", SECRET, NOW + number) for number in range(3 * NOTIFICATIONS_PER_MINUTE)]
    assert passed.count(("news", "")) == NOTIFICATIONS_PER_MINUTE
    assert one.notification("news", "", NOW + 60_000) == ("news", "")


@pytest.mark.parametrize(
    ("name", "value", "own", "passes"),
    [
        ("application_name", "my report", "set application_name = 'my report'", True),
        ("application_name", "report", "set application_name = 'my report'", False),
        ("application_name", "REPORT", "set application_name = 'my report'", False),
        ("application_name", "", "reset application_name", True),
        ("search_path", 'person, "public"', "select 1", True),
        ("search_path", "mine, public", "set search_path to Mine, public", True),
        ("search_path", "xanthippe, public", "set search_path to mine", False),
        ("TimeZone", "UTC", "set time zone 'UTC'", True),
        ("TimeZone", "<+08>-08", "set time zone 8", True),
        ("TimeZone", "<+05:30>-05:30", "set time zone interval '05:30' hour to minute", True),
        ("TimeZone", "<+09:41:07>-09:41:07", "select set_config('TimeZone', x, false)", False),
        ("DateStyle", "ISO, MDY", "select 1", True),
        ("DateStyle", "ISO, Xanthippe", "select 1", False),
        ("is_superuser", "off", "select 1", True),
        ("scram_iterations", "4096", "set scram_iterations = 4096", True),
        ("scram_iterations", "26446", "select set_config('scram_iterations', ascii(x)::text, false)", False),
        ("an_extension's", SECRET, "select 1", False),
    ],
)
def test_settings(name: str, value: str, own: str, passes: bool) -> None:
    assert redaction().parameter(name, value, [own]) == (value if passes else WITHHELD)


def test_what_was_told_once_may_come_back() -> None:
    """RESET and ROLLBACK report the old value again, and drivers must learn of it."""
    one = redaction()
    assert one.parameter("TimeZone", "Asia/Taipei", startup=True) == "Asia/Taipei"
    assert one.parameter("TimeZone", "UTC", ["set time zone 'UTC'"]) == "UTC"
    assert one.parameter("TimeZone", "Asia/Taipei", ["rollback"]) == "Asia/Taipei"
    assert one.parameter("application_name", "Asia/Taipei", ["rollback"]) == WITHHELD


def test_values_told_before_are_no_dictionary() -> None:
    one = redaction()
    for number in range(10 * REMEMBERED):
        one.parameter("application_name", f"w{number}", [f"set application_name = 'w{number}'"])
    told_ = [number for number in range(10 * REMEMBERED) if one.parameter("application_name", f"w{number}") != WITHHELD]
    assert len(told_) <= REMEMBERED


def test_names_come_from_the_catalogue() -> None:
    relation = Relation(1, "office", "person", "r", True, False, {1: Attribute("surname", 25)})
    catalogue = Catalogue(1, {1: relation}, {}, frozenset(("people",)), frozenset(), False, frozenset(("person_pkey",)))
    assert known_names(catalogue) == {"office", "person", "surname", "people", "person_pkey"}


@given(st.text(alphabet=st.sampled_from('ab" :.\n%$\\'), max_size=40))
def test_nothing_unknown_passes_through_any_form(value: str) -> None:
    """Whatever a value looks like: of a message around it only known parts and the form's own words are left."""
    marked = f"§{value}§"
    for message in (
        f'invalid input syntax for type integer: "{marked}"',
        f'value "{marked}" is out of range for type integer',
        f'null value in column "{marked}" of relation "person" violates not-null constraint',
        f"permission denied for table {marked}",
        f"operator does not exist: {marked}",
        marked,
    ):
        assert "§" not in told(message, lambda part: part in NAMES)


def test_a_form_has_three_parts_at_most() -> None:
    assert len(PATTERNS) > 100
    assert all(pattern.groups <= 3 for pattern in PATTERNS)
