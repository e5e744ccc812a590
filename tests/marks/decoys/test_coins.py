"""Keyed choices: the same under one key, others under another, evenly spread."""

from collections import Counter

import pytest

from muniment.errors import InputError
from muniment.marks.decoys.coins import Coins, choose_ids

KEY, OTHER = b"a" * 32, b"b" * 32


def test_a_stream_follows_from_key_and_label():
    def drawn(*asked):
        coins = Coins(*asked)
        return [coins.below(1_000) for _ in range(20_000)]

    assert drawn(KEY, "x") == drawn(KEY, "x")
    assert drawn(KEY, "x") != drawn(KEY, "y")
    assert drawn(KEY, "x") != drawn(OTHER, "x")


def test_choices_are_even_and_within_bounds():
    coins = Coins(KEY, "even")
    counts = Counter(coins.between(-2, 3) for _ in range(60_000))
    assert sorted(counts) == list(range(-2, 4))
    assert max(abs(count - 10_000) for count in counts.values()) < 500
    assert 2_700 < sum(coins.chance(0.3) for _ in range(10_000)) < 3_300
    assert not any(coins.chance(0) for _ in range(1_000))
    assert all(coins.chance(1) for _ in range(1_000))
    assert coins.pick("a") == "a"


def test_the_key_does_not_show():
    assert repr(Coins(KEY, "x")) == "Coins()"


def test_ids_are_a_keyed_choice_without_repeats():
    reserved = [f"N{number:04}" for number in range(1_000)]
    chosen = choose_ids(reserved, 100, KEY)
    assert len(set(chosen)) == 100
    assert chosen == choose_ids(list(reversed(reserved)) + reserved, 100, KEY)
    assert chosen != choose_ids(reserved, 100, OTHER)
    places = sorted(int(number[1:]) for number in chosen)
    assert places[0] < 60
    assert places[-1] > 940


def test_too_few_reserved_numbers_are_refused_with_a_hint():
    with pytest.raises(InputError, match="2 reserved numbers for 3 decoys") as caught:
        choose_ids(["A", "B", "B"], 3, KEY)
    assert "reserve more" in caught.value.hint
    assert "A" not in caught.value.message.split()
