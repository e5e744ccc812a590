"""The adaptive haul: caps of the gate, the judge of the declared budget, the search, and what is not bounded."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from muniment.errors import InputError
from muniment.watch.context.tables import Assignments, Cases, Context
from muniment.watch.haul import SHAPES, DesignJudge, Effort, Gate, Judged, hauls

NONE = np.zeros(0, np.int64)
KNOWN = Context(
    cases=Cases(NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE),  # type: ignore[arg-type]
    assignments=Assignments(NONE, NONE, NONE, NONE, NONE),  # type: ignore[arg-type]
)
BETS = np.array([0.02, 0.1, 0.4])


def design(noise: NDArray[np.int64], threshold: float = 2_000.0) -> DesignJudge:
    """The judge of a budget of 1.8 a day."""
    return DesignJudge(BETS, 1.8, threshold, 1.0, noise)


def quiet(days: int = 220) -> NDArray[np.int64]:
    """One replica of an account that reads nothing else without a case."""
    return np.zeros((1, days), np.int64)


class Fixed:
    """A judge that lets any plan pass up to so many records in all, and alerts above, after `late` more."""

    def __init__(self, most: int, late: int = 0) -> None:
        self.most, self.late = most, late

    def judge(self, plans: NDArray[np.int64]) -> Judged:
        total = plans.sum(axis=1, keepdims=True)
        return Judged(np.minimum(total, self.most + self.late), total > self.most)


@pytest.mark.parametrize("missing", ["cases", "assignments"])
def test_without_cases_or_assignments_it_is_not_bounded(missing: str) -> None:
    context = replace(KNOWN, **{missing: None})
    found = hauls(context, Fixed(10), (Gate(), Gate(a_day=20)))
    assert [haul.text for haul in found] == ["not bounded"] * 6
    assert {haul.why for haul in found} == {(missing,)}


def test_the_largest_total_that_raises_no_alert_is_found_within_a_few() -> None:
    for most in (7, 90, 440, 3_000):
        found = hauls(KNOWN, Fixed(most, late=1_000), (Gate(),), (220,), Effort(sizes=24, passes=4))
        assert 0.9 * most <= (found[0].records or 0) <= most


def test_a_policy_that_alerts_more_often_than_half_the_time_does_not_count() -> None:
    noise = np.random.default_rng(3).poisson(1.2, (40, 60))
    haul = hauls(KNOWN, design(noise), (Gate(),), (60,))[0]
    assert 0 < haul.alert <= 0.5
    again = design(noise).judge(np.array([haul.plan]))
    assert again.alerted.mean() == haul.alert and again.taken.mean() == haul.records


@given(st.integers(0, 2**32), st.integers(1, 90), st.integers(0, 30), st.integers(0, 200))
def test_the_gate_never_lets_more_through_than_it_says(seed: int, days: int, a_day: int, a_month: int) -> None:
    plans = np.random.default_rng(seed).integers(0, 50, (3, days))
    capped = Gate(a_day, a_month).capped(plans)
    assert (capped <= np.minimum(plans, a_day)).all() and (capped >= 0).all()
    assert all((capped[:, i : i + 20].sum(axis=1) <= a_month).all() for i in range(0, days, 20))
    assert (Gate().capped(plans) == plans).all()


def test_a_gate_never_makes_the_haul_larger_and_a_month_bounds_a_year() -> None:
    off, on = hauls(KNOWN, design(quiet()), (Gate(), Gate(a_day=20, a_month=40)), (220,))
    assert (on.records or 0) <= 440 < (off.records or 0)
    assert (off.gated, on.gated) == (False, True)


def test_the_declared_budget_alone_bounds_a_day_by_markov_and_not_by_less() -> None:
    haul = hauls(KNOWN, design(quiet()), (Gate(),), (1,))[0]
    assert 1_000 < (haul.records or 0) <= 1.8 * 2_000 / 0.3


def test_with_more_evidence_asked_for_more_is_taken() -> None:
    few, many = (hauls(KNOWN, design(quiet(), at), (Gate(),), (60,))[0] for at in (200.0, 20_000.0))
    assert (few.records or 0) < (many.records or 0)


def test_changing_the_best_plan_never_makes_it_worse() -> None:
    noise = np.random.default_rng(4).poisson(1.0, (20, 60))
    plain = hauls(KNOWN, design(noise), (Gate(),), (60,))[0]
    effort = Effort(rounds=10)
    better = hauls(KNOWN, design(noise), (Gate(),), (60,), effort, np.random.default_rng(1))[0]
    assert (better.records or 0) >= (plain.records or 0)
    assert hauls(KNOWN, design(noise), (Gate(),), (60,), effort, np.random.default_rng(1))[0] == better


def test_where_every_read_alerts_nothing_can_be_taken() -> None:
    haul = hauls(KNOWN, Fixed(0, late=1), (Gate(),), (20,), Effort(rounds=3), np.random.default_rng(1))[0]
    assert haul.text == "0" and haul.plan == ()


def _by_hand(judge: DesignJudge, plan: list[int], noise: list[int]) -> tuple[int, bool]:
    """One plan, one replica, one record after another."""
    value, taken = np.zeros(len(judge.bets)), 0
    for many, own in zip(plan, noise, strict=True):
        for count in range(own, own + many + 1):
            now = (value + 1) * (1 + judge.bets * (count - judge.a_day))
            taken += count > own
            if now.mean() * judge.weight > judge.threshold:
                return taken, True
        value = now
    return taken, False


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 4)), min_size=1, max_size=12))
def test_the_judge_counts_as_one_would_by_hand(days: list[tuple[int, int]]) -> None:
    plan, noise = (list(column) for column in zip(*days, strict=True))
    judge = design(np.array([noise]), threshold=60.0)
    judged = judge.judge(np.array([plan]))
    assert (judged.taken[0, 0], judged.alerted[0, 0]) == _by_hand(judge, plan, noise)


@pytest.mark.parametrize("days", [1, 2, 20, 220])
def test_every_shape_is_a_plan_of_its_days(days: int) -> None:
    for shape in (make(days) for make in SHAPES.values()):
        assert shape.shape == (days,) and (shape >= 0).all() and shape.sum() > 0


def test_a_horizon_is_at_least_a_day() -> None:
    with pytest.raises(InputError, match="expected 1 or more"):
        hauls(KNOWN, Fixed(1), (Gate(),), (0,))
