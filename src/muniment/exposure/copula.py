"""A Gaussian copula of the columns: from a sample to the share of persons alone in the population.

Each column keeps its shares in the sample; how columns hang together is the correlation of normal scores (Rocher,
Hendrickx, de Montjoye 2019). They average (1 - p)^(N - 1) over persons; the same mean is had here by drawing a
population of N from the fit and counting who is alone, which needs no integral over cells.

Rules
1. A value that the sample does not have is not in the population either: rare values make the share too low, and an
   order of codes that means nothing makes columns seem less tied than they are.
2. The interval is that of drawing alone, 95 %. Deterministic for a generator in a given state.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.errors import LimitError
from muniment.exposure.classes import count_only
from muniment.exposure.extract import Coded, narrowed
from muniment.exposure.shares import Interval, Z

if TYPE_CHECKING:
    from numpy.typing import NDArray

PEOPLE: Final = 50_000_000
"""Persons of a population that is ever drawn: codes of ten columns and a key, some 1.5 GB."""
BATCH: Final = 1_000_000
TIED: Final = 0.999
"""Largest correlation that is taken over: a tie of all values would leave no matrix to draw from."""


def copula_uniques(sample: Sequence[Coded], fraction: float, rng: np.random.Generator) -> Interval | None:
    """Share of the population that is alone there; `None` where the sample has no rows.

    Raises `LimitError` for a population of more than `PEOPLE`.
    """
    rows = len(sample[0]) if sample else 0
    if not rows:
        return None
    people = max(round(rows / fraction), rows)
    if people > PEOPLE:
        raise LimitError(
            f"a population of {people:,} would be drawn: expected at most {PEOPLE:,}",
            hint="the match chance needs no population to be drawn",
        )
    share = count_only(drawn(sample, people, rng), histogram=False).uniques / people
    reach = Z * math.sqrt(share * (1 - share) / people)
    return Interval(share, max(0.0, share - reach), min(1.0, share + reach))


def drawn(sample: Sequence[Coded], people: int, rng: np.random.Generator) -> list[Coded]:
    """A population of so many, drawn from the copula of a sample."""
    margins = [np.bincount(column.codes, minlength=max(column.size, 1)) / len(column) for column in sample]
    root = _root(correlation(sample, margins))
    cuts = [_normal(np.cumsum(margin)[:-1]) for margin in margins]
    codes = [narrowed(np.zeros(people, np.int64), max(column.size, 1)) for column in sample]
    for first in range(0, people, BATCH):
        last = min(first + BATCH, people)
        scores = rng.standard_normal((last - first, len(sample))) @ root.T
        for place, cut in enumerate(cuts):
            codes[place][first:last] = np.searchsorted(cut, scores[:, place])
    return [
        Coded(column.name, made, column.size)  # type: ignore[arg-type]
        for column, made in zip(sample, codes, strict=True)
    ]


def correlation(sample: Sequence[Coded], margins: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Correlations of the normal scores behind the codes, (columns, columns).

    The score of a code is the mean of the normal between its cuts; what the covariance of scores loses by cutting is
    given back by their variances (to first order: Olsson 1979).
    """
    scores = [_scores(margin)[column.codes] for column, margin in zip(sample, margins, strict=True)]
    matrix = np.eye(len(sample))
    variances = [max(float(np.mean(score * score)), 1e-12) for score in scores]
    for one in range(len(sample)):
        for other in range(one):
            tie = float(np.mean(scores[one] * scores[other])) / (variances[one] * variances[other])
            matrix[one, other] = matrix[other, one] = min(max(tie, -TIED), TIED)
    return matrix


def _scores(margin: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of the normal between the cuts of each code; 0 where it does not occur."""
    cuts = np.concatenate([[-np.inf], _normal(np.cumsum(margin)[:-1]), [np.inf]])
    density = np.exp(-cuts * cuts / 2) / math.sqrt(2 * math.pi)
    return np.asarray(np.divide(density[:-1] - density[1:], margin, out=np.zeros(len(margin)), where=margin > 0))


def _normal(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """The normal quantile of each share; infinite at 0 and 1."""
    quantile = NormalDist().inv_cdf
    inner = np.clip(shares, 1e-300, 1 - 1e-16).tolist()
    found = np.array([quantile(share) for share in inner])
    return np.where(shares <= 0, -np.inf, np.where(shares >= 1 - 1e-12, np.inf, found))


def _root(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """A root of the nearest matrix that is a correlation: negative eigenvalues are cut off (Rebonato, Jaeckel 1999)."""
    values, vectors = np.linalg.eigh(matrix)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    return np.asarray(root / np.sqrt((root * root).sum(axis=1, keepdims=True)))
