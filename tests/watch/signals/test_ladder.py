"""The ladder: its mean is at most one whatever the counts are like, and what is common is no news."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muniment.watch.reads import NOBODY
from muniment.watch.signals.ladder import LOG_CAP, Ladder

EDGES = (2.0, 4.0, 8.0)


def a_state(ladder: Ladder, accounts: int = 6) -> dict[str, np.ndarray]:
    return {name: np.full((accounts, one.width), one.fill) for name, one in ladder.shapes.items()}


def taught(steps: list[int], *, account: int = 0, office: int = 0) -> tuple[Ladder, dict[str, np.ndarray]]:
    ladder = Ladder(EDGES)
    state = a_state(ladder)
    for step in steps:
        ladder.learn(state, np.array([account], np.int32), np.array([office], np.int32), np.array([[step]]))
    return ladder, state


def factors(ladder: Ladder, state: dict[str, np.ndarray], account: int = 0, office: int = 0) -> np.ndarray:
    four = np.full(ladder.steps, account, np.int32)
    return np.exp(ladder.log_e(state, four, np.full(ladder.steps, office, np.int32), np.arange(ladder.steps)[:, None]))[
        :, 0
    ]


def test_a_count_stands_on_the_step_whose_edge_it_reached() -> None:
    assert Ladder(EDGES).step(np.array([0, 1, 2, 3, 4, 8, 900])).tolist() == [0, 0, 1, 1, 2, 3, 3]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 3), max_size=60))
def test_the_mean_over_what_was_learned_is_at_most_one(steps: list[int]) -> None:
    ladder, state = taught(steps)
    usual = ladder._usual(state, np.array([0], np.int32), np.array([0], np.int32))[0, 0]
    assert usual.sum() == pytest.approx(1.0)
    assert (usual > 0.0).all()
    assert float((usual * factors(ladder, state)).sum()) <= 1.0 + 1e-12


def test_what_an_account_always_did_is_no_news_and_what_it_never_did_is() -> None:
    quiet, loud = (factors(*taught([step] * 200))[3] for step in (0, 3))
    assert loud < 1.0
    assert quiet == pytest.approx(np.exp(LOG_CAP))


def test_a_new_account_stands_where_its_colleagues_stand() -> None:
    ladder, state = taught([3] * 100, account=2, office=1)
    for step in [0] * 100:
        ladder.learn(state, np.array([3], np.int32), np.array([0], np.int32), np.array([[step]]))
    here, elsewhere, nowhere = (factors(ladder, state, 5, office)[3] for office in (1, 0, NOBODY))
    assert here < nowhere < elsewhere


def test_ladders_side_by_side_do_not_mix() -> None:
    ladder = Ladder(EDGES, 2)
    state = a_state(ladder)
    one, office = np.array([1], np.int32), np.array([0], np.int32)
    for _ in range(50):
        ladder.learn(state, one, office, np.array([[3, 0]]))
    said = ladder.log_e(state, one, office, np.array([[3, 3]]))[0]
    assert said[0] < 0.0 < said[1]
    assert ladder.days(state, one)[0] == pytest.approx((1 - 0.99**50) / 0.01)
