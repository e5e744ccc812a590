"""What the office wrote down of its cases: when they were opened and closed, by whom, who was assigned, and the gaps.

Rules
1. A case explains what was read for it, unless the record has a gap: the case was never entered, it was entered too
   late, the reader opened it himself that day, or it was closed already.
2. Cases are left out, unevenly over desks and types, until the asked-for share of reads is explained and no less.
3. In offices that share work a case is assigned to the office; else to each account that works on it. What a merger
   moves is assigned anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.simulate.clock import DAY_MINUTES
from muniment.simulate.office import NEVER, PROFILES
from muniment.simulate.work import TYPES
from muniment.watch.context.tables import DAY_MS, NO_END, Assignments, Cases
from muniment.watch.reads import NOBODY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.simulate.clock import Clock
    from muniment.simulate.office import Offices
    from muniment.simulate.settings import Traits, WorldSettings
    from muniment.simulate.touches import Touches
    from muniment.simulate.work import Drafts

GRACE_MS: Final = 7 * DAY_MS
"""A case that is entered up to this much after work began still counts as the reason of that work."""
_EXPORT_MS: Final = 3 * 3_600_000
"""How long after midnight the nightly export of cases runs."""
_BY_CHANCE: Final = 0.035
"""Part of the reads without a reason of their own that another case covers: so many more are left without."""
_STAYS_OPEN: Final = 0.12
_CLOSED_EARLY: Final = 0.01


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Casebook:
    """The cases that were entered and who was assigned; `case` is the row of the draft (and the code). `known`: when
    each case of `cases` was first in a nightly export, ms, shape (cases,)."""

    cases: Cases
    assignments: Assignments
    known: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Times:
    """Of each draft, shape (m,): first read, opened and closed as entered, opener."""

    first: NDArray[np.int64]
    opened: NDArray[np.int64]
    closed: NDArray[np.int64]
    opener: NDArray[np.int64]


def enter(
    settings: WorldSettings, traits: Traits, offices: Offices, drafts: Drafts, touches: Touches,
    moment: NDArray[np.int64], clock: Clock, rng: np.random.Generator,
) -> Casebook:  # fmt: skip
    """The casebook of a world whose touches (with their moments) are given."""
    times = _times(settings, traits, offices, drafts, (touches, moment), rng)
    explained = _explains(times, touches, moment, clock)
    entered = _entered(settings.explained, drafts, touches.case, explained, rng)
    rows = np.flatnonzero(entered)
    place = np.cumsum(entered) - 1
    pairs = entered[drafts.of]
    cases = Cases(
        case=rows.astype(np.int32),
        type=drafts.type[rows].astype(np.int32),
        opened=times.opened[rows],
        closed=times.closed[rows],
        opener=times.opener[rows].astype(np.int32),
        office=offices.home[drafts.desk[rows]].astype(np.int32),
        household=drafts.household[rows],
        of=place[drafts.of[pairs]].astype(np.int64),
        record=drafts.record[pairs].astype(np.uint32),
    )
    nightly = clock.start(clock.day(np.maximum(cases.opened, clock.hours[0])) + 1)
    known = np.maximum(nightly, cases.opened) + _EXPORT_MS
    return Casebook(cases, _assigned(offices, drafts, times, entered, (touches, moment), clock, rng), known)


def _times(
    settings: WorldSettings, traits: Traits, offices: Offices, drafts: Drafts,
    read: tuple[Touches, NDArray[np.int64]], rng: np.random.Generator,
) -> _Times:  # fmt: skip
    touches, moment = read
    m = len(drafts)
    used = touches.case >= 0
    case, when = touches.case[used], moment[used]
    order = np.lexsort((when, case))
    begin = np.searchsorted(case[order], np.arange(m))
    first, last = when[order][begin], when[order][np.append(begin[1:], len(order)) - 1]
    before = np.where(rng.random(m) < 0.45, rng.exponential(40 / DAY_MINUTES, m), rng.exponential(3.0, m))
    opened = first - (before * DAY_MS).astype(np.int64) - 1
    late = rng.random(m) < traits.late
    opened = np.where(late, first + (rng.exponential(3.0, m) * DAY_MS).astype(np.int64), opened)
    closed = last + 3_600_000 + (rng.exponential(10.0, m) * DAY_MS).astype(np.int64)
    closed = np.where(rng.random(m) < _CLOSED_EARLY, last - 1, closed)
    closed = np.where(rng.random(m) < _STAYS_OPEN, NO_END, np.maximum(closed, opened + 3_600_000))
    reader = touches.account[used][order][begin]
    return _Times(first, opened, closed, _openers(settings, offices, drafts, reader, rng))


def _openers(
    settings: WorldSettings, offices: Offices, drafts: Drafts, reader: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Half of the cases come in by a portal, some account opens the others, a few the one who reads first."""
    m = len(drafts)
    intake = np.array([one.intake for one in PROFILES])[offices.profile[offices.home[drafts.desk]]]
    own = min(1 - settings.explained, 0.08) * np.where(intake, 3.0, 1.0)
    chance = rng.random(m)
    other = rng.integers(0, len(offices), m)
    other = np.where(other == reader, (other + 1) % len(offices), other)
    return np.where(chance < own, reader, np.where(chance < 0.5, other, NOBODY))


