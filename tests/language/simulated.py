"""Small simulated worlds, and a slow check of why a read was made that shares no code with simulator or watch."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from muniment.simulate.settings import WorldSettings
from muniment.simulate.world import World, simulate

DAY_MS = 86_400_000
GRACE_MS = 7 * DAY_MS
EXPLAINED_FROM = 3
"""`reasons` from this on explain; below: 0 none, 1 in work at others, 2 a case that the reader opened that day."""


@lru_cache(maxsize=8)
def world(seed: int = 1, accounts: int = 24, days: int = 200, explained: float = 0.94, **more: object) -> World:
    """A world, made once for all tests."""
    return simulate(WorldSettings(seed=seed, accounts=accounts, days=days, explained=explained, **more))  # type: ignore[arg-type]


def reasons(one: World, grace: int = GRACE_MS) -> NDArray[np.int64]:
    """Why each read was made, by its context alone: read by read, in dictionaries. Shape (reads,)."""
    context, reads = one.context, one.reads
    cases = context.cases
    assert cases is not None
    covers, given, stays = _covers(one), _given(one), _stays(one)
    jobs = context.jobs
    tasks = list(zip(*(column.tolist() for column in (jobs.account, jobs.since, jobs.until, jobs.most)), strict=True))
    used: list[set[int]] = [set() for _ in tasks]
    opened, closed, opener = cases.opened.tolist(), cases.closed.tolist(), cases.opener.tolist()
    opened_on, days = one.day_of(cases.opened).tolist(), one.day_of(reads.moment).tolist()
    found = []
    rows = zip(reads.account.tolist(), reads.record.tolist(), reads.moment.tolist(), days, strict=True)
    for account, record, moment, day in rows:
        offices = {office for office, since, until in stays[account] if since <= moment < until}
        best = 0
        for row in covers.get(record, ()):
            if not opened[row] - grace <= moment < closed[row]:
                continue
            mine = any(
                since <= moment < until and (who == account or (who < 0 and office in offices))
                for who, office, since, until in given[int(cases.case[row])]
            )
            own = opener[row] == account and opened_on[row] == day
            best = max(best, (2 if own else EXPLAINED_FROM) if mine else 1)
        for number, (who, since, until, most) in enumerate(tasks):
            if who == account and since <= moment < until and (record in used[number] or len(used[number]) < most):
                used[number].add(record)
                best = EXPLAINED_FROM + 1
        found.append(best)
    return np.array(found)


def _covers(one: World) -> dict[int, set[int]]:
    """The cases (rows) of each record, households included where the case says so."""
    cases, households = one.context.cases, one.context.households
    house = dict(zip(households.record.tolist(), households.household.tolist(), strict=True))
    living = defaultdict(list)
    for record, number in house.items():
        living[number].append(record)
    found = defaultdict(set)
    for row, record in zip(cases.of.tolist(), cases.record.tolist(), strict=True):
        found[record].add(row)
        if cases.household[row] and record in house:
            for mate in living[house[record]]:
                found[mate].add(row)
    return found


def _given(one: World) -> dict[int, list[tuple[int, int, int, int]]]:
    given = one.context.assignments
    found = defaultdict(list)
    columns = (given.case, given.account, given.office, given.since, given.until)
    for case, *rest in zip(*(column.tolist() for column in columns), strict=True):
        found[case].append(tuple(rest))
    return found


def _stays(one: World) -> dict[int, list[tuple[int, int, int]]]:
    staff = one.context.staff
    found = defaultdict(list)
    columns = (staff.account, staff.office, staff.since, staff.until)
    for account, *rest in zip(*(column.tolist() for column in columns), strict=True):
        found[account].append(tuple(rest))
    return found


class AccountDays:
    """Each record once an account and day: `account`, `day` (of the world), `record`, `first` (not read by the account
    in the 90 days before), `reason`, shape (n,)."""

    def __init__(self, one: World, reason: NDArray[np.int64] | None = None) -> None:
        day = one.day_of(one.reads.moment) - one.first_day
        columns = np.stack((one.reads.account.astype(np.int64), one.reads.record.astype(np.int64), day))
        (self.account, self.record, self.day), of = np.unique(columns, axis=1, return_inverse=True)
        before = np.concatenate(([-(10**9)], self.day[:-1]))
        same = np.concatenate(([False], (np.diff(self.account) == 0) & (np.diff(self.record) == 0)))
        self.first = ~(same & (self.day - before <= 90))
        self.reason = np.zeros(len(self.day), np.int64)
        if reason is not None:
            np.maximum.at(self.reason, of.ravel(), reason)

    @property
    def counts(self) -> NDArray[np.int64]:
        """Distinct records of each active account-day."""
        return np.unique(self.account * 10_000 + self.day, return_counts=True)[1]
