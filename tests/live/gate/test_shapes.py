"""What a real PostgreSQL describes, one statement at a time: its class, and nobody charged for less than came."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from language.judging import judged
from muniment.gate.attribution.catalogue import Catalogue
from muniment.gate.attribution.classify import SessionMemory
from muniment.gate.server.control import GuardedTable, PostgresControl

pytestmark = pytest.mark.live

SCHEMA = """
create schema shapes;
set search_path = shapes;
create table person (id int primary key, surname text, given text, mother int, town text, points int);
insert into person
  select g, 'S' || to_char(g, 'FM00000') || 'x', 'G' || to_char(g, 'FM00000') || 'x', g / 2, 'T' || g % 7, g % 9
  from generate_series(1, 200) g;
create table ward (a int, b int, surname text, primary key (a, b)) partition by range (a);
create table ward_low partition of ward for values from (0) to (51);
create table ward_high partition of ward for values from (51) to (1000);
insert into ward select g, g * 2, 'S' || to_char(g, 'FM00000') || 'x' from generate_series(1, 100) g;
create table visits (id int primary key, person_id int, note text);
insert into visits select g, g, 'n' || g from generate_series(1, 200) g;
create view names as select id, surname from person;
create view names_again as select surname as s, id as nr from names where id > 0;
create view pairs as select a.id, b.surname from person a join person b on b.id = a.mother;
create view loud as select id, upper(surname) as up from person;
create view lists as select town, string_agg(surname, ',') as s from person group by town;
create materialized view kept as select id, surname, given from person;
create function everybody() returns text language sql as 'select string_agg(surname, '','') from shapes.person';
create function beside(visits) returns text language sql as 'select shapes.everybody()';
create function all_rows() returns setof person language sql as 'select * from shapes.person';
analyze;
"""
TABLES = {
    "person": GuardedTable("shapes.person", ("id",), {"id": 1, "surname": 2, "given": 3}, 1, harmless=("town",)),
    "ward": GuardedTable("shapes.ward", ("a", "b"), {"a": 1, "b": 2, "surname": 3}, 1),
}
ATTRIBUTED = [
    "select id, surname from person", "select * from person where id = 7", "select surname, id as nr from person",
    "select surname from person where id = 7", "select surname from person where points > 0 and 7 = person.id",
    "select upper(surname) from person where id = 7", "select row(surname, given) from person where id = 7",
    "select id, surname || given, now() from person", "select p from person p", "select (p).* from person p",
    "select id, surname from only person", "table person", "select distinct id, surname from person",
    "select id, surname from (select * from person) s where id < 9",
    "with p as (select * from person) select id, surname from p",
    "with p as materialized (select * from person), q as (select * from p) select id, surname from q",
    "select p.id, p.surname, v.note from person p join visits v on v.person_id = p.id",
    "select v.note, p.id, p.surname from visits v left join person p on p.id = v.id + 190",
    "select a.id, a.surname, b.id, b.surname from person a join person b on b.id = a.mother where b.id <> a.id",
    "select id, surname from names", "select nr, s from names_again", "select id, surname from kept",
    "select p.surname, p.id from lateral (select * from person) p", "select id, town, surname from person",
    "select a, b, surname from ward", "select a, b, surname from ward_low",
    "select surname from ward where a = 3 and b = 6",
    "update person set points = points where id < 4 returning id, surname",
    "delete from person where id = 0 returning *",
    "insert into person (id, surname) values (0, 'new') returning id, surname",
    "select id, surname from person for update", "select tableoid, id, surname from person",
    "select id, surname from person group by id, surname",
    "select id, surname from person tablesample bernoulli (100)",
]  # fmt: skip
UNATTRIBUTED = [
    "select surname from person", "select a.id, b.surname from person a, person b where a.id = 7",
    "select a.id, a.id, b.surname from person a, person b where a.id = 7",
    "select id, (select string_agg(surname, ',') from person) from person where id = 7",
    "select id, surname from person union select 7, surname from person", "select string_agg(surname, '') from person",
    "select id, surname from (select id, surname from person union all select 7, surname from person) s",
    "select array(select surname from person)", "select max(surname), min(given) from person",
    "select p.json_agg from person p", "select (p).array_agg from person p", "select person.jsonb_agg from person",
    "select v.beside from visits v where id = 1", "select beside(v) from visits v where id = 1", "select everybody()",
    "select * from all_rows()", "select id, lag(surname) over (order by id) from person",
    "select id, first_value(surname) over (order by id desc) from person", "select id, surname from pairs",
    "select * from lists", "select s from lists", "select id, up from loud", "select string_agg(up, '') from loud",
    "select unnest(array_agg(surname)) from person", "values ((select surname from person where id = 7))",
    "select regexp_split_to_table(string_agg(surname, ','), ',') from person", "select row_to_json(p) from person p",
    "select s from (select surname, given from person) s", "select surname from person where id = 7 or true",
    "select surname from person where not id = 7", "select surname from person where id = 7 is not true",
    "select surname from person where id = 7 union all select surname from person", "select ctid, surname from person",
    "select b from person as p(a, b, c, id) where id = '4'", "select b, surname from ward where a = 3",
    "select x.a, y.b, y.surname from ward x, ward y where x.a = 1",
    "select coalesce(a.surname, b.given) from person a, person b",
    "with p as (select * from person) select a.id, b.surname from p a, p b where a.id = 7",
    "with recursive r as (select id, mother, surname from person where id = 9 union all "
    "select p.id, p.mother, p.surname from person p join r on p.id = r.mother) select id, surname from r",
    "select id, surname from person group by grouping sets ((id), (surname))",
    "select note, surname from visits, person", "select json_agg(p) from person p",
    "select xmlforest(surname as where) from person",
    "select p.surname, q.surname from names p, person q where p.id = 7",
    "select a.surname from ward_low a, ward_high b",
    "explain verbose select surname from person where surname = 'S00007x'",
]  # fmt: skip
FREE = [
    "select 1", "select now(), current_date", "select id, note from visits", "select count(*) from visits",
    "select relname, relkind from pg_class", "show server_version", "select town from person",
    "select v.note || 'x' from visits v", "insert into visits (id, note) values (9000, 'x') returning id, note",
    "update visits set note = 'y' where id = 3 returning *",
]  # fmt: skip
REFUSED = [
    "create table x1 as select surname as execute from person", "select surname as execute into x2 from person",
    "create table x3 as select surname as function from person",
    "explain analyze insert into visits select 1, 1, surname from person",
    "insert into visits (id, note) select 8000 + id, surname from person returning note",
    "with x as (insert into visits (id, note) select 7000 + id, surname from person returning note) table x",
    "with u as (update person set given = (select string_agg(surname, '') from person) returning given) table u",
    "prepare p1 as insert into visits select id, 1, surname from person",
    "update person set id = 1 where id = 77 returning *", "update visits set note = everybody()",
    "insert into visits (id, note) select -1, v.beside from visits v where id = 1",
    "select count(set_config('a.b', (select string_agg(surname, ',') from person), false))",
    "select count(pg_advisory_lock(id)) from person", "select table_to_xml('person', true, true, '')",
    "select most_common_vals from pg_stats", "select histogram_bounds::text from pg_stats",
]  # fmt: skip


@pytest.fixture(scope="module")
def connection(postgres_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A database of its own: an operator that another test adds would make every expression unknown."""
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute("drop database if exists shapes")
        admin.execute("create database shapes")
        with psycopg.connect(postgres_url, dbname="shapes", autocommit=True) as made:
            made.execute(SCHEMA)
            yield made
        admin.execute("drop database shapes with (force)")


