import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.errors import InputError
from muniment.evidence import log10_threshold, log_mean

LOGS = st.lists(st.floats(-50, 50), min_size=2, max_size=6)


@given(LOGS)
def test_the_mean_of_e_values_is_their_weighted_mean(logs: list[float]) -> None:
    weights = np.arange(1.0, len(logs) + 1)
    weights /= weights.sum()
    expected = math.log(sum(w * math.exp(log) for w, log in zip(weights, logs, strict=True)))
    assert log_mean(np.array(logs), weights) == pytest.approx(expected, abs=1e-9)


def test_it_stays_finite_where_exp_would_not() -> None:
    halves = np.array([0.5, 0.5])
    assert log_mean(np.array([5_000.0, 5_000.0]), halves) == pytest.approx(5_000)
    assert log_mean(np.array([-5_000.0, -5_000.0]), halves) == pytest.approx(-5_000)


def test_an_e_value_of_0_is_an_alternative_that_is_ruled_out() -> None:
    assert log_mean(np.array([-np.inf, 0.0]), np.array([0.25, 0.75])) == pytest.approx(math.log(0.75))
    assert log_mean(np.full(2, -np.inf), np.array([0.5, 0.5])) == -np.inf


def test_the_mean_is_taken_along_the_axis_that_is_asked_for() -> None:
    logs = np.log(np.array([[1.0, 3.0], [5.0, 7.0]]))
    np.testing.assert_allclose(np.exp(log_mean(logs, np.array([0.5, 0.5]), axis=0)), [3, 5])
    np.testing.assert_allclose(np.exp(log_mean(logs, np.array([0.5, 0.5]), axis=1)), [2, 6])


def test_the_threshold_is_a_union_bound_over_candidates_and_examinations() -> None:
    assert log10_threshold(1_000, 1e-6) == pytest.approx(math.log10(2e9))
    assert log10_threshold(1_000, 1e-6, 3) == pytest.approx(math.log10(12e9))


def test_all_examinations_together_spend_alpha_once() -> None:
    assert sum(10 ** -log10_threshold(1, 0.5, k) for k in range(1, 5_000)) <= 0.5


@pytest.mark.parametrize(("candidates", "alpha", "number"), [(0, 0.1, 1), (1, 0.0, 1), (1, 1.0, 1), (1, 0.1, 0)])
def test_a_bound_without_meaning_is_refused(candidates: int, alpha: float, number: int) -> None:
    with pytest.raises(InputError):
        log10_threshold(candidates, alpha, number)
