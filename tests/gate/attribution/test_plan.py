"""Which columns say whose a row is, as an attacker would have it said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from language.attributed import (
    BIGINT,
    CATALOGUE,
    INT,
    OFFICE,
    OPAQUE,
    PAIRS,
    PERSON,
    TEMPORARY,
    TEXT,
    UNKNOWN,
    VISIT,
    columns,
    plan,
    read,
)
from muniment.gate.attribution.plan import plan_copy, plan_result
from muniment.gate.attribution.slots import Cell
from muniment.gate.protocol.backend import CopyOutResponse

ID, SURNAME, PHONE, ADDED, DISTRICT = ((PERSON, number) for number in range(1, 6))
TWICE = "select a.id, b.surname from person a, person b"
DO = "do $$ begin end $$"


def test_key_alone_is_read_of_a_row_that_has_one() -> None:
    found = plan("select surname, id, phone from person", SURNAME, ID, PHONE)
    assert found.mode == "keys"
    assert found.free
    assert found.fields == (1,)
    assert [slot.keys for slot in found.slots] == [((Cell(0, INT, 0),),)]
    assert found.classes == ("register",) * 3
    assert found.columns == {"person": (1, 2, 3)}
    assert [shape.name for shape in found.registers] == ["person"]
    assert found.slots_of("person") == [0]
    assert found.slots_of("visit") == []


@pytest.mark.parametrize(
    ("sql", "origins"),
    [
        ("select * from office", ((OFFICE, 1), (OFFICE, 2))),
        ("select relname from pg_class", ((1259, 2),)),
        ("select now()", (TEXT,)),
        ("select o.name, lower('x') from office o", ((OFFICE, 1), TEXT)),
        ("select tableoid, district from person", ((PERSON, -6), DISTRICT)),
        ("select from person", ()),
    ],
)
def test_nobodys(sql: str, origins: tuple[tuple[int, int] | int, ...]) -> None:
    text = replace(read(sql), register_free="person" not in sql)
    found = plan_result(columns(*origins), (0,) * len(origins), text, CATALOGUE)
    assert not found.guarded
    assert found.fields == ()


@pytest.mark.parametrize(
    ("sql", "origins", "mode", "sources"),
    [
        ("select id, surname from person", (ID, SURNAME), "keys", [1]),
        (TWICE, (ID, SURNAME), "digests", [2]),
        (TWICE, (ID, SURNAME, PHONE), "digests", [2]),
        ("select a.id from person a, person b", (ID,), "keys", [1]),
        ("with p as (select * from person) select a.id, b.surname, c.phone from p a, p b, p c", (ID, SURNAME, PHONE),
         "digests", [3]),
        (DO, (ID, SURNAME, PHONE), "digests", [3]),
        ("execute person(1)", (ID, SURNAME, PHONE), "digests", [3]),
        ("select id, surname from visit", (ID, SURNAME), "digests", [2]),
        ("select a.id, b.surname, day, note from person a, person b, visit", (ID, SURNAME, (VISIT, 1), (VISIT, 2)),
         "digests", [2, 1]),
        ("select * from pairs", tuple((PAIRS, number) for number in range(1, 5)), "keys", [1, 1]),
        ("select surname from person", (SURNAME,), "charge", [1]),
        ("select who, note from visit", ((VISIT, 1), (VISIT, 3)), "charge", [1]),
        (DO, ((VISIT, 1), (VISIT, 2)), "charge", [2]),
        ("select ctid from person", ((PERSON, -1),), "charge", [1]),
        ("select ctid, id from person", ((PERSON, -1), ID), "keys", [1]),
        ("delete from person returning id, surname", (ID, SURNAME), "keys", [1]),
        ("select p from person p", ((PERSON, 0),), "keys", [1]),
        ("select p, q from person p, person q", ((PERSON, 0), (PERSON, 0)), "keys", [1, 1]),
        ("select id, p from person p", (ID, (PERSON, 0)), "keys", [1]),
        ("select v from pairs v", ((PAIRS, 0),), "keys", [1, 1]),
    ],
)  # fmt: skip
def test_of_how_many_rows(sql: str, origins: tuple[tuple[int, int] | int, ...], mode: str, sources: list[int]) -> None:
    found = plan(sql, *origins)
    assert found.mode == mode
    assert [slot.sources for slot in found.slots] == sources
    assert found.free == (max(sources) == 1)


@pytest.mark.parametrize(
    ("sql", "origins", "extra", "bulk"),
    [
        ("select id, lower(surname) from person", (ID, TEXT), 0, 0),
        ("select lower(surname) from person", (TEXT,), 1, 0),
        ("select concat(a.surname, b.surname) from person a, person b", (TEXT,), 2, 0),
        ("select a.id, lower(b.surname) from person a, person b", (ID, TEXT), 1, 0),
        ("select id, lower(note) from person, visit", (ID, TEXT), 1, 0),
        ("select lower(a_surname) from pairs", (TEXT,), 2, 0),
        ("select id, lower(everything) from summary", ((OPAQUE, 1), TEXT), 0, 1),
        ("select id, everything from summary", ((OPAQUE, 1), (OPAQUE, 2)), 0, 1),
        ("select v from summary v", ((OPAQUE, 0),), 0, 1),
        ("select string_agg(surname, ',') from person", (TEXT,), 0, 1),
        ("select id, (select string_agg(note, '') from visit) from person", (ID, TEXT), 0, 1),
        ("select id, mine(id) from person", (ID, TEXT), 0, 1),
        ("select mine()", (TEXT,), 0, 1),
        (DO, (TEXT, BIGINT), 0, 2),
        ("select id from gone", ((UNKNOWN, 1),), 0, 1),
        ("select id from mine", ((TEMPORARY, 1), TEXT), 0, 2),
        ("select stavalues1 from pg_statistic", ((2619, 27),), 0, 1),
    ],
)
def test_expressions(sql: str, origins: tuple[tuple[int, int] | int, ...], extra: int, bulk: int) -> None:
    found = plan(sql, *origins)
    assert (found.extra, len(found.bulk)) == (extra, bulk)
    assert found.guarded
    assert (found.mode == "charge") == bool(extra or bulk)


@pytest.mark.parametrize(
    ("sql", "pinned"),
    [
        ("select surname from person where id = 7", ("7",)),
        ("select surname from person where id = 007", ("7",)),
        ("select surname from person where id = '7'", ("7",)),
        ("select surname from person where id = 7 and surname = 'x'", ("7",)),
        ("select surname from person where id = $1", ()),
        ("select surname from person where id = 7.5", ()),
        ("select surname from person where id = 7 or true", ()),
        ("select surname from person where surname = 'x'", ()),
        ("select surname from person a, person b where id = 7", ()),
    ],
)
def test_condition_that_fixes_the_key(sql: str, pinned: tuple[str, ...]) -> None:
    assert plan(sql, SURNAME).slots[0].pinned == pinned


def test_condition_fixes_an_expressions_row() -> None:
    found = plan("select lower(surname) from person where id = 7", TEXT)
    assert found.slots[0].pinned == ("7",)
    assert found.mode == "keys"
    assert plan("select lower(note) from visit where who = 7 and day = 'x'", TEXT).slots[0].pinned == ("7", "x")
    assert plan("select lower(note) from visit where who = 7", TEXT).slots == ()


def test_collation_that_takes_different_texts_for_equal_fixes_nothing() -> None:
    visit = CATALOGUE.relations[VISIT]
    attributes = dict(visit.attributes)
    attributes[2] = replace(attributes[2], deterministic=False)
    changed = replace(CATALOGUE, relations={**CATALOGUE.relations, VISIT: replace(visit, attributes=attributes)})
    text = read("select note from visit where who = 7 and day = 'x'")
    assert plan_result(columns((VISIT, 3)), (0,), text, changed).slots[0].pinned == ()
    assert plan_result(columns((VISIT, 3)), (0,), text, CATALOGUE).slots[0].pinned == ("7", "x")


def test_text_that_contradicts_the_description_proves_nothing() -> None:
    free = replace(read("select now()"), register_free=True)
    found = plan_result(columns(ID, SURNAME, TEXT), (0, 0, 0), free, CATALOGUE)
    assert found.slots[0].sources == 2
    assert len(found.bulk) == 1


def test_undeclared_columns_are_shown_as_number_0() -> None:
    assert plan("select id, added from person", ID, ADDED).columns == {"person": (0, 1)}
    assert plan("select id, new from person", ID, (PERSON, 9)).columns == {"person": (0, 1)}


def test_places_are_those_of_the_columns_read() -> None:
    found = plan("select 'x', o.name, v.note, p.id, v.day, v.person from office o, visit v, person p",
                 TEXT, (OFFICE, 1), (VISIT, 3), ID, (VISIT, 2), (VISIT, 1))  # fmt: skip
    assert found.fields == (2, 3, 4, 5)
    visit, person = found.slots
    assert [cell.index for cell in visit.keys[0]] == [3, 2]
    assert visit.cells == (0,)
    assert visit.outer
    assert [cell.index for cell in person.keys[0]] == [1]
    assert found.slots_of("person") == [1]


# --- COPY ------------------------------------------------------------------------------------------------------------


def test_copy_of_a_table_takes_its_columns() -> None:
    found = plan_copy(read("copy person to stdout"), CopyOutResponse(0, (0,) * 5), CATALOGUE, None)
    assert found.mode == "keys"
    assert found.fields == (0,)
    assert found.empty == -1
    chosen = plan_copy(read("copy public.person (phone, id) to stdout (format csv)"), CopyOutResponse(0, (0, 0)),
                       CATALOGUE, None)  # fmt: skip
    assert chosen.fields == (1,)
    assert chosen.columns == {"person": (1, 3)}
    assert chosen.copy_rows() is not None
    cells: list[list[bytes | None]] = [[]]
    reader = chosen.copy_rows()
    assert reader is not None
    row = b'"0123,5",7\n'
    reader.take(b"d" + (len(row) + 4).to_bytes(4, "big") + row, 0, len(row) + 5, [], cells, 9)
    assert cells == [[b"7"]]


def test_copy_of_a_query_is_planned_as_the_query() -> None:
    inner = columns(ID, SURNAME)
    single = read("copy (select id, surname from person) to stdout")
    assert plan_copy(single, CopyOutResponse(0, (0, 0)), CATALOGUE, inner).mode == "keys"
    torn = read("copy (select a.id, b.surname from person a, person b) to stdout with (format binary)")
    found = plan_copy(torn, CopyOutResponse(1, (1, 1)), CATALOGUE, inner)
    assert found.mode == "digests"
    assert found.slots[0].keys[0][0].format == 1


@pytest.mark.parametrize(
    ("sql", "width", "inner"),
    [
        ("copy person to stdout", 4, None),
        ("copy gone to stdout", 2, None),
        ("copy mine to stdout", 2, None),
        ("copy person (gone) to stdout", 1, None),
        ("copy (select id from person) to stdout", 1, None),
        ("copy (select id, surname from person) to stdout", 3, (ID, SURNAME)),
        ("copy person to stdout with (encoding 'latin1')", 5, None),
        ("copy person to stdout with (format binary)", 5, None),
        ("execute p", 2, None),
    ],
)
def test_copy_that_is_not_understood_is_charged_by_its_bytes(
    sql: str, width: int, inner: tuple[tuple[int, int], ...] | None
) -> None:
    fields = None if inner is None else columns(*inner)
    found = plan_copy(read(sql), CopyOutResponse(0, (0,) * width), CATALOGUE, fields)
    assert (found.guarded, found.mode, found.fields) == (True, "charge", ())
    assert found.copy_rows() is None


def test_copy_of_an_unguarded_table_passes() -> None:
    assert not plan_copy(read("copy office to stdout"), CopyOutResponse(0, (0, 0)), CATALOGUE, None).guarded
    text = read("copy office to stdout")
    in_doubt = replace(CATALOGUE, relations={})
    assert plan_copy(text, CopyOutResponse(0, (0, 0)), in_doubt, None).guarded
