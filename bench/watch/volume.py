"""Baselines that count: records a day, against everybody, against oneself, and unexplained ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from watch.tuning import hits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from watch.ground import Ground, Hit


@dataclass(frozen=True, slots=True)
class Count:
    """One threshold for all accounts on one feature of the day. `distinct`: volume. `fresh`: unexplained a day."""

    name: str
    feature: str

    def detect(self, ground: Ground) -> list[Hit]:
        """Account-days whose count passes."""
        return hits(ground.daily, ground.daily.of(self.feature)[:, 0], self.feature)


@dataclass(frozen=True, slots=True)
class ZScore:
    """Distance from the account's own mean of the training half in its own deviations (log scale, least 0.25).

    Accounts with fewer than five training days are measured against everybody.
    """

    name: str = "z-score"
    feature: str = "distinct"

    def detect(self, ground: Ground) -> list[Hit]:
        """Account-days that lie too far above the account's own."""
        rows = ground.daily
        values = np.log1p(rows.of(self.feature)[:, 0])
        return hits(rows, _standardised(values, rows.account, rows.train), "volume")


def _standardised(
    values: NDArray[np.float64], account: NDArray[np.int64], train: NDArray[np.bool_]
) -> NDArray[np.float64]:
    size = int(account.max()) + 1
    days = np.bincount(account[train], minlength=size)
    total = np.bincount(account[train], values[train], size)
    squares = np.bincount(account[train], values[train] ** 2, size)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean, spread = total / days, np.sqrt(np.maximum(squares / days - (total / days) ** 2, 0))
    few = days < 5
    mean[few], spread[few] = values[train].mean(), values[train].std()
    return np.asarray((values - mean[account]) / np.maximum(spread, 0.25)[account])
