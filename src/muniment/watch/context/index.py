"""What the context says about reads: the reader's office, why it may have read a record, and who belongs to whom.

Rules
1. A read that names a case is judged by that case alone, where it is known, covers the record and is open at the
   moment; else by whichever open case that covers the record explains it best.
2. Nobody explains a read to himself: a case that the reader opened on the day of the read, or later, explains it as
   `SELF` at most, whoever is assigned to it.
3. A case that covers more than `MOST` persons explains as `OTHERS` at most: mass work is declared as a job.
4. A case without any assignment belongs to its office; one that has assignments belongs to whom they name.
5. What was never told is not held against anybody: without assignments an open case explains as `OPEN`, and so does a
   case of an office where no staff was given. An account that the staff table leaves out has no office.

Reason as the first test: Fabbri and LeFevre, "Explanation-based auditing", PVLDB 5(1), 2011.
"""

from __future__ import annotations

from enum import IntFlag
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.watch.context.jobs import JobUse, by_jobs
from muniment.watch.context.joins import Lists, Spans
from muniment.watch.context.tables import DAY_MS, NO_END, Family
from muniment.watch.days import Explanation
from muniment.watch.reads import NOBODY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.watch.context.tables import Assignments, Cases, Context, Staff

MOST: Final = 200
"""Persons that a case may cover, and members that a household may have, to say anything about one of them."""
GRACE_MS: Final = 7 * DAY_MS
"""How long before a case was opened, or an assignment began, work on it may have begun: both are recorded afterwards,
and by those who work on it."""
_CANDIDATES: Final = 2_000_000
"""Pairs of a read and a case that are looked at together: some 200 MB."""
_ABOVE: Final = 2**32


class Tie(IntFlag):
    """How two records belong together."""

    FAMILY = 1
    HOUSEHOLD = 2


