"""The attacks are those of the published cases and of the table of targets: rates, durations, accounts, reasons."""

from __future__ import annotations

from typing import Any

import pytest

from muniment.simulate.attackers import ATTACKS, PATTERNS, Attack
from muniment.simulate.targets import anybody, half_hidden, in_work, relatives, stretch


@pytest.mark.parametrize(
    ("name", "fewest", "most"),
    [
        ("copenhagen", 1_598, 1_742),  # citizens in a year of workdays: indicted, and first reported
        ("haartman", 180, 196),  # 188 in four months
        ("colchester", 20, 32),  # 29 in 18 months
        ("bulk500", 500, 500),
    ],
)
def test_a_case_harvests_as_many_as_the_published_one(name: str, fewest: int, most: int) -> None:
    attack = ATTACKS[name]
    assert fewest <= attack.daily * attack.workdays * attack.accounts <= most


@pytest.mark.parametrize(
    ("name", "about"),
    [
        ("fifty", {"daily": 50, "pick": anybody}),
        ("ten", {"daily": 10, "pick": anybody}),
        ("three", {"daily": 3, "workdays": 60, "pick": anybody}),
        ("enumerate", {"daily": 20, "pick": stretch}),
        ("copenhagen", {"daily": 7, "pick": relatives}),
        ("half_hidden", {"daily": 7, "pick": half_hidden}),
        ("in_work", {"pick": in_work}),
        ("split5", {"accounts": 5, "daily": 4}),
        ("bulk500", {"exact": True, "workdays": 1}),
    ],
)
def test_a_row_of_the_targets_is_the_attack_of_its_name(name: str, about: dict[str, Any]) -> None:
    assert {key: getattr(ATTACKS[name], key) for key in about} == about


def test_each_is_named_once_and_nobody_changes_the_table() -> None:
    assert all(name == attack.name for name, attack in ATTACKS.items())
    assert len(set(PATTERNS)) == len(PATTERNS)
    with pytest.raises(TypeError):
        ATTACKS["more"] = ATTACKS["ten"]  # type: ignore[index]


def test_the_right_reason_fits_to_what_the_attacker_does() -> None:
    def giving(pattern: str) -> set[str]:
        return {name for name, attack in ATTACKS.items() if pattern in attack.expected_pattern}

    walking = {name for name, attack in ATTACKS.items() if attack.pick is relatives}
    assert giving("pursuit") == walking == {"copenhagen", "colchester"}
    assert giving("split") == {"split5"} and giving("crowd") == {"singer"} and giving("coverage") == {"enumerate"}
    assert giving("takeover") == {name for name, attack in ATTACKS.items() if attack.trick == "takeover"}
    assert giving("waking") == {name for name, attack in ATTACKS.items() if attack.trick == "waking"}
    assert "budget" not in ATTACKS["in_work"].expected_pattern | ATTACKS["padding"].expected_pattern


def test_an_attack_of_ones_own_is_plain_unless_it_says_more() -> None:
    one = Attack("mine", 2.0, 5, anybody, frozenset({"budget"}))
    assert (one.exact, one.growing, one.accounts, one.list, one.trick) == (False, False, 1, 1, "")