def _explains(times: _Times, touches: Touches, moment: NDArray[np.int64], clock: Clock) -> NDArray[np.bool_]:
    """Which touches are explained once their case is entered, or by a job."""
    case = np.maximum(touches.case, 0)
    opened, closed = times.opened[case], times.closed[case]
    within = (moment >= opened - GRACE_MS) & (moment < closed)
    own = (times.opener[case] == touches.account) & (clock.day(opened) == touches.day)
    explained: NDArray[np.bool_] = ((touches.case >= 0) & within & ~own) | (touches.job >= 0)
    return explained


def _entered(
    share: float, drafts: Drafts, case: NDArray[np.int64], explained: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Which cases were entered at all, so that `share` of the reads is explained. Desks and types differ in care."""
    m = len(drafts)
    care = rng.lognormal(0, 0.7, int(drafts.desk.max(initial=0)) + 1)[drafts.desk]
    care = care * rng.lognormal(0, 0.5, len(TYPES))[drafts.type]
    order = np.argsort(rng.exponential(1.0, m) * care)
    reads = np.bincount(case[explained & (case >= 0)], minlength=m)
    spare = int(explained.sum()) - (1 - (1 - share) * (1 + _BY_CHANCE)) * len(case)
    entered = np.ones(m, bool)
    entered[order[: int(np.searchsorted(np.cumsum(reads[order]), max(spare, 0.0), side="right"))]] = False
    return entered


def _assigned(
    offices: Offices, drafts: Drafts, times: _Times, entered: NDArray[np.bool_],
    read: tuple[Touches, NDArray[np.int64]], clock: Clock, rng: np.random.Generator,
) -> Assignments:  # fmt: skip
    home = offices.home[drafts.desk]
    shared = np.array([one.shared > 0 for one in PROFILES])[offices.profile[home]]
    parts = [
        _to_offices(offices, np.flatnonzero(entered & shared), home, times, clock),
        _to_accounts(offices, drafts, times, entered & ~shared, read, clock, rng),
    ]
    case, account, office, since, until = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.lexsort((since, account, case))
    codes = [one[order].astype(np.int32) for one in (case, account, office)]
    return Assignments(codes[0], codes[1], codes[2], since[order].astype(np.int64), until[order].astype(np.int64))


def _to_offices(
    offices: Offices, case: NDArray[np.int64], home: NDArray[np.int64], times: _Times, clock: Clock
) -> tuple[NDArray[np.int64], ...]:
    """Cases of offices that share work; those open at a merger go on under the new office."""
    since, until, office = np.minimum(times.opened, times.first)[case], times.closed[case], home[case]
    if offices.merged is None:
        return case, np.full(len(case), NOBODY), office, since, until
    at = int(clock.start(offices.merge_day))
    moving = (office == offices.merged[0]) & (until > at)
    stays = ~moving | (since < at)
    owners = np.concatenate((office[stays], np.full(int(moving.sum()), offices.merged[1])))
    both = np.concatenate((case[stays], case[moving]))
    begins = np.concatenate((since[stays], np.maximum(since[moving], at)))
    ends = np.concatenate((np.where(moving, np.minimum(until, at), until)[stays], until[moving]))
    return both, np.full(len(both), NOBODY), owners, begins, ends


def _to_accounts(
    offices: Offices, drafts: Drafts, times: _Times, chosen: NDArray[np.bool_],
    read: tuple[Touches, NDArray[np.int64]], clock: Clock, rng: np.random.Generator,
) -> tuple[NDArray[np.int64], ...]:  # fmt: skip
    """Cases of offices where each has his own: the holder of the desk to the end, others while they work on it."""
    touches, moment = read
    rows = np.flatnonzero((touches.case >= 0) & chosen[np.maximum(touches.case, 0)])
    rows = rows[np.lexsort((moment[rows], touches.account[rows], touches.case[rows]))]
    case, account, when = touches.case[rows], touches.account[rows], moment[rows]
    new = np.concatenate(([True], (np.diff(case) != 0) | (np.diff(account) != 0))) if len(rows) else np.zeros(0, bool)
    begin = np.flatnonzero(new)
    end = np.append(begin[1:], len(rows))
    case, account, first, last = case[begin], account[begin], when[begin], when[end - 1]
    lead = (rng.exponential(1.0, len(case)) * DAY_MS).astype(np.int64)
    holds = offices.desk[account] == drafts.desk[case]
    from_start = holds & (offices.since[account] == 0)
    since = np.where(from_start, np.minimum(times.opened[case], first), first - lead)
    leaves = np.where(offices.until[account] < NEVER, clock.start(offices.until[account]), NO_END)
    until = np.where(holds, np.minimum(times.closed[case], leaves), last + 10 * DAY_MS)
    return case, account, np.full(len(case), NOBODY), since, np.maximum(until, since + 1)
