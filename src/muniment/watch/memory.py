"""Which account read which record lately: the pairs of the days that are closed, in a sorted array.

It follows from the ledger alone, so it is never stored: whoever restores a watch lets it read those days again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.watch.days import MEMORY_DAYS

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SWEEP_DAYS: Final = 30
"""Days between two sweeps of pairs that are too old: a third of the memory may be stale, at most."""


def pairs(account: NDArray[np.int32], record: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """One number a pair, shape (n,); pairs of one account lie together."""
    return account.astype(np.uint64) << np.uint64(32) | record.astype(np.uint64)


class PairMemory:
    """Pairs and the last day on which each was read."""

    def __init__(self) -> None:
        self._pairs = np.zeros(0, np.uint64)
        self._days = np.zeros(0, np.int64)
        self._swept = 0

    def __len__(self) -> int:
        return len(self._pairs)

    def __repr__(self) -> str:
        return f"PairMemory({len(self)} pairs)"

    def known(self, asked: NDArray[np.uint64], day: int) -> NDArray[np.bool_]:
        """Whether each pair was read within `MEMORY_DAYS` before `day`, shape (n,)."""
        if not len(self._pairs):
            return np.zeros(len(asked), bool)
        place = np.minimum(np.searchsorted(self._pairs, asked), len(self._pairs) - 1)
        found: NDArray[np.bool_] = (self._pairs[place] == asked) & (self._days[place] >= day - MEMORY_DAYS)
        return found

    def add(self, distinct: NDArray[np.uint64], day: int) -> None:
        """Take the pairs of one day in; ascending, each once."""
        if not len(distinct):
            return
        place = np.searchsorted(self._pairs, distinct)
        inside = np.minimum(place, max(0, len(self._pairs) - 1))
        old = self._pairs[inside] == distinct if len(self._pairs) else np.zeros(len(distinct), bool)
        # A day that comes again, after a clock went back, leaves the later one standing.
        self._days[inside[old]] = np.maximum(self._days[inside[old]], day)
        self._pairs = np.insert(self._pairs, place[~old], distinct[~old])
        self._days = np.insert(self._days, place[~old], day)
        if day - self._swept >= _SWEEP_DAYS:
            kept = self._days >= day - MEMORY_DAYS
            self._pairs, self._days, self._swept = self._pairs[kept], self._days[kept], day
