"""Decoy: one crosses alone, none costs half, and the mean is kept where the rate of accidents is the declared one."""

from __future__ import annotations

import numpy as np
import pytest

from language.account_days import FIRST_DAY, a_day, evidence, so_far
from muniment.errors import InputError
from muniment.watch.context.tables import Context
from muniment.watch.signals.decoy import DecoySignal

DECOYS = Context(decoys=np.array([70, 71, 900], np.uint32))


def test_one_decoy_passes_the_joined_threshold_alone_once_the_account_is_known() -> None:
    days = [a_day(FIRST_DAY + i, [1, 1], [1, 2 + i]) for i in range(20)]
    hit = a_day(FIRST_DAY + 20, [1, 1, 1], [5, 71, 6])
    after = evidence(DecoySignal(), [*days, hit], {}, 1, DECOYS)
    assert after[19] < 0.1
    assert after[20] > np.log(2_000 * 20)


def test_the_reads_that_speak_are_the_decoys() -> None:
    step = DecoySignal().step(a_day(FIRST_DAY, [1, 1, 2, 2], [70, 3, 900, 71]), DECOYS, {})
    assert step.records.tolist() == [1, 2]
    assert step.reads.tolist() == [True, False, True, True]


def test_the_mean_is_one_where_accidents_come_at_the_declared_rate() -> None:
    """Exact: X is 1 with probability r, else 0."""
    rate = 1e-3
    signal = DecoySignal(rate)
    prefix = so_far(FIRST_DAY, 1, [0, 1])
    object.__setattr__(prefix, "decoys", np.array([0, 1]))
    none, one = np.exp(signal.running(prefix, {})[:, 0])
    assert (1 - rate) * none + rate * one == pytest.approx(1.0)
    assert (1 - 2 * rate) * none + 2 * rate * one > 1.4  # twice the rate is seen


def test_so_far_ends_where_the_day_ends() -> None:
    prefix = so_far(FIRST_DAY, 1, [3])
    object.__setattr__(prefix, "decoys", np.array([1]))
    step = DecoySignal().step(a_day(FIRST_DAY, [1, 1, 1], [1, 70, 2]), DECOYS, {})
    np.testing.assert_array_equal(DecoySignal().running(prefix, {}), step.log_e)


def test_only_a_coin_makes_it_true_by_design() -> None:
    assert not DecoySignal().about.design
    assert DecoySignal(0.01, coin=True).about.design
    assert not DecoySignal().about.design


@pytest.mark.parametrize("rate", [0.0, 1.0, float("nan")])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(InputError, match="decoys by accident"):
        DecoySignal(rate)
