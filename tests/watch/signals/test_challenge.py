"""Challenge: an unbiased sample of what an account reads, counted when due; and what goes wrong if counted sooner."""

from __future__ import annotations

import numpy as np
import pytest

from language.account_days import FIRST_DAY, a_day
from language.adversaries import mean_interval
from muniment.errors import InputError
from muniment.watch.challenges import Challenge, Coin, Outcomes, outcomes
from muniment.watch.context.tables import Context
from muniment.watch.signals.budget import BETS
from muniment.watch.signals.challenge import FAILURES, ChallengeSignal
from muniment.watch.signals.share import trials

GAMES = 40_000
NONE_DUE = Outcomes(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64))


def judged(account: list[int], of: list[int], failed: list[int]) -> ChallengeSignal:
    due = Outcomes(np.array(account, np.int64), np.array(of, np.int64), np.array(failed, np.int64))
    return ChallengeSignal(lambda day: due if day == FIRST_DAY else NONE_DUE)


def test_failures_raise_it_good_answers_lower_it_and_nothing_due_says_nothing() -> None:
    day = a_day(FIRST_DAY, [1, 2, 3], [1, 2, 3])
    step = judged([1, 2], [2, 2], [2, 0]).step(day, Context(), {})
    assert (step.log_e[0] > 0).all()
    assert (step.log_e[1] < 0).all()
    assert (step.log_e[2] == 0).all()
    assert step.records.tolist() == [2, 0, 0]
    assert not step.reads.any()


def test_an_account_that_reads_no_more_is_judged_all_the_same() -> None:
    step = judged([7], [3], [3]).step(a_day(FIRST_DAY, [1], [1]), Context(), {})
    assert step.unit.tolist() == [1, 7]
    assert step.records.tolist() == [0, 3]
    assert (step.log_e[1] > 0).all()


def test_two_in_five_without_justification_pass_within_forty_challenges() -> None:
    rng = np.random.default_rng(1)
    ln_r = np.full((300, len(BETS)), -np.inf)
    for _ in range(40):
        hits = (rng.random(300) < 0.4).astype(np.int64)
        ln_r = np.logaddexp(ln_r, 0.0) + trials(hits, np.ones(300, np.int64), np.full(300, FAILURES))
    joined = np.logaddexp.reduce(ln_r, axis=1) - np.log(len(BETS))
    assert (joined > np.log(2_000 * 4)).mean() > 0.9


def _values(bet: int, good_after: int, bad_after: int, *, term: int) -> np.ndarray:
    """The worth of a bet on the day after a lone challenge, of many honest games in which answers take so many days.

    `term`: the day on which a challenge counts; 0: as soon as it is answered.
    """
    rng = np.random.default_rng(2)
    bad = rng.random(GAMES) < FAILURES
    known = np.where(bad, bad_after, good_after) <= 1 if term == 0 else np.full(GAMES, term <= 1)
    return np.exp(trials((bad & known).astype(np.int64), known.astype(np.int64), np.full(GAMES, FAILURES))[:, bet])


@pytest.mark.parametrize("bet", range(len(BETS)))
def test_the_mean_is_one_at_most_where_each_counts_when_due(bet: int) -> None:
    for term in (1, 7):
        mean, width = mean_interval(_values(bet, good_after=3, bad_after=0, term=term))
        assert mean - width <= 1.0


def test_counting_answers_as_they_come_would_break_the_bound() -> None:
    """The mutant that rule 1 of the signal is about: failures found at once, good answers after days."""
    mean, width = mean_interval(_values(len(BETS) - 1, good_after=3, bad_after=0, term=0))
    assert mean - width > 1.5


def test_a_whole_life_of_coins_answers_and_an_account_that_stops_keeps_the_bound() -> None:
    """Reads without justification in the share that is allowed, placed by an adversary who sees every coin."""
    rng = np.random.default_rng(3)
    games, reads, chance = 20_000, 30, 0.2
    hits, of = np.zeros(games, np.int64), np.zeros(games, np.int64)
    value = np.zeros(games)
    for number in range(reads):
        coin = Coin(bytes([number]) * 16).challenged(np.arange(games), chance)
        bad = rng.random(games) < FAILURES
        playing = value < np.log(3.0)  # stops for good once far ahead
        hits += playing & coin & bad
        of += playing & coin
        value = trials(hits, of, np.full(games, FAILURES))[:, 2]
    mean, width = mean_interval(np.exp(value))
    assert mean - width <= 1.0
    assert mean + width >= 0.9


def test_the_worklist_feeds_the_signal() -> None:
    list_ = [
        Challenge(1, 4, due=500).justified("b", "case seen", 10),
        Challenge(2, 4, due=600),
        Challenge(3, 5, due=900),
    ]
    signal = ChallengeSignal(lambda day: outcomes(list_, 0, 700))
    step = signal.step(a_day(FIRST_DAY, [4, 5], [1, 2]), Context(), {})
    np.testing.assert_allclose(step.log_e[0], trials(np.array([1]), np.array([2]), np.array([FAILURES]))[0])
    assert (step.log_e[1] == 0).all()


@pytest.mark.parametrize("share", [0.0, 1.0, -0.2, float("nan")])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(InputError, match="challenges failed"):
        ChallengeSignal(lambda day: NONE_DUE, share)
