"""Dates in the layouts of registers: read the day, and write another day in the same layout.

ISO, without separators, with strokes or dots, day first, and the calendar of the Republic of China (民國); what follows
the date (a time of day) is kept apart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

_LAYOUTS = (
    re.compile(r"(?P<year>\d{4})(?P<a>[-/.]?)(?P<month>\d{2})(?P<b>[-/.]?)(?P<day>\d{2})(?P<rest>.*)", re.S),
    re.compile(r"(?P<year>\d{4})(?P<a>[-/.年])(?P<month>\d{1,2})(?P<b>[-/.月])(?P<day>\d{1,2})(?P<rest>.*)", re.S),
    re.compile(r"(?P<day>\d{1,2})(?P<a>[-/.])(?P<month>\d{1,2})(?P<b>[-/.])(?P<year>\d{4})(?P<rest>.*)", re.S),
    re.compile(r"(?P<a>民國)(?P<year>\d{1,3})(?P<b>年)(?P<month>\d{1,2})(?P<c>月)(?P<day>\d{1,2})(?P<rest>.*)", re.S),
)
_REPUBLIC = 1911


@dataclass(frozen=True, slots=True)
class Written:
    """A date as it was written: the day (proleptic ordinal), what follows it, and its layout."""

    day: int
    rest: str
    text: str
    layout: int

    def at(self, day: int, rest: str | None = None) -> str:
        """Another day (and time of day) in the same layout."""
        match = _LAYOUTS[self.layout].fullmatch(self.text)
        assert match is not None
        moved = date.fromordinal(day)
        year = moved.year - (_REPUBLIC if self.layout == len(_LAYOUTS) - 1 else 0)
        new = {"year": str(year), "month": str(moved.month), "day": str(moved.day)}
        if rest is not None:
            new["rest"] = rest
        padded = self.layout == 0 or _padded(match["month"], match["day"], between=match["b"])
        parts = sorted(match.groupdict(), key=match.start)
        return "".join(_part(part, match[part], new, padded) for part in parts)


def _padded(month: str, day: str, *, between: str) -> bool:
    """Whether a layout pads: seen from a zero or a single digit; else it does, unless characters stand between."""
    if "0" in (month[0], day[0]):
        return True
    return len(month) == len(day) == 2 and between not in ("年", "月")


def _part(name: str, old: str, new: dict[str, str], padded: bool) -> str:
    """One part of a date text: replaced where there is a new value, padded where the old layout pads."""
    value = new.get(name, old)
    return value.zfill(2) if padded and name in ("month", "day") else value


def read_date(text: str | None) -> Written | None:
    """Read a date at the head of a text, in one of the known layouts; `None` where there is none."""
    if text is None:
        return None
    for number, layout in enumerate(_LAYOUTS):
        match = layout.fullmatch(text)
        if match is None:
            continue
        year = int(match["year"]) + (_REPUBLIC if number == len(_LAYOUTS) - 1 else 0)
        try:
            return Written(date(year, int(match["month"]), int(match["day"])).toordinal(), match["rest"], text, number)
        except ValueError:
            continue
    return None
