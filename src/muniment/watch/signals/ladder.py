"""Steps of a ladder: how high a day stands in something counted, and how common such days are, without a formula.

A count is sorted into a few steps, 0 for what is ordinary. How often an account has days of each step is learned from
it, leaning on its colleagues, theirs on everyone, that on a prior. The factor of a day is `BASE` to the power of its
step over the expected value of that (an exponential tilt): its mean is 1 whatever shape the counts have, and whatever
makes several of them come at once, which no binomial law survives.

Rules
1. Predictable: a day's factor uses what was learned before it.
2. Wide: steps above 0 are taken for `WIDE` times as common as they were.
3. Everything is learned in full, by its own account: who always had such days is no news. Half of it is forgotten in
   `KEPT`; for that long a harvest stays one. No account is its own colleague.
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

BASE: Final = 3.0
WIDE: Final = 1.5
LEAN: Final = 20.0
"""Days that the colleagues (or everyone) are worth beside what was seen of the account (or the colleagues): a month."""
KEPT: Final = 0.99
"""What a past day is worth one active day later: half after about 70."""
RARER: Final = 0.25
"""The prior: each step is a quarter as common as the one below."""
LOG_CAP: Final = float(np.log(12.0))
"""One day says no more: a plan takes several."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """`edges`: the counts at which steps 1, 2, ... begin. `width`: c, ladders of that form side by side.

    `log_cap`: what one day says at most, as a logarithm.
    """

    edges: tuple[float, ...]
    width: int = 1
    log_cap: float = LOG_CAP

    @property
    def steps(self) -> int:
        """Steps, with 0."""
        return len(self.edges) + 1

    @property
    def shapes(self) -> Mapping[str, Shape]:
        """State: days of each step by ladder, and the office in which the account was last seen."""
        return {"days_at": Shape(self.width * self.steps), "days_office": Shape(1, float(NOBODY))}

    def step(self, count: NDArray[np.int64] | NDArray[np.float64]) -> NDArray[np.int64]:
        """The step on which a count stands, any shape."""
        return np.searchsorted(np.array(self.edges), count, side="right").astype(np.int64)

    def log_e(
        self, state: State, account: NDArray[np.int32], office: NDArray[np.int32], step: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """The logarithms of the factors of m days, `step` and result of shape (m, c)."""
        tilt = BASE ** np.arange(self.steps)
        wide = np.where(np.arange(self.steps) > 0, WIDE, 1.0)
        expected = (self._usual(state, account, office) * tilt * wide).sum(axis=2)
        return np.asarray(np.minimum(step * np.log(BASE) - np.log(expected), self.log_cap))

    def learn(
        self, state: State, account: NDArray[np.int32], office: NDArray[np.int32], step: NDArray[np.int64]
    ) -> None:
        """Add m days of different accounts, `step` of shape (m, c)."""
        state["days_at"][account] *= KEPT
        place = np.arange(self.width) * self.steps + step
        state["days_at"][account[:, None], place] += 1.0
        state["days_office"][account, 0] = office

    def days(self, state: State, account: NDArray[np.int32]) -> NDArray[np.float64]:
        """Days known of each account, less what is forgotten, shape (m,)."""
        return np.asarray(state["days_at"][account, : self.steps].sum(axis=1))

    def _usual(self, state: State, account: NDArray[np.int32], office: NDArray[np.int32]) -> NDArray[np.float64]:
        """How common each step is for each account, shape (m, c, steps)."""
        days, seen = state["days_at"], state["days_office"][:, 0].astype(np.int64) + 1
        mine, own = office.astype(np.int64) + 1, days[account]
        sums = np.zeros((int(max(seen.max(initial=0), mine.max(initial=0))) + 1, days.shape[1]))
        np.add.at(sums, seen, days)
        colleagues = sums[mine] - own * (seen[account] == mine)[:, None]
        prior = RARER ** np.arange(self.steps)
        usual = np.broadcast_to(prior / prior.sum(), (len(account), self.width, self.steps))
        for known in (sums.sum(axis=0) - own, colleagues, own):
            at = known.reshape(usual.shape)
            usual = (at + LEAN * usual) / (at.sum(axis=2, keepdims=True) + LEAN)
        return np.asarray(usual)
