"""Shares of persons with their intervals, and counts that hold one another, as they may leave.

Rules
1. Counts of persons of which one group holds the next are told so that no difference of two is from 1 to below the
   floor: the smaller one is then told as the larger, which overstates a risk by fewer than the floor.
2. A share of fewer than the floor is not told at all; its parts follow the rules of `floor`.
3. Intervals are of 95 %: of the share in the population from which these persons would be a sample. Over all rows the
   share itself is exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from muniment.exposure.floor import FLOOR, Count

Z: Final = 1.959963984540054
"""Of a normal interval of 95 %."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and the ends of its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Share:
    """The share `told` of `of` persons or attempts; `None` where these are fewer than the floor."""

    told: Interval | None
    of: Count

    @classmethod
    def of_counts(cls, hits: float, tries: int, floor: int = FLOOR) -> Share:
        """Share of hits (or of the hits to be expected) with the interval of Wilson (1927)."""
        if tries < floor:
            return cls(None, Count.of(tries, floor))
        share = kept_share(hits, tries, floor)
        return cls(wilson(share, tries), Count.of(tries, floor))

    @property
    def value(self) -> float:
        """The share, 0 where it is not told."""
        return 0.0 if self.told is None else self.told.value


def wilson(share: float, tries: int) -> Interval:
    """The interval of a share of so many tries (Wilson 1927); of none it is 0 to 1."""
    if tries < 1:
        return Interval(0.0, 0.0, 1.0)
    square = Z * Z / tries
    middle = (share + square / 2) / (1 + square)
    reach = Z / (1 + square) * math.sqrt(share * (1 - share) / tries + square / (4 * tries))
    return Interval(share, min(max(0.0, middle - reach), share), max(min(1.0, middle + reach), share))


def kept_share(hits: float, tries: int, floor: int = FLOOR) -> float:
    """The share as it may leave: hits or misses from 1 to below the floor are not told apart."""
    if hits <= 0:
        return 0.0
    if hits < floor:
        return min(floor / tries, 1.0)
    return 1.0 if tries - hits < floor else hits / tries


def nested(counts: Sequence[int], floor: int = FLOOR) -> tuple[Count, ...]:
    """Counts of groups each of which holds the next, largest first, as they may leave (rule 1)."""
    return tuple(Count.of(count, floor) for count in closed_up(counts, floor))


def closed_up(counts: Sequence[int], floor: int = FLOOR) -> list[int]:
    """Such counts with each that is nearer to the one before than the floor told as that one; none stays none."""
    told: list[int] = []
    for count in counts:
        near = bool(told) and count > 0 and 0 < told[-1] - count < floor
        told.append(told[-1] if near else count)
    return told


def advantage(reached: Share, without: Share | None) -> Interval:
    """What was reached beyond what is reached without the release, (p - c) / (1 - c), at least 0 (Giomi et al. 2023).

    The ends join the far ends of both intervals, so that the interval is rather too wide.
    """
    if reached.told is None:
        return Interval(0.0, 0.0, 1.0)
    control = Interval(0.0, 0.0, 0.0) if without is None or without.told is None else without.told
    pairs = ((reached.told.value, control.value), (reached.told.low, control.high), (reached.told.high, control.low))
    return Interval(*(_beyond(share, base) for share, base in pairs))


def _beyond(share: float, base: float) -> float:
    return 0.0 if base >= 1.0 else max(0.0, (share - base) / (1.0 - base))
