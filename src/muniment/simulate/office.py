"""Offices and their accounts: who works where, when, how much, who covers for whom, who comes and who goes.

Rules
1. A desk is a caseload. One account holds it; when that account leaves, a new one takes the desk over.
2. Offices differ by `PROFILES`, accounts by `ROLES` and by themselves, days by the calendar: no two counts have the
   same mean.
3. An account that left may stay open (`dormant`): nobody closed it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.simulate.settings import Traits, WorldSettings

MEDIAN: Final = 14.0
"""Records looked for on a day of the middle account. Some are the same: about 12 distinct ones come out, the median of
the log of a bank (BPIC 2012)."""
NEVER: Final = 1 << 30
"""A day that does not come."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A sort of office. `level`: median of distinct records a day; `late`: share of reads outside 7 to 19 h;
    `weekend`: chance that an account works on a day of rest; `shared`: share of work on a colleague's cases, which
    are then the office's; `shifts`: works every day; `intake`: makes new records; `lookups`: against other offices."""

    name: str
    level: float
    late: float
    weekend: float
    shared: float
    shifts: bool
    intake: bool
    lookups: float


PROFILES: Final = (
    Profile("tax", 20.0, 0.02, 0.010, 0.00, False, False, 0.8),
    Profile("counter", 22.0, 0.03, 0.020, 0.20, False, True, 1.2),
    Profile("relief", 14.0, 0.03, 0.005, 0.00, False, False, 1.0),
    Profile("emergency", 16.0, 0.25, 0.000, 0.25, True, False, 1.5),
    Profile("permits", 5.0, 0.008, 0.002, 0.00, False, False, 0.9),
    Profile("service", 8.0, 0.20, 0.060, 0.15, False, False, 1.3),
    Profile("schools", 12.0, 0.02, 0.010, 0.10, False, False, 0.9),
)


@dataclass(frozen=True, slots=True)
class Role:
    """A tier of accounts: how many, their load, their part of look-ups against the office."""

    name: str
    share: float
    load: float
    lookups: float


ROLES: Final = (
    Role("clerk", 0.60, 1.0, 1.0),
    Role("specialist", 0.18, 0.55, 0.9),
    Role("lead", 0.08, 0.45, 2.2),
    Role("dispatcher", 0.14, 3.0, 1.0),
)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Offices:
    """n accounts, k offices. Arrays by account have shape (n,).

    `profile`: shape (k,), row of `PROFILES`. `home`: the office at first. `desk`: its caseload; `since`, `until`: days
    of service. `dormant`: left, but the account is open. `merged`: (from, into) or None, on `merge_day`. `cover`: shape
    (n, days), the desk that the account covers for that day, -1 else. `counts`: shape (n, days), distinct records
    looked for. `person`: the account's own record.
    """

    profile: NDArray[np.int64]
    home: NDArray[np.int64]
    role: NDArray[np.int64]
    desk: NDArray[np.int64]
    desks: int
    since: NDArray[np.int64]
    until: NDArray[np.int64]
    dormant: NDArray[np.bool_]
    merged: tuple[int, int] | None
    merge_day: int
    cover: NDArray[np.int64]
    counts: NDArray[np.int64]
    person: NDArray[np.int64]
    holidays: frozenset[int]
    busy: frozenset[int]

    def __len__(self) -> int:
        return len(self.home)

    def office(self, account: NDArray[np.int64], day: NDArray[np.int64]) -> NDArray[np.int64]:
        """The office of an account on a day of the world."""
        home = self.home[account]
        if self.merged is None:
            return home
        return np.where((home == self.merged[0]) & (day >= self.merge_day), self.merged[1], home)


