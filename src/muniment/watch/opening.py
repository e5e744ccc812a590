"""Days that are not closed yet: their reads, what each account has read in them so far, and the prefixes for signals.

Rules
1. A record counts by its first read of the day, and whether that was explained by what was known when it was read.
   Closing judges again, with the cases that came since; so the counts here may be higher, never lower for long.
2. Counts depend on the order of the ledger alone, not on how many reads came at a time.
3. Reads and seen pairs follow from the ledger and are never stored; counts are, for the context may have changed since.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from muniment.watch.context.calendar import day_kinds, day_start, minutes
from muniment.watch.context.jobs import JobUse
from muniment.watch.days import Explanation, Prefix
from muniment.watch.memory import PairMemory, pairs
from muniment.watch.reads import Reads

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.watch.closing import Explaining
    from muniment.watch.context.tables import Context

COUNTS = ("reads", "fresh", "decoys")
"""What is counted of each account in an open day: distinct records, unexplained first reads, decoys."""


@dataclass(slots=True, eq=False, repr=False)
class OpenDay:
    """One open day. `counts`: shape (accounts, 3), see `COUNTS`; rows by account code, grown when needed."""

    day: int
    parts: list[Reads] = field(default_factory=list)
    seen: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, len(COUNTS)), np.int64))

    def reads(self) -> Reads:
        """All reads of the day so far, in the order of the ledger."""
        return Reads.joined(self.parts) if self.parts else Reads.none()

    def remember(self, reads: Reads) -> None:
        """Take reads in without counting them: they were counted before, by the watch that is restored."""
        self.parts.append(reads)
        self.seen = np.union1d(self.seen, pairs(reads.account, reads.record))

    def grow(self, accounts: int) -> None:
        """Make room for so many accounts."""
        more = accounts - len(self.counts)
        if more > 0:
            self.counts = np.vstack([self.counts, np.zeros((more, len(COUNTS)), np.int64)])


class OpenDays:
    """The open days by number."""

    def __init__(self) -> None:
        self._days: dict[int, OpenDay] = {}
        self.used = JobUse()
        """What was read under declared jobs, as far as it was counted here."""

    def __repr__(self) -> str:
        return f"OpenDays({sorted(self._days)})"

    @property
    def days(self) -> tuple[int, ...]:
        """The open days that have reads, ascending."""
        return tuple(sorted(self._days))

    def take(self, day: int) -> OpenDay:
        """One open day, made where it is new."""
        return self._days.setdefault(day, OpenDay(day))

    def pop(self, day: int) -> Reads:
        """The reads of a day that is being closed; none where nothing was read."""
        gone = self._days.pop(day, None)
        return gone.reads() if gone is not None else Reads.none()

    def prefix(
        self, reads: Reads, day: int, context: Context, index: Explaining, memory: PairMemory, last: NDArray[np.int64]
    ) -> Prefix:
        """Add reads of one open day, and say what each of their disclosures makes of it.

        `last`: the last day on which each account was active before, by code, -1 for never.
        """
        mine = self.take(day)
        mine.grow(len(last))
        pair = pairs(reads.account, reads.record)
        new = _leads(pair) & ~np.isin(pair, mine.seen)
        first = new & ~memory.known(pair, day)
        for other in self.days:
            if other < day:
                first &= ~np.isin(pair, self._days[other].seen)
        calendar = context.calendar
        office, role = index.offices(reads.account, reads.moment)
        start = day_start(calendar, day)
        explained = index.explain(reads.account, office, reads.record, reads.case, reads.moment, start, self.used)
        fresh = first & (explained <= Explanation.SELF)
        decoy = new & np.isin(reads.record, context.decoys)
        mine.parts.append(reads)
        mine.seen = np.union1d(mine.seen, pair[new])
        begins = np.flatnonzero(np.append(True, reads.sequence[1:] != reads.sequence[:-1]))
        account = reads.account[begins]
        given = np.stack([np.add.reduceat(one.astype(np.int64), begins) for one in (new, fresh, decoy)], axis=1)
        sums = _running(account, given, mine.counts)
        idle = np.where(last[account] >= 0, day - last[account], -1)
        return Prefix(
            day=day,
            sequence=reads.sequence[begins],
            account=account,
            office=office[begins],
            role=role[begins],
            kind=day_kinds(calendar, day, office[begins]),
            reads=sums[:, 0],
            fresh=sums[:, 1],
            given=given[:, 1],
            decoys=sums[:, 2],
            idle=idle,
            minute=minutes(calendar, reads.moment[begins]),
        )


def _leads(pair: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which rows are the first of their value."""
    leads = np.zeros(len(pair), bool)
    leads[np.unique(pair, return_index=True)[1]] = True
    return leads


def _running(
    account: NDArray[np.int32], given: NDArray[np.int64], counts: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Counts of each account up to and with each disclosure, shape (d, 3); `counts` is brought up to date."""
    order = np.argsort(account, kind="stable")
    sorted_accounts = account[order]
    sums = np.cumsum(given[order], axis=0)
    heads = np.flatnonzero(np.append(True, sorted_accounts[1:] != sorted_accounts[:-1]))
    lengths = np.diff(np.append(heads, len(order)))
    before = np.where((heads > 0)[:, None], sums[heads - 1], 0)
    owners = sorted_accounts[heads]
    sums += np.repeat(counts[owners] - before, lengths, axis=0)
    counts[owners] = sums[np.append(heads[1:], len(order)) - 1]
    found = np.empty_like(sums)
    found[order] = sums
    return found
