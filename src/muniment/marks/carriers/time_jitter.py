"""`time-jitter`: time stamps moved within a tolerance in seconds that the owner declared for the column.

Only the time of day moves, and never across midnight: the date, fractions of a second, the zone and the layout stay.
Cells without seconds have no place. The order of events closer than the tolerance may change: declare less than the
gap that matters (an admission and its discharge).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final

from muniment.disclosure import Harm, Kind
from muniment.errors import InputError
from muniment.marks.carriers.lattice import Lattice

_DAY: Final = 86_400
_LARGEST: Final = _DAY // 2
_STAMP = re.compile(
    r"(?P<year>[0-9]{4})(?P<d>[-/.]?)(?P<month>[0-9]{2})(?P=d)(?P<day>[0-9]{2})[T ]"
    r"(?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2})"
    r"(?P<rest>(?:[.,][0-9]{1,9})?(?:Z| ?UTC| ?[+-][0-9]{2}(?::?[0-9]{2})?)?)"
)
_TIME = re.compile(r"(?<![0-9:])([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?![0-9:])")
_HALVES = re.compile(r"[ap]\.?m|上午|下午", re.IGNORECASE)
_CHARACTERS: Final = 64
_TWO: Final = tuple(f"{number:02}" for number in range(60))


@dataclass(frozen=True, slots=True)
class TimeJitter:
    """A tolerance carrier for one column of time stamps; it satisfies `protocol.Carrier`.

    Raises:
        InputError: the tolerance is not a whole number of seconds from 1 to half a day.
    """

    tolerance: Decimal
    name: str = field(default="time-jitter", init=False)
    number: int = field(default=31, init=False)
    harm: Harm = field(default=Harm.TOLERANCE, init=False)
    kinds: frozenset[Kind] = field(default=frozenset({Kind.TIMESTAMP}), init=False)
    _lattice: Lattice = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.tolerance.is_finite() or not 1 <= self.tolerance <= _LARGEST or self.tolerance % 1:
            raise InputError(
                f"tolerance {self.tolerance} cannot be used: expected a whole number of seconds from 1 to {_LARGEST:,}"
            )
        object.__setattr__(self, "_lattice", Lattice.within(int(self.tolerance)))

    def forms(self, value: str, phase: int = 0) -> tuple[str, str] | None:
        """The stamp moved to the points for 0 and 1, or `None` (no stamp with seconds, or too near to midnight)."""
        found = _STAMP.fullmatch(value) if len(value) <= _CHARACTERS else None
        if found is None or not _exists(found):
            return None
        second = _seconds(found["time"].split(":"))
        if second is None:
            return None
        first, last = self._lattice.pair(second, phase)
        if first < 0 or last >= _DAY:
            return None
        head, tail = value[: found.start("time")], found["rest"]
        return f"{head}{_clock(first)}{tail}", f"{head}{_clock(last)}{tail}"

    def read(self, value: str, phase: int = 0) -> int | None:
        """The bit of the point nearest to the time of day, in whatever layout the date is; `None` without seconds."""
        if len(value) > _CHARACTERS:
            return None
        found = _TIME.search(value)
        second = None if found is None else _seconds(found.groups())
        if second is None or _HALVES.search(value):
            return None
        return self._lattice.bit(second, phase)

    def normal(self, value: str) -> str:
        """The value itself: a moved time has no normal form."""
        return value

    def same(self, first: str, second: str) -> bool:
        """Whether two stamps differ in the time of day alone, by at most the tolerance."""
        if first == second:
            return True
        one, other = _STAMP.fullmatch(first), _STAMP.fullmatch(second)
        if one is None or other is None or first[: one.start("time")] != second[: other.start("time")]:
            return False
        a, b = _seconds(one["time"].split(":")), _seconds(other["time"].split(":"))
        return a is not None and b is not None and one["rest"] == other["rest"] and abs(a - b) <= self.tolerance


def _seconds(parts: list[str] | tuple[str | None, ...]) -> int | None:
    hour, minute, second = (int(part or 0) for part in parts)
    return hour * 3600 + minute * 60 + second if hour < 24 and minute < 60 and second < 60 else None


def _clock(second: int) -> str:
    return f"{_TWO[second // 3600]}:{_TWO[second // 60 % 60]}:{_TWO[second % 60]}"


def _exists(found: re.Match[str]) -> bool:
    try:
        date(int(found["year"]), int(found["month"]), int(found["day"]))
    except ValueError:
        return False
    return True
