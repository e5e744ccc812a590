"""Waking: an account that slept for a month is active again, and comes to records without a reason.

Two factors, multiplied. *That it wakes*: a day on which an account comes back after `SLEEP` idle days is as common as
the account's past and everyone's say; the alternative is `OFTEN` times as common. *What it then reads*: on that day
and the next `AWAKE` active ones, unexplained first reads against a wide law about everyone's mean, which counts the
returned for `RETURNED` times as many: who was away has forgotten cases, and the watch has forgotten his records.
An account that wakes often (sporadic work) soon wakes by habit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.watch.signals import About, Shape, Step
from muniment.watch.signals.ratio import nb_log_ratio
from muniment.watch.signals.sums import total

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.watch.context.tables import Context
    from muniment.watch.days import Day, Prefix
    from muniment.watch.signals import State

SLEEP: Final = 30
"""Idle days after which an account was asleep: longer than a common leave."""
AWAKE: Final = 10.0
"""Active days after waking that are still looked at: two weeks of work."""
OFTEN: Final = 10.0
MOST: Final = 0.5
"""The alternative's share of wakings, at most."""
PRIOR: Final = (1.0, 200.0)
"""Wakings and active days that everyone starts with: once a year."""
LEAN: Final = 10.0
"""Active days that everyone is worth beside an account's own."""
RETURNED: Final = 2.0
SIZE: Final = 1.0
"""Size of the negative binomial: geometric, wider than most accounts' own days."""
TIMES: Final = 4.0
LOG_CAP: Final = float(np.log(20.0))
"""The reads of one day say no more."""
CAPPED: Final = 20.0
"""Reads of a day that are learned at most."""
_LAST, _AWAKE, _WAKINGS, _DAYS, _FRESH = range(5)


@dataclass(frozen=True, slots=True)
class Waking:
    """The signal. One bet."""

    about: About = field(init=False, default=About("waking", 1, shapes={"slept": Shape(4), "last": Shape(1, -1.0)}))

    def step(self, day: Day, context: Context, state: State) -> Step:
        """The factors of one day."""
        past = _rows(state)
        last = past[day.account, _LAST]
        idle = np.where(last < 0.0, -1.0, day.day - last)
        fresh = day.count(day.fresh)
        log_e = _log_e(past, day.account, idle, fresh)
        wakes, known = idle >= SLEEP, last >= 0.0
        awake = np.where(wakes, AWAKE, np.maximum(past[day.account, _AWAKE] - 1.0, 0.0))
        learned = np.minimum(fresh, CAPPED)
        rows = past[day.account, _WAKINGS:] + np.stack([wakes, known, learned], axis=1)
        state["slept"][day.account] = np.concatenate([awake[:, None], rows], axis=1)
        state["last"][day.account, 0] = np.maximum(last, day.day)
        speaks = day.fresh & (log_e > 0.0)[day.owner]
        return Step(day.account.astype(np.int64), log_e[:, None], day.count(speaks), speaks)

    def running(self, so_far: Prefix, state: State) -> NDArray[np.float64]:
        """The factors of the day so far, shape (d, 1). They grow with the count: stopped anywhere, the mean holds."""
        idle = so_far.idle.astype(np.float64)
        return _log_e(_rows(state), so_far.account, idle, so_far.fresh)[:, None]


def _rows(state: State) -> NDArray[np.float64]:
    """The state in one table."""
    return np.concatenate([state["last"], state["slept"]], axis=1)


def _log_e(
    past: NDArray[np.float64], account: NDArray[np.int32], idle: NDArray[np.float64], fresh: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The logarithm of the factor, shape (m,)."""
    wakings, days, reads = (total(past[:, one]) for one in (_WAKINGS, _DAYS, _FRESH))
    everyone = (PRIOR[0] + wakings) / (PRIOR[1] + days)
    rate = (LEAN * everyone + past[account, _WAKINGS]) / (LEAN + past[account, _DAYS])
    rate = np.minimum(rate, MOST / 2.0)
    other = np.minimum(OFTEN * rate, MOST)
    wakes = idle >= SLEEP
    that = np.where(idle < 0.0, 0.0, np.log(np.where(wakes, other / rate, (1.0 - other) / (1.0 - rate))))
    mean = np.full(len(account), RETURNED * (1.0 + reads) / (1.0 + days))
    what = np.minimum(nb_log_ratio(fresh, mean, np.full(len(account), SIZE), TIMES), LOG_CAP)
    log_e: NDArray[np.float64] = that + np.where(wakes | (past[account, _AWAKE] > 1.0), what, 0.0)
    return log_e
