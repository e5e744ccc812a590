"""Whom rows are charged to; never fewer than they show."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language.attributed import (
    CATALOGUE,
    OFFICE,
    PAIRS,
    PERSON,
    TEXT,
    UNKNOWN,
    VISIT,
    Numbered,
    Reading,
    columns,
    plan,
    read,
)
from muniment.errors import UnreachableError
from muniment.gate.attribution import classify
from muniment.gate.attribution.classify import NONE, SessionMemory, Tally
from muniment.gate.attribution.plan import ResultPlan, plan_copy, plan_result
from muniment.gate.protocol.backend import CopyOutResponse

ID, SURNAME, PHONE = ((PERSON, number) for number in (1, 2, 3))
TWICE = "select a.id, b.surname from person a, person b"
Row = tuple[bytes | None, ...]


def person(number: int) -> dict[int, bytes]:
    """The columns of a person; nobody has a value that another one has."""
    return {1: b"%d" % number, 2: b"surname-%d" % number, 3: b"phone-%d" % number}


# --- what is named ---------------------------------------------------------------------------------------------------


def test_rows_are_their_keys() -> None:
    shown = plan("select surname, id from person", SURNAME, ID)
    classed = Reading().take(shown, [(b"Lin", b"7"), (b"Wang", b"9"), (b"Lin", b"7")])
    assert classed.ordinals.tolist() == [[0], [1], [0]]
    assert classed.ordinals.dtype == np.uint32
    assert classed.anonymous.tolist() == [0, 0, 0]
    assert classed.free
    assert classed.classes == {"attributed": 3}


def test_both_formats_name_the_same_person() -> None:
    reading = Reading()
    text = plan("select id from person", ID)
    binary = plan("select id from person", ID, format=1)
    assert reading.named(text, [(b"7",)]) == reading.named(binary, [(struct.pack(">i", 7),)]) == ([["person/7"]], [0])


def test_composite_key_in_any_order() -> None:
    shown = plan("select note, day, who from visit", (VISIT, 3), (VISIT, 2), (VISIT, 1))
    assert Reading().named(shown, [(b"n", b"monday", b"7"), (b"n", b"x", None)]) == ([["visit/7/monday"], []], [0, 1])


def test_join_names_the_rows_of_both_and_nobody_where_there_is_none() -> None:
    shown = plan("select id, surname, day, who, note from person left join visit on who = id",
                 ID, SURNAME, (VISIT, 2), (VISIT, 1), (VISIT, 3))  # fmt: skip
    rows: list[Row] = [(b"7", b"a", b"m", b"7", b"n"), (b"8", b"b", None, None, None), (b"9", b"c", None, None, b"n")]
    named, anonymous = Reading().named(shown, rows)
    assert named == [["person/7", "visit/7/m"], ["person/8"], ["person/9"]]
    assert anonymous == [0, 0, 1]


def test_null_key_without_any_value_is_no_row_else_somebody() -> None:
    shown = plan("select id, surname from person", ID, SURNAME)
    assert Reading().named(shown, [(None, None), (None, b"Lin"), (b"7", None)]) == ([[], [], ["person/7"]], [0, 1, 0])


def test_null_key_of_a_copy_is_somebody() -> None:
    shown = plan_copy(read("copy person to stdout"), CopyOutResponse(0, (0,) * 5), CATALOGUE, None)
    assert Reading().named(shown, [(None,) * 5]) == ([[]], [1])


def test_key_that_cannot_be_read_is_somebody() -> None:
    shown = plan("select id, surname from person", ID, SURNAME, format=1)
    classed = Reading().take(shown, [(b"\0\0\0", b"Lin")])
    assert classed.anonymous.tolist() == [1]
    assert classed.classes == {"unattributed": 1}


def test_whole_rows_bring_their_keys() -> None:
    reading = Reading()
    shown = plan("select p, q from person p left join person q on true", (PERSON, 0), (PERSON, 0))
    rows: list[Row] = [(b"(7,Lin,,,)", b"(9,Wang,,,)"), (b'(7,"L ""x""",,,)', None), (b"(,Lin,,,)", b"torn")]
    assert reading.named(shown, rows) == ([["person/7", "person/9"], ["person/7"], []], [0, 0, 2])
    view = plan("select v from pairs v", (PAIRS, 0))
    assert reading.named(view, [(b"(1,a,2,b)",), (b"(1,a,,)",)]) == ([["person/1", "person/2"], ["person/1"]], [0, 1])


