"""Challenge: do too many of an account's randomly challenged reads stay without a valid justification?

The null is true by design: of what an account reads, given all before, at most the declared share r has no valid
justification after a human check. A coin that is drawn once the read is committed picks which must be justified. It
knows nothing of the reads, so that the share among the challenged is that among all: a sample that nobody can bend.
For X = 1 where a challenge failed, the factor is the product of 1 - f + f X / r (see `share` for the proof).

Rules
1. An answer counts on the day on which the challenge is *due*, never sooner: failures and good answers come at
   different speeds, and a product over those that happen to be known would pick its winners. (Counted at once, a
   failure found in a minute and a good answer that takes a day give the factor a mean of 1 + f (1 - r).)
2. What is open when due has failed, and so has a read that was ended because of it: who walks away has not answered.
3. An account may be judged on a day on which it read nothing. It has a row in the step of that day.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from muniment.errors import InputError
from muniment.watch.signals import About, State, Step
from muniment.watch.signals.budget import BETS
from muniment.watch.signals.share import trials

if TYPE_CHECKING:
    from muniment.watch.challenges import Outcomes
    from muniment.watch.context.tables import Context
    from muniment.watch.days import Day

FAILURES: Final = 0.05
"""Challenges that an honest account may fail: one in twenty is forgotten, late or badly worded."""

Due: TypeAlias = "Callable[[int], Outcomes]"
"""Which challenges became due on a local day, and how they stood: `challenges.outcomes` over the worklist."""


class ChallengeSignal:
    """Challenges due on a day that failed, against the declared share."""

    about = About("challenge", len(BETS), design=True)

    def __init__(self, due: Due, failures: float = FAILURES) -> None:
        """`due`: the outcomes of a local day, the same in a replay; `failures`: the declared share.

        Raises:
            InputError: a share outside (0, 1).
        """
        if not 0.0 < failures < 1.0:
            raise InputError(f"challenges failed are {failures:g}: expected a share between 0 and 1")
        self._due = due
        self._failures = failures

    def step(self, day: Day, context: Context, state: State) -> Step:
        """The factors of one day, also for accounts that read nothing but were judged. No state."""
        judged = self._due(day.day)
        unit = np.union1d(day.account.astype(np.int64), judged.account)
        failed, of = np.zeros(len(unit), np.int64), np.zeros(len(unit), np.int64)
        at = np.searchsorted(unit, judged.account)
        failed[at], of[at] = judged.failed, judged.judged
        factors = trials(failed, of, np.full(len(unit), self._failures))
        return Step(unit, factors, failed, np.zeros(len(day.record), np.bool_))
