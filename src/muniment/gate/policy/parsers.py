"""From a TOML value of gate.toml to what the gate uses, or `ValueError`; what was expected stands in the table.

`None` means that a limit is lifted where a table below set one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from muniment.config.values import MOST, choices_of, text, texts, whole
from muniment.gate.policy.rules import LABELS, LIFETIME, WINDOWS, Glass, Hours

NO_LIMIT: Final = "none"
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN: Final = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")
_MIDNIGHT: Final = 1_440


def text_set(value: object) -> frozenset[str]:
    """The same as a set."""
    return frozenset(texts(value))


def limit(value: object) -> int | None:
    """A whole number, or `none`."""
    return None if value == NO_LIMIT else int(whole(0, MOST)(value))


def persons(value: object) -> Mapping[str, int | None]:
    """Limits by window."""
    if not isinstance(value, dict) or not value.keys() <= {*WINDOWS, LIFETIME}:
        raise ValueError
    return MappingProxyType({name: limit(one) for name, one in value.items()})


def columns(value: object) -> Mapping[str, frozenset[str]] | None:
    """Column names by register, or `all`."""
    if value == "all":
        return None
    if not isinstance(value, dict):
        raise ValueError
    return MappingProxyType({text(register): text_set(names) for register, names in value.items()})


def hours(value: object) -> Hours | None:
    """`{days = ["mon"], spans = ["08:00-18:00"]}`, or `always`. A span over midnight becomes two."""
    if value == "always":
        return None
    if not isinstance(value, dict) or value.keys() != {"days", "spans"}:
        raise ValueError
    days = choices_of(*DAYS)(value["days"])
    spans = tuple(part for span in texts(value["spans"]) for part in _span(span))
    if not spans:
        raise ValueError
    return Hours(frozenset(map(DAYS.index, days)), spans)


def _span(span: str) -> tuple[tuple[int, int], ...]:
    match = _SPAN.fullmatch(span)
    if match is None:
        raise ValueError
    start, end = int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])
    if max(start, end) > _MIDNIGHT or start == end:
        raise ValueError
    parts = ((start, end),) if start < end else ((start, _MIDNIGHT), (0, end))
    return tuple(part for part in parts if part[0] < part[1])


def require(value: object) -> frozenset[str]:
    """Labels that must be declared; an empty list is none."""
    found = text_set(value)
    if not found <= set(LABELS):
        raise ValueError
    return found


def glass(value: object) -> Glass | None:
    """`{persons = 20, minutes = 60}`, or `never`."""
    if value == "never":
        return None
    if not isinstance(value, dict) or value.keys() != {"persons", "minutes"}:
        raise ValueError
    return Glass(whole(1, MOST)(value["persons"]), whole(1, 1_440)(value["minutes"]))


def public_key(value: object) -> str:
    """64 hex digits."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9a-f]{64}", value):
        raise ValueError
    return value


def address(value: object) -> str:
    """`host:port`, with an IPv6 host in brackets, or the path of a unix socket (it has a slash)."""
    found = text(value)
    if "/" in found:
        return found
    host, colon, port = found.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not host or (":" in host and not bracketed) or not port.isascii() or not port.isdigit():
        raise ValueError
    if not 0 < int(port) < 65_536:
        raise ValueError
    return found


def addresses(value: object) -> tuple[str, ...]:
    """A list of addresses, one at least."""
    found = tuple(map(address, texts(value)))
    if not found:
        raise ValueError
    return found


def optional_address(value: object) -> str:
    """An address, or an empty text."""
    return "" if value == "" else address(value)


def conninfo(value: object) -> str:
    """A libpq connection string; one with a password in it is refused: gate.toml is not encrypted."""
    found = text(value)
    if found.startswith(("postgres://", "postgresql://")):
        parts = urlsplit(found)
        if parts.password is not None or "password" in parts.query.lower():
            raise ValueError
    elif re.search(r"(?:^|\s)(?:ssl)?password\s*=", found, re.IGNORECASE):
        raise ValueError
    return found


def table(value: object) -> str:
    """`schema.table`, or the table alone; names in double quotes as in SQL."""
    found = text(value)
    if not re.fullmatch(r'(?:"[^"]+"|[^."\s]+)(?:\.(?:"[^"]+"|[^."\s]+))?', found):
        raise ValueError
    return found
