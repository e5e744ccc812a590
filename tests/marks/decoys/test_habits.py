"""What is learned from a sample: units, roles and ties."""

import pytest

from language.decoy_registers import DEMO, PLAIN, demo_habits, demo_table, plain_table
from muniment.errors import InputError
from muniment.limits import DECOY_SAMPLE_ROWS
from muniment.marks.decoys.habits import Role, clusters, learn, script, split_name, tie
from muniment.table import Table


def test_roles_of_the_demo_register():
    assert {name: role.value for name, role in demo_habits().roles.items()} == {
        "person_id": "key", "household_id": "unit", "name_zh": "name", "name_en": "name", "sex": "skeleton",
        "birth_date": "date", "birthplace": "donor", "address_zh": "place", "address_en": "place", "postcode": "place",
        "phone": "place", "mobile": "digits", "email": "email", "occupation": "donor", "registered_at": "date",
        "points": "donor",
    }  # fmt: skip


def test_households_are_the_units():
    habits, houses = demo_habits(), demo_table()["household_id"]
    assert len(habits.units) == len(set(houses))
    for number, rows in enumerate(habits.units):
        assert len({houses[row] for row in rows}) == 1
        assert all(habits.unit_of[row] == number for row in rows)
    assert sum(len(numbers) * size for size, numbers in habits.by_size().items()) == demo_table().rows


def test_a_register_without_households_has_single_units():
    habits = learn(plain_table(), PLAIN)
    assert habits.columns(Role.UNIT) == ()
    assert habits.columns(Role.PLACE) == ("street", "town", "post")
    assert sum(len(rows) == 1 for rows in habits.units) > 0.9 * len(habits.units)


def test_ties_are_seen_and_chance_is_not_taken_for_one():
    towns, codes = plain_table()["town"], plain_table()["post"]
    rows = range(plain_table().rows)
    assert tie(towns, codes, rows) == pytest.approx(1)
    assert abs(tie(towns, plain_table()["given"], rows)) < 0.08
    assert tie(plain_table()["card"], towns, rows) == 0, "a column of unique values shows no tie"
    values = {name: plain_table()[name] for name in ("town", "given", "post")}
    assert clusters(("town", "given", "post"), values, rows, 0.5) == [("town", "post"), ("given",)]


@pytest.mark.parametrize(("name", "parts"), [
    ("陳雨婷", ["陳", "雨", "婷"]), ("Chen Yu-Ting", ["Chen", "Yu", "Ting"]), ("O'Brien, Mary", ["O'Brien", "Mary"]),
    ("", []), ("-", []),
])  # fmt: skip
def test_names_come_to_pieces(name, parts):
    assert [name[start:end] for start, end in split_name(name)] == parts


def test_the_script_of_a_shape():
    assert script(((3, False), None)) == (0, False)
    assert script((None, (2, True))) == (1, True)
    assert script(()) is None


def test_samples_too_small_or_too_large_are_refused():
    with pytest.raises(InputError, match="expected at least 20"):
        learn(demo_table().take(range(19)), DEMO)
    many = DECOY_SAMPLE_ROWS + 1
    large = Table(("person_id",), (["x"] * many,))
    with pytest.raises(InputError, match="expected at most"):
        learn(large, DEMO)


def test_habits_do_not_show_what_they_hold():
    assert demo_table()["name_zh"][0] not in repr(demo_habits())
