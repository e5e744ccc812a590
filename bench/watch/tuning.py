"""One threshold for a score of account-days: the lowest that keeps the training half within the alert budget."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from watch.ground import Hit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from watch.daily import Daily

BUDGET: Final = 0.001
"""Alerts per account-day, the same for every detector."""


def threshold(train: NDArray[np.float64], budget: float = BUDGET) -> float:
    """The score above which at most `budget` of the training scores lie; attacks are never looked at."""
    allowed = math.floor(len(train) * budget)
    return float(np.sort(train)[::-1][allowed]) if len(train) > allowed else math.inf


def hits(rows: Daily, scores: NDArray[np.float64], reason: str) -> list[Hit]:
    """An alert at the end of each account-day whose score passes the threshold tuned on the training rows."""
    above = np.flatnonzero(scores > threshold(scores[rows.train]))
    return [Hit(int(rows.day[i]), int(rows.account[i]), reason=reason) for i in above]
