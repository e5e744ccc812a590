"""Pitman's model of class sizes: from the sizes in a sample to the share of persons alone in the population.

Sizes follow the sampling formula of Ewens and Pitman with parameters alpha and theta (Pitman 1995; for disclosure risk
Hoshino 2001), fitted by the greatest likelihood. In a population of N the expected uniques are
N G(theta + 1) G(theta + alpha + N - 1) / (G(theta + alpha) G(theta + N)), G the gamma function.

Rules
1. 0 < alpha < 1 and theta > -alpha: populations in which more persons always bring more classes.
2. The interval is that of the fit alone (curvature of the likelihood, 95 %): it says nothing of the model's own error.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.exposure.shares import Interval, Z

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALPHAS: Final = (-14.0, 14.0)
"""Range of the logit of alpha."""
THETAS: Final = (-14.0, 35.0)
"""Range of ln(theta + alpha)."""
GRID: Final = 29
HALVINGS: Final = 60
STEP: Final = 0.02
"""For differences of the likelihood: its value has some eight digits behind the point."""
_GOLDEN: Final = (math.sqrt(5.0) - 1) / 2


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Sizes of classes that occur, and how many classes have each; `rows` and `classes` in all."""

    sizes: tuple[int, ...]
    counts: tuple[int, ...]
    rows: int
    classes: int

    @classmethod
    def of(cls, sizes: NDArray[np.int64]) -> Spectrum:
        """From the size of each class."""
        known, counts = np.unique(sizes, return_counts=True)
        return cls(tuple(known.tolist()), tuple(counts.tolist()), int(sizes.sum()), len(sizes))


def pitman_uniques(sizes: NDArray[np.int64], fraction: float) -> Interval | None:
    """Share of the population that is alone there; `None` where nobody is alone in the sample.

    sizes: of the classes of the sample, int64; fraction: of the population in the sample.
    """
    spectrum = Spectrum.of(sizes)
    if 1 not in spectrum.sizes:
        return None
    if fraction == 1.0:
        exact = spectrum.counts[0] / spectrum.rows
        return Interval(exact, exact, exact)
    people = max(round(spectrum.rows / fraction), spectrum.rows)
    alpha, theta = fitted(spectrum)
    share = expected(alpha, theta, people)
    reach = Z * _deviation(spectrum, alpha, theta, people)
    return Interval(share, share * math.exp(-reach), min(1.0, share * math.exp(reach)))


def expected(alpha: float, theta: float, people: int) -> float:
    """Share of so many persons that is alone, by the model."""
    ratio = math.lgamma(theta + 1) - math.lgamma(theta + alpha)
    ratio += math.lgamma(theta + alpha + people - 1) - math.lgamma(theta + people)
    return min(1.0, math.exp(ratio))


def log_likelihood(spectrum: Spectrum, alpha: float, theta: float) -> float:
    """ln of the sampling formula at these parameters, up to a constant of the sample."""
    return _within(spectrum, alpha) + _between(spectrum, alpha, theta)


def fitted(spectrum: Spectrum) -> tuple[float, float]:
    """alpha and theta of the greatest likelihood: a grid over alpha, then halving; theta by halving at each alpha."""

    def profile(logit: float) -> float:
        alpha = _alpha(logit)
        return _within(spectrum, alpha) + _best_theta(spectrum, alpha)[1]

    grid = np.linspace(*ALPHAS, GRID).tolist()
    best = max(grid, key=profile)
    step = grid[1] - grid[0]
    logit, _ = _highest(profile, best - step, best + step)
    alpha = _alpha(logit)
    return alpha, math.exp(_best_theta(spectrum, alpha)[0]) - alpha


def _alpha(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


def _within(spectrum: Spectrum, alpha: float) -> float:
    base = math.lgamma(1 - alpha)
    pairs = zip(spectrum.sizes, spectrum.counts, strict=True)
    return math.fsum(count * (math.lgamma(size - alpha) - base) for size, count in pairs)


def _between(spectrum: Spectrum, alpha: float, theta: float) -> float:
    first = theta / alpha
    known = (spectrum.classes - 1) * math.log(alpha) + math.lgamma(first + spectrum.classes) - math.lgamma(first + 1)
    return known - math.lgamma(theta + spectrum.rows) + math.lgamma(theta + 1)


def _best_theta(spectrum: Spectrum, alpha: float) -> tuple[float, float]:
    """ln(theta + alpha), and the likelihood there but for its part of alpha alone."""
    return _highest(lambda log: _between(spectrum, alpha, math.exp(log) - alpha), *THETAS)


def _highest(of: Callable[[float], float], low: float, high: float) -> tuple[float, float]:
    """Where a function with one top has it, and how high (golden section: Kiefer 1953)."""
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = of(left), of(right)
    for _ in range(HALVINGS):
        if at_left < at_right:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = of(right)
        else:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = of(left)
    return (left, at_left) if at_left > at_right else (right, at_right)


def _deviation(spectrum: Spectrum, alpha: float, theta: float, people: int) -> float:
    """Standard deviation of ln of the share: the curvature of the likelihood at its top, by differences."""
    top = (math.log(alpha / (1 - alpha)), math.log(theta + alpha))

    def moved(of: Callable[[float, float], float], first: float, second: float) -> float:
        part = _alpha(top[0] + first * STEP)
        return of(part, math.exp(top[1] + second * STEP) - part)

    def height(part: float, rest: float) -> float:
        return log_likelihood(spectrum, part, rest)

    def log_share(part: float, rest: float) -> float:
        return math.log(max(expected(part, rest, people), 1e-300))

    slope = [(moved(log_share, *at) - moved(log_share, -at[0], -at[1])) / (2 * STEP) for at in ((1, 0), (0, 1))]
    twice = [moved(height, *at) - 2 * moved(height, 0, 0) + moved(height, -at[0], -at[1]) for at in ((1, 0), (0, 1))]
    mixed = moved(height, 1, 1) - moved(height, 1, -1) - moved(height, -1, 1) + moved(height, -1, -1)
    curvature = -np.array([[twice[0], mixed / 4], [mixed / 4, twice[1]]]) / STEP**2
    variance = np.array(slope) @ np.linalg.pinv(curvature) @ np.array(slope)
    return math.sqrt(max(float(variance), 0.0))
