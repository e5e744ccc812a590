"""Features of account-days, for baselines that look at one day at a time. Built from the very days that watch steps on.

Two sets: `PLAIN` needs no context (what published detectors look at); `INFORMED` adds what cases explain, so that a
baseline loses by its method and not by what it was told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.watch.days import DayKind
from muniment.watch.fold import FoldRules, Watch
from muniment.watch.signals import About, Step

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.watch.context.tables import Context, Orders
    from muniment.watch.days import Day
    from muniment.watch.reads import Reads, Spaces
    from muniment.watch.signals import State

PLAIN: Final = tuple("distinct repeats firsts first_share odd_hours rest adjacent busiest_hour columns".split())
INFORMED: Final = (*PLAIN, "fresh", "fresh_share", "others")
NEAR: Final = 3
"""Records this close in an order are neighbours there."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Daily:
    """m account-days, by day, then account. `values`: shape (m, len(INFORMED)). `train`: before the split.

    `pairs`: what was read, shape (n, 3): account-day, account, record; each record once a day.
    """

    day: NDArray[np.int64]
    account: NDArray[np.int64]
    office: NDArray[np.int64]
    values: NDArray[np.float64]
    train: NDArray[np.bool_]
    pairs: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.day)

    def of(self, *names: str) -> NDArray[np.float64]:
        """Some features, shape (m, len(names))."""
        return self.values[:, [INFORMED.index(name) for name in names]]


class _Recorder:
    """A signal that only writes down the days it is stepped on."""

    about = About("recorder", 1)

    def __init__(self) -> None:
        self.parts: list[tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]] = []
        self.rows = 0

    def step(self, day: Day, context: Context, state: State) -> Step:
        """Writes the features down and bets nothing."""
        heads = np.stack([np.full(len(day), day.day), day.account, day.office], axis=1).astype(np.int64)
        owner = day.owner
        read = np.stack([owner + self.rows, day.account[owner], day.record.astype(np.int64)], axis=1)
        self.parts.append((heads, _features(day, context.orders), read))
        self.rows += len(day)
        unit = day.account.astype(np.int64)
        nothing = np.zeros(len(day), np.int64)
        return Step(unit, np.zeros((len(day), 1)), nothing, np.zeros(len(day.record), bool))


def daily(reads: Reads, context: Context, spaces: Spaces, split: int) -> Daily:
    """The account-days of these reads."""
    recorder = _Recorder()
    watch = Watch((recorder,), FoldRules(), spaces)
    watch.use(context)
    watch.take(reads)
    watch.finish()
    heads, values, pairs = (np.concatenate(part) for part in zip(*recorder.parts, strict=True))
    return Daily(heads[:, 0], heads[:, 1], heads[:, 2], values, heads[:, 0] < split, pairs)


def _features(day: Day, orders: Orders | None) -> NDArray[np.float64]:
    """One day's rows of `INFORMED`."""
    distinct = np.diff(day.starts)
    firsts, fresh = day.count(day.first), day.count(day.fresh)
    odd = (day.minute < 7 * 60) | (day.minute >= 19 * 60)
    bits = np.bitwise_or.reduceat(day.columns, day.starts[:-1]) if len(day) else np.zeros(0, np.uint64)
    found = {
        "distinct": distinct,
        "repeats": day.total / distinct,
        "firsts": firsts,
        "first_share": firsts / distinct,
        "odd_hours": day.count(odd) / distinct,
        "rest": day.kind == DayKind.REST,
        "adjacent": _adjacent(day, orders),
        "busiest_hour": _busiest_hour(day),
        "columns": np.bitwise_count(bits),
        "fresh": fresh,
        "fresh_share": fresh / np.maximum(firsts, 1),
        "others": day.count(day.explanation == 1),
    }
    return np.stack([np.asarray(found[name], np.float64) for name in INFORMED], axis=1)


def _busiest_hour(day: Day) -> NDArray[np.int64]:
    counts = np.zeros((len(day), 24), np.int64)
    np.add.at(counts, (day.owner, day.minute // 60), 1)
    return np.asarray(counts.max(axis=1, initial=0))


def _adjacent(day: Day, orders: Orders | None) -> NDArray[np.int64]:
    """Pairs of records first read that day that are neighbours in the first order (or by ordinal)."""
    owner, record = day.owner[day.first], day.record[day.first]
    place = record.astype(np.int64)
    if orders is not None and len(orders.record):
        row = np.minimum(np.searchsorted(orders.record, record), len(orders.record) - 1)
        place = np.where(orders.record[row] == record, orders.rank[row, 0], -1)
    known = place >= 0
    owner, place = owner[known], place[known]
    order = np.lexsort((place, owner))
    owner, place = owner[order], place[order]
    near = (owner[1:] == owner[:-1]) & (place[1:] - place[:-1] <= NEAR)
    return np.bincount(owner[1:][near], minlength=len(day))
