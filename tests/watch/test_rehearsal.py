"""The rehearsal: an insider's plan in the ledger as he plays it, and what is counted up to the alert on his account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from muniment.watch.context.tables import Context
from muniment.watch.days import Day, Prefix
from muniment.watch.fold import FoldRules
from muniment.watch.rehearsal import Office, WatchJudge
from muniment.watch.signals import About, Signal, State, Step

OFFICE = Office(before=10, own=3.0, peers=1)


@dataclass
class Wire:
    """A signal that crosses once an account has more than `most` fresh reads in a day; at once, or with its end."""

    most: int
    at_once: bool = False

    def __post_init__(self) -> None:
        self.about = About("wire", 1)

    def step(self, day: Day, context: Context, state: State) -> Step:
        fresh = day.count(day.fresh)
        nothing = np.zeros(len(day.record), bool)
        return Step(day.account.astype(np.int64), self._log(fresh), fresh, nothing)

    def _log(self, fresh: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.where(fresh > self.most, 50.0, -50.0)[:, None]


class RunningWire(Wire):
    """The same, while the day lasts."""

    def running(self, so_far: Prefix, state: State) -> NDArray[np.float64]:
        return np.exp(self._log(so_far.fresh))


def judge(signal: Signal, replicas: int = 2, office: Office = OFFICE) -> WatchJudge:
    """The rehearsal of one signal."""

    def signals() -> Sequence[Signal]:
        return (signal,)

    return WatchJudge(signals, FoldRules(), office, replicas)


def test_who_stays_below_takes_all_and_is_not_seen() -> None:
    plans = np.array([[3, 0, 5, 2], [10, 10, 10, 10]])
    judged = judge(Wire(20)).judge(plans)
    assert judged.taken.tolist() == [[10, 10], [40, 40]]
    assert not judged.alerted.any()


def test_an_alert_at_the_end_of_a_day_comes_a_day_later() -> None:
    plans = np.array([[5, 30, 5, 5, 5]])  # Monday to Friday: Tuesday is closed when Wednesday is over
    judged = judge(Wire(20)).judge(plans)
    assert judged.alerted.all()
    assert judged.taken.tolist() == [[40, 40]]


def test_an_alert_within_the_day_ends_it_at_its_record() -> None:
    judged = judge(RunningWire(20)).judge(np.array([[5, 30, 5, 5, 5]]))
    assert judged.alerted.all()
    assert judged.taken.tolist() == [[26, 26]]


def test_alerts_before_he_begins_do_not_stop_him() -> None:
    noisy = Office(before=10, own=3.0, lookups=20.0, peers=1)
    judged = judge(RunningWire(5), 8, noisy).judge(np.array([[1, 1, 1]]))
    assert not judged.alerted.any() and (judged.taken == 3).all()


def test_plans_of_different_sizes_do_not_disturb_one_another() -> None:
    plans = np.array([[1, 1, 1], [2, 50, 0], [0, 0, 0]])
    judged = judge(RunningWire(9)).judge(plans)
    assert judged.taken.tolist() == [[3, 3], [12, 12], [0, 0]]
    assert judged.alerted.tolist() == [[False] * 2, [True] * 2, [False] * 2]


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_seed_plays_the_same(seed: int) -> None:
    office = Office(before=10, seed=seed)
    plans = np.array([[4, 12, 7, 3]])
    one, two = (judge(RunningWire(11), 3, office).judge(plans) for _ in range(2))
    assert (one.taken == two.taken).all() and (one.alerted == two.alerted).all()
