"""How often something happens of so often as it could: shares learned from an account's past and its colleagues'.

Rules
1. Predictable: a day's null is what was learned before it. The share of an account leans on that of the colleagues of
   its office, theirs on everyone's, and none is taken for rarer than `FLOOR`: what never happened yet may happen.
2. Wide: days of one account differ by more than chance, so the null of a day is a beta-binomial law that is never
   surer of its share than `SURE` trials would be.
3. No account is its own colleague.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.watch.reads import NOBODY
from muniment.watch.signals import Shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from muniment.watch.signals import State

FLOOR: Final = 0.02
"""The least share that a null may have."""
LEAN: Final = 10.0
"""Trials that a share of the office (or of everyone) is worth beside what was seen of the account (or the office)."""
SURE: Final = 5.0
"""Trials that a null is worth at most: with 5, a day of twice the share is nothing rare."""
MOST: Final = 20
"""Trials of one day that count: those beyond it are scaled down, so that one day is one piece of evidence."""
KEPT: Final = 0.98
"""What a past trial is worth one active day later: half after about 35 days."""
PRIOR: Final = (0.5, 5.0)
"""Successes and trials that everyone starts with."""


@dataclass(frozen=True, slots=True)
class Shares:
    """c shares under one name: their state, their nulls, their learning."""

    width: int

    @property
    def shapes(self) -> Mapping[str, Shape]:
        """State: successes and trials of each share, and the office in which the account was last seen."""
        return {"rates": Shape(2 * self.width), "rates_office": Shape(1, float(NOBODY))}

    def null(self, state: State, account: NDArray[np.int32], office: NDArray[np.int32]) -> NDArray[np.float64]:
        """The expected share of each account, shape (m, c)."""
        rates, seen = state["rates"], state["rates_office"][:, 0].astype(np.int64) + 1
        mine, own = office.astype(np.int64) + 1, rates[account]
        sums = np.zeros((int(max(seen.max(initial=0), mine.max(initial=0))) + 1, 2 * self.width))
        np.add.at(sums, seen, rates)
        colleagues = sums[mine] - own * (seen[account] == mine)[:, None]
        everyone = _leant(sums.sum(axis=0) - own, np.array(PRIOR[0] / PRIOR[1]), PRIOR[1])
        return np.maximum(_leant(own, _leant(colleagues, everyone, LEAN), LEAN), FLOOR)

    def doubt(
        self, state: State, account: NDArray[np.int32], null: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """What is not known of a null: its standard deviation by the account's own trials and `LEAN`, shape (m, c).

        It is the same error every day, and so belongs to the null, not to its width.
        """
        trials = state["rates"][account][:, self.width :]
        return np.asarray(np.sqrt(null * (1.0 - null) / (LEAN + trials)))

    def learn(
        self,
        state: State,
        account: NDArray[np.int32],
        office: NDArray[np.int32],
        counts: tuple[NDArray[np.float64], NDArray[np.float64]],
    ) -> None:
        """Add a day of m different accounts: `counts` as of `capped`, shape (m, c)."""
        state["rates"][account] *= KEPT
        state["rates"][account] += np.concatenate(counts, axis=1)
        state["rates_office"][account, 0] = office


def _leant(seen: NDArray[np.float64], on: NDArray[np.float64], lean: float) -> NDArray[np.float64]:
    """Shares of what was seen (successes, then trials), leaning on other shares."""
    half = seen.shape[1] // 2
    shares: NDArray[np.float64] = (seen[:, :half] + lean * on) / (seen[:, half:] + lean)
    return shares


def capped(successes: NDArray[np.int64], trials: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Whole counts of at most `MOST` trials in the same proportion, successes rounded down."""
    scale = np.minimum(1.0, MOST / np.maximum(trials, 1))
    return np.floor(successes * scale), np.floor(trials * scale)


def raised(share: NDArray[np.float64], by: float) -> NDArray[np.float64]:
    """An alternative to a share: `by` of the way from it to 1."""
    return share + by * (1.0 - share)


def log_ratio(
    counts: tuple[NDArray[np.float64], NDArray[np.float64]],
    null: NDArray[np.float64],
    alternative: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Logarithm of the likelihood of binomial counts under an alternative, over that under the wide null (rule 2).

    The mean of the ratio under the null is 1 exactly. All of one shape.
    """
    successes, trials = counts
    failures = trials - successes
    says = successes * np.log(alternative) + failures * np.log1p(-alternative)
    one, other = SURE * null, SURE * (1.0 - null)
    likely = _rising(one, successes) + _rising(other, failures) - _rising(np.full_like(one, SURE), trials)
    ratio: NDArray[np.float64] = says - likely
    return ratio


def _rising(start: NDArray[np.float64], steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """log(start (start + 1) ... (start + steps - 1)) for whole steps up to `MOST`."""
    total = np.zeros(np.broadcast_shapes(start.shape, steps.shape))
    for step in range(int(steps.max(initial=0.0))):
        total += np.where(steps > step, np.log(start + step), 0.0)
    return total