def test_condition_names_rows_without_a_key() -> None:
    shown = plan("select surname, phone from person where id = 7", SURNAME, PHONE)
    assert Reading().named(shown, [(b"Lin", None)]) == ([["person/7"]], [0])


# --- what may be of others -------------------------------------------------------------------------------------------


def test_key_beside_values_of_others_is_charged_for_them() -> None:
    shown = plan(TWICE + " where a.id = 7", ID, SURNAME)
    reading = Reading()
    tally = reading.tally(shown)
    classed = reading.take(shown, [(b"7", b"Lin"), (b"7", b"Wang"), (b"7", b"Lin"), (b"8", b"Lin")], tally)
    assert classed.anonymous.tolist() == [1, 1, 0, 1]
    assert not classed.free
    assert classed.classes == {"attributed": 2, "unattributed": 2}
    again = reading.take(shown, [(b"7", b"Wang"), (b"7", b"Chen")], tally)
    assert again.anonymous.tolist() == [0, 1]
    assert again.classes == {"unattributed": 2}


def test_all_keys_of_a_join_with_itself_are_named() -> None:
    shown = plan("select a.id, b.id, b.surname from person a, person b", ID, ID, SURNAME)
    classed = Reading().take(shown, [(b"7", b"8", b"x"), (b"7", b"9", b"y"), (b"7", b"7", b"z")])
    assert classed.ordinals.tolist() == [[0, 1], [0, 2], [0, 0]]
    assert classed.anonymous.tolist() == [0, 0, 1]
    assert classed.classes == {"attributed": 3}


def test_rows_cost_again_once_memory_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classify, "DIGESTS", 2)
    shown = plan(TWICE, ID, SURNAME)
    classed = Reading().take(shown, [(b"1", b"a"), (b"2", b"b"), (b"2", b"b"), (b"3", b"c"), (b"3", b"c")])
    assert classed.anonymous.tolist() == [1, 1, 1, 1, 1]
    assert classed.classes == {"attributed": 3, "unattributed": 2}


def test_expression_of_another_row_costs_each_time() -> None:
    shown = plan("select a.id, a.surname, lower(b.surname) from person a, person b", ID, SURNAME, TEXT)
    rows: list[Row] = [(b"7", b"Lin", b"wang"), (b"7", b"Lin", b"chen")]
    assert Reading().named(shown, rows)[1] == [1, 1]


def test_expressions_cost_what_they_may_hold() -> None:
    aggregate = plan("select string_agg(surname, ',') from person", TEXT)
    classed = Reading().take(aggregate, [(b"abcdefgh",), (None,), (b"a",)])
    assert classed.anonymous.tolist() == [2, 1, 1]  # half of the 8 bytes of a person
    assert classed.ordinals.shape == (3, 0)
    assert classed.classes == {"unattributed": 3}
    beside = plan("select id, (select string_agg(note, '') from visit) from person", ID, TEXT)
    assert Reading().named(beside, [(b"7", b"abcdefgh")]) == ([["person/7"]], [2])
    unknown = plan("select * from gone", (UNKNOWN, 1), (UNKNOWN, 2))
    assert Reading().named(unknown, [(b"abcd", b"abcdefgh")]) == ([[]], [3])


def test_rows_of_an_unreadable_copy_cost_their_bytes() -> None:
    shown = plan_copy(read("execute p"), CopyOutResponse(0, (0,)), CATALOGUE, None)
    classed = Tally(shown, Numbered(), b"k" * 32, SessionMemory()).take([], [4, 40])
    assert classed.anonymous.tolist() == [1, 10]
    assert classed.classes == {"unattributed": 2}


# --- rows that came before -------------------------------------------------------------------------------------------


def test_row_without_key_is_matched_with_one_that_had_it() -> None:
    reading = Reading()
    reading.take(plan("select id, surname from person where id = 7", ID, SURNAME), [(b"7", b"Lin")])
    keyless = plan("select surname from person where surname like 'L%'", SURNAME)
    classed = reading.take(keyless, [(b"Lin",), (b"Lee",), (b"Lin",)])
    assert classed.ordinals.tolist() == [[0], [NONE], [NONE]]
    assert classed.anonymous.tolist() == [0, 1, 1]
    assert not classed.free
    assert classed.classes == {"digest_matched": 1, "unattributed": 2}
    other = plan("select phone from person", PHONE)
    assert reading.take(other, [(b"Lin",)]).classes == {"unattributed": 1}


