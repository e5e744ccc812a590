"""Closing a day: its reads, explained and counted once a record, as the `Day` on which all signals step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from muniment.watch.context.calendar import day_kinds, day_start, minutes
from muniment.watch.days import Day, Explanation
from muniment.watch.memory import PairMemory, pairs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.watch.context.jobs import JobUse
    from muniment.watch.context.tables import Calendar
    from muniment.watch.reads import Reads


class Explaining(Protocol):
    """What is asked of the context; `context.index.ContextIndex` in practice."""

    def offices(
        self, account: NDArray[np.int32], moment: NDArray[np.int64]
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Office and role of each account at that moment, `NOBODY` where unknown."""
        ...

    def explain(
        self,
        account: NDArray[np.int32],
        office: NDArray[np.int32],
        record: NDArray[np.uint32],
        case: NDArray[np.int32],
        moment: NDArray[np.int64],
        day_start: NDArray[np.int64] | int,
        used: JobUse | None = None,
    ) -> NDArray[np.uint8]:
        """The `Explanation` of each read; `used`: what was read under declared jobs so far."""
        ...


def close(
    reads: Reads,
    day: int,
    calendar: Calendar,
    index: Explaining,
    memory: PairMemory,
    confirmed: NDArray[np.int64],
    used: JobUse,
) -> Day:
    """The day of these reads (in the order of the ledger, all of local day `day`).

    `confirmed`: disclosures whose challenge was answered well, ascending. The memory is asked, not changed;
    `used` takes in what was read under jobs.
    """
    office, _ = index.offices(reads.account, reads.moment)
    start = day_start(calendar, day)
    explained = index.explain(reads.account, office, reads.record, reads.case, reads.moment, start, used)
    explained = np.where(np.isin(reads.sequence, confirmed), np.uint8(Explanation.CONFIRMED), explained)
    kept = _once(reads, explained)
    once, explained = reads.take(kept), explained[kept]
    account, begins = np.unique(once.account, return_index=True)
    starts = np.append(begins, len(once)).astype(np.int64)
    office, role = index.offices(account, once.moment[begins])
    return Day(
        day=day,
        account=account,
        office=office,
        role=role,
        kind=day_kinds(calendar, day, office),
        total=np.bincount(np.searchsorted(account, reads.account), minlength=len(account)).astype(np.int64),
        starts=starts,
        record=once.record,
        moment=once.moment,
        sequence=once.sequence,
        minute=minutes(calendar, once.moment),
        case=once.case,
        device=once.device,
        register=once.register,
        columns=once.columns,
        explanation=explained,
        first=~memory.known(pairs(once.account, once.record), day),
    )


def _once(reads: Reads, explained: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The rows that stay, each record once an account: by account, then in the order of the ledger."""
    pair = pairs(reads.account, reads.record)
    place = np.arange(len(reads))
    order = np.lexsort((place, explained <= Explanation.SELF, pair))
    sorted_pairs = pair[order]
    leads = np.ones(len(order), bool)
    leads[1:] = sorted_pairs[1:] != sorted_pairs[:-1]
    kept = np.sort(order[leads])
    return kept[np.argsort(reads.account[kept], kind="stable")]
