"""A rehearsal: plans of an adaptive insider, played against this very watch in an invented office. Pure.

Each plan is played by several accounts, each beside colleagues in an office of its own. All of them first work for a
while as they always did: records of their own case, and a few look-ups without one. Then the insider begins: from his
first day he makes no look-up of his own that has no case, so that all his evidence is harvest, and takes his records
one disclosure at a time, so that he may stop at any. That is the best that he can do here; a clumsier one takes less.

What is counted is alerts of any kind on his account; one on his office does not name him, and does not count.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.watch.context.tables import DAY_MS, NO_END, Assignments, Cases, Context, Staff
from muniment.watch.fold import FoldRules, Watch
from muniment.watch.haul import Judged
from muniment.watch.reads import NOBODY, Names, Reads, Spaces

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.watch.findings import Finding
    from muniment.watch.signals import Signal

MONDAY: Final = 19_996
"""A Monday: 30 September 2024."""
MORNING_MS: Final = 9 * 3_600_000
STEP_MS: Final = 20_000
CASE_RECORDS: Final = 40


@dataclass(frozen=True, slots=True)
class Office:
    """The invented office. `before`: workdays before the insider begins. `own`: records of his case that each account
    reads a day, on average; `lookups`: records without a case. `peers`: colleagues of each insider. `seed`: of all."""

    before: int = 60
    own: float = 6.0
    lookups: float = 1.0
    peers: int = 2
    seed: int = 1


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class WatchJudge:
    """The judge that is this watch. `signals`: made anew for each trial. `replicas`: accounts that play each plan."""

    signals: Callable[[], Sequence[Signal]]
    rules: FoldRules
    office: Office = Office()
    replicas: int = 4

    def judge(self, plans: NDArray[np.int64]) -> Judged:
        """As `haul.Judge`: what is taken up to the first alert, and on the days until it is out."""
        played = np.repeat(plans, self.replicas, axis=0)
        insiders = len(played)
        accounts = insiders * (1 + self.office.peers)
        reads, harvest = _reads(played, accounts, self.office)
        watch = Watch(self.signals(), self.rules, _spaces(accounts, insiders))
        watch.use(_context(accounts, insiders))
        found = [*watch.take(reads), *watch.finish()]
        shape = (len(plans), self.replicas)
        taken, alerted = _until_alert(reads, harvest, found, insiders, self)
        return Judged(taken.reshape(shape), alerted.reshape(shape))


def _reads(played: NDArray[np.int64], accounts: int, office: Office) -> tuple[Reads, NDArray[np.bool_]]:
    """The ledger of the rehearsal, and which of its reads are harvest. Insiders are accounts 0 to len(played) - 1."""
    random = np.random.default_rng(office.seed)
    insiders, days = len(played), office.before + played.shape[1]
    own = np.minimum(random.poisson(office.own, (accounts, days)) + 1, CASE_RECORDS)
    looked = random.negative_binomial(2, 2 / (2 + office.lookups), (accounts, days))
    looked[:insiders, office.before :] = 0
    taken = np.zeros((accounts, days), np.int64)
    taken[:insiders, office.before :] = played
    parts = [_spread(counts) for counts in (own, looked, taken)]
    account, day = (np.concatenate(column) for column in zip(*parts, strict=True))
    kind = np.repeat(np.arange(3), [len(part[0]) for part in parts])
    record = account * CASE_RECORDS + random.integers(CASE_RECORDS, size=len(account))
    new = kind > 0
    record[new] = accounts * CASE_RECORDS + random.permutation(int(new.sum()))
    order = np.lexsort((random.random(len(account)), day))
    account, day, record, kind = account[order], day[order], record[order], kind[order]
    local = MONDAY + day // 5 * 7 + day % 5
    place = np.arange(len(day)) - np.searchsorted(day, day)
    room = np.maximum(np.bincount(day, minlength=days)[day], 1)
    moment = local * DAY_MS + MORNING_MS + place * 8 * 3_600_000 // room
    none = np.full(len(day), NOBODY, np.int32)
    reads = Reads(
        np.arange(1, len(day) + 1), moment, moment, account.astype(np.int32), record.astype(np.uint32), none,
        np.zeros(len(day), np.int32), np.zeros(len(day), np.int32), np.ones(len(day), np.uint64),
    )  # fmt: skip
    return reads, kind == 2


def _spread(counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    account, day = np.nonzero(counts)
    many = counts[account, day]
    return np.repeat(account, many), np.repeat(day, many)


def _office_of(accounts: int, insiders: int) -> NDArray[np.int32]:
    return (np.arange(accounts) % max(insiders, 1)).astype(np.int32)


def _spaces(accounts: int, insiders: int) -> Spaces:
    return Spaces(
        account=Names(str(i) for i in range(accounts)),
        office=Names(str(i) for i in range(insiders)),
        role=Names(("clerk",)),
        case=Names(str(i) for i in range(accounts)),
        type=Names(("case",)),
        device=Names(("desk",)),
        register=Names(("persons",)),
    )


def _context(accounts: int, insiders: int) -> Context:
    """Every account in its office, with one case of its own that never ends."""
    who, office = np.arange(accounts, dtype=np.int32), _office_of(accounts, insiders)
    zeros, nobody = np.zeros(accounts, np.int64), np.full(accounts, NOBODY, np.int32)
    first = zeros.astype(np.int32)
    ends = zeros + NO_END
    record = np.arange(accounts * CASE_RECORDS, dtype=np.uint32)
    of = np.repeat(np.arange(accounts), CASE_RECORDS)
    cases = Cases(who, first, zeros, ends, nobody, office, np.zeros(accounts, bool), of, record)
    assignments = Assignments(who, who, nobody, zeros, ends)
    return Context(staff=Staff(who, office, first, zeros, ends), cases=cases, assignments=assignments)


def _until_alert(
    reads: Reads, harvest: NDArray[np.bool_], found: Sequence[Finding], insiders: int, judge: WatchJudge
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Harvested records of each insider up to his first alert, shape (insiders,), and whether there was one."""
    begin = MONDAY + judge.office.before // 5 * 7 + judge.office.before % 5
    lag = -(-judge.rules.lag_ms // DAY_MS)
    rows = np.flatnonzero(harvest)
    account, sequence, day = reads.account[rows], reads.sequence[rows], reads.moment[rows] // DAY_MS
    last = np.full(insiders, NO_END)
    for finding in found:
        if finding.unit == "account" and finding.code < insiders and finding.day >= begin:
            out = finding.sequence or int(sequence[np.searchsorted(day, finding.day + lag, "right") - 1])
            last[finding.code] = min(int(last[finding.code]), out)
    kept = sequence <= last[account]
    return np.bincount(account[kept], minlength=insiders).astype(np.int64), last < NO_END
