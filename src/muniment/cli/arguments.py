"""The texts that a person types, made into values: lists of columns, pairs, times, keys, small files."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import date, datetime, timedelta, tzinfo

from muniment.errors import InputError


def columns(typed: str) -> tuple[str, ...]:
    """Column names with commas between; a name with a comma in it stands in double quotes, as in CSV."""
    names = tuple(name.strip() for name in next(csv.reader([typed], skipinitialspace=True), []))
    if not names or not all(names):
        raise InputError(f"{typed!r}: expected column names with commas between, such as family_name,birth_date")
    return names


def pairs(option: str, typed: Sequence[str] | None) -> dict[str, str]:
    """`LEFT=RIGHT` texts as a mapping; the last `=` parts them, since a found file may name its columns anyhow."""
    found: dict[str, str] = {}
    for text in typed or ():
        left, mark, right = text.rpartition("=")
        if not mark or not left or not right:
            raise InputError(f"{option} {text!r}: expected two names with = between")
        if left in found:
            raise InputError(f"{option} {text!r}: {left!r} is given twice")
        found[left] = right
    return found


def moment(typed: str, *, start: bool = False) -> datetime:
    """A date, or date and time, of ISO 8601. Without an offset it is local time.

    A date alone is the end of its day, or with `start` its beginning.
    """
    try:
        if len(typed) == len("2026-01-31"):
            day = date.fromisoformat(typed) + timedelta(days=0 if start else 1)
            return datetime(day.year, day.month, day.day).astimezone()
        return datetime.fromisoformat(typed).astimezone()
    except (ValueError, OverflowError) as error:
        raise InputError(f"{typed!r}: expected a date such as 2026-01-31 or 2026-01-31T14:05+08:00") from error


def day(option: str, typed: str) -> date:
    """A date of ISO 8601."""
    try:
        return date.fromisoformat(typed)
    except ValueError as error:
        raise InputError(f"{option} {typed!r}: expected a date such as 2026-01-31") from error


def zone(typed: str) -> tzinfo:
    """A time zone: an offset such as +08:00, or a name of the IANA data base such as Asia/Taipei."""
    from zoneinfo import ZoneInfo

    try:
        offset = datetime.strptime(typed, "%z").tzinfo if typed[:1] in "+-" else None
        return offset or ZoneInfo(typed)
    except (ValueError, KeyError, OSError) as error:  # of zoneinfo: a name that is none, unknown, or that of a folder
        raise InputError(f"--zone {typed!r}: expected +08:00, or a name such as Asia/Taipei") from error


def public_key(typed: str) -> bytes:
    """An Ed25519 public key: 64 hexadecimal digits."""
    try:
        key = bytes.fromhex(typed)
    except ValueError:
        key = b""
    if len(key) != 32:
        hint = "muniment keys list shows the public key of a workspace"
        raise InputError("--public-key: expected 64 hexadecimal digits", hint=hint)
    return key
