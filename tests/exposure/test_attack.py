"""Attacks on all persons: brute force on small tables, controls, and a copy that is the original."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.households import coded, extract
from muniment.errors import InputError
from muniment.exposure.attack import Attack, coded_together, inference, linkability, singling_out
from muniment.exposure.extract import Extract

Row = tuple[int, int, int]
rows = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=25)
NAMES = ("a", "b", "c")


def tables(*parts: list[Row]) -> list[Extract]:
    """Tables of three columns on common codes."""
    split = [extract(dict(zip(NAMES, np.array(part).T, strict=True))) for part in parts]
    return list(coded_together(split, NAMES))


def counts(attack: Attack) -> tuple[int, int, float]:
    """Guesses, persons, right ones (as told with a floor of 1)."""
    right = round(attack.recall.value * attack.persons.at_least)
    return attack.precision.of.at_least, attack.persons.at_least, right


@given(rows, rows)
def test_singling_out_equals_brute_force(original: list[Row], copy: list[Row]) -> None:
    whole, given_out = tables(original, copy)
    alone = [key for key, size in Counter(one[:2] for one in copy).items() if size == 1]
    held = Counter(one[:2] for one in original)
    told = singling_out(whole, given_out, ("a", "b"), floor=1)
    assert counts(told) == (len(alone), len(original), sum(held[key] == 1 for key in alone))


@given(rows, rows)
def test_linkability_equals_brute_force(original: list[Row], copy: list[Row]) -> None:
    whole, given_out = tables(original, copy)
    held = Counter(one[1:] for one in original)
    guesses = right = 0
    for person in original:
        leads = {one[1:] for one in copy if one[0] == person[0]}
        if len(leads) == 1 and held[next(iter(leads))] == 1:
            guesses += 1
            right += leads == {person[1:]}
    told = linkability(whole, given_out, ("a",), ("b", "c"), floor=1)
    assert counts(told) == (guesses, len(original), right)


@given(rows, rows)
def test_inference_equals_brute_force(original: list[Row], copy: list[Row]) -> None:
    whole, given_out = tables(original, copy)
    told = inference(whole, given_out, ("a", "b"), "c", floor=1)
    assert counts(told) == guessed(original, lambda _: copy)


@given(rows)
def test_each_own_row_is_left_out_of_a_copy_that_is_the_original(original: list[Row]) -> None:
    (whole,) = tables(original)
    told = inference(whole, whole, ("a", "b"), "c", floor=1)
    guesses, persons, right = guessed(original, lambda at: original[:at] + original[at + 1 :])
    commonest = Counter(one[2] for one in original).most_common(1)[0][1]
    if told.baseline == "own row left out":
        assert told.base_precision is not None and told.base_recall is not None
        assert (told.base_precision.of.at_least, round(told.base_recall.value * persons)) == (guesses, right)
    else:
        assert guesses == 0 or right / guesses <= commonest / persons + 1e-9


def guessed(original: list[Row], others: object) -> tuple[int, int, int]:
    """Guesses, persons and right ones, person by person."""
    guesses = right = 0
    for at, person in enumerate(original):
        votes = Counter(one[2] for one in others(at) if one[:2] == person[:2])  # type: ignore[operator]
        value, count = max(votes.items(), key=lambda one: one[1], default=(None, 0))
        if 2 * count > sum(votes.values()):
            guesses += 1
            right += value == person[2]
    return guesses, len(original), right


def test_a_copy_that_is_the_original_is_a_total_leak() -> None:
    people, half = np.arange(200), np.random.default_rng(2).integers(0, 2, 200)
    table = extract({"a": people, "b": people * 7, "c": half})
    assert singling_out(table, table, ("a",)).gain.value == 1.0
    assert linkability(table, table, ("a",), ("b",)).recall.value == 1.0
    told = inference(table, table, ("a",), "c")
    assert told.precision.value == told.recall.value == 1.0
    assert told.gain.low > 0.9 and told.baseline == "most common value"


def test_a_rule_that_holds_for_anyone_is_no_leak_of_this_copy() -> None:
    kind = np.random.default_rng(3).integers(0, 5, 600)
    table = extract({"a": kind, "c": kind % 2})
    split = [
        Extract(tuple(replace(one, codes=one.codes[part]) for one in table.columns), 300)
        for part in (slice(0, 300), slice(300, 600))
    ]
    told = inference(split[0], split[0], ("a",), "c", control=split[1])
    assert (told.precision.value, told.gain.value, told.baseline) == (1.0, 0.0, "held out")
    assert inference(table, table, ("a",), "c").gain.value == 0.0
    assert singling_out(split[0], split[0], ("a",), split[1]).base_recall is not None


def test_nobody_without_a_secret_is_told_one() -> None:
    secret = replace(coded("c", np.repeat([0, 1], 50)), null=0)
    table = Extract((coded("a", np.repeat([3, 4], 50)), secret), 100)
    told = inference(table, table, ("a",), "c")
    assert (told.persons.at_least, told.precision.of.at_least, told.recall.value) == (50, 50, 1.0)


def test_tables_on_other_codes_and_senseless_questions_are_refused() -> None:
    one, other = extract({"a": np.arange(20)}), extract({"a": np.arange(1, 21)})
    with pytest.raises(InputError, match="other codes"):
        singling_out(one, other, ("a",))
    bare = Extract((replace(one.columns[0], labels=()),), 20)
    with pytest.raises(InputError, match="no labels"):
        coded_together((one, bare), ("a",))
    with pytest.raises(InputError, match="fewer than 10"):
        singling_out(one, Extract((replace(one.columns[0], codes=one.columns[0].codes[:5]),), 5), ("a",))
    with pytest.raises(InputError, match="not known"):
        inference(one, one, ("a",), "a")
    with pytest.raises(InputError, match="no column 'z'"):
        linkability(one, one, ("a",), ("z",))
