"""CADS, written from its paper: Chen and Malin, "Detection of Anomalous Insiders in Collaborative Environments via
Relational Analysis of Access Logs", CODASPY 2011; TDSC 2012.

The accounts' records of a window are weighted by their rarity (IDF); accounts are projected on the leading components
(SVD) and compared by cosine; each account's radius is the distance to its k-th nearest neighbour, k being the size of
neighbourhood with the least conductance; its deviation is the spread of the radii within its neighbourhood. An account
that belongs to no community deviates. The paper scores a day or a week as a whole; here the window is the last week and
slides by a day, and only accounts active on the day are scored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from watch.tuning import hits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from watch.daily import Daily
    from watch.ground import Ground, Hit

WINDOW: Final = 7
ENERGY: Final = 0.8
"""The share of the variance that the components kept explain."""
NEIGHBOURS: Final = range(2, 16)


@dataclass(frozen=True, slots=True)
class Cads:
    """Community-based anomaly detection over the trailing week."""

    name: str = "CADS"

    def detect(self, ground: Ground) -> list[Hit]:
        """Account-days whose account deviates from its neighbourhood."""
        return hits(ground.daily, _scores(ground.daily), "community")


def _scores(rows: Daily) -> NDArray[np.float64]:
    owner, account, record = rows.pairs.T
    days = rows.day[owner]
    scores = np.zeros(len(rows))
    for day in np.unique(rows.day).tolist():
        begin, end = np.searchsorted(days, [day - WINDOW + 1, day + 1])
        accounts, row = np.unique(account[begin:end], return_inverse=True)
        _, column = np.unique(record[begin:end], return_inverse=True)
        if len(accounts) < 4:
            continue
        deviation = deviations(row, column)
        today = np.flatnonzero(rows.day == day)
        scores[today] = deviation[np.searchsorted(accounts, rows.account[today])]
    return scores


def deviations(row: NDArray[np.int64], column: NDArray[np.int64]) -> NDArray[np.float64]:
    """The deviation of each account (row) from the pairs of account and record, which may repeat; shape (rows,)."""
    linked = np.zeros((int(row.max()) + 1, int(column.max()) + 1))
    linked[row, column] = 1.0
    linked *= np.log(len(linked) / linked.sum(axis=0)) + 1e-9
    left, size, _ = np.linalg.svd(linked @ linked.T)
    kept = int(np.searchsorted(np.cumsum(size) / max(size.sum(), 1e-12), ENERGY)) + 1
    placed = left[:, :kept] * np.sqrt(size[:kept])
    placed /= np.maximum(np.linalg.norm(placed, axis=1, keepdims=True), 1e-12)
    likeness = np.clip(placed @ placed.T, 0.0, 1.0)
    distance = 1.0 - likeness
    np.fill_diagonal(distance, 0.0)
    nearest = np.argsort(distance, axis=1, kind="stable")
    k = _best_k(likeness, nearest)
    radius = np.take_along_axis(distance, nearest[:, [k]], axis=1)[:, 0]
    around = radius[nearest[:, : k + 1]]
    return np.asarray(around.std(axis=1))


def _best_k(likeness: NDArray[np.float64], nearest: NDArray[np.int64]) -> int:
    """The size of neighbourhood whose mean conductance is least: the clearest communities."""
    weight = likeness.copy()
    np.fill_diagonal(weight, 0.0)
    volume, total = weight.sum(axis=1), weight.sum()
    sizes = [k for k in NEIGHBOURS if k < len(likeness) // 2 + 1] or [1]
    return min(sizes, key=lambda k: _conductance(weight, volume, total, nearest[:, : k + 1]))


def _conductance(
    weight: NDArray[np.float64], volume: NDArray[np.float64], total: float, groups: NDArray[np.int64]
) -> float:
    inside = weight[groups[:, :, None], groups[:, None, :]].sum(axis=(1, 2))
    size = volume[groups].sum(axis=1)
    return float(((size - inside) / np.maximum(np.minimum(size, total - size), 1e-12)).mean())
