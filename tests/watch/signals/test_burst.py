"""Burst: bulk is seen inside its disclosure, a legal two hundred is not, and the null is what the module says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.account_days import (
    FIRST_DAY,
    a_day,
    empty_state,
    evidence,
    office_work,
    so_far,
    stepped,
)
from muniment.watch.days import DayKind
from muniment.watch.signals.burst import KAPPA, LEAST, STEEP, TAIL, Burst

ALARM = np.log(2_000.0 * 12 / 4 * 2)
"""Eight signals of weight 1 beside this one of 4, which has two bets."""


def with_largest(count: int) -> dict[str, np.ndarray]:
    signal, state = Burst(), empty_state(Burst())
    for number in range(120):
        fresh = count if number % 40 == 39 else 2
        list(stepped(signal, [a_day(FIRST_DAY + number, [0] * fresh, np.arange(fresh))], state))
    return state


@pytest.mark.parametrize("largest", [2, 12, 30])
def test_five_hundred_cross_alone_and_two_hundred_do_not(largest: int) -> None:
    said = Burst().running(so_far(FIRST_DAY + 120, 0, [12, 200, 500]), with_largest(largest))[:, 0]
    assert said[0] < np.log(20.0)
    assert said[1] < ALARM < said[2]


def test_the_mean_of_the_factor_under_its_null_is_at_most_one() -> None:
    p = np.linspace(0.0, 1.0, 2_000_001)[1:]
    assert (KAPPA * p ** (KAPPA - 1.0)).mean() < 1.0
    x = LEAST / STEEP * (p ** (-1.0 / TAIL) - 1.0)  # the count at which the law has this tail
    said = Burst().running(so_far(FIRST_DAY, 0, np.floor(x[1000:])), empty_state(Burst()))[:, 0]
    assert np.exp(said).mean() < 1.0


@given(st.lists(st.integers(0, 900), min_size=2, max_size=20))
def test_the_factor_grows_with_the_count_and_the_end_of_the_day_is_its_last(counts: list[int]) -> None:
    state = with_largest(5)
    said = Burst().running(so_far(FIRST_DAY + 120, 0, sorted(counts)), state)[:, 0]
    assert (np.diff(said) >= 0.0).all()
    before = {name: rows.copy() for name, rows in state.items()}
    many = max(counts) or 1
    day = a_day(FIRST_DAY + 120, [0] * many, np.arange(many), first=bool(max(counts)))
    for _, step in stepped(Burst(), [day], state):
        assert step.log_e[0, 0] == said[-1]
    assert (before["largest"] != state["largest"]).any()


def test_the_second_bulk_day_is_not_excused_by_the_first() -> None:
    state = with_largest(12)
    bulk = [a_day(FIRST_DAY + 120 + number, [0] * 500, np.arange(500)) for number in range(2)]
    said = [float(step.log_e[0, 0]) for _, step in stepped(Burst(), bulk, state)]
    assert said[1] > np.log(100.0)


def test_declared_mass_work_is_let_through_twice_as_far() -> None:
    state = with_largest(12)
    said = {}
    for kind in (DayKind.WORKDAY, DayKind.BUSY):
        copied = {name: rows.copy() for name, rows in state.items()}
        day = a_day(FIRST_DAY + 120, [0] * 300, np.arange(300), kind=kind)
        said[kind] = next(float(step.log_e[0, 0]) for _, step in stepped(Burst(), [day], copied))
    assert said[DayKind.BUSY] < ALARM < said[DayKind.WORKDAY]


def test_a_new_account_is_measured_by_its_colleagues() -> None:
    signal, state = Burst(), empty_state(Burst())
    for number in range(60):
        days = [a_day(FIRST_DAY + number, np.repeat([0, 1], 90), np.arange(180))]
        list(stepped(signal, days, state))
    at_home, elsewhere = (float(signal.running(so_far(FIRST_DAY + 60, 5, 200, office=o), state)[0, 0]) for o in (0, 1))
    assert at_home < elsewhere


def test_ordinary_work_raises_nothing() -> None:
    signal = Burst()
    assert evidence(signal, office_work(3, 250, fresh=3.0), empty_state(signal), 4).max() < np.log(100.0)
