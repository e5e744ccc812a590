"""Volume: more distinct records a day than the account, its colleagues and this kind of day account for.

What is counted is work that nobody explains, and a little of the rest: an unexplained record counts 1, an explained one
`EXPLAINED` (a case can be opened or borrowed to explain a read, so that it is not worth nothing), one of a declared
bulk job or with a justification that a human found good counts 0. Rounded down to a whole count.

What is expected is `predictive.Level`: over-dispersed, never Poisson, with the calendar and the peers. How many times
as much an account has is put on a `ladder.Ladder`, which learns how often its days are so far out: busy weeks that no
calendar announced are ordinary for some accounts and not for others.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.watch.days import Explanation
from muniment.watch.signals import About, Step
from muniment.watch.signals.ladder import Ladder
from muniment.watch.signals.predictive import Level, Who

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.watch.context.tables import Context
    from muniment.watch.days import Day
    from muniment.watch.signals import State

TIMES: Final = (2.0, 3.0, 5.0, 8.0)
"""How many times as much as expected at which steps of the ladder begin."""
SLACK: Final = 3.0
"""Records that are added to both sides of that comparison: two instead of one are not twice as much."""
EXPLAINED: Final = 0.25
KNOWN: Final = 9.0
"""Days of an account (with what is forgotten) before which nothing is said: two weeks, else every start is a flood."""
START: Final = 5.0
"""Counted records a day of an account of which nothing is known: 12 distinct ones, most of them explained."""


@dataclass(frozen=True, slots=True)
class Volume:
    """The signal. One bet."""

    level: Level = field(default_factory=lambda: Level(start=START))
    ladder: Ladder = field(default_factory=lambda: Ladder(TIMES))
    about: About = field(init=False)

    def __post_init__(self) -> None:
        shapes = {**self.level.shapes, **self.ladder.shapes}
        object.__setattr__(self, "about", About("volume", 1, general=True, shapes=shapes))

    def step(self, day: Day, context: Context, state: State) -> Step:
        """The factors of one day."""
        who = Who(day.day, day.account, day.office, day.kind)
        count = counted(day)
        expected = self.level.expect(who, state)
        step = self.ladder.step((count + SLACK) / (expected.mean + SLACK))[:, None]
        known = self.ladder.days(state, day.account) >= KNOWN
        log_e = self.ladder.log_e(state, day.account, day.office, step) * known[:, None]
        self.ladder.learn(state, day.account, day.office, step)
        self.level.learn(who, count, expected, state)
        speaks = day.unexplained & (log_e[:, 0] > 0.0)[day.owner]
        return Step(day.account.astype(np.int64), log_e, day.count(speaks), speaks)


def counted(day: Day) -> NDArray[np.int64]:
    """What counts of each account-day, shape (m,); see the module."""
    explained = ~day.unexplained & (day.explanation < Explanation.JOB)
    return np.asarray(day.count(day.unexplained) + np.floor(EXPLAINED * day.count(explained)).astype(np.int64))
