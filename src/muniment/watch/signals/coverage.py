"""Coverage: an account works through the register in some order, and no longer comes back to what it read before.

Two things are counted a day, each against the account's and the colleagues' past:
- how many unexplained first reads stand beside one of the account's last such reads, in each order that the context
  has (number, address, surname, date of birth). One bet an order, on a ladder: lists of namesakes come at once.
- of the unexplained reads, how many are first reads: work comes back to its records, a harvest does not. One bet.

Rules
1. Records younger than `YOUNG_DAYS` are left out of the orders: at an intake desk new numbers stand side by side.
2. No order is thought innocent: neighbours by address are read together by right, and what is learned says how often.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.watch.context.tables import DAY_MS
from muniment.watch.signals import About, Shape, Step
from muniment.watch.signals.ladder import LOG_CAP, Ladder
from muniment.watch.signals.rates import Shares, capped, log_ratio, raised
from muniment.watch.signals.recent import EMPTY, entries, remember

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.watch.context.tables import Context, Orders
    from muniment.watch.days import Day
    from muniment.watch.signals import State

ORDERS: Final = 4
"""Orders that are looked at: the first ones of the context, again from the first where it has fewer."""
BESIDE: Final = 3
"""Places that neighbours are apart at most: an enumeration leaves out the deceased and the moved."""
LOOK: Final = 8
"""Places looked at on each side: a household shares its rank in the order of addresses."""
YOUNG_DAYS: Final = 30
REMEMBERED: Final = 12
"""Fresh reads that are remembered of an account, so that an enumeration goes on where it ended the day before."""
RUNS: Final = (2.0, 4.0, 8.0, 16.0)
"""Reads beside others at which steps of the ladder begin: a pair is nothing, sixteen are a page of the register."""
RUN_CAP: Final = float(np.log(20.0))
"""A day in an order says more than one of another kind: that bet is one of five."""
FEWEST: Final = 3
"""Unexplained reads of a day from which on their share says something."""
CERTAIN: Final = 0.95
"""An account that nearly always reads what is new to it cannot be told from a harvest by that: it is let alone."""
BY: Final = 0.5
"""The alternative of the last bet: half of the reads that would have been known are first ones."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """The signal. Bets: one an order, then the share of first reads."""

    ladder: Ladder = field(default_factory=lambda: Ladder(RUNS, ORDERS, RUN_CAP))
    shares: Shares = field(default_factory=lambda: Shares(1))
    about: About = field(init=False)

    def __post_init__(self) -> None:
        shapes = {**self.ladder.shapes, **self.shares.shapes, "recent": Shape(REMEMBERED, EMPTY)}
        object.__setattr__(self, "about", About("coverage", ORDERS + 1, shapes=shapes))

    def step(self, day: Day, context: Context, state: State) -> Step:
        """The factors of one day. Without orders, the last bet alone says something."""
        account = day.account.astype(np.int64)
        beside = _beside(day, context.orders, state["recent"])
        runs = np.zeros((len(day), ORDERS), np.int64)
        for bet in range(ORDERS if beside.shape[1] else 0):
            runs[:, bet] = day.count(beside[:, bet % beside.shape[1]])
        step = self.ladder.step(runs)
        in_order = self.ladder.log_e(state, day.account, day.office, step) * (beside.shape[1] > 0)
        self.ladder.learn(state, day.account, day.office, step)
        log_e = np.concatenate([in_order, self._first(day, state)], axis=1)
        remember(state["recent"], account, day.owner[day.fresh], day.record[day.fresh])
        speaks = beside.any(axis=1) & (in_order.max(axis=1) > 0.0)[day.owner]
        speaks |= day.fresh & (log_e[:, -1] > 0.0)[day.owner]
        return Step(account, log_e, day.count(speaks), speaks)

    def _first(self, day: Day, state: State) -> NDArray[np.float64]:
        """The last bet, shape (m, 1)."""
        counts = capped(day.count(day.fresh)[:, None], day.count(day.unexplained)[:, None])
        null = self.shares.null(state, day.account, day.office)
        null = null + self.shares.doubt(state, day.account, null)
        some = counts[1][:, 0] >= FEWEST
        told = some[:, None] & (null < CERTAIN)
        null = np.minimum(null, CERTAIN)
        log_e = np.minimum(log_ratio(counts, null, raised(null, BY)), LOG_CAP) * told
        self.shares.learn(state, day.account[some], day.office[some], (counts[0][some], counts[1][some]))
        return log_e


def _beside(day: Day, orders: Orders | None, recent: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which reads of a day stand beside an earlier one of their account, shape (n, orders)."""
    n = len(day.record)
    width = 0 if orders is None else min(orders.rank.shape[1], ORDERS)
    beside = np.zeros((n, width), np.bool_)
    if orders is None or not width:
        return beside
    rows = np.flatnonzero(day.fresh)
    before, old = entries(recent, day.account.astype(np.int64))
    owner = np.concatenate([before, day.owner[rows]])
    time = np.concatenate([np.full(len(before), -1), np.arange(len(rows))])
    rank, born = ranked(orders, np.concatenate([old, day.record[rows]]))
    moment = np.concatenate([np.full(len(before), np.iinfo(np.int64).max), day.moment[rows]])
    young = (born > 0) & (moment - born < YOUNG_DAYS * DAY_MS)
    for order in range(width):
        known = np.flatnonzero((rank[:, order] >= 0) & ~young)
        near = neighbours(owner[known], time[known], rank[known, order])
        today = time[known] >= 0
        beside[rows[time[known][today]], order] = near[today]
    return beside


def ranked(orders: Orders, record: NDArray[np.uint32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ranks of records, shape (n, orders), -1 where they have none, and when they were made, 0 where unknown."""
    if not len(orders.record):
        return np.full((len(record), orders.rank.shape[1]), -1, np.int64), np.zeros(len(record), np.int64)
    at = np.minimum(np.searchsorted(orders.record, record), len(orders.record) - 1)
    there = orders.record[at] == record
    return np.where(there[:, None], orders.rank[at], -1), np.where(there, orders.born[at], 0)


def neighbours(owner: NDArray[np.int64], time: NDArray[np.int64], rank: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which entries stand at most `BESIDE` places from an earlier one of the same owner, shape (n,).

    Entries of equal time are not earlier than one another.
    """
    near = np.zeros(len(owner), np.bool_)
    order = np.lexsort((time, rank, owner))
    o, t, r = owner[order], time[order], rank[order]
    for apart in range(1, LOOK + 1):
        pair = np.flatnonzero((o[apart:] == o[:-apart]) & (r[apart:] - r[:-apart] <= BESIDE))
        low, high = pair, pair + apart
        near[order[low[t[low] > t[high]]]] = True
        near[order[high[t[high] > t[low]]]] = True
    return near