@pytest.fixture(scope="module")
def catalogue(connection: psycopg.Connection[Any]) -> Iterator[Catalogue]:
    control = PostgresControl(connection.info.dsn, TABLES)
    yield control.catalogue()
    control.close()


@pytest.fixture(autouse=True)
def _undone(connection: psycopg.Connection[Any]) -> Iterator[None]:
    connection.execute("begin")
    yield
    connection.execute("rollback")


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
@pytest.mark.parametrize("sql", ATTRIBUTED)
def test_rows_that_say_whose_they_are(
    connection: psycopg.Connection[Any], catalogue: Catalogue, sql: str, binary: bool
) -> None:
    found = judged(connection, catalogue, sql, binary=binary)
    assert found.kind == ("attributed" if found.rows else "free")
    assert found.nameless == 0
    assert found.shown <= found.named


@pytest.mark.parametrize("sql", UNATTRIBUTED)
def test_rows_that_do_not_are_charged_for_what_they_may_show(
    connection: psycopg.Connection[Any], catalogue: Catalogue, sql: str
) -> None:
    found = judged(connection, catalogue, sql)
    assert found.kind == "unattributed"
    assert found.shown <= found.charged


@pytest.mark.parametrize("sql", FREE)
def test_what_shows_nobody_is_free(connection: psycopg.Connection[Any], catalogue: Catalogue, sql: str) -> None:
    found = judged(connection, catalogue, sql)
    assert (found.kind, found.shown) == ("free", 0)


@pytest.mark.parametrize("sql", REFUSED)
def test_what_would_carry_rows_elsewhere_does_not_run(
    connection: psycopg.Connection[Any], catalogue: Catalogue, sql: str
) -> None:
    assert judged(connection, catalogue, sql).kind == "refused"


def test_what_was_looked_up_is_known_again_once(connection: psycopg.Connection[Any], catalogue: Catalogue) -> None:
    memory = SessionMemory()
    judged(connection, catalogue, "select surname, given from person where id = 7", memory=memory)
    found = judged(connection, catalogue, "select surname, given from person where surname like '%7x'", memory=memory)
    assert (found.named, found.nameless) == (1, found.rows - 1)
    sql = "select surname, given from person p where surname = 'S00007x'"
    again = judged(connection, catalogue, sql, memory=memory)
    assert again.kind == "digest_matched"
