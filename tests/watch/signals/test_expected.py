"""Expected: power against slow harvests, and silence over drift, busy months, mergers and unlike accounts."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from language.account_days import FIRST_DAY, a_day, empty_state, evidence, office_work, so_far, with_more
from muniment.watch.signals.expected import ADDED, ExpectedSignal
from muniment.watch.signals.predictive import Who, raised

ALARM = np.log(2_000.0 * 10)
"""Threshold of a joined detector over some ten signals, were this the only one that speaks."""


def counts_of_a_year(seed: int, accounts: int = 40, days: int = 240) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Offices and daily counts of unlike accounts: gamma levels, habits that wander, a busy month nobody declared."""
    rng = np.random.default_rng(seed)
    office = (np.arange(accounts) % 4).astype(np.int32)
    level = rng.gamma(1.5, 1.0, accounts) + 0.1
    wander = np.cumsum(rng.normal(0.0, 0.02, (days, accounts)), axis=0)
    mean = level * np.exp(wander)
    begin = int(rng.integers(40, days - 40))
    mean[begin : begin + 20, office == 0] *= 2.0
    return office, rng.poisson(mean * rng.gamma(2.0, 0.5, (days, accounts)))


def detected(office: NDArray[np.int32], counts: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Day and account of each pass; the detector of an account begins anew after one."""
    signal = ExpectedSignal()
    state = empty_state(signal, len(office))
    ln_r = np.full((len(office), len(ADDED)), -np.inf)
    passed = []
    account = np.arange(len(office), dtype=np.int32)
    for number, row in enumerate(counts):
        who = Who(FIRST_DAY + number // 5 * 7 + number % 5, account, office, np.zeros(len(office), np.uint8))
        expected = signal.level.expect(who, state)
        ln_r = np.logaddexp(ln_r, 0.0) + raised(row, expected, ADDED)
        signal.level.learn(who, row, expected, state)
        rows = np.flatnonzero(np.logaddexp.reduce(ln_r, axis=1) - np.log(len(ADDED)) >= ALARM)
        passed += [(number, int(one)) for one in rows]
        ln_r[rows] = -np.inf
    return passed


def test_a_year_of_unlike_accounts_drift_and_an_undeclared_busy_month_is_nearly_silent() -> None:
    years = [counts_of_a_year(seed) for seed in range(6)]
    alarms = sum(len(detected(*year)) for year in years)
    assert alarms / sum(counts.size for _, counts in years) <= 0.0005


@pytest.mark.parametrize(("extra", "days", "share", "lost"), [(3, 60, 0.6, 180), (7, 30, 0.8, 75), (10, 20, 0.9, 80)])
def test_harvests_are_found_in_time(extra: int, days: int, share: float, lost: int) -> None:
    found, taken = [], []
    for seed in range(6):
        office, counts = counts_of_a_year(100 + seed)
        begin, harvesters = 130, [0, 11, 22, 33]
        counts[begin : begin + days, harvesters] += extra
        passed = detected(office, counts[: begin + days])
        for one in harvesters:
            first = [number for number, account in passed if account == one and number >= begin]
            found.append(bool(first))
            taken.append((first[0] - begin + 1 if first else days) * extra)
    assert np.mean(found) >= share
    assert np.median(taken) <= lost


def test_a_ramp_from_nothing_to_eight_a_day_is_found_before_its_middle_in_most() -> None:
    found = []
    for seed in range(4):
        office, counts = counts_of_a_year(200 + seed)
        counts[40:, [3, 14]] += np.random.default_rng(seed).poisson(np.linspace(0, 8, 200)[:, None], (200, 2))
        passed = detected(office, counts)
        found += [any(account == one and number >= 40 for number, account in passed) for one in (3, 14)]
    assert np.mean(found) >= 0.6


def test_a_new_account_that_harvests_at_once_is_compared_with_its_colleagues() -> None:
    signal = ExpectedSignal()
    state = empty_state(signal)
    evidence(signal, office_work(1, 100), state, 0)
    days = office_work(2, 40, start=FIRST_DAY + 100)
    after = evidence(signal, (with_more(day, [20] * 14, 50_000 + np.arange(14)) for day in days), state, 20)
    assert after.max() > ALARM


def test_one_great_day_is_not_enough_and_teaches_little() -> None:
    signal = ExpectedSignal()
    state = empty_state(signal)
    evidence(signal, office_work(1, 100), state, 0)
    for day in office_work(2, 1, start=FIRST_DAY + 100):
        after = evidence(signal, [with_more(day, [0] * 400, 10_000 + np.arange(400))], state, 0)
    assert after[0] <= np.log(10.0) + 1e-9
    evidence(signal, office_work(3, 60, start=FIRST_DAY + 101), state, 0)
    who = Who(FIRST_DAY + 161, np.zeros(1, np.int32), np.zeros(1, np.int32), np.zeros(1, np.uint8))
    assert signal.level.expect(who, state).mean[0] < 3.0


def test_so_far_ends_where_the_day_ends_and_leaves_the_state_alone() -> None:
    signal = ExpectedSignal()
    state = empty_state(signal)
    evidence(signal, office_work(1, 50), state, 0)
    before = {name: array.copy() for name, array in state.items()}
    running = signal.running(so_far(FIRST_DAY + 50, 3, [0, 2, 7, 12]), state)
    assert all((before[name] == array).all() for name, array in state.items())
    assert (np.diff(running, axis=0) >= 0).all()
    day = a_day(FIRST_DAY + 50, [3] * 12, np.arange(12))
    np.testing.assert_array_equal(signal.step(day, None, state).log_e[0], running[-1])  # type: ignore[arg-type]


def test_the_same_days_give_the_same_factors() -> None:
    runs = [evidence(ExpectedSignal(), office_work(5, 40), empty_state(ExpectedSignal()), 2) for _ in range(2)]
    np.testing.assert_array_equal(runs[0], runs[1])
