"""Columns among the ordinals."""

from __future__ import annotations

from language.attributed import PAIRS, PERSON, VISIT, plan

ID, SURNAME = (PERSON, 1), (PERSON, 2)


def test_every_slot_has_columns_of_its_own() -> None:
    found = plan("select a.id, b.id, who, day, note, a.surname from person a, person b, visit",
                 ID, ID, (VISIT, 1), (VISIT, 2), (VISIT, 3), SURNAME)  # fmt: skip
    assert [slot.width for slot in found.slots] == [2, 1]
    assert found.slots_of("person") == [0, 1]
    assert found.slots_of("visit") == [2]
    assert found.width == 3


def test_two_sources_of_a_view_are_two_columns() -> None:
    found = plan("select * from pairs", *((PAIRS, number) for number in range(1, 5)))
    assert found.slots_of("person") == [0, 1]


def test_slot_that_nobody_can_be_named_for_has_none() -> None:
    torn = plan("select a.surname, b.phone from person a, person b", SURNAME, (PERSON, 3))
    assert [slot.width for slot in torn.slots] == [0]
    assert not torn.slots[0].named
    assert torn.slots_of("person") == []


def test_copy_reader_is_made_anew_for_each_copy() -> None:
    assert plan("select id from person", ID).copy_rows() is None
