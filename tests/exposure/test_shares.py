"""Shares and counts that hold one another: nothing below the floor can be worked out from two of them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.exposure.shares import Share, advantage, closed_up, nested, wilson


def test_wilson_is_the_published_interval() -> None:
    told = wilson(0.1, 100)  # Newcombe 1998: 10 of 100, 0.0552 to 0.1744
    assert (round(told.low, 4), round(told.high, 4)) == (0.0552, 0.1744)
    assert (wilson(0.0, 50).low, wilson(1.0, 50).high) == (0.0, 1.0)
    assert wilson(0.5, 0).high == 1.0


@given(st.lists(st.integers(0, 200), min_size=1, max_size=6))
def test_counts_that_hold_one_another_differ_by_none_or_the_floor(counts: list[int]) -> None:
    told = closed_up(sorted(counts, reverse=True))
    assert all(low == 0 or high - low == 0 or high - low >= 10 for high, low in pairwise(told))
    assert all((one == 0) == (count == 0) for one, count in zip(told, sorted(counts, reverse=True), strict=True))
    assert all(one.hidden or one.at_least == 0 or one.at_least >= 10 for one in nested(sorted(counts, reverse=True)))


def test_few_tries_hits_and_misses_are_not_told() -> None:
    assert Share.of_counts(5, 9).told is None
    assert Share.of_counts(1, 100).value == Share.of_counts(9, 100).value == 0.1
    assert Share.of_counts(95, 100).value == 1.0
    assert Share.of_counts(0, 100).value == 0.0


def test_the_advantage_is_what_the_control_does_not_reach() -> None:
    assert advantage(Share.of_counts(90, 100), Share.of_counts(50, 100)).value == pytest.approx(0.8)
    assert advantage(Share.of_counts(50, 100), Share.of_counts(60, 100)).value == 0.0
    assert advantage(Share.of_counts(50, 100), None).value == 0.5
    assert advantage(Share.of_counts(5, 5), None).high == 1.0
    assert advantage(Share.of_counts(100, 100), Share.of_counts(100, 100)).value == 0.0
