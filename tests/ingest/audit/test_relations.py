"""Names of relations, as SQL, pgaudit and the keeper write them."""

from __future__ import annotations

import pytest

from muniment.errors import InputError
from muniment.ingest.audit.relations import KeyForm, Relation, Relations, parsed_name

PERSON = Relation("public.person", "people", ("id",))
HOUSE = Relation('"Wohn""ung"', "dwellings", ("no", "floor"), (KeyForm.INTEGER,))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("public.person", ("public", "person")),
        ("PUBLIC.Person", ("public", "person")),
        ('"My Schema"."Person"', ("My Schema", "Person")),
        ('"a""b"', ('a"b',)),
        ("db.public.person", ("db", "public", "person")),
        ("戶籍", ("戶籍",)),
        ("", None), ("a.", None), (".a", None), ("a b", None), ('"a', None), ("1a", None), ('""', None),
    ],
)  # fmt: skip
def test_names_are_cut_into_parts(text: str, name: tuple[str, ...] | None) -> None:
    assert parsed_name(text) == name


def test_relations_are_found_with_and_without_schema() -> None:
    relations = Relations([PERSON, HOUSE])
    assert len(relations) == 2
    for name in ("person", "public.person", "registry.public.person", "Person"):
        assert relations.named(name) is PERSON
    for name in ("other.person", "people", '"Person"', "person; drop table", ""):
        assert relations.named(name) is None
    assert relations.named('any."Wohn""ung"') is HOUSE
    assert (HOUSE.form(0), HOUSE.form(1)) == (KeyForm.INTEGER, KeyForm.TEXT)


def test_two_schemas_may_hold_a_relation_of_one_name() -> None:
    other = Relation("archive.person", "old people", ("id",))
    relations = Relations([PERSON, other])
    assert relations.named("archive.person") is other
    assert relations.named("public.person") is PERSON


@pytest.mark.parametrize(
    "relation",
    [
        Relation("a b", "r", ("id",)),
        Relation("a.b.c", "r", ("id",)),
        Relation("a", "r", ()),
        Relation("a", "r", ("id",), (KeyForm.TEXT, KeyForm.TEXT)),
        PERSON,
    ],
)
def test_a_declaration_that_cannot_be_used_is_refused(relation: Relation) -> None:
    with pytest.raises(InputError, match="register"):
        Relations([PERSON, relation])


@pytest.mark.parametrize(
    ("form", "literal", "key"),
    [
        (KeyForm.TEXT, " a ", " a "),
        (KeyForm.INTEGER, "007", "7"), (KeyForm.INTEGER, " -5", "-5"), (KeyForm.INTEGER, "-0", "0"),
        (KeyForm.INTEGER, "5.0", None), (KeyForm.INTEGER, "٥", None), (KeyForm.INTEGER, "", None),
        (KeyForm.INTEGER, "9" * 41, None),
        (KeyForm.UUID, "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        (KeyForm.UUID, "a0eebc999c0b4ef8bb6d6bb9bd380a11", None),
    ],
)  # fmt: skip
def test_a_literal_is_read_as_the_column_holds_it(form: KeyForm, literal: str, key: str | None) -> None:
    assert form.canonical(literal) == key
