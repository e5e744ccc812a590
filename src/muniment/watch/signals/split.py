"""Split: a harvest that several accounts of one office share, a few records each. The unit is the office.

Bets on the sum, of two factors each:
- *pooled*: the unexplained first reads of all active accounts of the office, against the sum of what is expected of
  each. An account counts up to `PART` above its own expectation, and the one that is furthest above it not at all:
  alone, it is another signal's. How far such counts fall short of that sum by right is learned (`usual`).
- *complementary*: who shares a harvest does not read what another has read. Of the pooled reads, how many are of
  records that another account of the office came to fresh lately; the alternative is `FEWER` times the usual share.
  The usual share is the hypergeometric mean for this office, learned: it needs no count of the register.

One bet on the parts: in a large office the sum of a harvest drowns. An account may have *joined*, on any day with the
chance `JOIN`; the factor of its day is 1 - p + p L, with p the chance that it has, given its days so far, and L the
ratio for `ADDED` reads more a day. The factor of the office is their product, again without the loudest account. Here
the office's own tide counts, since many accounts at once are a tide.

Rules
1. What rises in all offices at once is no harvest: the expectation follows the *other* offices' last days. The office's
   own last days do not move it, else five weeks of four a day would excuse themselves.
2. Offices vary by more than the sum of their accounts do: the size of the pooled law is learned from the office's own
   misses and bounded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.watch.reads import NOBODY
from muniment.watch.signals import About, Shape, Step
from muniment.watch.signals.predictive import Expected, Level, Who
from muniment.watch.signals.rates import capped, log_ratio
from muniment.watch.signals.ratio import nb_log_ratio
from muniment.watch.signals.recent import EMPTY, entries, remember
from muniment.watch.signals.sums import total

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.watch.context.tables import Context
    from muniment.watch.days import Day
    from muniment.watch.signals import State

TIMES: Final = (1.5, 2.0, 3.0)
"""The alternatives, one bet each. An office of ten has some 15 such reads a day; five times four more are 2.3 times."""
FEWER: Final = 0.5
SKEW: Final = 0.6
"""Overlaps come in heaps (a matter that occupies the office), so that a plain day has fewer than the mean: so many."""
MARGIN: Final = 1.1
"""The sum of what is expected is taken for a tenth more than it is."""
ACCOUNTS: Final = 3
"""Accounts that an office must have at work: below, nothing can be split."""
KEPT: Final = 0.98
"""What is known of an office is worth so much a workday later: half after about 35."""
PART: Final = 6.0
"""An account's part of a split harvest is small: where it reads more, `expected` and `burst` see it alone."""
ADDED: Final = 4.0
JOIN: Final = 0.02
LEAVE: Final = 0.05
"""Chances a day that an account joins a harvest, and that one that joined leaves it: for a month, once a season."""
RECENT: Final = 0.85
"""The same for the other offices' last days: half after about four."""
HOPED: Final = 30.0
"""Expected reads that "as usual" is worth beside the other offices' last days."""
TIDES: Final = (1.0, 2.0)
"""Bounds of the tide: it only ever raises what is expected."""
USUAL: Final = (0.4, 1.5)
"""Bounds of what pooled counts are by right, as a share of the sum of what is expected."""
OVER: Final = 0.15
OVERS: Final = (0.08, 1.0)
"""Over-dispersion (1 / size) of a pooled count: to begin with, and its bounds."""
SCALE: Final = 1_000.0
"""What the first is worth in squared expected reads: a week of an office of ten."""
SHARE: Final = (1.0, 20.0)
"""Overlaps and reads that everyone starts with."""
FLOOR: Final = 0.005
REMEMBERED: Final = 128
"""Fresh reads that are remembered of an office: one or two weeks."""
LOG_CAP: Final = float(np.log(20.0))
"""One day says no more."""
_MISS, _SQUARE, _COUNT, _EXPECTED, _OVERLAP, _READS, _LONG, _LONG_EXPECTED = range(8)


