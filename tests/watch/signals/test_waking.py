"""Waking: who comes back after a month, and what for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from language.account_days import (
    FIRST_DAY,
    a_day,
    empty_state,
    evidence,
    office_work,
    so_far,
    stepped,
    with_more,
)
from muniment.watch.context.tables import Context
from muniment.watch.days import Day
from muniment.watch.signals.waking import AWAKE, SLEEP, Waking

ALARM = np.log(2_000.0 * 9 * 2)


def asleep(idle: int = 80) -> tuple[dict[str, np.ndarray], int]:
    """An office in which account 9 stops, and the first day after its sleep."""
    signal, state = Waking(), empty_state(Waking())
    list(stepped(signal, office_work(5, 100), state))
    others = office_work(6, idle - 1, start=FIRST_DAY + 100, accounts=9)
    list(stepped(signal, others, state))
    return state, FIRST_DAY + 99 + idle


def wakes(day: int, reads: int, days: int) -> Iterator[Day]:
    for work in office_work(7, days, start=day, accounts=9):
        yield with_more(work, [9] * reads, np.arange(reads))


def test_an_account_that_wakes_and_harvests_is_seen_within_its_two_weeks() -> None:
    state, day = asleep()
    assert evidence(Waking(), wakes(day, 40, int(AWAKE)), state, 9)[-1] > ALARM


def test_who_returns_to_work_is_let_alone() -> None:
    state, day = asleep()
    assert evidence(Waking(), wakes(day, 3, 40), state, 9).max() < np.log(200.0)


def test_who_did_not_sleep_is_not_looked_at() -> None:
    state, day = asleep(SLEEP - 1)
    said = Waking().step(next(wakes(day, 40, 1)), Context(), state)
    assert said.log_e[said.unit == 9, 0] < 0.0


def test_after_its_two_weeks_an_account_is_awake() -> None:
    state, day = asleep()
    factors = [step.log_e[step.unit == 9][0, 0] for _, step in stepped(Waking(), wakes(day, 40, 20), state)]
    assert min(factors[: int(AWAKE)]) > 0.0
    assert max(factors[int(AWAKE) :]) < 0.0


def test_an_account_that_sleeps_between_all_its_days_wakes_by_habit() -> None:
    signal, state = Waking(), empty_state(Waking())
    days = (a_day(FIRST_DAY + 40 * number, [0] * 3, np.arange(3)) for number in range(40))
    assert evidence(signal, days, state, 0).max() < ALARM


def test_the_day_as_it_goes_on_is_what_its_end_says() -> None:
    state, day = asleep()
    running = Waking().running(so_far(day, 9, [1, 5, 40], idle=80), state)[:, 0]
    assert (np.diff(running) >= 0.0).all()
    step = Waking().step(next(wakes(day, 40, 1)), Context(), state)
    assert running[-1] == pytest.approx(float(step.log_e[step.unit == 9][0, 0]), abs=1e-12)


def test_a_first_day_ever_is_no_waking() -> None:
    signal, state = Waking(), empty_state(Waking())
    assert signal.running(so_far(FIRST_DAY, 0, 30, idle=-1), state)[0, 0] == 0.0
    assert not signal.step(a_day(FIRST_DAY, [0], [1]), Context(), state).log_e.any()


def test_a_clock_that_goes_back_is_no_sleep() -> None:
    signal, state = Waking(), empty_state(Waking())
    days = [a_day(FIRST_DAY + number, [0], [1]) for number in (0, 1, 400, 2, 3, 401)]
    factors = [float(step.log_e[0, 0]) for _, step in stepped(signal, days, state)]
    assert max(factors[3:]) <= 0.0