def establish(settings: WorldSettings, traits: Traits, persons: NDArray[np.int64], rng: np.random.Generator) -> Offices:
    """The offices of a run. `persons`: records that may be an account's own person."""
    n, days = settings.accounts, settings.days
    hires = max(1, round(n * traits.turnover)) if days > 60 else 0
    desks = n - hires
    home, profile = _places(n, desks, rng)
    desk, since, until = _careers(n, desks, home, days, rng)
    holidays, busy = _calendar(settings, rng)
    merged, merge_day = _merger(settings, home, profile, rng)
    role = rng.choice(len(ROLES), n, p=[one.share for one in ROLES])
    present, leave = _presence(settings, profile[home], since, until, holidays, rng)
    mean = _means(settings, traits, (home, profile, role, since), busy, rng)
    counts = _counts(mean, present, traits.even, rng)
    return Offices(
        profile, home, role, desk, desks, since, until, (until < days) & (rng.random(n) < 0.5), merged, merge_day,
        _covers(home, desk, present, leave, rng), counts, rng.choice(persons, n, replace=False), holidays, busy,
    )  # fmt: skip


def _places(n: int, desks: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    k = max(3, round(n / rng.uniform(8, 14)))
    size = rng.dirichlet(np.full(k, 6.0))
    home = np.concatenate((np.repeat(np.arange(k), 2)[:desks], rng.choice(k, max(0, desks - 2 * k), p=size)))
    start = int(rng.integers(len(PROFILES)))
    return np.concatenate((home, np.zeros(n - desks, np.int64))), (start + np.arange(k)) % len(PROFILES)


def _careers(
    n: int, desks: int, home: NDArray[np.int64], days: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Desks, first and last day of service; fills `home` of those who are hired."""
    desk = np.arange(n)
    since, until = np.zeros(n, np.int64), np.full(n, NEVER)
    leavers = rng.choice(desks, n - desks, replace=False)
    leaving = rng.integers(days // 6, max(days // 6 + 1, days - days // 6), n - desks)
    new = np.arange(desks, n)
    home[new], desk[new] = home[leavers], leavers
    until[leavers] = leaving
    since[new] = leaving + rng.integers(-4, 12, n - desks)
    return desk, since, until


def _calendar(settings: WorldSettings, rng: np.random.Generator) -> tuple[frozenset[int], frozenset[int]]:
    """Holidays (about twelve a year) and declared busy days (one run of days a year), as days of the world."""
    days = np.arange(settings.days)
    weekday = (days + settings.first_day + 3) % 7
    working = days[weekday < 5]
    holidays = rng.choice(working, max(1, settings.days // 30), replace=False)
    begin = int(rng.integers(settings.days // 3, max(settings.days // 3 + 1, settings.days - 12)))
    busy = range(begin, begin + int(rng.integers(4, 11)))
    return frozenset(holidays.tolist()), frozenset(day for day in busy if day < settings.days)


def _merger(
    settings: WorldSettings, home: NDArray[np.int64], profile: NDArray[np.int64], rng: np.random.Generator
) -> tuple[tuple[int, int] | None, int]:
    if not settings.merger:
        return None, NEVER
    size = np.bincount(home, minlength=len(profile))
    order = np.argsort(size)
    one, into = int(order[0]), int(order[int(rng.integers(1, len(order)))])
    return (one, into), int(rng.integers(int(settings.days * 0.35), max(int(settings.days * 0.75), 2)))


def _presence(
    settings: WorldSettings, profile: NDArray[np.int64], since: NDArray[np.int64], until: NDArray[np.int64],
    holidays: frozenset[int], rng: np.random.Generator,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:  # fmt: skip
    """Who is at work, and who is on planned leave (which is covered), shape (n, days)."""
    n, days = len(profile), settings.days
    day = np.arange(days)
    weekday = (day + settings.first_day + 3) % 7
    rest = (weekday >= 5) | np.isin(day, list(holidays))
    shifts = np.array([PROFILES[one].shifts for one in profile])
    weekend = np.array([PROFILES[one].weekend for one in profile]) * rng.lognormal(0, 0.8, n)
    # a part-timer has fixed days; a rota works five days of seven and moves on
    part = np.where(rng.random(n) < 0.25, rng.uniform(0.5, 0.8, n), 1.0)
    fixed = (rng.random((n, 7)) < part[:, None])[:, weekday]
    rota = (day[None, :] + rng.integers(0, 7, n)[:, None]) % 7 < 5
    usual = fixed & np.where(rest[None, :], rng.random((n, days)) < weekend[:, None], True)
    work = np.where(shifts[:, None], rota & fixed, usual)
    serving = (day >= since[:, None]) & (day < until[:, None])
    leave = np.zeros((n, days), bool)
    for _ in range(max(1, days // 100)):
        begin = rng.integers(0, days, n)
        leave |= (day >= begin[:, None]) & (day < (begin + rng.integers(5, 22, n))[:, None])
    ill = rng.random((n, days)) < 0.03
    return work & serving & ~leave & ~ill, leave & serving


def _means(
    settings: WorldSettings,
    traits: Traits,
    staff: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    busy: frozenset[int],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Expected distinct records of an account-day, shape (n, days)."""
    home, profile, role, since = staff
    n, days, k = len(home), settings.days, len(profile)
    day = np.arange(days)
    level = np.array([PROFILES[one].level for one in profile]) * rng.lognormal(0, 0.25, k)
    own = level[home] * np.array([ROLES[one].load for one in role]) * rng.lognormal(0, 0.68, n)
    # whatever offices a run has, its median account is near the one that was measured
    own *= MEDIAN * traits.level / np.median(own)
    mean: NDArray[np.float64] = own[:, None] * np.ones(days)
    # the busy days that are declared are the same for all; each office has a busy time that nobody declared
    mean[:, np.isin(day, list(busy))] *= rng.uniform(1.3, 2.0)
    begin, length = rng.integers(0, days, k), rng.integers(8, 25, k)
    peak = (day >= begin[:, None]) & (day < (begin + length)[:, None])
    mean *= np.where(peak, rng.uniform(1.2, 1.7, (k, 1)), 1.0)[home]
    mean *= (1 + 0.1 * np.sin(2 * np.pi * (day + rng.integers(0, 365)) / 365))[None, :]
    if settings.drift:
        mean *= np.exp(wandering(n, days, traits.wander, rng))
    if settings.surge:
        half = days // 2
        mean[:, half : half + 30] *= 2.0
    new = (since[:, None] > 0) & (day < since[:, None] + 20)
    mean *= np.where(new, 0.5, 1.0)
    return mean


def wandering(n: int, days: int, monthly: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Random walks in the logarithm, shape (n, days), with this deviation a month, drawn back to 0 over a year."""
    steps = rng.normal(0, monthly / np.sqrt(30), (n, days))
    walk = np.zeros((n, days))
    level = np.zeros(n)
    for day in range(days):
        level = level * (1 - 1 / 365) + steps[:, day]
        walk[:, day] = level
    return walk


def _counts(
    mean: NDArray[np.float64], present: NDArray[np.bool_], shape: float, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Counts with gamma-spread means; the most is 240, the largest day of the log measured for this."""
    spread = mean * rng.gamma(shape, 1 / shape, mean.shape)
    return np.where(present, np.minimum(1 + rng.poisson(spread), 240), 0).astype(np.int64)


def _covers(
    home: NDArray[np.int64], desk: NDArray[np.int64], present: NDArray[np.bool_], leave: NDArray[np.bool_],
    rng: np.random.Generator,
) -> NDArray[np.int64]:  # fmt: skip
    """For each account-day the desk that is covered: by one colleague for a whole leave, on the days he is there."""
    n, days = present.shape
    cover = np.full((n, days), -1)
    for absent in range(n):
        mates = np.flatnonzero((home == home[absent]) & (np.arange(n) != absent) & (desk != desk[absent]))
        if not len(mates) or not leave[absent].any():
            continue
        begins = np.flatnonzero(leave[absent] & ~np.concatenate(([False], leave[absent][:-1])))
        run = np.searchsorted(begins, np.arange(days), side="right")
        mate = rng.choice(mates, len(begins) + 1)[run]
        on = np.flatnonzero(leave[absent] & present[mate, np.arange(days)])
        cover[mate[on], on] = desk[absent]
    return cover
