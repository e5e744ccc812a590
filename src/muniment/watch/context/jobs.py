"""Reads under bulk work that was declared beforehand: the first `most` distinct records of each job.

Rules
1. A record counts against a job however else it is explained: what is left of a job does not depend on which cases
   were known when.
2. A job goes on over days and restarts: `JobUse` remembers by account, record and moment, not by the row of a job, so
   that a newer version of the table finds it again. Jobs of one account that overlap share what they use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from muniment.watch.memory import pairs
from muniment.watch.reads import NOBODY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.watch.context.tables import Jobs


class JobUse:
    """Which records accounts have read under their jobs, and when each came to one. Changed by `by_jobs` in place."""

    def __init__(self, pairs: NDArray[np.uint64] | None = None, moments: NDArray[np.int64] | None = None) -> None:
        """`pairs`, ascending, and `moments` as `state` gave them."""
        self._pairs = np.zeros(0, np.uint64) if pairs is None else pairs
        self._moments = np.zeros(0, np.int64) if moments is None else moments

    def __len__(self) -> int:
        return len(self._pairs)

    def __repr__(self) -> str:
        return f"JobUse({len(self):,})"

    def state(self) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        """What a restart goes on with: account and record in one number, ascending, and the moment of each."""
        return self._pairs, self._moments

    def forget(self, before: int) -> None:
        """Drop what came to a job before a moment, when no job that began then goes on."""
        kept = self._moments >= before
        self._pairs, self._moments = self._pairs[kept], self._moments[kept]

    def within(self, account: int, since: int, until: int) -> NDArray[np.uint64]:
        """The pairs of an account that came to a job in a time, ascending."""
        low, high = np.searchsorted(self._pairs, np.array([account, account + 1], np.uint64) << np.uint64(32))
        moments = self._moments[low:high]
        return self._pairs[low:high][(moments >= since) & (moments < until)]

    def add(self, pairs: NDArray[np.uint64], moments: NDArray[np.int64]) -> None:
        """Remember pairs, each once, with its latest moment: a record of an earlier job uses up a later one too."""
        pairs, place = np.unique(np.concatenate([self._pairs, pairs]), return_inverse=True)
        last = np.full(len(pairs), np.iinfo(np.int64).min)
        np.maximum.at(last, place, np.concatenate([self._moments, moments]))
        self._pairs, self._moments = pairs, last


def by_jobs(
    jobs: Jobs, account: NDArray[np.int32], record: NDArray[np.uint32], case: NDArray[np.int32],
    moment: NDArray[np.int64], used: JobUse,
) -> NDArray[np.bool_]:  # fmt: skip
    """Which of n reads, in the order of the ledger, fall under a job; shape (n,). They are added to `used`."""
    found = np.zeros(len(account), np.bool_)
    for job in _begun(jobs, account, moment).tolist():
        asked = (account == jobs.account[job]) & (moment >= jobs.since[job]) & (moment < jobs.until[job])
        if jobs.case[job] != NOBODY:
            asked &= case == jobs.case[job]
        rows = np.flatnonzero(asked)
        if not len(rows):
            continue
        asked_for = pairs(account[rows], record[rows])
        known = used.within(int(jobs.account[job]), int(jobs.since[job]), int(jobs.until[job]))
        fresh, first = np.unique(asked_for, return_index=True)
        new = ~np.isin(fresh, known, assume_unique=True)
        left = max(int(jobs.most[job]) - len(known), 0)
        admitted = np.sort(first[new])[:left]
        used.add(asked_for[admitted], moment[rows][admitted])
        found[rows[np.isin(asked_for, np.concatenate([known, asked_for[admitted]]))]] = True
    return found


def _begun(jobs: Jobs, account: NDArray[np.int32], moment: NDArray[np.int64]) -> NDArray[np.int64]:
    """The rows of the jobs that any of the reads could fall under."""
    if not len(account):
        return np.zeros(0, np.int64)
    during = (jobs.since <= moment.max()) & (jobs.until > moment.min())
    return np.flatnonzero(during & np.isin(jobs.account, account) & (jobs.account != NOBODY))
