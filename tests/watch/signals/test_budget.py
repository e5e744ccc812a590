"""Budget: a bound that holds against whoever knows everything, power, and mutants that must be caught."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from language.account_days import FIRST_DAY, a_day, so_far
from language.adversaries import PLAYS, Play, mean_interval
from muniment.errors import InputError
from muniment.watch.context.tables import Context
from muniment.watch.days import Explanation
from muniment.watch.signals.budget import BETS, BudgetSignal, staked
from muniment.watch.signals.declared import Budget, Budgets

B = 1.8
GAMES, DAYS = 60_000, 6


def end_values(
    play: Play, factors: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]], bet: int
) -> NDArray[np.float64]:
    """What one bet is worth after some days of many games against an adversary."""
    rng = np.random.default_rng(7)
    log_e = np.zeros(GAMES)
    for _ in range(DAYS):
        log_e += factors(play(rng, log_e, B), np.full(GAMES, B))[:, bet]
    return np.exp(log_e)


@pytest.mark.parametrize("play", PLAYS, ids=lambda one: one.__name__)
@pytest.mark.parametrize("bet", range(len(BETS)))
def test_the_mean_is_one_at_most_against_any_adversary_that_keeps_to_the_mean(play: Play, bet: int) -> None:
    mean, width = mean_interval(end_values(play, staked, bet))
    assert mean - width <= 1.0


@pytest.mark.parametrize("play", PLAYS, ids=lambda one: one.__name__)
@pytest.mark.parametrize("bet", range(len(BETS)))
def test_passing_x_is_rarer_than_one_in_x(play: Play, bet: int) -> None:
    values = end_values(play, staked, bet)
    for bound in (2.0, 10.0, 100.0):
        assert (values >= bound).mean() <= 1.0 / bound + 4.0 * np.sqrt(1.0 / bound / GAMES)


def too_small(counts: NDArray[np.float64], budget: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mutant: bets as if the budget were a tenth lower."""
    return staked(counts, budget * 0.9)


def no_stake(counts: NDArray[np.float64], budget: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mutant: wins without staking."""
    return np.log1p(np.array(BETS) * (counts / budget)[:, None])


def in_hindsight(counts: NDArray[np.float64], budget: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mutant: picks its bet after the day."""
    best = staked(counts, budget).max(axis=1, keepdims=True)
    return np.broadcast_to(best, (len(counts), len(BETS)))


@pytest.mark.parametrize("mutant", [too_small, no_stake, in_hindsight], ids=lambda one: one.__name__)
def test_mutants_are_caught(mutant: Callable[..., NDArray[np.float64]]) -> None:
    caught = []
    for play in PLAYS:
        for bet in range(len(BETS)):
            mean, width = mean_interval(end_values(play, mutant, bet))
            caught.append(mean - width > 1.0)
    assert any(caught)


def test_three_a_day_over_an_own_mean_of_one_and_a_half_is_found_in_a_quarter() -> None:
    rng = np.random.default_rng(8)
    ln_r = np.full((200, len(BETS)), -np.inf)
    for _ in range(60):
        counts = rng.negative_binomial(2.0, 2.0 / 3.5, 200) + 3
        ln_r = np.logaddexp(ln_r, 0.0) + staked(counts, np.full(200, B))
    joined = np.logaddexp.reduce(ln_r, axis=1) - np.log(len(BETS))
    assert (joined > np.log(2_000 * 4)).mean() > 0.9


def test_only_unexplained_first_reads_count() -> None:
    explanation = [Explanation.NONE, Explanation.OTHERS, Explanation.SELF, Explanation.OPEN, Explanation.NONE]
    day = a_day(FIRST_DAY, [1] * 5, np.arange(5), explanation=explanation, first=[True, True, True, True, False])
    step = BudgetSignal(Budgets()).step(day, Context(), {})
    assert step.records.tolist() == [3]
    assert step.reads.sum() == 3
    assert step.unit.tolist() == [1]


def test_each_account_is_held_to_its_own_budget() -> None:
    budgets = Budgets(offices={0: Budget(a_day=5.0)}, accounts={2: Budget(a_day=50.0)})
    day = a_day(FIRST_DAY, [1] * 20 + [2] * 20, np.arange(40))
    step = BudgetSignal(budgets).step(day, Context(), {})
    assert (step.log_e[0] > 0).all()
    assert (step.log_e[1] < 0).all()


def test_so_far_is_never_more_than_the_whole_day_and_ends_there() -> None:
    signal = BudgetSignal(Budgets())
    running = signal.running(so_far(FIRST_DAY, 1, [0, 1, 5, 9]), {})
    whole = signal.step(a_day(FIRST_DAY, [1] * 9, np.arange(9)), Context(), {}).log_e[0]
    assert (np.diff(running, axis=0) > 0).all()
    np.testing.assert_array_equal(running[-1], whole)


@pytest.mark.parametrize("budget", [0.0, 1e-9, 0.001, 1e6])
def test_budgets_of_any_size_are_bet_on_soundly(budget: float) -> None:
    factors = staked(np.array([0, 1, 500]), np.full(3, budget))
    assert np.isfinite(factors).all()
    assert (factors[0] < 0).all()


def test_no_budget_is_no_bet() -> None:
    assert (staked(np.array([0, 500]), np.full(2, np.inf)) == 0.0).all()


@pytest.mark.parametrize("budget", [-1.0, float("nan")])
def test_a_budget_that_is_none_is_refused(budget: float) -> None:
    with pytest.raises(InputError, match="declared budget"):
        staked(np.array([1]), np.array([budget]))
