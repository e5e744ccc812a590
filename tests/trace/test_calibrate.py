"""The share of strangers by weight, on weights with a known answer."""

from __future__ import annotations

import numpy as np
import pytest

from muniment.trace.calibrate import foreign_share, rising, stranger_share


def test_rising_pools_what_falls() -> None:
    assert rising(np.array([1.0, 3.0, 2.0, 4.0]), np.ones(4)).tolist() == [1.0, 2.5, 2.5, 4.0]
    assert rising(np.array([3.0, 0.0]), np.array([1.0, 2.0])).tolist() == [1.0, 1.0]


def test_a_mixture_is_taken_apart() -> None:
    draw = np.random.default_rng(3)
    strangers = draw.normal(0, 3, 1_000)
    best = np.r_[draw.normal(0, 3, 500), draw.normal(20, 3, 500)]
    assert foreign_share(best, strangers) == pytest.approx(0.5, abs=0.06)
    share = stranger_share(best, strangers)
    assert share[best > 14].max() < 0.05
    assert share[best < 4].min() > 0.8
    order = np.argsort(-best)
    assert (np.diff(share[order]) >= -1e-9).all()


def test_strangers_alone_are_recognised() -> None:
    draw = np.random.default_rng(4)
    assert stranger_share(draw.normal(0, 3, 400), draw.normal(0, 3, 1_000)).mean() > 0.85


def test_no_rows() -> None:
    assert len(stranger_share(np.zeros(0), np.zeros(3))) == 0
    assert foreign_share(np.zeros(3), np.zeros(0)) == 1
