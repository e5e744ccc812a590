"""How rare values are among records, and how to draw values that are as rare among decoys.

A value taken from a record has been seen at least once, while some values stand in the register only once: an attacker
who counts would find that no decoy has a street or a given name of its own. The cure is the estimate of Good (1953):
what comes next has been seen k times with probability (k + 1) N[k + 1] / N, where N[k] values were seen k times. Both
sides of that are summed over a window of counts around k, since single N[k] are noisy.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from math import ceil, floor

from muniment.marks.decoys.coins import Coins

_WINDOW = 1.5
_FEW = 20
"""Values in a window below which nothing can be said: the odds are then 1."""
_ODDS_AT_MOST = 2.0


class Rarity:
    """Counts of a column's values, and with them the odds of a new value and of each old one."""

    def __init__(self, values: Iterable[Hashable]) -> None:
        self._counts = Counter(value for value in values if value is not None)
        seen = Counter(self._counts.values())
        total = self._counts.total()
        self.novel = seen[1] / total if total else 0.0
        """The probability that the next record has a value never seen."""
        self._odds = {count: _odds(seen, count) for count in seen}
        self._most = max(self._odds.values(), default=1.0) or 1.0

    def is_new(self, value: Hashable) -> bool:
        """Whether a value has not been seen."""
        return self._counts[value] == 0

    def accept(self, value: Hashable, coins: Coins) -> bool:
        """Whether to take a value drawn from the sample; if not, draw again."""
        count = self._counts[value]
        return not count or coins.chance(self._odds[count] / self._most)


def _odds(seen: Counter[int], count: int) -> float:
    """How much more often a value seen `count` times comes next than its share in the sample says."""
    window = range(ceil(count / _WINDOW), floor(count * _WINDOW) + 1)
    mass = sum(k * seen[k] for k in window)
    after = sum((k + 1) * seen[k + 1] for k in window)
    return min(_ODDS_AT_MOST, after / mass) if sum(seen[k] for k in window) >= _FEW else 1.0