class ContextIndex:
    """A context made ready for questions; it does not change."""

    def __init__(self, context: Context) -> None:
        """Takes some 2 s for a million pairs of case and person."""
        self.context = context
        self._stays = None if context.staff is None else _Stays(context.staff)
        self._households = _Households(context)
        self._cases = None if context.cases is None else _CaseIndex(context.cases, context, self._households)
        family = Family(*(np.zeros(0, np.uint32),) * 2) if context.family is None else context.family
        ends = np.concatenate([family.one, family.other]), np.concatenate([family.other, family.one])
        self._family = Lists(*ends)

    def __repr__(self) -> str:
        missing = ", ".join(self.context.missing)
        return f"ContextIndex({f'without {missing}' if missing else 'complete'})"

    def offices(
        self, account: NDArray[np.int32], moment: NDArray[np.int64]
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Office and role of each account at each moment, shape (n,) each; `NOBODY` where none is known.

        Of stays that overlap the one that began last counts.
        """
        if self._stays is None:
            return np.full(len(account), NOBODY, np.int32), np.full(len(account), NOBODY, np.int32)
        return self._stays.at(account, moment)

    def explain(
        self, account: NDArray[np.int32], office: NDArray[np.int32], record: NDArray[np.uint32],
        case: NDArray[np.int32], moment: NDArray[np.int64], day_start: NDArray[np.int64] | int,
        used: JobUse | None = None,
    ) -> NDArray[np.uint8]:  # fmt: skip
        """The `Explanation` of each of n reads, in the order of the ledger; shape (n,).

        `case`: the case that the read names, or `NOBODY`. `day_start`: when the local day of the read began (ms UTC).
        `used`: what was read under jobs in earlier calls; these reads are added to it. Without it a job begins anew.
        """
        start = np.broadcast_to(np.asarray(day_start, np.int64), (len(account),))
        found = np.zeros(len(account), np.uint8)
        if self._cases is not None:
            for rows in self._cases.slices(record):
                part = (account[rows], office[rows], record[rows], case[rows], moment[rows], start[rows])
                found[rows] = self._cases.explain(*part)
        if self.context.jobs is not None:
            jobs = by_jobs(self.context.jobs, account, record, case, moment, JobUse() if used is None else used)
            found[jobs] = Explanation.JOB
        return found

    def neighbours(self, records: NDArray[np.uint32]) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
        """Who belongs to each of n records by family or household: the place of the record (0 to n - 1), ascending,
        and the neighbour. Each neighbour of a record comes once."""
        owner, neighbour, _ = self.ties(records)
        return owner, neighbour

    def ties(
        self, records: NDArray[np.uint32]
    ) -> tuple[NDArray[np.int64], NDArray[np.uint32], NDArray[np.uint8]]:  # fmt: skip
        """`neighbours`, and how each belongs to the record: `Tie`, as uint8."""
        parts = ((Tie.FAMILY, self._family.of(records)), (Tie.HOUSEHOLD, self._households.members(records)))
        owner = np.concatenate([part[0] for _, part in parts])
        neighbour = np.concatenate([part[1] for _, part in parts])
        flags = np.repeat(np.array([tie for tie, _ in parts], np.uint8), [len(part[0]) for _, part in parts])
        others = neighbour != records[owner]
        pairs = owner[others].astype(np.uint64) * _ABOVE + neighbour[others]
        pairs, place = np.unique(pairs, return_inverse=True)
        tie = np.zeros(len(pairs), np.uint8)
        np.bitwise_or.at(tie, place, flags[others])
        return (pairs // _ABOVE).astype(np.int64), (pairs % _ABOVE).astype(np.uint32), tie

    def kin(self, one: NDArray[np.uint32], other: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """Whether the records of each of n pairs belong together, shape (n,); no record belongs to itself."""
        owner, neighbour = self.neighbours(one)
        found = np.zeros(len(one), np.bool_)
        found[owner[neighbour == other[owner]]] = True
        return found

    def in_case(self, records: NDArray[np.uint32], moments: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether any case covers each record and is open at the moment, shape (n,); none is where none was given."""
        nobody = np.full(len(records), NOBODY, np.int32)
        if self._cases is None:
            return np.zeros(len(records), np.bool_)
        found = [
            self._cases.explain(nobody[r], nobody[r], records[r], nobody[r], moments[r], moments[r])
            for r in self._cases.slices(records)
        ]
        return np.concatenate([np.zeros(0, np.uint8), *found]) > Explanation.NONE


class _Stays:
    """Stays of accounts in offices."""

    def __init__(self, staff: Staff) -> None:
        order = np.lexsort((np.arange(len(staff.since)), staff.since, staff.account))
        self._account, self._office, self._role = (one[order] for one in (staff.account, staff.office, staff.role))
        since, self._until = (one[order] for one in (staff.since, staff.until))
        self._accounts, number = np.unique(self._account, return_inverse=True)
        self._times = np.unique(since)
        self._starts = self._points(number, since)
        self._ends = np.unique(self._until)
        reach = number * (len(self._ends) + 1) + np.searchsorted(self._ends, self._until, "right")
        self._reach = np.maximum.accumulate(reach) - number * (len(self._ends) + 1)

    def at(
        self, account: NDArray[np.int32], moment: NDArray[np.int64]
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:  # fmt: skip
        if not len(self._accounts):
            return np.full(len(account), NOBODY, np.int32), np.full(len(account), NOBODY, np.int32)
        number = np.minimum(np.searchsorted(self._accounts, account), len(self._accounts) - 1)
        row = np.searchsorted(self._starts, self._points(number, moment), "right") - 1
        ended = np.searchsorted(self._ends, moment, "right")
        # Back to the stay that began before it, where the last one is over and an earlier one reaches further.
        while True:
            here = (row >= 0) & (self._account[row] == account)
            over = here & (self._until[row] <= moment) & (self._reach[row] > ended)
            if not over.any():
                break
            row = row - over
        holds = here & (self._until[row] > moment)
        return np.where(holds, self._office[row], NOBODY), np.where(holds, self._role[row], NOBODY)

    def _points(self, number: NDArray[np.int64], moments: NDArray[np.int64]) -> NDArray[np.int64]:
        return number * (len(self._times) + 1) + np.searchsorted(self._times, moments, "right")


class _Households:
    """Households of at most `MOST` records; a larger one is an institution, and says nothing of two who live there."""

    def __init__(self, context: Context) -> None:
        table = context.households
        record = np.zeros(0, np.uint32) if table is None else table.record
        household = np.zeros(0, np.int64) if table is None else table.household
        _, place, sizes = np.unique(household, return_inverse=True, return_counts=True)
        small = sizes[place] <= MOST
        self.of_record = Lists(record[small], household[small])
        self.members_of = Lists(household[small], record[small])

    def members(self, records: NDArray[np.uint32]) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
        """All who live with each record, itself too, as `Lists.of`."""
        owner, household = self.of_record.of(records)
        place, member = self.members_of.of(household)
        return owner[place], member


class _CaseIndex:
    """Cases by record and by household, and who may work on them."""

    def __init__(self, cases: Cases, context: Context, households: _Households) -> None:
        self._cases = cases
        self._by_record = Lists(cases.record, cases.of)
        widened = cases.household[cases.of]
        owner, household = households.of_record.of(cases.record[widened])
        pairs = _distinct(household, cases.of[widened][owner])
        self._by_household = Lists(*pairs)
        self._households = households
        self._widens = len(owner) > 0
        self._big = self._persons(widened, *pairs) > MOST
        self._begun = np.maximum(cases.opened, -NO_END) - GRACE_MS
        self._staffed = context.staff is not None
        self._assigned = context.assignments is not None
        if context.assignments is not None:
            self._assign(context.assignments)

    def slices(self, record: NDArray[np.uint32]) -> list[slice]:
        """Reads in runs that have at most some `_CANDIDATES` cases together."""
        candidates = self._by_record.count(record)
        if self._widens:
            owner, household = self._households.of_record.of(record)
            wider = np.bincount(owner, weights=self._by_household.count(household), minlength=len(record))
            candidates = candidates + wider.astype(np.int64)
        work = np.cumsum(candidates + 1)
        steps = np.arange(1, (int(work[-1]) if len(work) else 0) // _CANDIDATES + 1) * _CANDIDATES
        edges = np.unique(np.concatenate([[0], np.searchsorted(work, steps), [len(record)]])).tolist()
        return [slice(low, high) for low, high in pairwise(edges)]

    def explain(
        self, account: NDArray[np.int32], office: NDArray[np.int32], record: NDArray[np.uint32],
        case: NDArray[np.int32], moment: NDArray[np.int64], day_start: NDArray[np.int64],
    ) -> NDArray[np.uint8]:  # fmt: skip
        """The best explanation by cases, shape (n,)."""
        read, row = self._candidates(record)
        cases = self._cases
        is_open = (self._begun[row] <= moment[read]) & (moment[read] < cases.closed[row])
        read, row = read[is_open], row[is_open]
        level = self._levels(row, account[read], office[read], moment[read])
        own = (cases.opener[row] == account[read]) & (account[read] != NOBODY) & (cases.opened[row] >= day_start[read])
        level[own] = Explanation.SELF
        level[self._big[row]] = Explanation.OTHERS
        best, named = np.zeros(len(record), np.uint8), np.zeros(len(record), np.uint8)
        np.maximum.at(best, read, level)
        by_name = (cases.case[row] == case[read]) & (case[read] != NOBODY)
        np.maximum.at(named, read[by_name], level[by_name])
        return np.where(named > Explanation.NONE, named, best)

    def _candidates(self, record: NDArray[np.uint32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        read, row = self._by_record.of(record)
        if not self._widens:
            return read, row
        owner, household = self._households.of_record.of(record)
        place, wider = self._by_household.of(household)
        return np.concatenate([read, owner[place]]), np.concatenate([row, wider])

    def _levels(
        self, row: NDArray[np.int64], account: NDArray[np.int32], office: NDArray[np.int32], moment: NDArray[np.int64]
    ) -> NDArray[np.uint8]:
        if not self._assigned:
            return np.full(len(row), Explanation.OPEN, np.uint8)
        level = np.full(len(row), Explanation.OTHERS, np.uint8)
        if not self._staffed:
            level[self._of_office[row]] = Explanation.OPEN
        level[self._offices.hold(_pair(row, office), moment)] = Explanation.OFFICE
        level[self._accounts.hold(_pair(row, account), moment)] = Explanation.ASSIGNED
        return level

    def _assign(self, given: Assignments) -> None:
        cases = self._cases
        place, row = Lists(cases.case, np.arange(len(cases.case))).of(given.case)
        since, until = np.maximum(given.since, -NO_END)[place] - GRACE_MS, given.until[place]
        account, office = given.account[place], given.office[place]
        to_account = account != NOBODY
        to_office = ~to_account & (office != NOBODY)
        self._accounts = Spans(_pair(row, account)[to_account], since[to_account], until[to_account])
        left = np.flatnonzero((np.bincount(row, minlength=len(cases.case)) == 0) & (cases.office != NOBODY))
        keys = np.concatenate([_pair(row, office)[to_office], _pair(left, cases.office[left])])
        begun = np.concatenate([since[to_office], np.full(len(left), -NO_END)])
        self._offices = Spans(keys, begun, np.concatenate([until[to_office], np.full(len(left), NO_END)]))
        self._of_office = np.zeros(len(cases.case), np.bool_)
        self._of_office[row[to_office]] = True
        self._of_office[left] = True

    def _persons(
        self, widened: NDArray[np.bool_], household: NDArray[np.int64], row: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """How many persons each case covers, its households included, shape (cases,)."""
        cases = self._cases
        alone = ~widened | (self._households.of_record.count(cases.record) == 0)
        direct = np.bincount(cases.of[alone], minlength=len(cases.case))
        sizes = self._households.members_of.count(household)
        return (direct + np.bincount(row, weights=sizes, minlength=len(cases.case))).astype(np.int64)


def _pair(row: NDArray[np.int64], code: NDArray[np.int32]) -> NDArray[np.int64]:
    """A row of a case and a code in one number; a code is below 2**31, and `NOBODY` has the number of no other."""
    return row * _ABOVE + code


def _distinct(one: NDArray[np.int64], row: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Each pair once; rows are dense numbers from 0."""
    values, place = np.unique(one, return_inverse=True)
    width = int(row.max()) + 1 if len(row) else 1
    pairs = np.unique(place * width + row)
    return values[pairs // width], pairs % width