def test_values_of_two_persons_match_neither() -> None:
    reading = Reading()
    for number in (b"7", b"8"):
        reading.take(plan(f"select id, surname from person where id = {number.decode()}", ID, SURNAME),
                     [(number, b"Lin")])  # fmt: skip
    assert reading.take(plan("select surname from person", SURNAME), [(b"Lin",)]).anonymous.tolist() == [1]


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classify, "LEARNED", 2)
    memory = SessionMemory()
    for number in range(3):
        memory.learn(b"%d" % number, number)
    assert [memory.find(b"%d" % number) for number in range(3)] == [NONE, 1, 2]


# --- never fewer than are shown --------------------------------------------------------------------------------------


@st.composite
def attacks(draw: st.DrawFn) -> tuple[ResultPlan, list[Row], list[set[int]]]:
    """A statement over `person`, named once or more; its rows, and the persons that each of them shows."""
    times = draw(st.integers(1, 3))
    shape = draw(st.sampled_from(("plain", "with", "many")))
    values: st.SearchStrategy[int | str] = st.sampled_from((1, 2, 3, 0, "x"))
    shown = draw(st.lists(st.tuples(values, st.integers(0, times - 1)), min_size=1,
                          max_size=5))  # fmt: skip
    combinations = st.tuples(*(st.integers(1, 4) for _ in range(times)))
    joined: list[tuple[int, ...]] = draw(st.lists(combinations, max_size=12))
    names = ", ".join(f"person p{number}" for number in range(times))
    sql = f"select lower('x') from {names}"  # noqa: S608 - only read, never run
    if shape == "with":
        sql = f"with p as (select * from person) {sql.replace('person p', 'p p')}"
    elif shape == "many":
        sql = "execute p"
    origins = [TEXT if number == "x" else (PERSON, int(number)) for number, _ in shown]
    rows: list[Row] = [tuple(_value(number, one[source]) for number, source in shown) for one in joined]
    visible = [{combination[source] for _, source in shown} for combination in joined]
    return plan_result(columns(*origins), (0,) * len(origins), read(sql), CATALOGUE), rows, visible


def _value(number: int | str, who: int) -> bytes:
    values = person(who)
    if number == "x":
        return b"expression-" + values[2]
    return b"(%b,%b,%b,,)" % (values[1], values[2], values[3]) if number == 0 else values[int(number)]


@settings(deadline=None, max_examples=400)
@given(attacks(), st.integers(1, 5))
def test_never_fewer_persons_than_are_shown(attack: tuple[ResultPlan, list[Row], list[set[int]]], cut: int) -> None:
    shown, rows, visible = attack
    reading = Reading()
    tally = reading.tally(shown)
    seen: set[int] = set()
    named: set[int] = set()
    anonymous = 0
    for at in range(0, len(rows), cut):
        classed = reading.take(shown, rows[at : at + cut], tally)
        for row in range(classed.rows):
            seen |= visible[at + row]
            named |= {one for one in classed.ordinals[row].tolist() if one != NONE}
            anonymous += int(classed.anonymous[row])
            assert len(named) + anonymous >= len(seen)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from([ID, SURNAME, PHONE, (PERSON, 0), (VISIT, 1), (VISIT, 2), (PAIRS, 3), (OFFICE, 1),
                              (UNKNOWN, 1), TEXT]), max_size=6),
    st.sampled_from(["select lower(id) from person, visit, pairs", TWICE, "select surname from person where id = 7",
                     "do $$ $$", "select now()", "select mine() from person"]),
    st.data(),
)  # fmt: skip
def test_classes_always_add_up(origins: list[tuple[int, int] | int], sql: str, data: st.DataObject) -> None:
    shown = plan(sql, *origins)
    cell = st.none() | st.sampled_from([b"7", b"8", b"", b"(7,,,,)", b"\xff"])
    rows: Sequence[Row] = data.draw(st.lists(st.tuples(*(cell for _ in origins)), max_size=5))
    if shown.guarded:
        classed = Reading().take(shown, rows)
        assert int(classed.anonymous.sum()) >= 0


def test_ledger_that_is_down_is_told() -> None:
    class Down:
        def ordinals(self, register: str, columns: Sequence[Sequence[str]]) -> np.ndarray:
            raise UnreachableError("the ledger cannot be asked")

    for sql, origins in (("select id from person", (ID,)), (TWICE, (ID, SURNAME))):
        tally = Tally(plan(sql, *origins), Down(), b"k" * 32, SessionMemory())
        with pytest.raises(UnreachableError):
            tally.take([[b"7"] for _ in origins], [20])
