"""The floor: no count of persons below it leaves, and nothing from which one could be worked out.

Rules
1. A count from 1 to below the floor is told as "fewer than FLOOR". None is told as none: that nobody is singled out is
   what a report is for.
2. A share whose count is below the floor is told as the share that the floor would be.
3. Inputs of fewer rows than the floor are refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from muniment.errors import InputError

FLOOR: Final = 10
"""Persons below which a count is not told."""


@dataclass(frozen=True, slots=True)
class Count:
    """A count of persons as it may leave: `at_least` is the count, or 1 where it is `hidden` (1 to floor - 1)."""

    at_least: int
    hidden: bool = False
    floor: int = FLOOR

    @classmethod
    def of(cls, count: int, floor: int = FLOOR) -> Count:
        """The count as it may leave (rule 1)."""
        small = 0 < count < floor
        return cls(1 if small else int(count), small, floor)

    @property
    def most(self) -> int:
        """What it is at most."""
        return self.floor - 1 if self.hidden else self.at_least

    def share(self, of: int) -> float:
        """The share of so many (rule 2); 0 of none."""
        return 0.0 if of <= 0 else (self.floor if self.hidden else self.at_least) / of

    def to_json(self) -> int | str:
        """The number, or "<10"."""
        return f"<{self.floor}" if self.hidden else self.at_least

    def __str__(self) -> str:
        return f"fewer than {self.floor}" if self.hidden else f"{self.at_least:,}"


def check_rows(rows: int, what: str, floor: int = FLOOR) -> None:
    """Refuse an input of fewer rows than the floor (`InputError`)."""
    if rows < floor:
        raise InputError(
            f"{what}: fewer than {floor} rows; what such a table gives away is told about persons, not about it",
            hint="choose more rows",
        )
