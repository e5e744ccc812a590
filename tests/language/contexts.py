"""Small contexts, and what they say of one read: told record by record, the plain way, to judge the quick one."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from muniment.watch.context.tables import NO_END, Assignments, Cases, Context, Family, Households, Jobs, Staff
from muniment.watch.days import Explanation

DAY = 86_400_000
GRACE = 7 * DAY
MOST = 200
NOBODY = -1


@dataclass
class Case:
    """A case: code, time, who opened it, its office, whom it covers, whether households too."""

    code: int
    opened: int = 0
    closed: int = NO_END
    opener: int = NOBODY
    office: int = NOBODY
    persons: tuple[int, ...] = ()
    household: bool = False


@dataclass
class Work:
    """An assignment of a case, to an account or an office."""

    case: int
    account: int = NOBODY
    office: int = NOBODY
    since: int = -NO_END
    until: int = NO_END


@dataclass
class World:
    """What there is; `None` is what nobody told."""

    cases: list[Case] | None = field(default_factory=list)
    work: list[Work] | None = field(default_factory=list)
    homes: list[tuple[int, int]] | None = None
    family: list[tuple[int, int]] | None = None
    staff: list[tuple[int, int, int, int, int]] | None = None
    jobs: list[tuple[int, int, int, int, int]] | None = None

    def context(self) -> Context:
        """The same in columns."""
        homes = None if self.homes is None else columns(self.homes, np.uint32, np.int64)
        family = None if self.family is None else columns(self.family, np.uint32, np.uint32)
        staff = None if self.staff is None else columns(self.staff, *(np.int32,) * 3, np.int64, np.int64)
        jobs = None if self.jobs is None else columns(self.jobs, np.int32, np.int32, *(np.int64,) * 3)
        work = None if self.work is None else [(w.case, w.account, w.office, w.since, w.until) for w in self.work]
        assigned = None if work is None else columns(work, *(np.int32,) * 3, np.int64, np.int64)
        return Context(
            staff=None if staff is None else Staff(*staff),
            cases=None if self.cases is None else as_columns(self.cases),
            assignments=None if assigned is None else Assignments(*assigned),
            households=None if homes is None else Households(*homes),
            family=None if family is None else Family(*family),
            jobs=None if jobs is None else Jobs(*jobs),
        )

    def explained(self, account: int, office: int, record: int, case: int, moment: int, start: int) -> Explanation:
        """Why the account may have read the record, jobs left out."""
        levels = {}
        for number, one in enumerate(self.cases or ()):
            persons = self.persons(one)
            if record in persons and one.opened - GRACE <= moment < one.closed:
                levels[number] = self._level(one, persons, account, office, moment, start)
        named = [level for number, level in levels.items() if (self.cases or ())[number].code == case != NOBODY]
        return max(named or levels.values(), default=Explanation.NONE)

    def persons(self, case: Case) -> set[int]:
        """Whom a case covers, households included."""
        homes = [home for record, home in self.homes or () if case.household and record in case.persons]
        small = {home for home in homes if len([1 for _, other in self.homes or () if other == home]) <= MOST}
        return {*case.persons, *(record for record, home in self.homes or () if home in small)}

    def _level(
        self, case: Case, persons: set[int], account: int, office: int, moment: int, start: int
    ) -> Explanation:  # fmt: skip
        if len(persons) > MOST:
            return Explanation.OTHERS
        if case.opener == account != NOBODY and case.opened >= start:
            return Explanation.SELF
        if self.work is None:
            return Explanation.OPEN
        its = [work for work in self.work if work.case == case.code]
        now = [work for work in its if work.since - GRACE <= moment < work.until]
        if any(work.account == account != NOBODY for work in now):
            return Explanation.ASSIGNED
        offices = [work.office for work in now if work.account == NOBODY] if its else [case.office]
        if office != NOBODY and office in offices:
            return Explanation.OFFICE
        told = [work.office for work in its if work.account == NOBODY] if its else [case.office]
        return Explanation.OPEN if self.staff is None and max(told, default=NOBODY) != NOBODY else Explanation.OTHERS


def columns(rows: list[tuple[int, ...]], *kinds: type[np.generic]) -> list[np.ndarray]:
    """Rows as one array a column."""
    return [np.array([row[i] for row in rows], kind) for i, kind in enumerate(kinds)]


def as_columns(cases: list[Case]) -> Cases:
    """Cases and the pairs that they cover."""
    told = [(c.code, 0, c.opened, c.closed, c.opener, c.office, c.household) for c in cases]
    pairs = [(number, record) for number, case in enumerate(cases) for record in case.persons]
    kinds = (np.int32, np.int32, np.int64, np.int64, np.int32, np.int32, np.bool_)
    return Cases(*columns(told, *kinds), *columns(pairs, np.int64, np.uint32))