@dataclass(frozen=True, slots=True)
class Split:
    """The signal."""

    level: Level = field(default_factory=Level)
    about: About = field(init=False)

    def __post_init__(self) -> None:
        offices = {"pooled": Shape(8, unit="office"), "last_reads": Shape(REMEMBERED, EMPTY, "office")}
        shapes = {**self.level.shapes, **offices, "joined": Shape(1, JOIN)}
        object.__setattr__(
            self, "about", About("split", len(TIMES) + 1, unit="office", shapes=shapes, needs=("staff",))
        )

    def step(self, day: Day, context: Context, state: State) -> Step:
        """The factors of one day, for each office that has enough accounts at work."""
        who = Who(day.day, day.account, day.office, day.kind)
        fresh = day.count(day.fresh)
        expected = self.level.expect(who, state)
        at_work = np.bincount(day.office[day.office != NOBODY], minlength=len(state["pooled"]))
        office = np.flatnonzero(at_work >= ACCOUNTS)
        place = np.full(len(state["pooled"]) + 1, -1)  # the last one is that of `NOBODY`
        place[office] = np.arange(len(office))
        group = place[day.office]
        rows = state["pooled"][office]
        count, mean = _pooled(group, fresh, expected, len(office))
        raised = MARGIN * mean * _usual(rows) * _tide(state["pooled"], office)
        size = 1.0 / np.clip((SCALE * OVER + rows[:, _MISS]) / (SCALE + rows[:, _SQUARE]), *OVERS)
        overlap, reads = _overlap(day, group, office, state["last_reads"])
        log_e = np.stack([nb_log_ratio(count, raised, size, times) for times in TIMES], axis=1)
        log_e += _fewer(state["pooled"], rows, overlap, reads)[:, None]
        parts = _joined(state["joined"], day.account, group, _part(fresh, expected.mean), expected, len(office))
        log_e = np.minimum(np.concatenate([log_e, parts[:, None]], axis=1), LOG_CAP)
        weight = np.exp(-np.maximum(log_e.max(axis=1, initial=0.0), 0.0))
        _learn(state["pooled"], office, (count, mean, raised, overlap, reads), weight)
        self.level.learn(who, fresh, expected, state)
        speaks = day.fresh & (group >= 0)[day.owner]
        speaks[speaks] = (log_e.max(axis=1, initial=0.0) > 0.0)[group[day.owner[speaks]]]
        records = np.bincount(group[day.owner[speaks]], minlength=len(office)).astype(np.int64)
        return Step(office.astype(np.int64), log_e, records, speaks)


