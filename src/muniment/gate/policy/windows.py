"""A count over a sliding window, in 60 buckets that expire whole.

A bucket leaves only once its last millisecond is older than the window: the count is never below that of the exact
window, and above it by what the oldest bucket holds (a sixtieth of the window's time).
"""

from __future__ import annotations

from collections import deque
from typing import Final

BUCKETS: Final = 60


class Sliding:
    """Things that happened within the last `window` ms. Times must not go back; who calls sees to that."""

    __slots__ = ("_buckets", "_total", "width")

    def __init__(self, window: int) -> None:
        self.width = window // BUCKETS
        """Ms of one bucket."""
        self._buckets: deque[list[int]] = deque()
        self._total = 0

    def count(self, now: int) -> int:
        """How many there are at `now`."""
        oldest = now // self.width - BUCKETS
        while self._buckets and self._buckets[0][0] < oldest:
            self._total -= self._buckets.popleft()[1]
        return self._total

    def add(self, now: int, number: int) -> None:
        """`number` more happened at `now`."""
        if not number:
            return
        bucket = now // self.width
        if self._buckets and self._buckets[-1][0] == bucket:
            self._buckets[-1][1] += number
        else:
            self._buckets.append([bucket, number])
        self._total += number

    def below(self, now: int, limit: int) -> int:
        """The first ms at which the count is below `limit` if nothing more happens; 0 if it never will be."""
        left = self.count(now)
        if left < limit:
            return now
        for bucket, number in self._buckets:
            left -= number
            if left < limit:
                return (bucket + BUCKETS + 1) * self.width
        return 0
