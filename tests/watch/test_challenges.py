"""Challenges: the coin, the worklist, and when each counts."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.errors import InputError, IntegrityError
from muniment.watch.challenges import DORMANT_DAYS, ENDED, LAPSED, Challenge, Coin, Standing, chances, outcomes

KEY = bytes(range(32))
VECTOR = [19, 111, 118, 149, 181, 193, 210, 279]
OPEN = Challenge(sequence=12, account=3, due=1_000)


def test_the_coin_falls_as_often_as_it_should() -> None:
    sequence = np.arange(400_000)
    for chance in (0.001, 0.02, 0.5):
        seen = Coin(KEY).challenged(sequence, chance).mean()
        assert abs(seen - chance) < 4.5 * np.sqrt(chance * (1 - chance) / len(sequence))


def test_the_coin_is_the_same_in_a_replay_and_in_any_batches() -> None:
    sequence = np.arange(1, 1_001)
    whole = Coin(KEY).challenged(sequence, 0.3)
    parts = [Coin(KEY).challenged(part, 0.3) for part in np.array_split(sequence, 7)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_another_key_is_another_coin_and_neighbours_tell_nothing() -> None:
    sequence = np.arange(20_000)
    mine, other = (Coin(key).challenged(sequence, 0.5) for key in (KEY, KEY[::-1]))
    assert abs((mine == other).mean() - 0.5) < 0.02
    assert abs((mine[1:] == mine[:-1]).mean() - 0.5) < 0.02


def test_the_coin_is_fixed_for_good() -> None:
    """A vector: another layout would draw other challenges in a replay of old ledgers."""
    assert np.flatnonzero(Coin(KEY).challenged(np.arange(300), 0.02)).tolist() == VECTOR


def test_a_higher_chance_challenges_the_same_and_more() -> None:
    sequence = np.arange(5_000)
    low, high = (Coin(KEY).challenged(sequence, chance) for chance in (0.05, 0.2))
    assert (high | ~low).all()


def test_never_and_always() -> None:
    sequence = np.array([0, 1, 2**62])
    assert not Coin(KEY).challenged(sequence, 0.0).any()
    assert Coin(KEY).challenged(sequence, np.ones(3)).all()
    assert len(Coin(KEY).challenged(np.zeros(0, np.int64), 0.5)) == 0


@pytest.mark.parametrize("chance", [-0.1, 1.5, float("nan")])
def test_a_chance_that_is_none_is_refused(chance: float) -> None:
    with pytest.raises(InputError, match="outside 0 to 1"):
        Coin(KEY).challenged(np.array([1]), chance)


def test_a_short_key_is_refused_and_no_key_shows() -> None:
    with pytest.raises(InputError, match="too short"):
        Coin(b"short")
    assert repr(Coin(KEY)) == "Coin()"


def test_an_account_that_slept_is_always_challenged() -> None:
    idle = np.array([-1, 0, DORMANT_DAYS - 1, DORMANT_DAYS, 4_000])
    assert chances(idle, 0.1).tolist() == [0.1, 0.1, 0.1, 1.0, 1.0]


def test_a_judgement_is_kept_with_who_why_and_when() -> None:
    good, bad = OPEN.justified("b", "case seen", 10), OPEN.failed("b", "no such case", 20)
    assert (good.state, good.by, good.reason, good.at) == (Standing.JUSTIFIED, "b", "case seen", 10)
    assert (bad.state, bad.at) == (Standing.FAILED, 20)
    assert OPEN.state is Standing.OPEN


@pytest.mark.parametrize(
    ("challenge", "by", "reason", "at", "told"),
    [
        (OPEN.failed("a", "none", 1), "b", "after all", 5, "final"),
        (OPEN.justified("a", "case", 1), "b", "again", 5, "final"),
        (OPEN.ended(1), "b", "too late", 5, "final"),
        (OPEN, "b", "too late", 1_000, "past its term"),
        (OPEN, " ", "case", 5, "who judged it and why"),
        (OPEN, "b", "", 5, "who judged it and why"),
    ],
)
def test_what_is_no_judgement_is_refused(challenge: Challenge, by: str, reason: str, at: int, told: str) -> None:
    with pytest.raises(InputError, match=told):
        challenge.justified(by, reason, at)


def test_a_read_that_was_ended_has_failed_but_a_judgement_stands() -> None:
    assert (OPEN.ended(7).state, OPEN.ended(7).reason) == (Standing.FAILED, ENDED)
    good = OPEN.justified("b", "case", 3)
    assert good.ended(7) is good


def test_what_is_open_when_due_has_failed() -> None:
    assert OPEN.as_of(999) is OPEN
    lapsed = OPEN.as_of(5_000)
    assert (lapsed.state, lapsed.reason, lapsed.at) == (Standing.FAILED, LAPSED, 1_000)


def test_each_counts_once_when_due_and_never_sooner() -> None:
    list_ = [
        OPEN,
        Challenge(13, 3, 1_500).justified("b", "case", 2),
        Challenge(14, 1, 1_500).failed("b", "none", 2),
        Challenge(15, 9, 2_000).failed("b", "none", 2),
    ]
    first, second = outcomes(list_, 0, 2_000), outcomes(list_, 2_000, 4_000)
    assert (first.account.tolist(), first.judged.tolist(), first.failed.tolist()) == ([1, 3], [1, 2], [1, 1])
    assert (second.account.tolist(), second.failed.tolist()) == ([9], [1])
    assert len(outcomes([], 0, 10).account) == 0


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 99), st.sampled_from(["open", "good", "bad", "ended"]))),
    st.lists(st.integers(0, 100), max_size=4),
)
def test_days_that_follow_one_another_count_every_challenge_once(
    made: list[tuple[int, int, str]], cuts: list[int]
) -> None:
    list_ = []
    for number, (account, due, end) in enumerate(made):
        one = Challenge(number, account, due + 1)
        ends = {"open": one, "good": one.justified("b", "c", 0), "bad": one.failed("b", "c", 0), "ended": one.ended(0)}
        list_.append(ends[end])
    edges = [0, *sorted(cuts), 101]
    parts = [outcomes(list_, since, until) for since, until in itertools.pairwise(edges)]
    assert sum(int(part.judged.sum()) for part in parts) == len(made)
    assert sum(int(part.failed.sum()) for part in parts) == sum(end != "good" for _, _, end in made)


def test_through_the_journal_and_back() -> None:
    for one in (OPEN, OPEN.justified("b", "case", 3), OPEN.ended(9)):
        assert Challenge.from_json(json.loads(json.dumps(one.to_json()))) == one


@pytest.mark.parametrize(
    "change", [{"state": "maybe"}, {"due": "soon"}, {"by": None}, {"sequence": True}], ids=lambda one: next(iter(one))
)
def test_a_damaged_journal_is_told(change: dict[str, object]) -> None:
    with pytest.raises(IntegrityError, match="challenge in the journal"):
        Challenge.from_json(OPEN.to_json() | change)


def test_no_repr_tells_who() -> None:
    assert "reason" not in repr(OPEN.justified("Ms Meier", "case", 3))
    assert "Meier" not in repr(OPEN.justified("Ms Meier", "case", 3))
