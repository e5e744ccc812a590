"""Budgets as a clerk with a notebook would keep them: every reception is written down, nothing is ever folded together.

`Notebook` follows the rules at the head of `muniment.gate.policy.budgets`, with windows that are exact to the
millisecond; the real ones may count more (buckets expire whole), never less.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from muniment.gate.policy.budgets import NONE
from muniment.gate.policy.rules import LIFETIME, WINDOWS

HOUR = 3_600_000
WINDOWS_OF_ALL = (*WINDOWS, LIFETIME)
DAY = 24 * HOUR


@dataclass
class Notebook:
    """`receptions`: (time, person). `charges`: (time, persons counted), by window."""

    caseload_days: int
    receptions: list[tuple[int, int]] = field(default_factory=list)
    charges: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: {name: [] for name in WINDOWS_OF_ALL})

    def counts(self, window: str, person: int, now: int) -> bool:
        """Whether receiving `person` at `now` counts."""
        if window == LIFETIME:
            return all(known != person for _, known in self.receptions)
        length = max(WINDOWS[window], self.caseload_days * DAY, HOUR)
        return all(known != person or time // HOUR < (now - length) // HOUR for time, known in self.receptions)

    def used(self, window: str, now: int) -> int:
        """Persons counted in the exact window that ends at `now`."""
        length = WINDOWS.get(window, now + 1)
        return sum(number for time, number in self.charges[window] if time > now - length)

    def receive(self, now: int, rows: Sequence[Iterable[int]], anonymous: Sequence[int], free: bool = True) -> None:
        """Rows that left at `now`."""
        before = list(self.receptions)
        for row, nameless in zip(rows, anonymous, strict=True):
            fresh = {one for one in row if one != NONE} - {person for time, person in self.receptions[len(before) :]}
            again = 0 if free else sum(any(known == one for _, known in before) for one in fresh)
            for window, charges in self.charges.items():
                charges.append((now, nameless + again + sum(self.counts(window, one, now) for one in fresh)))
            self.receptions += [(now, one) for one in fresh]
