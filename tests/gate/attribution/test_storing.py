"""What stores rows of a register where a later statement finds them, however it is written."""

from __future__ import annotations

import pytest

from muniment.gate.attribution.catalogue import Attribute, Catalogue, Relation
from muniment.gate.attribution.storing import copies, deletes, flagged, flagged_somewhere, stored_at, target_at
from muniment.gate.attribution.text import facts
from muniment.gate.attribution.tokens import tokens

KEY = {1: Attribute("id", 23, "person", 1, 0), 2: Attribute("Surname", 25, "person", 2)}
CATALOGUE = Catalogue(
    version=1,
    relations={20_000: Relation(20_000, "public", "person", "r", True, False, KEY)},
    registers={},
    guarded_names=frozenset({"person"}),
    scalar_functions=frozenset({"upper"}),
    user_operators=False,
    row_functions=frozenset({"leak"}),
    keeping_functions=frozenset({"set_config", "setval"}),
    reading_functions=frozenset({"leak"}),
)


def read(sql: str) -> bool:
    found = facts(sql, CATALOGUE, conforming=True, safe_encoding=True)
    return copies(tokens(sql), found.mentions, found.functions, CATALOGUE)


@pytest.mark.parametrize(
    "sql",
    [
        "insert into visits (note) select surname from person",
        "insert into visits select (select surname from person)",
        "update visits set note = surname from person",
        "update person set notes = (select string_agg(surname, '') from person) where id = 1",
        "update person p set notes = q.surname from person q where q.id = 9",
        "merge into visits v using person p on true when matched then update set note = p.surname",
        "with x as (insert into visits select surname from person returning note) select note from x",
        "with x as (update person set notes = 'x'), y as (insert into visits values (1)) select 1",
        "explain (analyze) insert into visits select surname from person",
        "prepare p as insert into visits select surname from person",
        "copy (update visits set note = (select min(surname) from person) returning note) to stdout",
        "update visits set note = leak(1)",
        "insert into visits select v.leak from visits v",
        "insert into visits select office.leak(1)",
        "insert into visits values (query_to_xml('select 1', true, true, ''))",
        # another key: what is read under it later would be taken for somebody else's
        "update person set id = 1 where id = 77 returning *",
        "update only public.person as p set surname = 'x', \"id\" = 1",
        "update person set (surname, id) = ('x', 1)",
        "update person set (surname, ID) = row('x', 1)",
        "update person set active = a is distinct from b, id = 1 where id = 77",
        "update person set active = case when a then b end, id = 1",
        "update person set surname = (p).where, id = 1",
        "with u as (update person set id = 1 returning surname) select * from u",
        "insert into person (id) values (1) on conflict (id) do update set id = 9",
        "merge into person p using v on true when matched then update set id = 1",
    ],
)
def test_what_copies(sql: str) -> None:
    assert read(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "select * from person",
        "select id from person for update",
        "select id from person for no key update",
        "insert into visits values (1, 'x')",
        "insert into person (id, surname) values (1, 'x')",
        "insert into person (id, surname) values (1, 'x') on conflict (id) do update set surname = excluded.surname",
        "update person set surname = upper(surname) where id = 7 returning id, surname",
        "update person set surname = 'id' where id = 7",
        "update person set points = points + 1 from visits v where v.id = id",
        "update person set points = 1 where id = 3",
        "update person set points = case when true then 1 end where id = 3",
        "delete from person where id in (select id from person)",
        "merge into person p using v on p.id = v.id when matched then update set surname = v.note "
        "when not matched then insert (id) values (v.id)",
        "with u as (update person set points = 0 where id = 1 returning id) select id from u",
        "update visits set note = upper('x')",
        "select 1 as update",
        "grant update on visits to clerk",
        "select x.update from visits x",
        "create table insert_into (a int)",
        "select 'insert into visits' from person",
    ],
)
def test_what_does_not(sql: str) -> None:
    assert not read(sql)


def test_where_a_statement_stores_and_what_it_stores_to() -> None:
    words = tokens('with x as (insert into a.b select 1), y as (update only "C" set d = 1) select x for update')
    assert [target_at(words, at) for at in stored_at(words)] == ["b", "C"]
    assert target_at(tokens("update"), 0) == ""
    assert deletes(tokens("with d as (delete from x returning *) select 1"))
    assert not deletes(tokens("select x from delete"))


def _flagged(sql: str) -> set[str]:
    return set(facts(sql, CATALOGUE, conforming=True, safe_encoding=True).catalogue_flags)


def test_what_keeps_values_matters_where_a_register_is_read() -> None:
    assert _flagged("select set_config('search_path', '', false)") == set()
    assert _flagged("select count(set_config('a.b', surname, false)) from person") == {"set_config"}
    assert _flagged("select set_config('a.b', leak(), false)") == {"set_config"}
    assert _flagged("select pg_catalog.setval('s', id) from person") == {"setval"}
    assert _flagged("select table_to_xml('person', true, true, '')") == {"table_to_xml"}
    assert _flagged("select office.dblink('x')") == {"dblink"}
    assert _flagged("select most_common_vals from pg_catalog.pg_stats") == {"pg_stats"}
    assert flagged_somewhere("'\\'' || SET_CONFIG(", CATALOGUE) == {"set_config"}
    assert flagged(tokens("select 1"), {}, set(), CATALOGUE) == set()
