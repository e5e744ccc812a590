"""Decoy: an account read a record that no case can touch, because nobody lives behind it.

For X decoys read on an active day and a declared rate of accidents r (their mean a day), the factor is 1/2 + X / (2 r):
of mean 1 at most wherever E[X | past] <= r (see `budget`). Where decoys were drawn by a logged coin for each account,
the keeper knows r by design, and the signal is one of the guaranteed; decoys that simply lie in the table are
tripwires: their rate is a guess, and the signal says "estimated".
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.errors import InputError
from muniment.watch.signals import About, State, Step

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.watch.context.tables import Context
    from muniment.watch.days import Day, Prefix

ACCIDENTS: Final = 1e-5
"""Decoys that an account reads per active day by accident: one in 100,000, so that one decoy is worth 50,000 and passes
the threshold of a joined detector (2,000, mean over some twenty) alone."""


class DecoySignal:
    """Decoys read on a day, or so far on it."""

    about = About("decoy", 1)

    def __init__(self, accidents: float = ACCIDENTS, coin: bool = False) -> None:
        """`accidents`: declared decoys per account and active day; `coin`: known by design, as every decoy was drawn.

        Raises:
            InputError: a rate outside (0, 1).
        """
        if not 0.0 < accidents < 1.0:
            raise InputError(f"decoys by accident are {accidents:g} a day: expected a number between 0 and 1")
        self._accidents = accidents
        self.about = replace(self.about, design=coin)

    def step(self, day: Day, context: Context, state: State) -> Step:
        """The factors of one day; see above. No state."""
        touched = np.isin(day.record, context.decoys)
        counts = day.count(touched)
        return Step(day.account.astype(np.int64), self._factors(counts), counts, touched)

    def running(self, so_far: Prefix, state: State) -> NDArray[np.float64]:
        """The factors as of each disclosure: the count so far is at most that of the day, and they grow with it."""
        return self._factors(so_far.decoys)

    def _factors(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """log(1/2 + X / (2 r)), shape (m, 1)."""
        return np.asarray(np.log(0.5 + counts / (2.0 * self._accidents)))[:, None]
