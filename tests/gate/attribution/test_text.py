"""What a text proves, as an attacker would have it proved."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.gate.attribution.catalogue import Catalogue
from muniment.gate.attribution.text import Facts, facts

CATALOGUE = Catalogue(
    version=1,
    relations={},
    registers={},
    guarded_names=frozenset({"person", "v_person"}),
    scalar_functions=frozenset({"lower", "upper", "now", "concat"}),
    user_operators=False,
    row_functions=frozenset({"json_agg", "leak_all", "count"}),
    keeping_functions=frozenset({"set_config", "pg_advisory_lock"}),
    reading_functions=frozenset({"leak_all"}),
)


def read(sql: str, **options: bool) -> Facts:
    return facts(sql, CATALOGUE, **{"conforming": True, "safe_encoding": True, **options})


SINGLE = [
    "select id, surname from person",
    "select p.id, p.surname from public.person p where p.id = 7",
    "select p.id, v.note from person p join visits v on v.person_id = p.id",
    "select id from only person",
    "insert into person (id, surname) values (1, 'x') returning id, surname",
    "update person set surname = 'x' where id = 1 returning id, surname",
    "delete from person where id = 1 returning *",
    "declare c cursor with hold for select id, surname from person",
    "copy (select id, surname from person) to stdout",
    "select person.id, person.surname from person",
    "select id, surname from v_person",
    "with p as (select * from person) select id, surname from p",
    "with p as materialized (select * from person), q as (select * from p) select q.id, q.surname from q",
    "with recursive few(n) as (select 1 union all select n + 1 from few) select p.id from person p, few, few f",
    "copy (with few(n) as (select 1) select id from person, few a, few b) to stdout",
    "copy (with p as (select id from person) select id from p) to stdout",
    "select id -- from person\n, surname from person /* person */",
    "select id, 'person' from person",
    "select id, timestamp with time zone 'now' from person",
]
NOT_SINGLE = [
    "select a.id, b.surname from person a, person b where a.id = 7",
    'select a.id, b.surname from person a, "person" b where a.id = 7',
    "select a.id, b.surname from person a, PERSON b where a.id = 7",
    "select a.id, b.surname from public.person a, other.person b",
    "select a.id, b.surname from person a, public . person b",
    "select a.id, b.surname from person a, public./**/person b",
    "with p as materialized (select * from person) select a.id, b.surname from p a, p b",
    "with p(id) as (select id from person) select a.id from p a, p b",
    "with P as (select * from person) select a.id, b.surname from p a, \"p\" b",
    "with x as (select 1), p as not materialized (select * from person) select a.id, b.surname from p a, p b",
    "with x as (select 1), p(id) as (select * from person) select a.id, b.id from p a, p b",
    "with recursive p(id) as (select id from person) select id from p",
    "select id, (select string_agg(surname, ',') from person) from person where id = 7",
    "select p from person p, lateral (select surname from person) q",
    "select id, surname from person; select id, surname from person",
    "select $$ $$, a.id, b.surname from person a, person b",
    "select '\\', a.id, b.surname from person a, person b --'",
    "table person union table person",
    "execute p(1)",
    "do $$ begin perform 1; end $$",
]


@pytest.mark.parametrize("sql", SINGLE)
def test_one_row_of_one_table_is_proved(sql: str) -> None:
    assert read(sql).single


@pytest.mark.parametrize("sql", NOT_SINGLE)
def test_what_may_pair_two_rows_is_not_proved(sql: str) -> None:
    found = read(sql)
    assert not found.single
    assert not found.row_local
    assert not found.register_free
    assert not found.pins


@pytest.mark.parametrize("sql", SINGLE)
@pytest.mark.parametrize("option", ["conforming", "safe_encoding"])
def test_other_rules_of_quoting_prove_nothing(sql: str, option: str) -> None:
    found = read(sql, **{option: False})
    assert not (found.provable or found.single or found.row_local or found.register_free or found.pins)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select id, upper(surname) from person", True),
        ("select id, surname || '-' || address from person", True),
        ("select id, case when sex = 'f' then 1 else 2 end, coalesce(surname, '') from person", True),
        ("select id, count(*) from person group by id", False),
        ("select id, lag(surname) over (order by id) from person", False),
        ("select id, max(surname) over () from person", False),
        ("select id, set_config('a.b', current_setting('a.b') || surname, false) from person", False),
        ("select id, public.lower(surname) from person", False),
        ("select id, pg_catalog.lower(surname) from person", True),
        ("select id, surname operator(public.+) 'x' from person", False),
        ("select id, array(table person) from person", False),
        ("select id, (values (1)) from person", False),
        ("select id, my_function(id) from person", False),
        ("select p.id, upper(v.surname) from person p, v_person v", False),
        ("update person set surname = 'x' returning id, upper(surname)", True),
        ("insert into visits (person_id) select id from person returning person_id", False),
        ("select id, p.json_agg from person p group by id", False),
        ("select id, (p).leak_all from person p", False),
        ("select id, p.surname, p.address || '' from person p", True),
    ],
)
def test_row_local_expressions(sql: str, expected: bool) -> None:
    assert read(sql).row_local is expected
    assert not facts(sql, replace(CATALOGUE, user_operators=True), conforming=True, safe_encoding=True).row_local


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select 1", True),
        ("", True),
        ("select now(), count(*) from visits", True),
        ("with x as (select 1) select * from x", True),
        ("show work_mem", True),
        ("select version(), current_user, g from generate_series(1, 5) g", True),
        ("select current_setting('a.b')", False),
        ("select count(*) from person", False),
        ("select secret()", False),
        ("select query_to_xml('select * from person', true, true, '')", False),
        ("select * from pg_stats", False),
        ("select most_common_vals from pg_catalog.pg_stats", False),
        ("fetch all from c", False),
        ("call p()", False),
        ("select 1; select 2", False),
    ],
)
def test_what_cannot_touch_a_register(sql: str, expected: bool) -> None:
    assert read(sql).register_free is expected


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("(select 1)", "select"), ("values (1)", "select"), ("table person", "select"),
        ("select * into temp t from person", "create-as"), ("create table t as select * from person", "create-as"),
        ("create materialized view m as select 1", "create-as"), ("create view v as select 1", "ddl"),
        ("create function f() returns int language sql as 'select 1'", "ddl"),
        ("explain analyze select 1", "explain"), ("explain execute p", "execute"),
        ("create table t as execute p", "create-as"), ("copy person to '/tmp/x'", "copy-file"),
        ("copy person to program 'cat'", "copy-file"), ("copy person from stdin", "copy-in"),
        ("copy person to stdout", "copy-out"), ("copy (select 1) to stdout", "copy-query"),
        ("prepare transaction 'x'", "transaction"), ("prepare p as select 1", "prepare"),
        ("with x as (select 1) insert into t select * from x", "insert"), ("move 5 in c", "fetch"),
        ("create table t as select surname as execute from person", "create-as"),
        ("select surname as execute into t from person", "create-as"),
        ("create table t as select surname as function from person", "create-as"),
        ("create table t (a int generated always as identity, b int)", "ddl"),
        ("explain analyze create table t as select * from person", "create-as"),
        ("explain analyze insert into visits select id from person", "create-as"),
        ("prepare p as insert into visits select id from person", "create-as"),
        ("copy (insert into visits select id from person returning id) to stdout", "create-as"),
        ("insert into visits select id from person; select 1", "create-as"),
        ("with u as (update visits set note = 'x' returning id) select id from u", "select"),
        ("update person set surname = 'x'", "update"), ("select id from person for update", "select"),
        ("vacuum", "vacuum"), ("frobnicate", "other"), ("select 1; select 2", "many"), (";;", "empty"),
    ],
)  # fmt: skip
def test_kinds(sql: str, kind: str) -> None:
    assert read(sql).kind == kind


@pytest.mark.parametrize(
    ("sql", "sets"),
    [
        ("set muniment.case = 'A-1'", (("muniment.case", "A-1", False),)),
        ("SET LOCAL muniment.Purpose TO 'x'", (("muniment.purpose", "x", True),)),
        ("set session muniment.case to default", (("muniment.case", None, False),)),
        ("reset muniment.case", (("muniment.case", None, False),)),
        ("reset all", (("all", None, False),)),
        ("set names 'utf8'", (("names", "utf8", False),)),
        ("set a = 1; set b = 'to'", (("a", "1", False), ("b", "to", False))),
        ("select 1", ()),
    ],
)
def test_settings(sql: str, sets: tuple[object, ...]) -> None:
    assert read(sql).sets == sets


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("declare C cursor for select 1", ("c",)), ('fetch 10 from "C"', ("C",)), ("fetch c", ("c",)),
        ("close all", ()),
        ("prepare p(int) as select 1", ("p",)), ("deallocate prepare p", ("p",)), ("deallocate all", ()),
        ("listen news", ("news",)), ("unlisten *", ()), ("savepoint a", ("a",)), ("rollback to savepoint a", ("a",)),
        ("release a", ("a",)), ("commit", ()),
    ],
)  # fmt: skip
def test_names(sql: str, names: tuple[str, ...]) -> None:
    assert read(sql).names == names


def test_writing_is_taken_for_granted_where_it_may_be() -> None:
    assert not read("select id from person").writes
    assert read("with x as (delete from person returning *) select * from x").writes
    assert read("update person set surname = 'x'").writes
    assert read("select 1; delete from person").writes
    assert not read("select 1; select 2").writes


def test_a_text_whose_quotes_may_end_elsewhere_hides_nothing() -> None:
    hidden = "insert into visits (note) select '\\'' || surname from person --'"
    assert read(hidden).mentions == {}, "read so, all of it is one string"
    for option in ("conforming", "safe_encoding"):
        found = read(hidden, **{option: False})
        assert (found.kind, found.mentions) == ("create-as", {"person": 2})
    assert read("select '\\'' || set_config('a.b', 'x', false) --'", conforming=False).catalogue_flags == {"set_config"}
    assert read("update person set surname = '戶政' where id = 1", safe_encoding=False).mentions == {"person": 1}


def test_a_name_in_another_encoding_may_be_any_name_that_is_not_ascii() -> None:
    known = replace(CATALOGUE, guarded_names=frozenset({"戶籍"}))
    legacy = b"select upper(a) from \xa4\xe1\xc4\xfe".decode("utf-8", "surrogateescape")
    found = facts(legacy, known, conforming=True, safe_encoding=True)
    assert not found.register_free
    assert not found.provable
    assert facts(legacy, CATALOGUE, conforming=True, safe_encoding=True).register_free


def test_a_view_in_the_schema_of_temporary_tables_is_a_mention() -> None:
    known = replace(CATALOGUE, guarded_schemas=frozenset({"pg_temp_3"}))
    assert facts("select a from pg_temp.person", known, conforming=True, safe_encoding=True).mentions == {"person": 1}


def test_the_fingerprint_leaves_literals_out() -> None:
    one = read("select id from person where id in (1, 2, 3) and surname = 'x'").fingerprint
    assert one == read("SELECT id FROM person WHERE id IN (7) AND surname = 'y''z' -- c").fingerprint
    assert one != read("select id from person where id in (1) and address = 'x'").fingerprint
    assert len(one) == 16


@given(st.text(max_size=200))
def test_no_text_raises(sql: str) -> None:
    assert read(sql).statements >= 0


WORDS = "select from person , a b ( ) ' \" $$ -- /* */ \n ; where id = 7 with as E'".split(" ")


@given(st.lists(st.sampled_from(WORDS), max_size=25))
def test_two_mentions_outside_of_quotes_are_never_single(words: list[str]) -> None:
    sql = "select a.id, b.surname from person a, person b " + " ".join(words)
    assert not read(sql).single


@pytest.mark.parametrize(
    ("sql", "target", "named"),
    [
        ("insert into public.Person (id) values (1)", "person", ""), ("update only person set id = 1", "person", ""),
        ("merge into person p using visits v on true when matched then delete", "person", ""),
        ("with x as (select 1) insert into visits select * from x", "visits", ""), ("select 1", "", ""),
        ("create or replace function f() returns int language sql as 'select 1'", "", "function"),
        ("create unique index i on person (id)", "", "index"), ("alter table person add x int", "", "table"),
        ("create constraint trigger t after insert on person execute function f()", "", "constraint"),
    ],
)  # fmt: skip
def test_what_is_written_to_and_what_is_made(sql: str, target: str, named: str) -> None:
    found = read(sql)
    assert (found.target, found.object) == (target, named)


def test_a_column_named_like_a_table_is_no_mention_where_the_schemas_are_known() -> None:
    known = replace(CATALOGUE, guarded_schemas=frozenset({"office"}))
    for sql, times in (
        ("select p.id from office.person p join visits v on v.person = p.id", 1),
        ("select p.id from person p, OFFICE.person q", 2),
        ('select p.id from person p, db."office".person q', 2),
        ("select p.id from person p, other.person q", 1),
    ):
        assert facts(sql, known, conforming=True, safe_encoding=True).mentions == {"person": times}, sql
    assert read("select p.id from person p join visits v on v.person = p.id").mentions == {"person": 2}
