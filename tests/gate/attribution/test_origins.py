"""What the map of tables says of a relation."""

from __future__ import annotations

from dataclasses import replace

from language.attributed import CATALOGUE, OPAQUE, PAIRS, PERSON, VISIT
from muniment.gate.attribution.catalogue import Attribute
from muniment.gate.attribution.origins import key_of, meant_by, opaque, shape_of, source_of, sources

RELATIONS = CATALOGUE.relations


def test_all_columns_of_a_table_are_of_its_row() -> None:
    person = RELATIONS[PERSON]
    assert {source_of(person, one) for one in person.attributes.values()} == {0}
    assert source_of(person, None) == 0
    assert sources(person) == [0]
    assert not opaque(person)


def test_columns_of_a_view_are_of_the_rows_that_it_joins() -> None:
    pairs, summary = RELATIONS[PAIRS], RELATIONS[OPAQUE]
    assert [source_of(pairs, one) for one in pairs.attributes.values()] == [1, 1, 2, 2]
    assert sources(pairs) == [1, 2]
    assert source_of(summary, summary.attributes[2]) is None
    assert source_of(summary, None) is None
    assert (opaque(pairs), opaque(summary)) == (False, True)


def test_key_is_whole_or_not_there() -> None:
    visit = RELATIONS[VISIT]
    assert [number for number, _ in key_of(CATALOGUE, visit, 0)] == [1, 2]
    without = replace(visit, attributes={1: visit.attributes[1], 3: visit.attributes[3]})
    assert key_of(CATALOGUE, without, 0) == []
    assert [number for number, _ in key_of(CATALOGUE, RELATIONS[PAIRS], 2)] == [3]


def test_rows_of_two_registers_are_of_none() -> None:
    mixed = {1: Attribute("id", 23, "person", 1, 0), 2: Attribute("note", 25, "visit", 3)}
    relation = replace(RELATIONS[PERSON], attributes=mixed)
    assert shape_of(CATALOGUE, relation, 0) is None
    assert key_of(CATALOGUE, relation, 0) == []


def test_name_means_guarded_relations_alone() -> None:
    assert [one.oid for one in meant_by(CATALOGUE, "person")] == [PERSON]
    assert meant_by(CATALOGUE, "office") == []
