"""Negative binomials against exact sums, calibration, and levels that cannot be taught by those they judge."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.watch.days import DayKind
from muniment.watch.signals.predictive import (
    BLOCK,
    Expected,
    Level,
    Who,
    calibrated,
    log_gamma,
    nb_log_pmf,
    nb_log_tail,
    raised,
)

WORLDS = [(0.3, 0.5), (1.5, 2.0), (6.0, 1.0), (50.0, 3.0), (0.01, 10.0)]


def test_the_gamma_function_is_that_of_the_standard_library() -> None:
    values = np.array([1e-6, 0.1, 0.5, 1.0, 2.0, 3.3, 7.9999, 8.0, 8.1, 100.0, 1e6])
    expected = [math.lgamma(one) for one in values]
    np.testing.assert_allclose(log_gamma(values), expected, rtol=1e-13, atol=1e-10)


@pytest.mark.parametrize(("mean", "size"), WORLDS)
def test_the_law_adds_up_to_one_and_has_its_mean_and_variance(mean: float, size: float) -> None:
    counts = np.arange(4_000)
    law = np.exp(nb_log_pmf(counts, mean, size))
    assert law.sum() == pytest.approx(1.0, abs=1e-9)
    assert (law * counts).sum() == pytest.approx(mean, rel=1e-7)
    assert (law * (counts - mean) ** 2).sum() == pytest.approx(mean + mean**2 / size, rel=1e-6)


@pytest.mark.parametrize(("mean", "size"), WORLDS)
def test_tails_are_sums_of_the_law(mean: float, size: float) -> None:
    counts = np.arange(6_000)
    sums = np.logaddexp.accumulate(nb_log_pmf(counts, mean, size)[::-1])[::-1]
    np.testing.assert_allclose(nb_log_tail(counts[:400], mean, size), sums[:400], atol=1e-9)


def test_tails_far_below_the_smallest_float_are_exact() -> None:
    """A Poisson of mean 1: P(X >= 500) is p(500) (1 + 1/501 + 1/(501 502) + ...)."""
    first = -1.0 - math.lgamma(501)
    found = float(nb_log_tail(np.array([500]), 1.0, math.inf)[0])
    assert found == pytest.approx(first + math.log1p(1 / 501 + 1 / (501 * 502)), rel=1e-3)
    assert found < -2_600


@given(st.integers(0, 2_000), st.floats(1e-9, 1e4), st.floats(0.01, 1e7))
def test_tails_are_probabilities_that_fall(count: int, mean: float, size: float) -> None:
    tails = nb_log_tail(np.array([0, count, count + 1]), mean, size)
    assert tails[0] == 0.0
    assert tails[2] <= tails[1] + 1e-9
    assert tails[1] <= 0.0
    assert not np.isnan(tails).any()


def test_a_calibrated_p_value_has_mean_one_at_most() -> None:
    """Its integral over p, by substitution of x = -log p; what is missing lies beyond p = e^-3000."""
    x = np.linspace(0.0, 3_000.0, 3_000_001)
    density = np.exp(calibrated(-x) - x)
    total = float(((density[1:] + density[:-1]) / 2.0 * np.diff(x)).sum())
    assert 0.99 < total < 1.0


def test_calibration_is_smooth_and_grows_as_p_falls() -> None:
    p = -np.concatenate([np.linspace(0.0, 0.02, 50), np.linspace(0.03, 800.0, 500)])
    e = calibrated(p)
    assert e[0] == pytest.approx(math.log(0.5))
    assert (np.diff(e) > 0).all()


def _expected(mean: float, size: float, doubt: float = 0.0) -> Expected:
    one = np.ones(1)
    return Expected(mean * one, size * one, mean * one, one, one, doubt * one)


@pytest.mark.parametrize("share", [1.0, 0.5, 0.1])
def test_bets_on_more_have_mean_one_at_most_for_every_mean_up_to_the_null(share: float) -> None:
    law = nb_log_pmf(np.arange(3_000), 2.5 * share, 1.5)
    expected = _expected(2.0, 1.5, doubt=0.5)
    counts = np.arange(3_000)
    wide = Expected(*(np.repeat(getattr(expected, name), 3_000) for name in Expected.__slots__))
    means = np.exp(law[:, None] + raised(counts, wide, (2.0, 10.0))).sum(axis=0)
    assert (means <= 1.0 + 1e-9).all()


def test_bets_grow_with_the_count_and_are_capped() -> None:
    wide = Expected(*(np.repeat(getattr(_expected(2.0, 1.5), name), 600) for name in Expected.__slots__))
    factors = raised(np.arange(600), wide, (2.0, 10.0))
    assert (np.diff(factors, axis=0) >= 0).all()
    assert factors.max() == pytest.approx(math.log(10.0))


class Learner:
    """A level and the accounts it has seen, a day at a time."""

    def __init__(self, accounts: int, offices: int = 1, start: float = 2.0) -> None:
        self.level = Level(start)
        self.office = (np.arange(accounts) % offices).astype(np.int32)
        self.state = {n: np.full((accounts, s.width), s.fill) for n, s in self.level.shapes.items()}
        self.day = 20_000

    def who(self, active: np.ndarray | None = None, kind: int = DayKind.WORKDAY) -> Who:
        account = np.arange(len(self.office)) if active is None else active
        kinds = np.full(len(account), kind, np.uint8)
        return Who(self.day, account.astype(np.int32), self.office[account], kinds)

    def live(self, counts: np.ndarray, kind: int = DayKind.WORKDAY) -> Expected:
        """One day of everybody: counts shape (accounts,)."""
        who = self.who(kind=kind)
        expected = self.level.expect(who, self.state)
        self.level.learn(who, counts.astype(np.int64), expected, self.state)
        self.day += 3 if self.day % 7 == 4 else 1
        return expected


def test_levels_of_very_different_accounts_are_all_learned() -> None:
    rng = np.random.default_rng(1)
    truth = np.array([0.2, 0.5, 1.0, 2.0, 4.0, 8.0])
    learner = Learner(6)
    for _ in range(250):
        last = learner.live(rng.poisson(truth * rng.gamma(2.0, 0.5, 6)))
    np.testing.assert_allclose(last.mean, truth, rtol=0.5, atol=0.2)
    assert ((last.size > 0.8) & (last.size <= 10.0)).all()


def test_an_account_of_which_nothing_is_known_is_expected_to_be_like_its_office() -> None:
    rng = np.random.default_rng(2)
    learner = Learner(21, offices=2)
    truth = np.where(learner.office == 0, 1.0, 6.0)
    for _ in range(120):
        who = learner.who(np.arange(1, 21))
        expected = learner.level.expect(who, learner.state)
        learner.level.learn(who, rng.poisson(truth[1:]), expected, learner.state)
        learner.day += 1
    new = learner.level.expect(learner.who(np.array([0])), learner.state)
    assert new.mean[0] == pytest.approx(1.0, rel=0.4)
    assert new.doubt[0] > new.mean[0]


def test_what_a_new_account_does_in_its_first_month_never_raises_what_is_expected_of_it() -> None:
    quiet, loud = Learner(8), Learner(8)
    for _ in range(BLOCK):
        counts = np.full(8, 2)
        quiet.live(counts)
        counts = counts.copy()
        counts[0] = 30
        loud.live(counts)
    before, after = (one.level.expect(one.who(), one.state) for one in (quiet, loud))
    assert after.mean[0] <= before.mean[0]
    assert after.level[1] > before.level[1]


def test_a_harvest_does_not_teach_the_null_within_a_month() -> None:
    rng = np.random.default_rng(3)
    learner = Learner(10)
    for _ in range(100):
        before = learner.live(rng.poisson(1.5, 10))
    for _ in range(BLOCK):
        during = learner.live(rng.poisson(1.5, 10) + np.where(np.arange(10) == 0, 10, 0))
    assert during.mean[0] < 1.5 * before.mean[0]
    assert during.size[0] > 0.6 * before.size[0]


def test_a_busy_time_of_the_whole_office_raises_the_tide_within_the_week() -> None:
    rng = np.random.default_rng(4)
    learner = Learner(12)
    for _ in range(80):
        before = learner.live(rng.poisson(2.0, 12))
    for _ in range(6):
        after = learner.live(rng.poisson(5.0, 12))
    assert after.tide.min() > 1.5 * before.tide.mean()


def test_weekends_and_busy_days_are_compared_with_their_kind() -> None:
    rng = np.random.default_rng(5)
    learner = Learner(12)
    for number in range(150):
        kind = DayKind.REST if number % 5 == 0 else DayKind.BUSY if number % 7 == 0 else DayKind.WORKDAY
        learner.live(rng.poisson({DayKind.REST: 0.5, DayKind.BUSY: 6.0, DayKind.WORKDAY: 2.0}[kind], 12), kind)
    means = [float(learner.level.expect(learner.who(kind=kind), learner.state).mean.mean()) for kind in DayKind]
    assert means[DayKind.REST] < 1.0 < 1.5 < means[DayKind.WORKDAY] < 3.0 < 4.5 < means[DayKind.BUSY]


def test_a_merger_takes_each_accounts_own_past_along() -> None:
    rng = np.random.default_rng(6)
    learner = Learner(20, offices=2)
    truth = np.where(learner.office == 0, 0.5, 6.0)
    for _ in range(120):
        learner.live(rng.poisson(truth))
    learner.office[:] = 0
    for _ in range(5):
        merged = learner.live(rng.poisson(truth))
    assert merged.mean[truth > 1].min() > 3.0
    assert merged.mean[truth < 1].max() < 1.5


def test_a_years_gap_forgets_and_nothing_breaks() -> None:
    learner = Learner(4)
    for _ in range(60):
        learner.live(np.full(4, 9))
    learner.day += 3_650
    expected = learner.level.expect(learner.who(), learner.state)
    assert expected.mean == pytest.approx(np.full(4, 2.0), rel=0.3)
    assert all(np.isfinite(array).all() for array in learner.state.values())


def test_asking_changes_nothing() -> None:
    learner = Learner(4)
    learner.live(np.array([1, 2, 3, 4]))
    before = {name: array.copy() for name, array in learner.state.items()}
    learner.level.expect(learner.who(), learner.state)
    assert all((before[name] == array).all() for name, array in learner.state.items())


def test_the_state_is_small() -> None:
    assert sum(shape.width for shape in Level().shapes.values()) <= 24
