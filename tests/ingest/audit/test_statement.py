"""Statements: keys only where no other record can come out. The judge of that is a database."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from language.audit_logs import RELATIONS
from muniment.ingest.audit import statement as module
from muniment.ingest.audit.reading import Keys
from muniment.ingest.audit.relations import KeyForm, Relation, Relations
from muniment.ingest.audit.statement import Parameters, Statements, asked

SEVEN: Keys = (("7",),)


@pytest.mark.parametrize(
    ("statement", "parameters", "keys"),
    [
        ("select * from person where id = 7", None, SEVEN),
        ("SELECT name FROM public.person AS p WHERE p.id = '7' AND city = 'x' LIMIT 1;", None, SEVEN),
        ('select "person"."name" from "person" where "person"."id" = $1 limit $2', ["7", "21"], SEVEN),
        ("select name from person where 7 = id and (a or b)", None, SEVEN),
        ("select * from only person where ((id = 7) and a is null) order by name desc", None, SEVEN),
        ("select * from person where id in (1, 2,2,'003')", None, (("1",), ("2",), ("3",))),
        ("select * from person where id in ($1,$2)", ["1", "2"], (("1",), ("2",))),
        ("select * from person where id = any('{1,2}'::int[])", None, (("1",), ("2",))),
        ("select * from person where id = any($1)", ['{4,"5"}'], (("4",), ("5",))),
        ("select * from person where id = any(array[1,2]::bigint[])", None, (("1",), ("2",))),
        ("select * from person where id = any('{}')", None, ()),
        ("select * from person where id = $1::bigint for update", ["7"], SEVEN),
        ("select * from person where id = -7", None, (("-7",),)),
        ("prepare p (int) as select count(*), max(score) from person where id=$1", ["7"], SEVEN),
        ("select lower(name), 0.5 from person where id = 7 /* by id */ group by name", None, SEVEN),
    ],
)
def test_keys_that_are_beyond_doubt(statement: str, parameters: Parameters, keys: Keys) -> None:
    found = asked(statement, RELATIONS, parameters)
    assert found.keys == keys
    assert [relation.register for relation in found.relations] == ["people"]
    assert len(found.fingerprint) == 16


@pytest.mark.parametrize(
    ("statement", "parameters"),
    [
        ("select * from person", None),
        ("select a.* from person a, person b where a.id = 7", None),
        ("select a.* from person a join person b on true where a.id = 7", None),
        ("select (select string_agg(name, ',') from person) from person where id = 7", None),
        ("select * from person where id = 7 or true", None),
        ("select * from person where id = 7 union select * from person", None),
        ("with a as (select * from person) select * from person where id = 7", None),
        ("select * from person where not id = 7", None),
        ("select * from person where id not in (7)", None),
        ("select * from person where id <> 7 and name = 'id = 7'", None),
        ("select * from person where flag between false and id = 7", None),
        ("select * from person where case when a and id = 7 then true else true end", None),
        ("select * from person where case when a and id = 7 and b then true else true end", None),
        ("select (select max(name) from person) from person where id = 7", None),
        ("select * from person where id = 7 is not true", None),
        ("select * from person where id = 7 = false", None),
        ("select * from person where id = 7 + n", None),
        ("select * from person where id = id", None),
        ("select * from person where id > 7", None),
        ("select * from person where (id, n) = (7, 1)", None),
        ("select * from person where id = any(select 7)", None),
        ("select * from person where id = all('{7}')", None),
        ("select * from person where id = any('{7,NULL}')", None),
        ("select * from person where id = any('{{7},{8}}')", None),
        ("select * from person where id = '7.0'", None),
        ("select * from person where id = '7'::varchar(1)", None),
        ("select * from person where id = '7'::money", None),
        ("select * from person where id = $1", None),
        ("select * from person where id = $2", ["7"]),
        ("select * from person where id = $1", [None]),
        ("select * from person where id in (7, $1)", [None]),
        ("select * from person where id = change_id", None),
        ("select dump_all() from person where id = 7", None),
        ("select public.lower(name) from person where id = 7", None),
        ('select "lower"(name) from person where id = 7', None),
        ("select query_to_xml('select * from person', true, true, '') from person where id = 7", None),
        ("select * from person where id = 7; select * from person", None),
        ("select * from person where id = '\\' or true --'", None),
        ("select * from person where id = 7 -- \nor true", None),
        ("select * from person where exists (table person) and id = 7", None),
        ("insert into person select * from person where id = 7", None),
        ("copy (select * from person where id = 7) to stdout", None),
        ("explain analyze select * from person where id = 7", None),
        ("declare c cursor for select * from person where id = 7", None),
        ("select * from person tablesample system (1) where id = 7", None),
        ("select * from person as p (id, n) where id = 7", None),
        ("select * from dump() as person where id = 7", None),
        ("select * from person where id = E'7'", None),
    ],
)
def test_any_doubt_leaves_the_keys_open(statement: str, parameters: Parameters) -> None:
    found = asked(statement, RELATIONS, parameters)
    assert found.keys is None
    assert [relation.register for relation in found.relations] == ["people"]  # that it was read is known all the same


def test_a_statement_on_other_relations_is_not_ours() -> None:
    for statement in ("select 1", "select * from other where id = 7", "select * from archive.person where id = 7", ""):
        assert asked(statement, RELATIONS).relations == ()


def test_text_keys_are_taken_as_they_stand() -> None:
    relations = Relations([Relation("person", "people", ("pid",))])
    assert asked("select * from person where pid = ' A''1 '", relations).keys == ((" A'1 ",),)
    assert asked("select * from person where pid = any('{\"a b\",c}')", relations).keys == (("a b",), ("c",))


def test_an_array_of_text_keys_with_null_or_escapes_is_left_open() -> None:
    relations = Relations([Relation("person", "people", ("pid",))])
    for array in ("{a,NULL}", "{a,null}", '{"a\\"b"}', "{a,,b}", "{a", "{{a}}", "[0:1]={a,b}"):
        assert asked("select * from person where pid = any($1)", relations, [array]).keys is None


def test_composite_keys_need_every_part() -> None:
    relations = Relations([Relation("flat", "dwellings", ("house", "floor"), (KeyForm.TEXT, KeyForm.INTEGER))])
    both = "select * from flat where floor in (1, 2) and house = 'H9'"
    assert asked(both, relations).keys == (("H9", "1"), ("H9", "2"))
    assert asked("select * from flat where house = 'H9'", relations).keys is None
    # every pair of the two lists could come out, or only some of them
    assert asked("select * from flat where floor in (1, 2) and house in ('a', 'b')", relations).keys is None


def test_columns_are_known_only_from_a_plain_list() -> None:
    def columns(listed: str) -> tuple[str, ...] | None:
        return asked(f"select {listed} from person p where p.id = 7", RELATIONS).columns

    assert columns('name, p."City", name') == ("name", "City")
    for listed in ("*", "p.*", "name, lower(city)", "name as n", "p", "distinct name"):
        assert columns(listed) is None


def test_a_statement_that_is_remembered_takes_its_own_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_KNOWN", 2)
    statements = Statements(RELATIONS)
    for number in range(12):
        said = f"select c{number % 3} from person where id = $1"
        assert statements.asked(said, [str(number)]) == asked(said, RELATIONS, [str(number)])
    assert statements.asked(said, [None]).keys is None
    assert statements.asked(said).keys is None


def test_writes_that_give_rows_out_are_told() -> None:
    found = asked("update person set city = 'x' where id = 7 returning *", RELATIONS)
    assert found.returns and found.verb == "update" and found.keys is None
    assert not asked("select 'returning' from person", RELATIONS).returns


BINDING = st.sampled_from("id = 3|3 = id|id in (1, 2)|id = -1|(id = 3)|id = '4'|id = any(array[1, 2])".split("|"))
ATOMS = BINDING | st.sampled_from(
    "id = 4::int|id in (3, 4, 99)|id <> 3|id > 3|not id = 3|id not in (3)|id = id|id = 3 = flag|id = 3 is not true"
    "|id between 1 and 4|flag|id between 0 and id = 3|flag between false and id = 3|1 = 1|n = 3|id = n|id = 3.0"
    "|case when flag then true else id = 3 end|case when flag and id = 3 and flag then true else true end"
    "|(id = 3 or flag)|(flag and id in (5, 6))|id = 3 + 0|id = 3 * n|id is not null|exists (select 1 from person)"
    "|id in (select id from person)|id::text = '3'|abs(id) = 3|coalesce(id, 3) = 3".split("|")
)
PLAIN = st.sampled_from(["select id from person where {}", "select id, n from person where {} order by id limit 20"])
SHAPES = PLAIN | PLAIN | st.sampled_from(
    "select p.id from person p where {}|select person.id from person where {}"
    "|select max(id) from person where {}"
    "|select id from person where {} union all select id from person|select q.id from person, person q where {}"
    "|select q.id from person join person q on true where {}|select id from person where {} group by id"
    "|(select id from person where {})|select id from person where {} or true|select id from (select * from person) "
    "where {}|with a as (select 1) select id from person where {}|select id from person where true or {}".split("|")
)


@st.composite
def conditions(draw: st.DrawFn) -> str:
    """Conditions joined without care for brackets, as a person or a program may write them."""
    found = draw(ATOMS)
    for _ in range(draw(st.integers(0, 3))):
        joined = f"{found} {draw(st.sampled_from(['and', 'and', 'and', 'or', 'and not']))} {draw(ATOMS)}"
        found = draw(st.sampled_from([joined, joined, f"({joined})", f"not ({joined})"]))
    return found


@pytest.fixture(scope="module")
def database() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    columns = "i::int id, (i * 7 % 5)::int n, i % 2 = 0 flag"
    connection.execute(f"create table person as select {columns} from range(-2, 12) r(i)")
    return connection


@settings(max_examples=600, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shape=SHAPES, condition=conditions())
def test_no_record_comes_out_whose_key_was_not_found(
    database: duckdb.DuckDBPyConnection, shape: str, condition: str
) -> None:
    statement = shape.format(condition)
    keys = asked(statement, RELATIONS).keys
    if keys is None:
        return
    try:
        rows = database.execute(statement).fetchall()
    except duckdb.Error:  # no SQL, or not DuckDB's
        return
    assert {row[0] for row in rows} - {None} <= {int(key[0]) for key in keys}


@given(st.text(alphabet="select * from person where id=7'\"();$1-/,\\", max_size=60), st.lists(st.none() | st.text()))
def test_no_text_raises(statement: str, parameters: list[str | None]) -> None:
    asked(statement, RELATIONS, parameters)
    asked(f"select * from person where {statement}", RELATIONS, parameters)
