"""Pitman's model: samples drawn by its own rule, the top of its likelihood, samples with little to fit."""

import numpy as np
import pytest

from muniment.exposure import pitman


@pytest.mark.parametrize(("alpha", "theta"), [(0.3, 50.0), (0.7, 5.0)])
def test_pitman_finds_the_parameters_that_a_sample_was_drawn_by(alpha: float, theta: float):
    """Sizes drawn one person at a time by the model's own rule (the Chinese restaurant with two parameters)."""
    rng, sizes = np.random.default_rng(4), [1]
    people, sample = 12_000, []
    for row in range(1, people):
        if rng.random() < (theta + alpha * len(sizes)) / (theta + row):
            sizes.append(1)
        else:
            weights = np.array(sizes) - alpha
            sizes[int(np.searchsorted(np.cumsum(weights), rng.random() * weights.sum()))] += 1
        if row == people // 10 - 1:
            sample = list(sizes)
    found = pitman.fitted(pitman.Spectrum.of(np.array(sample)))
    assert found[0] == pytest.approx(alpha, abs=0.1)
    told = pitman.pitman_uniques(np.array(sample), 0.1)
    assert told is not None and told.low < sizes.count(1) / people < told.high


def test_pitmans_top_is_one():
    spectrum = pitman.Spectrum.of(np.array([1] * 60 + [2] * 20 + [3] * 8 + [9]))
    alpha, theta = pitman.fitted(spectrum)
    top = pitman.log_likelihood(spectrum, alpha, theta)
    for other in (alpha * 0.98, min(alpha * 1.02, 0.999)):
        assert pitman.log_likelihood(spectrum, other, theta) <= top + 1e-9
        assert pitman.log_likelihood(spectrum, alpha, theta * other / alpha) <= top + 1e-9


@pytest.mark.parametrize("sizes", [[1], [1] * 500, [1, 10**6], [1, 1, 500, 500]])
def test_pitman_stays_within_bounds_where_there_is_little_to_fit(sizes: list[int]):
    told = pitman.pitman_uniques(np.array(sizes), 0.01)
    assert told is not None and 0 <= told.low <= told.value <= told.high <= 1
    assert pitman.pitman_uniques(np.array([2, 3]), 0.01) is None
