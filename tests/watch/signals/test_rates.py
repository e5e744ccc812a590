"""Shares learned from the past: the null is exact, wide, and hard to teach."""

from __future__ import annotations

import math

import numpy as np
import pytest

from muniment.watch.reads import NOBODY
from muniment.watch.signals.rates import FLOOR, MOST, SURE, Shares, capped, log_ratio, raised


def beta_binomial(successes: int, trials: int, share: float) -> float:
    one, other = SURE * share, SURE * (1.0 - share)
    beta = math.lgamma(successes + one) + math.lgamma(trials - successes + other) - math.lgamma(trials + SURE)
    start = math.lgamma(one) + math.lgamma(other) - math.lgamma(SURE)
    return math.comb(trials, successes) * math.exp(beta - start)


def a_state(shares: Shares, accounts: int = 6) -> dict[str, np.ndarray]:
    return {name: np.full((accounts, one.width), one.fill) for name, one in shares.shapes.items()}


def column(*numbers: float) -> np.ndarray:
    return np.array(numbers, np.float64)[:, None]


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.95])
@pytest.mark.parametrize("trials", [1, 7, MOST])
@pytest.mark.parametrize("by", [0.3, 0.8])
def test_the_mean_of_the_factor_under_its_null_is_one(share: float, trials: int, by: float) -> None:
    null = np.array([share])
    mean = sum(
        beta_binomial(k, trials, share)
        * float(np.exp(log_ratio((np.array([float(k)]), np.array([float(trials)])), null, raised(null, by)))[0])
        for k in range(trials + 1)
    )
    assert mean == pytest.approx(1.0, abs=1e-9)


def test_no_trial_says_nothing() -> None:
    null = column(0.1)
    assert log_ratio((column(0.0), column(0.0)), null, raised(null, 0.5))[0, 0] == 0.0


def test_a_day_counts_as_twenty_trials_at_most_in_its_own_proportion() -> None:
    successes, trials = capped(np.array([500, 3, 0]), np.array([1000, 7, 0]))
    assert successes.tolist() == [10.0, 3.0, 0.0]
    assert trials.tolist() == [float(MOST), 7.0, 0.0]


def test_an_account_leans_on_its_colleagues_and_they_on_everyone() -> None:
    shares = Shares(1)
    state = a_state(shares)
    accounts, offices = np.array([0, 1, 2], np.int32), np.array([0, 0, 1], np.int32)
    for _ in range(40):
        shares.learn(state, accounts, offices, (column(10, 10, 0), column(20, 20, 20)))
    new = np.array([3, 4, 5], np.int32)
    null = shares.null(state, new, np.array([0, 1, NOBODY], np.int32))[:, 0]
    assert null[0] == pytest.approx(0.5, abs=0.02)
    assert null[1] == FLOOR
    assert null[1] < null[2] < null[0]


def test_nobody_is_its_own_colleague() -> None:
    shares = Shares(1)
    state = a_state(shares)
    accounts, offices = np.array([0, 1], np.int32), np.zeros(2, np.int32)
    for _ in range(40):
        shares.learn(state, accounts, offices, (column(20, 0), column(20, 20)))
    state["rates"][1] = 0.0
    assert shares.null(state, accounts, offices)[1, 0] > 0.5  # of whom nothing is known leans on the colleague
    state["rates"][:] = 0.0
    state["rates"][1] = [0.0, 500.0]
    assert shares.null(state, accounts, offices)[0, 0] == pytest.approx(FLOOR)
