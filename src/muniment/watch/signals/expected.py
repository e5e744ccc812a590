"""Expected: more unexplained first reads than this account's own past, its colleagues and the season make likely.

The main signal for slow harvests, and an estimate: what it holds for usual is learned (`predictive.Level`), so that no
bound is printed. It gathers for weeks: one day is worth a factor of 10 at most.

What an attacker can do about it
- *Start on the first day*: an account of which little is known is compared with its colleagues, whom it cannot move.
- *Grow slowly*: what is learned fades with half a year, so that the null lags behind a ramp by months.
- *One great day*: counts are learned up to four standard deviations only.
- *Stay below*: what the null's width allows, which is the own level, its uncertainty and what a bet adds; there the
  declared budget is what binds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.watch.signals import About, State, Step
from muniment.watch.signals.predictive import Level, Who, raised

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.watch.context.tables import Context
    from muniment.watch.days import Day, Prefix

ADDED: Final = (2.0, 5.0, 10.0, 20.0)
"""Unexplained first reads a day that a harvest adds: from what takes a season to what takes a week."""
START: Final = 1.0
"""Unexplained first reads a day in a register of which nothing is known yet: half the default budget."""


class ExpectedSignal:
    """Unexplained first reads of a day against what was to be expected."""

    level: Final = Level(START)
    about = About("expected", len(ADDED), general=True, shapes=level.shapes)

    def step(self, day: Day, context: Context, state: State) -> Step:
        """The factors of one day; then the day is learned."""
        fresh = day.fresh
        counts = day.count(fresh)
        who = Who.of(day)
        expected = self.level.expect(who, state)
        factors = raised(counts, expected, ADDED)
        self.level.learn(who, counts, expected, state)
        return Step(day.account.astype(np.int64), factors, counts, fresh)

    def running(self, so_far: Prefix, state: State) -> NDArray[np.float64]:
        """The factors as of each disclosure. The ratios grow with the count: stopping early can only lower them."""
        return raised(so_far.fresh, self.level.expect(Who.of(so_far), state), ADDED)