def _pooled(
    group: NDArray[np.int64], fresh: NDArray[np.int64], expected: Expected, offices: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Count and mean of each office without its loudest account, shape (offices,) each."""
    mean = expected.level * expected.kind
    rows = np.flatnonzero(group >= 0)
    order = rows[np.lexsort(((fresh - mean)[rows], group[rows]))]
    quiet = order[np.append(group[order][1:] == group[order][:-1], False)[: len(order)]]
    count = np.bincount(group[quiet], _part(fresh, mean)[quiet], offices).astype(np.int64)
    return count, np.maximum(np.bincount(group[quiet], mean[quiet], offices), 0.5)


def _part(fresh: NDArray[np.int64], mean: NDArray[np.float64]) -> NDArray[np.int64]:
    """What counts of the reads of each account, shape (m,)."""
    return np.minimum(fresh, np.ceil(mean + PART)).astype(np.int64)


def _joined(
    joined: NDArray[np.float64],
    account: NDArray[np.int32],
    group: NDArray[np.int64],
    part: NDArray[np.int64],
    expected: Expected,
    offices: int,
) -> NDArray[np.float64]:
    """The logarithm of the last bet, shape (offices,); what each account is held to have done is learned."""
    chance = joined[account, 0]
    times = 1.0 + ADDED / expected.mean
    likely = np.exp(nb_log_ratio(part, expected.mean, expected.size, times))
    factor = 1.0 - chance + chance * likely
    joined[account, 0] = JOIN + (1.0 - JOIN - LEAVE) * chance * likely / factor
    loudest, total = np.ones(offices), np.zeros(offices)
    there = group >= 0
    np.maximum.at(loudest, group[there], factor[there])
    np.add.at(total, group[there], np.log(factor[there]))
    return np.asarray(total - np.log(loudest))


def _usual(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pooled counts by right, as a share of the sum of what is expected, shape (offices,)."""
    share: NDArray[np.float64] = np.clip((HOPED + rows[:, _LONG]) / (HOPED + rows[:, _LONG_EXPECTED]), *USUAL)
    return share


def _tide(pooled: NDArray[np.float64], office: NDArray[np.int64]) -> NDArray[np.float64]:
    """How far the other offices are above what was expected of them these days, shape (offices,)."""
    count = total(pooled[:, _COUNT]) - pooled[office, _COUNT]
    hoped = total(pooled[:, _EXPECTED]) - pooled[office, _EXPECTED]
    tide: NDArray[np.float64] = np.clip((HOPED + count) / (HOPED + hoped), *TIDES)
    return tide


def _overlap(
    day: Day, group: NDArray[np.int64], office: NDArray[np.int64], recent: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pooled fresh reads of records that the office came to fresh before, and all of them; shape (offices,) each.

    The account's own earlier reads are not among them: a first read is of a record that it did not read lately.
    """
    rows = np.flatnonzero(day.fresh & (group >= 0)[day.owner])
    rows = rows[np.argsort(day.sequence[rows], kind="stable")]
    owner = group[day.owner[rows]]
    before, old = entries(recent, office)
    known = (before << 32) | old.astype(np.int64)
    pairs = (owner << 32) | day.record[rows].astype(np.int64)
    again = np.ones(len(pairs), np.bool_)
    again[np.unique(pairs, return_index=True)[1]] = False
    again |= np.isin(pairs, known)
    new = np.flatnonzero(~again)
    new = new[np.argsort(owner[new], kind="stable")]
    remember(recent, office, owner[new], day.record[rows][new])
    many = len(office)
    return np.bincount(owner[again], minlength=many), np.bincount(owner, minlength=many)


def _fewer(
    pooled: NDArray[np.float64], rows: NDArray[np.float64], overlap: NDArray[np.int64], reads: NDArray[np.int64]
) -> NDArray[np.float64]:
    """What the overlap says, shape (offices,): above 0 where there is less of it than usual."""
    everyone = (SHARE[0] + total(pooled[:, _OVERLAP])) / (SHARE[1] + total(pooled[:, _READS]))
    usual = SKEW * (SHARE[1] * everyone + rows[:, _OVERLAP]) / (SHARE[1] + rows[:, _READS])
    usual = np.maximum(usual, FLOOR)
    return log_ratio(capped(overlap, reads), usual, FEWER * usual)


def _learn(
    pooled: NDArray[np.float64],
    office: NDArray[np.int64],
    seen: tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]],
    weight: NDArray[np.float64],
) -> None:
    """Add a day: count, mean without and with the tide, overlap, reads. A loud day counts by the inverse of its factor
    in what is usual for the office; in its tide, which others use, as far as `TIDES` allow."""
    count, mean, raised, overlap, reads = seen
    rows = pooled[office]
    usual = _usual(rows)
    rows[:, [_MISS, _SQUARE, _OVERLAP, _READS, _LONG, _LONG_EXPECTED]] *= KEPT
    rows[:, [_COUNT, _EXPECTED]] *= RECENT
    rows[:, _MISS] += weight * ((count - raised) ** 2 - raised)
    rows[:, _SQUARE] += weight * raised**2
    rows[:, _LONG] += weight * count
    rows[:, _LONG_EXPECTED] += weight * mean
    rows[:, _COUNT] += np.minimum(count, TIDES[1] * mean)
    rows[:, _EXPECTED] += mean * usual
    rows[:, _OVERLAP] += weight * overlap
    rows[:, _READS] += weight * reads
    pooled[office] = rows
