"""Budgets that an owner may declare, by what the accounts of each office did so far.

A budget that honest accounts do not keep to is no null that is true by design, whatever it is called: it would be
passed by those who have much to do. One that leaves room for the busiest lets everybody else harvest within it. So an
office gets what is above its median account, and an account that needs more a budget of its own. Whoever declares it
should look at those: a harvest that was under way would be among them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.watch.signals.declared import A_DAY, Budget, Budgets

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROOM: Final = 1.5
"""What is suggested above a mean: accounts change their work within a year."""
DAYS: Final = 20
"""Active days from which on a mean of an account says something: a month."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One office: its accounts with `DAYS` or more, the median of their means, and the budget of the office.

    `accounts`: those that need more, by code, each with its mean and its budget, most first.
    """

    office: int
    known: int
    median: float
    a_day: float
    accounts: tuple[tuple[int, float, float], ...]


def suggested(worked: NDArray[np.float32], office: NDArray[np.int32]) -> Mapping[int, Suggestion]:
    """Suggestions by office code; an office without an account that worked long enough has none.

    `worked`: days and unexplained first reads of each account, as `fold.Watch` has it. `office`: where each works.
    """
    known = worked[:, 0] >= DAYS
    means = np.zeros(len(worked))
    means[known] = worked[known, 1] / worked[known, 0]
    found = {}
    for code in np.unique(office[known]).tolist():
        mine = np.flatnonzero(known & (office == code))
        median = float(np.median(means[mine]))
        a_day = max(A_DAY, _roomy(median))
        more = [(int(one), float(means[one]), _roomy(means[one])) for one in mine[np.argsort(-means[mine])]]
        found[code] = Suggestion(code, len(mine), median, a_day, tuple(one for one in more if one[2] > a_day))
    return found


def _roomy(mean: float) -> float:
    """A mean and room, rounded up to a tenth: it stands in a file that people read."""
    return float(np.ceil(10.0 * ROOM * mean - 1e-9) / 10.0)


def budgets(found: Mapping[int, Suggestion]) -> Budgets:
    """What is suggested as what a signal takes."""
    accounts = {code: Budget(a_day) for one in found.values() for code, _, a_day in one.accounts}
    return Budgets(offices={code: Budget(one.a_day) for code, one in found.items()}, accounts=accounts)
