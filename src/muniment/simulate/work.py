"""Work on cases: each desk has a stream of cases, and its reads go mostly to the newest and sometimes to old ones.

Rules
1. A desk opens a new case after every so many reads. A read goes back J cases from the newest, J from a mixture of
   two geometric laws, but not further than 80 days: that gives the repeats that were measured, and cases that last.
2. Everybody on one stream reads the same cases: the holder of the desk, who covers for him, who follows him, and in
   offices that share work the colleagues.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.simulate.groups import Groups
from muniment.simulate.office import PROFILES
from muniment.simulate.touches import Touches

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.simulate.office import Offices
    from muniment.simulate.population import Population
    from muniment.simulate.settings import Traits


@dataclass(frozen=True, slots=True)
class CaseType:
    """A type of case. `household`: covers the household too; `more`: mean of further persons named in it."""

    name: str
    household: bool
    more: float


TYPES: Final = (
    CaseType("move", True, 0.1),
    CaseType("relief", True, 0.2),
    CaseType("tax return", False, 0.8),
    CaseType("permit", False, 0.9),
    CaseType("call", True, 0.0),
    CaseType("ticket", False, 0.3),
    CaseType("enrolment", True, 0.2),
)
_MIX: Final = {
    "tax": (0.05, 0.0, 0.9, 0.05, 0.0, 0.0, 0.0),
    "counter": (0.6, 0.1, 0.0, 0.2, 0.0, 0.0, 0.1),
    "relief": (0.1, 0.8, 0.1, 0.0, 0.0, 0.0, 0.0),
    "emergency": (0.0, 0.0, 0.0, 0.0, 0.9, 0.1, 0.0),
    "permits": (0.1, 0.0, 0.0, 0.9, 0.0, 0.0, 0.0),
    "service": (0.0, 0.0, 0.1, 0.0, 0.0, 0.9, 0.0),
    "schools": (0.1, 0.1, 0.0, 0.0, 0.0, 0.0, 0.8),
}
"""For each sort of office, its cases by `TYPES`."""
_READS_A_CASE: Final = 7.3
"""Reads after which a desk opens the next case, times the share of first reads."""
_LONGEST: Final = 80
_EARLIER: Final = 60
"""Cases that a desk has open when the world begins."""
_COVERED: Final = 0.35
_AFTER_MERGER: Final = 0.12


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Drafts:
    """m cases that were worked on; shape (m,). `of`, `record`: the persons that each names, shape (pairs,)."""

    desk: NDArray[np.int64]
    type: NDArray[np.int64]
    of: NDArray[np.int64]
    record: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.desk)

    @property
    def household(self) -> NDArray[np.bool_]:
        """Whether each covers the households of its persons."""
        return np.array([one.household for one in TYPES])[self.type]


def work(
    offices: Offices, population: Population, traits: Traits, account: NDArray[np.int64], day: NDArray[np.int64],
    rng: np.random.Generator,
) -> tuple[Touches, Drafts]:  # fmt: skip
    """The touches of some reads (account, day; shape (n,)) that are work on cases, and the cases."""
    desk = _streams(offices, account, day, rng)
    order = np.lexsort((rng.random(len(desk)), day, desk))
    account, day, desk = account[order], day[order], desk[order]
    number = _numbers(desk, day, _READS_A_CASE / (1 - traits.repeat), rng)
    keys, case = np.unique(desk * (1 << 32) + number, return_inverse=True)
    drafts = _named(offices, population, keys >> 32, rng)
    return Touches.of(account, day, _touched(drafts, population, case, rng), case), drafts


def _streams(
    offices: Offices, account: NDArray[np.int64], day: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Whose desk each read works on."""
    office = offices.office(account, day)
    holder, chance = np.arange(len(offices)), rng.random(len(account))
    shared = np.array([one.shared for one in PROFILES])[offices.profile][office]
    desk = offices.desk[account]
    late = np.full(len(offices), offices.merge_day)
    before = Groups.of(offices.home, offices.desk, len(offices.profile))
    after = Groups.of(offices.office(holder, late), offices.desk, len(offices.profile))
    merged = day >= offices.merge_day
    mate = np.where(merged, after.draw(office, rng), before.draw(office, rng))
    if offices.merged is not None:
        moved = merged & (office == offices.merged[1])
        shared = np.where(moved, np.maximum(shared, _AFTER_MERGER), shared)
    covered = offices.cover[account, day]
    desk = np.where(chance < shared, mate, desk)
    return np.where((covered >= 0) & (rng.random(len(account)) < _COVERED), covered, desk)


def _numbers(
    desk: NDArray[np.int64], day: NDArray[np.int64], reads: float, rng: np.random.Generator
) -> NDArray[np.int64]:
    """The number of the case of each read in its stream; reads by desk, then day."""
    n = len(desk)
    key = desk * 4096 + day + _LONGEST
    begin = np.searchsorted(desk, desk)
    newest = _EARLIER + ((np.arange(n) - begin) / reads).astype(np.int64)
    old = ((np.searchsorted(key, key - _LONGEST) - begin).clip(0) / reads).astype(np.int64)
    oldest = old + _EARLIER * np.minimum(day, _LONGEST) // _LONGEST
    back = np.where(rng.random(n) < 0.7, rng.geometric(0.12, n), rng.geometric(0.02, n)) - 1
    number: NDArray[np.int64] = np.maximum(newest - back, np.minimum(oldest, newest))
    return number


def _named(offices: Offices, population: Population, desk: NDArray[np.int64], rng: np.random.Generator) -> Drafts:
    """Types and persons of cases."""
    m = len(desk)
    mix = np.cumsum([_MIX[one.name] for one in PROFILES], axis=1)
    ladder = mix[offices.profile[offices.home[desk]]]
    kind = np.minimum((rng.random(m)[:, None] > ladder).sum(axis=1), len(TYPES) - 1)
    main = population.drawn(m, rng)
    more = rng.poisson(np.array([one.more for one in TYPES])[kind]).clip(0, 4)
    of = np.repeat(np.arange(m), more)
    kin = population.kin.draw(main[of], rng)
    further = np.where((kin >= 0) & (rng.random(len(of)) < 0.5), kin, population.drawn(len(of), rng))
    pairs = np.unique(np.stack((np.concatenate((np.arange(m), of)), np.concatenate((main, further)))), axis=1)
    return Drafts(desk, kind, pairs[0], pairs[1])


def _touched(
    drafts: Drafts, population: Population, case: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Which record of its case each read is of: a named person, or in some types a member of the household."""
    named = Groups.of(drafts.of, drafts.record, len(drafts)).draw(case, rng)
    lives = population.household[named]
    housed = drafts.household[case] & (lives >= 0) & (rng.random(len(case)) < 0.5)
    member = population.members.draw(np.maximum(lives, 0), rng, 0)
    return np.where(housed, member, named)
