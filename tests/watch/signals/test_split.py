"""Split: five accounts by four are seen jointly, one alone is not this signal's, and a tide is nobody's harvest."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from language.account_days import FIRST_DAY, a_day, empty_state, evidence, office_work, stepped, with_more
from muniment.watch.context.tables import Context, Staff
from muniment.watch.days import Day
from muniment.watch.signals.split import Split

ALARM = np.log(2_000.0)
STAFF = Context(staff=Staff(*(np.zeros(0, np.int32),) * 3, *(np.zeros(0, np.int64),) * 2))
LATER = FIRST_DAY + 100


def after(
    more: Callable[[Day, np.random.Generator], Day], days: int, *, accounts: int = 10, fresh: float = 1.5
) -> np.ndarray:
    signal = Split()
    state = empty_state(signal)
    evidence(signal, office_work(5, 100, accounts=accounts, fresh=fresh), state, 0, STAFF)
    chance = np.random.default_rng(2)
    later = office_work(6, days, start=LATER, accounts=accounts, fresh=fresh)
    return evidence(signal, (more(day, chance) for day in later), state, 0, STAFF)


def four_of_five(day: Day, chance: np.random.Generator) -> Day:
    return with_more(day, np.repeat(np.arange(5), 4), chance.integers(0, 100_000, 20))


@pytest.mark.parametrize("accounts", [7, 10, 25])
def test_five_accounts_by_four_lose_at_most_two_hundred_records(accounts: int) -> None:
    assert after(four_of_five, 10, accounts=accounts)[-1] > ALARM


@pytest.mark.parametrize("daily", [10, 500])
def test_one_account_alone_is_another_signals(daily: int) -> None:
    alone = after(lambda day, chance: with_more(day, [0] * daily, chance.integers(0, 100_000, daily)), 15)
    assert alone.max() < ALARM


def test_ordinary_work_raises_nothing() -> None:
    for seed in range(3):
        signal = Split()
        work = office_work(seed, 250, accounts=12, fresh=3.0)
        assert evidence(signal, work, empty_state(signal), 0, STAFF).max() < ALARM


def two_offices(days: int, start: int, rate: float) -> Iterator[Day]:
    """Two offices of eight, in which all accounts read so many records without a reason."""
    chance = np.random.default_rng(start)
    offices = np.repeat([0, 1], 8)
    for number in range(start, start + days):
        many = chance.negative_binomial(1.5, 1.5 / (1.5 + rate), 16) + 1
        yield a_day(number, np.repeat(np.arange(16), many), chance.choice(100_000, many.sum()), office=offices)


def test_what_rises_everywhere_is_no_harvest() -> None:
    signal = Split()
    state = empty_state(signal)
    evidence(signal, two_offices(100, FIRST_DAY, 1.0), state, 0, STAFF)
    assert evidence(signal, two_offices(20, LATER, 2.5), state, 0, STAFF).max() < ALARM


def test_small_offices_and_accounts_without_one_are_left_out() -> None:
    signal = Split()
    state = empty_state(signal)
    offices = np.array([0, 0, -1, -1, -1, -1, 2, 2, 2])
    day = a_day(FIRST_DAY, np.repeat(np.arange(9), 2), np.arange(18), office=offices)
    (_, step), (_, none) = stepped(signal, [day, a_day(FIRST_DAY + 1, [0], [1], office=-1)], state, STAFF)
    assert step.unit.tolist() == [2]
    assert none.log_e.shape == (0, signal.about.bets)
    assert np.isfinite(step.log_e).all()


def test_the_reads_that_speak_are_those_of_the_office() -> None:
    signal = Split()
    state = empty_state(signal)
    evidence(signal, office_work(5, 100), state, 0, STAFF)
    day = four_of_five(next(office_work(6, 1, start=LATER)), np.random.default_rng(0))
    step = signal.step(day, STAFF, state)
    assert step.log_e.max() > 0.0
    assert step.records.tolist() == [int(day.fresh.sum())] == [int(step.reads.sum())]
