"""Kept classes: sealed beside the ledger, found again by who received them, made up for what was never kept."""

from __future__ import annotations

import numpy as np
import pytest

from language.offices import Office
from muniment.workspace.keeping import FOLDER, held_by

QUASI = ("sex", "birth_date")


@pytest.fixture
def released(office: Office) -> Office:
    """A copy each for two recipients in one release, and one for the first of them again."""
    office.release("A", "B")
    office.release("A", prefix="again-")
    return office


def test_each_finds_what_it_received_and_nobody_else_does(released: Office) -> None:
    parts = released.parts
    register = parts.register("persons")
    of_a, of_b = (held_by(parts, register, [name]) for name in "AB")
    assert len([number for held in of_a for number in held.disclosures]) == 2
    assert len([number for held in of_b for number in held.disclosures]) == 1
    together = {number for held in held_by(parts, register, ["A", "B"]) for number in held.disclosures}
    assert together == {number for held in (*of_a, *of_b) for number in held.disclosures} and len(together) == 3
    assert held_by(parts, register, ["C"]) == []
    assert all(held.kept.rows == 150 for held in (*of_a, *of_b))


def test_what_is_not_meant_is_left_out(released: Office) -> None:
    parts = released.parts
    register = parts.register("persons")
    numbers = sorted(number for held in held_by(parts, register, ["A"]) for number in held.disclosures)
    left = held_by(parts, register, ["A"], but=numbers[:1])
    assert numbers[1] in [number for held in left for number in held.disclosures]
    assert held_by(parts, register, ["A"], but=numbers) == []


def test_what_was_never_kept_is_made_up_and_has_the_same_records(released: Office) -> None:
    parts = released.parts
    register = parts.register("persons")
    kept = held_by(parts, register, ["B"])
    for path in (parts.folder / FOLDER).glob("*.bin"):
        path.unlink()
    made = held_by(parts, register, ["B"])
    assert [held.made_up for held in made] == [True]
    assert [held.disclosures for held in made] == [held.disclosures for held in kept]
    assert np.array_equal(np.sort(made[0].kept.record), np.sort(kept[0].kept.record))
