"""Drawing decoys: the asked number, the keeper's numbers, again the same, and never a record's like."""

import pytest

from language.decoy_registers import DEMO, KEY, PLAIN, demo_decoys, demo_table, plain_table
from muniment.demo.numbers import is_person_id, reserve_ids
from muniment.disclosure import Register
from muniment.errors import InputError
from muniment.marks.decoys import draw_decoys, like_records

RESERVED = reserve_ids(1_000, seed=7, key=KEY)


def draw(count=50, key=KEY, reserved=RESERVED, exists=lambda drawn: [False] * drawn.rows, register=DEMO):
    return draw_decoys(demo_table(), register, count, key=key, reserved=reserved, exists=exists)


def test_decoys_have_the_columns_the_number_and_reserved_ids():
    decoys = demo_decoys()
    assert decoys.columns == demo_table().columns
    assert decoys.rows == 400 == len(set(decoys["person_id"]))
    assert all(map(is_person_id, decoys["person_id"]))
    assert not set(decoys["person_id"]) & set(demo_table()["person_id"])


def test_the_key_alone_decides():
    assert draw() == draw()
    other = draw(key=b"another".ljust(32))
    assert not set(draw()["mobile"]) & set(other["mobile"]) - {None}


def test_what_exists_is_drawn_again():
    refused = set(draw()["email"]) - {None}
    asked = []

    def exists(drawn):
        asked.append(drawn.rows)
        return [cell in refused for cell in drawn["email"]]

    again = draw(exists=exists)
    assert len(asked) >= 2
    assert not refused & set(again["email"])


def test_a_register_that_leaves_no_room_is_said_to():
    with pytest.raises(InputError, match="still resemble records"):
        draw(count=5, exists=lambda drawn: [True] * drawn.rows)


def test_an_answer_of_the_wrong_length_is_a_bug_of_the_caller():
    with pytest.raises(ValueError, match="exists answered for 1"):
        draw(exists=lambda drawn: [False])


@pytest.mark.parametrize("count", [0, -1, 10**7])
def test_impossible_counts_are_refused(count):
    with pytest.raises(InputError, match="decoys: expected 1 to"):
        draw(count=count)


def test_a_key_of_several_columns_is_refused():
    composite = Register(DEMO.name, DEMO.source, ("person_id", "sex"), DEMO.columns, 10)
    with pytest.raises(InputError, match="expected one"):
        draw(register=composite)


def test_any_register_will_do():
    table = plain_table()
    reserved = [f"C{number:06}" for number in range(200_000, 201_000, 7)]
    decoys = draw_decoys(table, PLAIN, 100, key=KEY, reserved=reserved,
                         exists=lambda drawn: like_records(drawn, PLAIN, [table]))  # fmt: skip
    assert decoys.rows == 100
    assert set(zip(decoys["town"], decoys["post"], strict=True)) <= set(zip(table["town"], table["post"], strict=True))
    assert all(cell is not None for cells in decoys.cells for cell in cells)
    assert not set(decoys.iter_rows()) & set(table.iter_rows())
