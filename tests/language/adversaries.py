"""Adversaries for guarantees: sequences that keep to a mean given the past, and try to win all the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Play: TypeAlias = Callable[[np.random.Generator, NDArray[np.float64], float], NDArray[np.float64]]
"""The next counts of many games, given the logarithms of what their bets won so far (shape (games,)) and the bound."""


def steady(rng: np.random.Generator, won: NDArray[np.float64], bound: float) -> NDArray[np.float64]:
    """Poisson counts of just the mean that is allowed."""
    return rng.poisson(bound, len(won)).astype(np.float64)


def all_or_nothing(rng: np.random.Generator, won: NDArray[np.float64], bound: float) -> NDArray[np.float64]:
    """Nothing on most days, then a lot at once."""
    return np.where(rng.random(len(won)) < 0.02, bound / 0.02, 0.0)


def doubling(rng: np.random.Generator, won: NDArray[np.float64], bound: float) -> NDArray[np.float64]:
    """Whoever is ahead plays safe, whoever is behind gambles: the best way to be ahead once."""
    chance = np.where(won > 0.0, 0.9, np.exp(np.maximum(won, -4.0)) / 2.0)
    return np.where(rng.random(len(won)) < chance, bound / chance, 0.0)


PLAYS: tuple[Play, ...] = (steady, all_or_nothing, doubling)


def mean_interval(values: NDArray[np.float64], deviations: float = 4.0) -> tuple[float, float]:
    """Mean and its interval's half width."""
    return float(values.mean()), float(deviations * values.std() / np.sqrt(len(values)))
