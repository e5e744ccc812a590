"""Takeover: reads that are unlike the account's own, in several ways at once.

A read can be strange in four ways: by a device that is not the account's, at an hour at which it does not work, in a
register or columns that it never reads, and of a record that is new to it without a reason. The *strangeness* of a day
is the highest number of ways *beyond one* in which at least `LEAST` of its reads are strange, each in all of them: one
way alone is a busy evening, a new computer, a new case; that they come together sets another person apart.

How often an account has days of each strangeness is learned on a `ladder.Ladder`, whatever the ways have to do with one
another.

Rules
1. Habits are learned from the account's own work alone: reads that are explained or known. What a thief reads for the
   first time teaches nothing, and a device is the account's after `OWN` days of own work.
2. Nothing is said before `KNOWN` days of own work, and an unknown device is no device.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.watch.reads import NOBODY
from muniment.watch.signals import About, Shape, Step
from muniment.watch.signals.ladder import Ladder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.watch.context.tables import Context
    from muniment.watch.days import Day
    from muniment.watch.signals import State

WAYS: Final = 4
LEAST: Final = 3
KNOWN: Final = 20.0
"""A month of work."""
OWN: Final = 3.0
DEVICES: Final = 3
"""Devices that are remembered of an account; the least used gives way."""
HOURS: Final = 12
"""Parts of the day, of two hours each."""
RARE: Final = 0.02
"""Share of an account's work in a part of the day and its neighbours below which it does not work then."""
KEPT: Final = 0.98
"""What a past day is worth one active day later: half after about 35."""
_MASKS: Final = 4
_BITS: Final = 32
"""Bits of a bitmap in one number of the state: exact in a float64."""
_SHAPES: Final = {
    "hours": Shape(HOURS),
    "device": Shape(DEVICES, float(NOBODY)),
    "device_days": Shape(DEVICES),
    "read": Shape(_MASKS),
    "days": Shape(1),
}


@dataclass(frozen=True, slots=True)
class Takeover:
    """The signal. One bet."""

    ladder: Ladder = field(default_factory=lambda: Ladder(tuple(float(one) for one in range(1, WAYS))))
    about: About = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "about", About("takeover", 1, shapes={**_SHAPES, **self.ladder.shapes}))

    def step(self, day: Day, context: Context, state: State) -> Step:
        """The factors of one day."""
        ways = _strange(day, state)
        strangeness = _strangeness(day, ways)
        known = state["days"][day.account, 0] >= KNOWN
        step = self.ladder.step(strangeness)[:, None]
        log_e = self.ladder.log_e(state, day.account, day.office, step) * known[:, None]
        self.ladder.learn(state, day.account[known], day.office[known], step[known])
        _learn(day, state)
        speaks = (ways > strangeness[day.owner]) & (log_e[:, 0] > 0.0)[day.owner]
        return Step(day.account.astype(np.int64), log_e, day.count(speaks), speaks)


def _strange(day: Day, state: State) -> NDArray[np.int64]:
    """In how many ways each read is strange, shape (n,)."""
    account = day.account[day.owner]
    own = np.where(state["device_days"][account] >= OWN, state["device"][account], NOBODY)
    device = (day.device != NOBODY) & ~(own == day.device[:, None]).any(axis=1)
    hours = state["hours"]
    near = hours + np.roll(hours, 1, axis=1) + np.roll(hours, -1, axis=1)
    total = np.maximum(hours.sum(axis=1), 1.0)
    hour = near[account, _part(day)] < RARE * total[account]
    what = (_bits(day) & ~state["read"][account].astype(np.int64)).any(axis=1)
    ways: NDArray[np.int64] = device.astype(np.int64) + hour + what + day.fresh
    return ways


def _strangeness(day: Day, ways: NDArray[np.int64]) -> NDArray[np.int64]:
    """The strangeness of each account-day, shape (m,)."""
    level = np.zeros(len(day), np.int64)
    for one in range(1, WAYS):
        level[day.count(ways > one) >= LEAST] = one
    return level


def _learn(day: Day, state: State) -> None:
    """Add the own work of a day to the habits."""
    work = ~day.fresh
    owner, account = day.owner[work], day.account
    some = np.bincount(owner, minlength=len(day)) > 0
    state["days"][account[some], 0] += 1.0
    state["hours"][account[some]] *= KEPT
    np.add.at(state["hours"], (account[owner], _part(day)[work]), 1.0 / np.bincount(owner, minlength=len(day))[owner])
    bits = state["read"].astype(np.int64)
    for mask in range(_MASKS):
        np.bitwise_or.at(bits[:, mask], account[owner], _bits(day)[work, mask])
    state["read"][:] = bits
    _learn_devices(state, account, owner, day.device[work])


def _learn_devices(
    state: State, account: NDArray[np.int32], owner: NDArray[np.int64], device: NDArray[np.int32]
) -> None:
    """A day of use for each device of an account's own work; a new one takes the place of the least used.

    At most `DEVICES` of a day, the lowest codes, one after another: a turn is all accounts at once.
    """
    known = device != NOBODY
    pairs = np.unique((owner[known] << 32) | device[known])
    owner, device = pairs >> 32, (pairs & 0xFFFFFFFF).astype(np.int32)
    turn = np.arange(len(owner)) - np.searchsorted(owner, owner)
    state["device_days"][account[np.unique(owner)]] *= KEPT
    for number in range(DEVICES):
        mine, codes = account[owner[turn == number]], device[turn == number]
        same = state["device"][mine] == codes[:, None]
        there = same.any(axis=1)
        place = np.where(there, same.argmax(axis=1), state["device_days"][mine].argmin(axis=1))
        state["device_days"][mine, place] = np.where(there, state["device_days"][mine, place], 0.0) + 1.0
        state["device"][mine, place] = codes


def _part(day: Day) -> NDArray[np.int64]:
    """The part of the day of each read."""
    return np.clip(day.minute.astype(np.int64) // (1440 // HOURS), 0, HOURS - 1)


def _bits(day: Day) -> NDArray[np.int64]:
    """Columns and register of each read as bitmaps, shape (n, 4): columns 0 to 31, 32 to 63; registers likewise."""
    low = np.uint64(2**_BITS - 1)
    columns = np.stack([day.columns & low, day.columns >> np.uint64(_BITS)], axis=1).astype(np.int64)
    there = (day.register != NOBODY).astype(np.int64)
    number = np.maximum(day.register, 0).astype(np.int64) % (2 * _BITS)
    register = np.stack([there * (number < _BITS), there * (number >= _BITS)], axis=1) << (number % _BITS)[:, None]
    return np.concatenate([columns, register], axis=1)
