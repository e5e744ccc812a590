"""How rare values are among records, and how to draw values that are as rare among decoys.

A value taken from a record has been seen at least once, while some values stand in the register only once: an attacker
who counts would find that no decoy has a street or a given name of its own. The cure is the estimate of Good (1953):
what comes next has been seen k times with probability (k + 1) N[k + 1] / N, where N[k] values were seen k times. The
ratios (k + 1) N[k + 1] / N[k] are smoothed by a straight line in k, which holds exactly for the family of Katz (1965):
binomial, Poisson and negative binomial counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable

from muniment.marks.decoy_coins import Coins


class Rarity:
    """Counts of a column's values, and with them the odds of a new value and of each old one."""

    def __init__(self, values: Iterable[Hashable]) -> None:
        self._counts = Counter(value for value in values if value is not None)
        seen = Counter(self._counts.values())
        total = self._counts.total()
        self.novel = seen[1] / total if total else 0.0
        """The probability that the next record has a value never seen."""
        self._level, self._slope = _line(seen)
        self._most = max((self._odds(count) for count in seen), default=1.0) or 1.0

    def _odds(self, count: int) -> float:
        """How much more often a value seen `count` times comes next than its share in the sample says."""
        return min(4.0, max(0.0, self._level / count + self._slope))

    def is_new(self, value: Hashable) -> bool:
        """Whether a value has not been seen."""
        return self._counts[value] == 0

    def accept(self, value: Hashable, coins: Coins) -> bool:
        """Whether to take a value drawn from the sample; if not, draw again."""
        count = self._counts[value]
        return not count or coins.chance(self._odds(count) / self._most)


def _line(seen: Counter[int]) -> tuple[float, float]:
    """Level and slope of (k + 1) N[k + 1] / N[k] over k, weighted by the N[k]; (0, 1) where there is too little to see."""
    points = [(k, (k + 1) * seen[k + 1] / seen[k], seen[k]) for k in seen if k <= 200]
    weight = sum(w for _, _, w in points)
    if len(points) < 3 or weight < 30:
        return 0.0, 1.0
    mean = sum(k * w for k, _, w in points) / weight
    level = sum(y * w for _, y, w in points) / weight
    spread = sum(w * (k - mean) ** 2 for k, _, w in points)
    slope = sum(w * (k - mean) * (y - level) for k, y, w in points) / spread
    slope = min(1.0, max(0.0, slope))
    return max(0.0, level - slope * mean), slope
