"""Baselines of fixed rules: the six that hospitals use (Boxwala et al. 2011), and a value_count rule as in Sigma.

The six, as far as a register of persons knows them (no account of a colleague is tied to a record here, so the rules
"coworker" and "same surname as the reader" have no column to look at and the nearest that has one stands for them):
volume (> 200 records a day), no recent visit (no case), a popular person without a case (VIP), two of one family
without a case, neighbours (adjacent records first read), at night or on a day of rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from watch.tuning import hits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.watch.context.tables import Context
    from watch.daily import Daily
    from watch.ground import Ground, Hit

POPULAR: Final = 0.01
"""The share of records, by readers in the training half, that stands for VIPs."""
DAY_RECORDS: Final = 200


@dataclass(frozen=True, slots=True)
class SixRules:
    """An account-day's score is how many times its six rules are broken; the threshold is tuned like any other."""

    name: str = "six fixed rules"

    def detect(self, ground: Ground) -> list[Hit]:
        """Account-days that break too many."""
        rows = ground.daily
        distinct, fresh, adjacent, odd, rest = rows.of("distinct", "fresh", "adjacent", "odd_hours", "rest").T
        broken = np.maximum(distinct - DAY_RECORDS, 0) + fresh + adjacent + distinct * np.maximum(odd, rest)
        broken += _popular(rows) + _relatives(rows, ground.context)
        return hits(rows, broken, "rule")


def _popular(rows: Daily) -> NDArray[np.float64]:
    """How many of each account-day's records are among the most widely read ones of the training half."""
    owner, account, record = rows.pairs.T
    train = rows.train[owner]
    seen = np.unique(np.stack([record[train], account[train]], axis=1), axis=0)[:, 0]
    readers = np.bincount(seen, minlength=int(record.max()) + 1)
    least = np.quantile(readers[readers > 0], 1 - POPULAR) if readers.any() else np.inf
    return np.bincount(owner[readers[record] > least], minlength=len(rows)).astype(np.float64)


def _relatives(rows: Daily, context: Context) -> NDArray[np.float64]:
    """How many declared family ties lie within each account-day."""
    ties = context.family
    if ties is None or not len(ties.one):
        return np.zeros(len(rows))
    owner, _, record = rows.pairs.T
    read = np.sort(owner << 32 | record)
    order = np.argsort(ties.one, kind="stable")
    one, other = ties.one[order].astype(np.int64), ties.other[order].astype(np.int64)
    low, high = np.searchsorted(one, record, "left"), np.searchsorted(one, record, "right")
    many = high - low
    at = np.repeat(low - np.append(0, many.cumsum()[:-1]), many) + np.arange(many.sum())
    day = np.repeat(owner, many)
    wanted = day << 32 | other[at]
    place = np.minimum(np.searchsorted(read, wanted), len(read) - 1)
    return np.bincount(day[read[place] == wanted], minlength=len(rows)).astype(np.float64)


@dataclass(frozen=True, slots=True)
class ValueCount:
    """Distinct records of an account within one clock hour against one number, as a correlation rule of a SIEM has it.

    The alert is given with the end of the day, as those of all baselines.
    """

    name: str = "value_count rule"

    def detect(self, ground: Ground) -> list[Hit]:
        """Account-days with an hour above the number."""
        return hits(ground.daily, ground.daily.of("busiest_hour")[:, 0], "volume")
