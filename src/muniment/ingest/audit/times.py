"""Time stamps of logs -> moments in UTC, or `ValueError`.

Rules
1. A stamp without a zone is nobody's time: the zone must be in the stamp or given by the caller.
2. PostgreSQL writes the zone's abbreviation (log_timezone). UTC, GMT and offsets such as +08 speak for themselves; any
   other must be an abbreviation of the zone that was given. It also tells the two hours apart that a clock shows twice
   a year when it is put back.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final

_STAMP: Final = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.(\d{1,6}))?+ (\S{1,20})", re.ASCII)
_OFFSET: Final = re.compile(r"<?([+-])(\d\d)(?::?(\d\d))?>?", re.ASCII)
_INSTANT: Final = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?+(Z|[+-]\d\d:\d\d)", re.ASCII
)  # FHIR R4B `instant`, which is RFC 3339 with the zone required


def postgres_time(stamp: str, zone: tzinfo | None = None) -> datetime:
    """`2026-11-24 09:00:00.123 CET` as PostgreSQL's csvlog and jsonlog write it."""
    match = _STAMP.fullmatch(stamp)
    if not match:
        raise ValueError("no time stamp of PostgreSQL")
    moment = _moment(match[1].replace(" ", "T"), match[2])
    if match[3] in {"UTC", "GMT", "Z"}:
        return moment.replace(tzinfo=UTC)
    if offset := _OFFSET.fullmatch(match[3]):
        return _utc(moment.replace(tzinfo=_fixed(offset[1], offset[2], offset[3])))
    if zone is None:
        raise ValueError("abbreviation of a time zone that was not named")
    for fold in (0, 1):
        local = moment.replace(tzinfo=zone, fold=fold)
        if local.tzname() == match[3]:
            return _utc(local)
    raise ValueError("time stamp of another time zone than the one named")


def instant(stamp: str) -> datetime:
    """`2026-11-24T09:00:00.123Z` (RFC 3339, the zone required); a leap second counts as the second before it."""
    match = _INSTANT.fullmatch(stamp)
    if not match:
        raise ValueError("no time stamp with a zone")
    moment = _moment(match[1], match[2])
    zone = UTC if match[3] == "Z" else _fixed(match[3][0], match[3][1:3], match[3][4:6])
    return _utc(moment.replace(tzinfo=zone))


def epoch(number: int, per_second: int) -> datetime:
    """Seconds, or fractions of them, since 1970."""
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=number * (1_000_000 // per_second))
    except OverflowError:
        raise ValueError("time out of range") from None


def local_time(stamp: str, layout: str, zone: tzinfo | None) -> datetime:
    """A stamp in a `strptime` layout; its own zone counts before the one given."""
    try:
        moment = datetime.strptime(stamp, layout)  # noqa: DTZ007 - the zone is put in below
    except (ValueError, re.error, OverflowError):
        raise ValueError("time stamp of another layout") from None
    if moment.tzinfo is None and zone is None:
        raise ValueError("time stamp without a zone, and none was named")
    return _utc(moment if moment.tzinfo is not None else moment.replace(tzinfo=zone))


def _moment(seconds: str, fraction: str | None) -> datetime:
    try:
        moment = datetime.fromisoformat(f"{seconds[:-2]}59" if seconds.endswith(":60") else seconds)
    except ValueError:
        raise ValueError("no such date or time") from None
    return moment.replace(microsecond=int((fraction or "")[:6].ljust(6, "0")))


def _fixed(sign: str, hours: str, minutes: str | None) -> timezone:
    offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
    if offset >= timedelta(hours=24):
        raise ValueError("no such time zone")
    return timezone(-offset if sign == "-" else offset)


def _utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("time out of range") from None
