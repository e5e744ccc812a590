"""Share: the product over first reads, its bound against an adversary, and a mutant."""

from __future__ import annotations

import numpy as np
import pytest

from language.account_days import FIRST_DAY, a_day
from language.adversaries import mean_interval
from language.opened_cases import no_cases
from muniment.errors import InputError
from muniment.watch.context.tables import Context
from muniment.watch.days import Explanation
from muniment.watch.signals.budget import BETS
from muniment.watch.signals.declared import Budget, Budgets
from muniment.watch.signals.share import ShareSignal, trials

GAMES, READS = 60_000, 12
P = 0.1
NO_CASES = Context(cases=no_cases())


def end_values(bet: int, chance: float, believed: float) -> np.ndarray:
    """Days of an adversary that stops reading once it is ahead, and reads on while it is behind."""
    rng = np.random.default_rng(9)
    hits, of = np.zeros(GAMES, np.int64), np.zeros(GAMES, np.int64)
    for _ in range(READS):
        value = trials(hits, of, np.full(GAMES, believed))[:, bet]
        playing = value <= 0.0
        hits += playing & (rng.random(GAMES) < chance)
        of += playing
    return np.exp(trials(hits, of, np.full(GAMES, believed))[:, bet])


@pytest.mark.parametrize("bet", range(len(BETS)))
def test_the_mean_is_one_at_most_also_where_the_account_chooses_when_to_stop(bet: int) -> None:
    mean, width = mean_interval(end_values(bet, P, P))
    assert mean - width <= 1.0
    assert mean + width >= 0.9


def test_a_share_taken_too_low_is_caught() -> None:
    caught = [mean - width > 1.0 for mean, width in (mean_interval(end_values(b, P, 0.8 * P)) for b in range(4))]
    assert any(caught)


def test_the_product_is_that_of_its_trials_one_by_one() -> None:
    one = trials(np.array([1, 0]), np.array([1, 1]), np.full(2, P))
    np.testing.assert_allclose(trials(np.array([3]), np.array([8]), np.array([P]))[0], 3 * one[0] + 5 * one[1])


def test_only_first_reads_are_bet_on() -> None:
    signal = ShareSignal(Budgets(Budget(share=0.2)))
    explanation = [Explanation.NONE] * 2 + [Explanation.ASSIGNED] * 4
    day = a_day(FIRST_DAY, [1] * 6, np.arange(6), explanation=explanation, first=[True, False] * 3)
    step = signal.step(day, NO_CASES, {})
    np.testing.assert_allclose(step.log_e, trials(np.array([1]), np.array([3]), np.array([0.2])))
    assert step.records.tolist() == [1]


@pytest.mark.parametrize(("share", "context"), [(None, NO_CASES), (0.1, Context())])
def test_without_a_declared_share_or_cases_nothing_is_bet(share: float | None, context: Context) -> None:
    signal = ShareSignal(Budgets(Budget(share=share)))
    assert (signal.step(a_day(FIRST_DAY, [1, 2], [1, 2]), context, {}).log_e == 0.0).all()


@pytest.mark.parametrize("chance", [-0.1, float("nan")])
def test_a_share_that_is_none_is_refused(chance: float) -> None:
    with pytest.raises(InputError, match="declared share"):
        trials(np.array([1]), np.array([1]), np.array([chance]))
