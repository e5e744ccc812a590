"""The ratio against the two densities written out; under the null its mean is one, so that it may be bet with."""

from __future__ import annotations

from math import lgamma, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.watch.signals.ratio import nb_log_ratio

POSITIVE = st.floats(0.05, 50)
TIMES = st.floats(1.0, 20)


def log_density(count: int, mean: float, size: float) -> float:
    """Of a negative binomial with this mean and variance mean + mean^2 / size."""
    return (
        lgamma(count + size) - lgamma(size) - lgamma(count + 1)
        + size * log(size / (size + mean)) + count * log(mean / (size + mean))
    )  # fmt: skip


def ratio(count: int, mean: float, size: float, times: float) -> float:
    return float(nb_log_ratio(np.array([count]), np.array([mean]), np.array([size]), times)[0])


@given(st.integers(0, 300), POSITIVE, POSITIVE, TIMES)
def test_it_is_the_difference_of_the_log_densities(count: int, mean: float, size: float, times: float) -> None:
    expected = log_density(count, times * mean, size) - log_density(count, mean, size)
    assert ratio(count, mean, size, times) == pytest.approx(expected, abs=1e-7 * (1 + count))


@pytest.mark.parametrize(("mean", "size", "times"), [(0.2, 0.5, 8.0), (3.0, 2.0, 2.0), (10.0, 20.0, 1.5)])
def test_its_mean_is_one_where_nothing_has_changed_and_less_where_there_is_less(
    mean: float, size: float, times: float
) -> None:
    def bet(true_mean: float) -> float:
        """The mean of the ratio over counts of this mean."""
        logs = [ratio(count, mean, size, times) + log_density(count, true_mean, size) for count in range(3_000)]
        return float(np.exp(logs).sum())

    assert bet(mean) == pytest.approx(1.0, abs=1e-6)
    assert bet(mean / 2) < 1.0 < bet(mean * 2)


@given(st.integers(0, 300), POSITIVE, POSITIVE, st.floats(1.01, 20))
def test_it_grows_with_the_count_and_nothing_read_speaks_against(
    count: int, mean: float, size: float, times: float
) -> None:
    assert ratio(count + 1, mean, size, times) > ratio(count, mean, size, times)
    assert ratio(0, mean, size, times) < 0 == ratio(count, mean, size, 1.0)
