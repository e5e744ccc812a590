"""Burst: more unexplained first reads in one day than anything the account or its office ever did. Speaks at once.

The null for such reads of a day is a heavy tail, P(more than x) = (1 + 3 x / L)^-4, where L is the *largest day* on
record: of the account itself, leaning on its colleagues' while it is new, never below `LEAST`. An exponential tail
would call a legal bulk day impossible; this one calls ten times the largest day one in a million. The p-value becomes
an e-value by kappa p^(kappa - 1) (Vovk and Wang 2021) with a small kappa: it speaks of bulk, and leaves all else to
the signals that accumulate.

Bets: the day alone, and one that stakes only `STAKE` of what it has on each day (1 - s + s e). The first is lost after
a quiet day; the second hardly loses by quiet days, so that a burst every month adds up. It wins only by days that are
rare by the law (the last of `LEVELS`): about those that are merely large the law may be wrong every week.

Rules
1. The factor grows with the count, so that stopped at any disclosure of a day its mean is at most 1.
2. A largest day at most doubles on a day, and fades (`KEPT`): one bulk day does not excuse the next.
3. Where the days of all other accounts pass the levels of this law more often than it says, the p-value is as many
   times larger: sporadic accounts have heavier tails than any law that was written down beforehand.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.watch.days import DayKind
from muniment.watch.reads import NOBODY
from muniment.watch.signals import About, Shape, Step
from muniment.watch.signals.sums import total

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.watch.context.tables import Context
    from muniment.watch.days import Day, Prefix
    from muniment.watch.signals import State

TAIL: Final = 4.0
STEEP: Final = 3.0
"""Tail and slope of the law above: the largest of some 100 days is passed on one day in 256."""
KAPPA: Final = 0.05
STAKE: Final = 0.02
"""What the patient bet stakes a day: after a month of quiet days it has two thirds of what it had."""
LEVELS: Final = (1e-2, 1e-3)
"""Levels of the law at which its tail is held against what the others do (rule 3)."""
LEAST: Final = 24.0
"""The least largest day: an account that had next to nothing may have a busy day once."""
BUSY: Final = 2.0
"""On a day of declared mass work the largest day counts as so many times as large: it is declared for whole offices,
and most accounts have no part in it."""
KEPT: Final = 0.99
"""What a largest day is worth one active day later: half after about 70."""
LEAN: Final = 20.0
"""Active days that the colleagues' largest days are worth beside the account's own."""
_LARGEST, _DAYS, _OFFICE = range(3)
_SHAPES: Final = {"largest": Shape(3), "passed": Shape(1 + len(LEVELS))}


@dataclass(frozen=True, slots=True)
class Burst:
    """The signal."""

    about: About = field(
        init=False,
        default=About("burst", 2, weight=4.0, at_once=True, shapes=_SHAPES),
    )

    def step(self, day: Day, context: Context, state: State) -> Step:
        """The factors of one day."""
        fresh = day.count(day.fresh)
        largest = _largest(state["largest"], day.account, day.office)
        log_p = _log_p(fresh, largest, day.kind)
        log_e = _log_e(log_p + _heavier(state["passed"], day.account))
        state["passed"][day.account] += np.append(0.0, np.log(LEVELS)) >= log_p[:, None]
        rows = state["largest"][day.account]
        rows[:, _LARGEST] = np.maximum(rows[:, _LARGEST] * KEPT, np.minimum(fresh, 2.0 * largest))
        rows[:, _DAYS] += 1.0
        rows[:, _OFFICE] = day.office + 1.0
        state["largest"][day.account] = rows
        speaks = day.fresh & (log_e[:, 0] > 0.0)[day.owner]
        return Step(day.account.astype(np.int64), log_e, day.count(speaks), speaks)

    def running(self, so_far: Prefix, state: State) -> NDArray[np.float64]:
        """The factors of the day so far, shape (d, 2)."""
        largest = _largest(state["largest"], so_far.account, so_far.office)
        return _log_e(_log_p(so_far.fresh, largest, so_far.kind) + _heavier(state["passed"], so_far.account))


def _largest(seen: NDArray[np.float64], account: NDArray[np.int32], office: NDArray[np.int32]) -> NDArray[np.float64]:
    """The largest day of each account, leaning on the mean of its colleagues', shape (m,)."""
    group, mine = seen[:, _OFFICE].astype(np.int64), office.astype(np.int64) + 1
    known, size = seen[:, _DAYS] > 0.0, int(max(group.max(initial=0), mine.max(initial=0))) + 1
    within = known[account] & (group[account] == mine)
    total = np.bincount(group, seen[:, _LARGEST] * known, size)[mine] - within * seen[account, _LARGEST]
    count = np.bincount(group, known.astype(np.float64), size)[mine] - within
    colleagues = np.where((count > 0) & (office != NOBODY), total / np.maximum(count, 1.0), LEAST)
    days = seen[account, _DAYS]
    leant = (days * seen[account, _LARGEST] + LEAN * colleagues) / (days + LEAN)
    return np.asarray(np.maximum(np.maximum(leant, seen[account, _LARGEST]), LEAST))


def _log_p(fresh: NDArray[np.int64], largest: NDArray[np.float64], kind: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The logarithm of the tail of the law at each count, shape (m,)."""
    scale = largest * np.where(kind == DayKind.BUSY, BUSY, 1.0)
    return np.asarray(-TAIL * np.log1p(STEEP * fresh / scale))


def _heavier(passed: NDArray[np.float64], account: NDArray[np.int32]) -> NDArray[np.float64]:
    """The logarithm of how many times more often the others pass the levels than the law says, at least 0; (m,)."""
    others = np.array([total(column) for column in passed.T]) - passed[account]
    ratio = (1.0 + others[:, 1:]) / (1.0 + others[:, :1] * np.array(LEVELS))
    return np.asarray(np.log(np.maximum(ratio.max(axis=1), 1.0)))


def _log_e(log_p: NDArray[np.float64]) -> NDArray[np.float64]:
    """The logarithms of the two factors, shape (m, 2)."""
    alone = np.log(KAPPA) + (KAPPA - 1.0) * np.minimum(log_p, 0.0)
    rare = np.where(log_p <= np.log(LEVELS[-1]), alone, -np.inf)
    staked = np.logaddexp(np.log(1.0 - STAKE), np.log(STAKE) + rare)
    return np.stack([alone, staked], axis=1)
