"""Joined detectors: the promised rate of false alarms, the reset after a pass, and what mutants do to them."""

from __future__ import annotations

import numpy as np
import pytest

from language.folds import START, context, watch
from muniment.watch.context.tables import Context
from muniment.watch.days import Day, Prefix
from muniment.watch.detector import Detector
from muniment.watch.signals import About, State, Step

UNITS = 400


def a_day(number: int, units: int = UNITS) -> Day:
    """One read of every account, nothing in it."""
    one, codes = np.ones(units, np.int64), np.arange(units, dtype=np.int32)
    zero = np.zeros(units, np.int32)
    return Day(
        day=number, account=codes, office=zero, role=zero, kind=np.zeros(units, np.uint8), total=one,
        starts=np.arange(units + 1), record=codes.astype(np.uint32), moment=one, sequence=one,
        minute=zero.astype(np.int16), case=zero - 1, device=zero, register=zero, columns=one.astype(np.uint64),
        explanation=np.zeros(units, np.uint8), first=np.ones(units, bool),
    )  # fmt: skip


class Drawn:
    """A signal whose factors are drawn anew each day: log-normal with mean `mean`, so an e-value where it is 1."""

    def __init__(self, seed: int, *, name: str = "drawn", design: bool = True, mean: float = 1.0) -> None:
        self.about = About(name, bets=2, design=design)
        self._chance = np.random.default_rng(seed)
        self._mean = mean

    def step(self, day: Day, context: Context, state: State) -> Step:
        """Factors with spread 1 in the logarithm."""
        drawn = self._chance.normal(-0.5, 1.0, (len(day), self.about.bets)) + np.log(self._mean)
        return Step(day.account.astype(np.int64), drawn, np.ones(len(day), np.int64), np.ones(len(day), bool))


def passes(detector: Detector, days: int) -> list[object]:
    detector.grow(UNITS, 1)
    return [one for day in range(days) for one in detector.step(a_day(START + day), Context())]


@pytest.mark.parametrize("signals", [1, 4])
def test_false_alarms_keep_to_the_promised_rate(signals: int) -> None:
    alpha, days = 0.02, 200
    detector = Detector("account", [Drawn(seed, name=f"s{seed}") for seed in range(signals)], alpha)
    found = passes(detector, days)
    # Half of alpha is this kind's; five standard deviations of a Poisson above it would be a broken promise.
    promised = alpha / 2 * UNITS * days
    assert 0 < len(found) <= promised + 5 * promised**0.5


def test_factors_of_a_larger_mean_break_the_promise() -> None:
    alpha, days = 0.02, 200
    found = passes(Detector("account", [Drawn(1, mean=1.1)], alpha), days)
    assert len(found) > alpha / 2 * UNITS * days, "a mutant that the test above would not see"


def test_each_kind_has_its_own_half() -> None:
    learned, design = Drawn(1, design=False, mean=1.2), Drawn(2, name="other")
    found = passes(Detector("account", [learned, design], 0.02), 100)
    kinds = {one.kind: one for one in found}  # type: ignore[attr-defined]
    assert kinds["estimated"].pattern == "drawn"
    assert kinds["guaranteed"].pattern == "other"


def test_shares_add_up_and_the_loudest_comes_first() -> None:
    loud, quiet = Drawn(1, name="loud", mean=3.0), Drawn(2, name="quiet")
    for one in passes(Detector("account", [loud, quiet], 0.001), 20):
        shares = [share for _, share in one.shares]  # type: ignore[attr-defined]
        assert sum(shares) == pytest.approx(1.0)
        assert shares == sorted(shares, reverse=True)
        assert one.pattern == one.shares[0][0]  # type: ignore[attr-defined]


def test_since_is_the_day_on_which_the_evidence_began() -> None:
    class From:
        about = About("from", bets=1)

        def step(self, day: Day, context: Context, state: State) -> Step:
            log_e = np.full((len(day), 1), 1.0 if day.day >= START + 30 else -0.5)
            return Step(day.account.astype(np.int64), log_e, np.full(len(day), 3), np.ones(len(day), bool))

    found = passes(Detector("account", [From()], 0.001), 60)
    assert {one.since for one in found[:UNITS]} == {START + 30}  # type: ignore[attr-defined]
    first = found[0]
    assert first.records == 3 * (first.day - first.since + 1)  # type: ignore[attr-defined]


def test_a_bet_that_is_lost_for_good_stays_finite() -> None:
    class Lost:
        about = About("lost", bets=2)

        def step(self, day: Day, context: Context, state: State) -> Step:
            log_e = np.tile([-np.inf, 0.3], (len(day), 1))
            return Step(day.account.astype(np.int64), log_e, np.zeros(len(day), np.int64), np.ones(len(day), bool))

    detector = Detector("account", [Lost()], 0.001)
    found = passes(detector, 60)
    assert found, "the other bet goes on"
    assert not any(np.isnan(array).any() for array in detector.arrays().values())


def test_a_signal_that_lacks_its_table_says_nothing() -> None:
    class Needing(Drawn):
        def __init__(self) -> None:
            super().__init__(1, mean=5.0)
            self.about = About("needing", bets=2, needs=("cases",))

    assert not passes(Detector("account", [Needing()], 0.02), 20)
    detector = Detector("account", [Needing()], 0.02)
    detector.grow(UNITS, 1)
    assert [one for day in range(20) for one in detector.step(a_day(START + day), context(UNITS))]


def test_a_prefix_that_comes_for_an_earlier_day_is_left_to_its_closing() -> None:
    made = watch(1)
    zero = np.zeros(1, np.int64)
    code, kind = zero.astype(np.int32), zero.astype(np.uint8)
    made._grow()
    detector = made._detectors[0]

    def so_far(day: int, fresh: int) -> Prefix:
        count = np.array([fresh])
        return Prefix(day, zero + 1, code, code, code, kind, count, count, count, zero, zero, code.astype(np.int16))

    assert not detector.run(so_far(START + 1, 1))
    assert not detector.run(so_far(START, 50))
    assert detector.run(so_far(START + 1, 50))
