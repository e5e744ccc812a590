"""Share: does an account keep to the declared share of first reads that no case explains?

The null is true by design: each first read, given all before it, lacks an explanation with a probability of at most the
declared p. Bets are on first reads only; how many there are may be chosen by the account. For X = 1 where a first read
is unexplained, else 0, and a stake f (0 < f < 1), the day's factor is the product over its first reads of

    1 - f + f X / p = 1 + l (X - p),  l = f / p < 1 / p.

Proof. Each factor is positive and E[factor | past] <= 1 - f + f p / p = 1; the product up to the n-th first read is a
non-negative supermartingale in n, and the end of a day is a stopping time of it (Ville 1939). Equal stakes make the
product a function of two counts. Where no share was declared nothing is bet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.errors import InputError
from muniment.watch.signals import About, State, Step
from muniment.watch.signals.budget import BETS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.watch.context.tables import Context
    from muniment.watch.days import Day
    from muniment.watch.signals.declared import Budgets

LEAST: Final = 0.001
"""Shares below this are bet on as this."""


def trials(hits: NDArray[np.int64], of: NDArray[np.int64], chance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithms of the product above for `hits` ones in `of` trials, shape (m, k); 0 where `chance` is 1 or more.

    Raises:
        InputError: a chance below 0 or not a number.
    """
    if bool(np.any(~(chance >= 0.0))):
        raise InputError("a declared share is below 0 or no number: expected one from 0 to 1")
    bets = np.array(BETS)
    odds = 1.0 / np.clip(chance, LEAST, 1.0)[:, None]
    gained = hits[:, None] * np.log1p(bets * (odds - 1.0))
    lost = (of - hits)[:, None] * np.log1p(-bets)
    return np.asarray(np.where(chance[:, None] >= 1.0, 0.0, gained + lost))


class ShareSignal:
    """Unexplained among the first reads of a day against the declared share of the account or its office."""

    about = About("share", len(BETS), design=True, general=True, needs=("cases",))

    def __init__(self, budgets: Budgets) -> None:
        """`budgets`: fixed before the first day it is asked about; a change is a new signal."""
        self._budgets = budgets

    def step(self, day: Day, context: Context, state: State) -> Step:
        """The factors of one day; see above. No state. Without cases nothing has an explanation: nothing is bet."""
        fresh = day.fresh
        hits, of = day.count(fresh), day.count(day.first)
        chance = self._budgets.share(day.account, day.office)
        if context.cases is None:
            chance = np.ones(len(day))
        return Step(day.account.astype(np.int64), trials(hits, of, chance), hits, fresh)
