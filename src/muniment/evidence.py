"""E-values: the one currency in which muniment states evidence. Pure functions on logarithms.

An e-value is a non-negative statistic whose expectation is at most 1 under the null hypothesis. By Markov's inequality
P(E >= 1/a) <= a. Independent e-values multiply; arbitrarily dependent ones average; a weight w of trust in a factor
gives the factor w f + 1 - w. (Vovk and Wang 2021; Ramdas, Grunwald, Vovk, Shafer 2023.)

Rules
1. All numbers are natural logarithms, float64, unless the name says log10.
2. Weights of a mixture add up to 1: then a mixture of e-values is an e-value.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from muniment.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

LN10 = math.log(10.0)


def log_mean(logs: NDArray[np.float64], weights: NDArray[np.float64], axis: int = 0) -> NDArray[np.float64]:
    """Logarithm of the weighted mean of exp(logs) along an axis; weights are broadcast along the other axes."""
    shape = [1] * logs.ndim
    shape[axis] = -1
    top = logs.max(axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    total = (np.exp(logs - top) * weights.reshape(shape)).sum(axis=axis)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(total) + top.squeeze(axis))


def log10_threshold(candidates: int, alpha: float, examination: int = 1) -> float:
    """The log10 E at which one of `candidates` may be named in the k-th examination of a leak.

    E >= n k (k+1) / a: the chance that any innocent is named is then at most a over all n candidates (union bound) and
    all examinations together (the sum of 1 / (k (k+1)) is 1).

    Raises:
        InputError: no candidate, an examination below 1, or alpha outside (0, 1).
    """
    if not 0.0 < alpha < 1.0:
        raise InputError(f"alpha is {alpha:g}: expected a number between 0 and 1, such as 1e-6")
    if candidates < 1 or examination < 1:
        raise InputError(f"{candidates} candidates, examination {examination}: expected at least one of each")
    return math.log10(candidates) + math.log10(examination * (examination + 1)) - math.log10(alpha)
