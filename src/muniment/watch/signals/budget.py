"""Budget: does an account keep to the number of unexplained first reads a day that its owner declared?

The null is true by design: given its past, the mean of the account's unexplained first reads U of an active day is at
most the declared b. Nothing else is assumed: no distribution, no independence, no training; U may be chosen by somebody
who knows everything. The factor of a bet f (0 < f < 1) is

    e = 1 - f + f U / b = 1 + l (U - b),  l = f / b < 1 / b.

Proof. U >= 0, so e >= 1 - f > 0. E[e | past] = 1 - f + f E[U | past] / b <= 1. The bets and b are fixed before the day.
While the day lasts, the count V so far is at most U wherever one stops, and e grows with the count: E[e(V)] <= E[e(U)].
Crossing means "over budget", not "guilty".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.errors import InputError
from muniment.watch.signals import About, State, Step

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.watch.context.tables import Context
    from muniment.watch.days import Day, Prefix
    from muniment.watch.signals.declared import Budgets

BETS: Final = (0.05, 0.15, 0.4, 0.8)
"""Shares staked: the best one for a mean of b + d is about b d / variance, so small ones find slow harvests among
scattered counts and large ones fast harvests. Factors of three between them lose little of the best."""
LEAST: Final = 0.01
"""Budgets below this are bet on as this: who keeps to less keeps to it too."""


def staked(counts: NDArray[np.int64] | NDArray[np.float64], budget: NDArray[np.float64]) -> NDArray[np.float64]:
    """log(1 - f + f count / budget) for each of `BETS`, shape (m, k); 0 where the budget is infinite: no bet.

    Raises:
        InputError: a budget below 0 or not a number.
    """
    if bool(np.any(~(budget >= 0.0))):
        raise InputError("a declared budget is below 0 or no number: expected 0 or more")
    bound = np.maximum(budget, LEAST)
    ratio = np.where(np.isinf(bound), 1.0, counts / bound)
    bets = np.array(BETS)
    return np.asarray(np.log1p(bets * (ratio[:, None] - 1.0)))


class BudgetSignal:
    """Unexplained first reads of a day against the declared budget of the account or its office."""

    about = About("budget", len(BETS), design=True, general=True)

    def __init__(self, budgets: Budgets) -> None:
        """`budgets`: fixed before the first day it is asked about; a change is a new signal."""
        self._budgets = budgets

    def step(self, day: Day, context: Context, state: State) -> Step:
        """The factors of one day; see above. No state."""
        fresh = day.fresh
        counts = day.count(fresh)
        budget = self._budgets.a_day(day.account, day.office)
        return Step(day.account.astype(np.int64), staked(counts, budget), counts, fresh)

    def running(self, so_far: Prefix, state: State) -> NDArray[np.float64]:
        """The factors as of each disclosure; see above."""
        return staked(so_far.fresh, self._budgets.a_day(so_far.account, so_far.office))
