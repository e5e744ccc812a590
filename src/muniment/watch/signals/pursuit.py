"""Pursuit: after an unexplained first read of somebody, one of somebody who belongs to him: the family, the household.

Counted are the *walks* of a day: reads of this day, or among the account's last ones, from which a later disclosure
went on to a relative. Whoever is looked up with the whole family is one walk; a harvest is several a day, day after
day. The account's and the colleagues' own days say how many walks there are by right.

Rules
1. Both records are in no case, not even in somebody else's: cases bring families along.
2. One disclosure is one question: a household that was answered to a search by address is no walk.
3. A read that is itself gone on from another begins no walk: a chain is one, and so is a star.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.watch.context.index import Tie
from muniment.watch.days import Explanation
from muniment.watch.signals import About, Shape, Step
from muniment.watch.signals.kinship import Kinship
from muniment.watch.signals.ladder import Ladder
from muniment.watch.signals.recent import EMPTY, entries, remember

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.watch.context.tables import Context
    from muniment.watch.days import Day
    from muniment.watch.signals import State

TIES: Final = (Tie.FAMILY | Tie.HOUSEHOLD, Tie.FAMILY)
"""One bet each: any tie, and family alone, where households are read together by right."""
WALKS: Final = (1.0, 2.0, 4.0)
"""Steps of the ladder: one family, some, many."""
REMEMBERED: Final = 8
"""Reads that are remembered of an account: a day of the known cases."""


@dataclass(frozen=True, slots=True)
class Pursuit:
    """The signal. It says nothing without family and households."""

    ladder: Ladder = field(default_factory=lambda: Ladder(WALKS, len(TIES)))
    kinship: Kinship = field(default_factory=Kinship, repr=False, compare=False)
    about: About = field(init=False)

    def __post_init__(self) -> None:
        shapes = {**self.ladder.shapes, "recent": Shape(REMEMBERED, EMPTY)}
        object.__setattr__(self, "about", About("pursuit", len(TIES), shapes=shapes))

    def step(self, day: Day, context: Context, state: State) -> Step:
        """The factors of one day."""
        account = day.account.astype(np.int64)
        none = np.zeros(len(day.record), np.bool_)
        if context.family is None and context.households is None:
            return Step(account, np.zeros((len(day), len(TIES))), day.count(none), none)
        alone = day.first & (day.explanation == Explanation.NONE)
        walks, speaks = self._walks(day, context, np.flatnonzero(alone), state["recent"])
        step = self.ladder.step(walks)
        log_e = self.ladder.log_e(state, day.account, day.office, step)
        self.ladder.learn(state, day.account, day.office, step)
        remember(state["recent"], account, day.owner[alone], day.record[alone])
        speaks &= (log_e.max(axis=1) > 0.0)[day.owner]
        return Step(account, log_e, day.count(speaks), speaks)

    def _walks(
        self, day: Day, context: Context, rows: NDArray[np.int64], recent: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Walks of each account-day by tie, shape (m, ties), and the reads that they are made of, shape (n,)."""
        before, old = entries(recent, day.account.astype(np.int64))
        owner, sequence = day.owner[rows], day.sequence[rows]
        at, neighbour, tie = self.kinship.of(context).ties(day.record[rows])
        known = np.concatenate([_pair(before, old), _pair(owner, day.record[rows])])
        since = np.concatenate([np.full(len(before), -1), sequence])
        walks, speaks = np.zeros((len(day), len(TIES)), np.int64), np.zeros(len(day.record), np.bool_)
        if not len(known):
            return walks, speaks
        order = np.argsort(known, kind="stable")
        known, since = known[order], since[order]
        sought = _pair(owner[at], neighbour)
        place = np.minimum(np.searchsorted(known, sought), len(known) - 1)
        met = (known[place] == sought) & (since[place] < sequence[at])
        for bet, wanted in enumerate(TIES):
            chosen = met & ((tie & wanted) > 0)
            to, origin, began = at[chosen], sought[chosen], since[place[chosen]]
            first = np.lexsort((origin, began, to))
            _, heads = np.unique(to[first], return_index=True)
            origins = np.unique(origin[first[heads]])
            origins = origins[~np.isin(origins, _pair(owner[to], day.record[rows[to]]))]
            walks[:, bet] = np.bincount(origins >> 32, minlength=len(day))
            speaks[rows[to]] = True
        return walks, speaks


def _pair(owner: NDArray[np.int64], record: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Owner and record as one number."""
    pairs: NDArray[np.int64] = (owner << 32) | record.astype(np.int64)
    return pairs
