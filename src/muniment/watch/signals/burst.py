"""Burst: more unexplained first reads in one day than anything the account or its office ever did. Speaks at once.

The null for such reads of a day is a heavy tail, P(more than x) = (1 + 3 x / L)^-4, where L is the *largest day* on
record: of the account itself, leaning on its colleagues' while it is new, never below `LEAST`. An exponential tail
would call a legal bulk day impossible; this one calls ten times the largest day one in a million. The p-value becomes
an e-value by kappa p^(kappa - 1) (Vovk and Wang 2021) with a small kappa: it speaks of bulk, and leaves all else to
the signals that accumulate.

Rules
1. The factor grows with the count, so that stopped at any disclosure of a day its mean is at most 1.
2. A largest day at most doubles on a day, and fades (`KEPT`): one bulk day does not excuse the next.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.watch.days import DayKind
from muniment.watch.reads import NOBODY
from muniment.watch.signals import About, Shape, Step

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.watch.context.tables import Context
    from muniment.watch.days import Day, Prefix
    from muniment.watch.signals import State

TAIL: Final = 4.0
STEEP: Final = 3.0
"""Tail and slope of the law above: the largest of some 100 days is passed on one day in 256."""
KAPPA: Final = 0.05
LEAST: Final = 24.0
"""The least largest day: an account that had next to nothing may have a busy day once."""
BUSY: Final = 4.0
"""On a day of declared mass work the largest day counts as so many times as large."""
KEPT: Final = 0.99
"""What a largest day is worth one active day later: half after about 70."""
LEAN: Final = 20.0
"""Active days that the colleagues' largest days are worth beside the account's own."""
_LARGEST, _DAYS, _OFFICE = range(3)


@dataclass(frozen=True, slots=True)
class Burst:
    """The signal. One bet."""

    about: About = field(init=False, default=About("burst", 1, shapes={"largest": Shape(3)}))

    def step(self, day: Day, context: Context, state: State) -> Step:
        """The factors of one day."""
        fresh = day.count(day.fresh)
        largest = _largest(state["largest"], day.account, day.office)
        log_e = _log_e(fresh, largest, day.kind)
        rows = state["largest"][day.account]
        rows[:, _LARGEST] = np.maximum(rows[:, _LARGEST] * KEPT, np.minimum(fresh, 2.0 * largest))
        rows[:, _DAYS] += 1.0
        rows[:, _OFFICE] = day.office + 1.0
        state["largest"][day.account] = rows
        speaks = day.fresh & (log_e > 0.0)[day.owner]
        return Step(day.account.astype(np.int64), log_e[:, None], day.count(speaks), speaks)

    def running(self, so_far: Prefix, state: State) -> NDArray[np.float64]:
        """The factors of the day so far, shape (d, 1)."""
        largest = _largest(state["largest"], so_far.account, so_far.office)
        return _log_e(so_far.fresh, largest, so_far.kind)[:, None]


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


def _log_e(fresh: NDArray[np.int64], largest: NDArray[np.float64], kind: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The logarithm of the factor, shape (m,)."""
    scale = largest * np.where(kind == DayKind.BUSY, BUSY, 1.0)
    log_p = -TAIL * np.log1p(STEEP * fresh / scale)
    result: NDArray[np.float64] = np.log(KAPPA) + (KAPPA - 1.0) * log_p
    return result
