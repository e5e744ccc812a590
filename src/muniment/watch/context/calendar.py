"""Local days, minutes of the day, and what a day is for an office.

Rules
1. A day is a number: local days since 1970-01-01, which was a Thursday. It begins at the first moment that the clock on
   the wall shows its date.
2. Any moment has a day. Clocks that jump far out of the years that a calendar knows get the offset of its last year.
3. Declared mass work goes before rest: an election is held on a Sunday.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from muniment.errors import InputError
from muniment.watch.context.tables import DAY_MS
from muniment.watch.days import DayKind
from muniment.watch.reads import NOBODY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.watch.context.tables import Calendar

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST: Final = date(1970, 1, 1)
_THURSDAY: Final = 3
_QUARTER_MS: Final = 900_000
"""Since 1972 every zone changes its offset at a full quarter of an hour, so that one offset holds within it."""
_EDGE_DAYS: Final = 2_000_000
_EDGE_MS: Final = _EDGE_DAYS * DAY_MS
"""Beyond this (the year 7445) a moment is a clock's fault; offsets are asked within it only."""
_MINUTE_MS: Final = 60_000


def zone_of(name: str) -> tzinfo:
    """The time zone of an IANA name; `InputError` where this computer knows none of that name."""
    if name == "UTC":
        return UTC  # also where no time zone data is installed
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError(
            f"no time zone {name[:60]!r} is known here; expected a name such as Europe/Berlin or Asia/Taipei",
            hint="install the time zone data of the system (package tzdata), or write UTC",
        ) from error


def local_days(calendar: Calendar, moments: NDArray[np.int64]) -> NDArray[np.int64]:
    """The local day of each moment (ms UTC), shape (n,). Raises as `zone_of`."""
    return _local(calendar, moments) // DAY_MS


def minutes(calendar: Calendar, moments: NDArray[np.int64]) -> NDArray[np.int16]:
    """The local minute of the day, 0 to 1439, of each moment (ms UTC), shape (n,)."""
    return (_local(calendar, moments) % DAY_MS // _MINUTE_MS).astype(np.int16)


def day_start(calendar: Calendar, day: int) -> int:
    """When a local day begins, in ms UTC; where the clocks jump over midnight, the moment of the jump."""
    within = max(-_EDGE_DAYS // 4, min(day, _EDGE_DAYS))
    midnight = datetime.combine(_FIRST + timedelta(days=within), datetime.min.time(), zone_of(calendar.zone))
    return (midnight - _EPOCH) // timedelta(milliseconds=1) + (day - within) * DAY_MS


def day_of(text: str) -> int:
    """The day of a date in ISO form, such as 2025-03-31; `ValueError` where it is none."""
    return (date.fromisoformat(text) - _FIRST).days


def date_of(day: int) -> str:
    """The date of a day in ISO form."""
    return (_FIRST + timedelta(days=max(-_EDGE_DAYS // 4, min(day, _EDGE_DAYS)))).isoformat()


def day_kinds(calendar: Calendar, day: int, offices: NDArray[np.int32]) -> NDArray[np.uint8]:
    """`DayKind` of a day for each office (codes; `NOBODY`: what holds for all), shape (m,)."""
    known = {int(office): _kind(calendar, day, int(office)) for office in np.unique(offices)}
    codes = np.array(list(known), offices.dtype)
    return np.array(list(known.values()), np.uint8)[np.searchsorted(codes, offices)]


def workdays_between(calendar: Calendar, first: int, last: int, office: int = NOBODY) -> int:
    """How many days from `first` to before `last` are no rest for an office."""
    return sum(_kind(calendar, day, office) != DayKind.REST for day in range(first, last))


def _kind(calendar: Calendar, day: int, office: int) -> DayKind:
    if day in calendar.busy or (day, office) in calendar.own_busy:
        return DayKind.BUSY
    if office in calendar.shifts or (day, office) in calendar.own_workdays:
        return DayKind.WORKDAY
    if day in calendar.holidays or (day, office) in calendar.own_holidays:
        return DayKind.REST
    weekend = (day + _THURSDAY) % 7 in calendar.weekend
    return DayKind.REST if weekend and day not in calendar.workdays else DayKind.WORKDAY


def _local(calendar: Calendar, moments: NDArray[np.int64]) -> NDArray[np.int64]:
    """Moments by the clock on the wall: ms since 1970-01-01 00:00 local time."""
    zone = zone_of(calendar.zone)
    within = np.clip(moments, -2 * 10**12, _EDGE_MS)
    quarters, place = np.unique(within // _QUARTER_MS, return_inverse=True)
    offsets = np.fromiter((_offset(zone, quarter) for quarter in quarters.tolist()), np.int64, len(quarters))
    return np.clip(moments, -(2**62), 2**62) + offsets[place]


@lru_cache(maxsize=65_536)
def _offset(zone: tzinfo, quarter: int) -> int:
    """What the clock on the wall is ahead of UTC, in ms, for a quarter of an hour since 1970."""
    there = (_EPOCH + timedelta(milliseconds=quarter * _QUARTER_MS)).astimezone(zone)
    return (there.utcoffset() or timedelta()) // timedelta(milliseconds=1)
