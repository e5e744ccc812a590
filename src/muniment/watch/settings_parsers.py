"""From a TOML value of watch.toml to what watch uses, or `ValueError`; what was expected stands in the table."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from math import isfinite
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from muniment.limits import NAME_CHARACTERS

Parser: TypeAlias = Callable[[object], Any]
WINDOWS: Final = ("minute", "hour", "day", "month", "lifetime")
"""Windows of the gate's budgets, as gate.toml names them."""
MOST: Final = 10**9
"""The largest count: more persons than any register has."""


def text(value: object) -> str:
    """A text of one line."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value) > NAME_CHARACTERS * 5:
        raise ValueError
    return value.strip()


def optional_text(value: object) -> str:
    """A text of one line, or an empty one."""
    return "" if value == "" else text(value)


def texts(value: object) -> tuple[str, ...]:
    """A list of texts, one at least, each once."""
    if not isinstance(value, list) or not value:
        raise ValueError
    found = tuple(map(text, value))
    if len(set(found)) != len(found):
        raise ValueError
    return found


def texts_of(*choices: str) -> Parser:
    """A list of some of these texts, one at least."""

    def parse(value: object) -> tuple[str, ...]:
        found = texts(value)
        if not set(found) <= set(choices):
            raise ValueError
        return found

    return parse


def switch(value: object) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise ValueError
    return value


def choice(*choices: str) -> Parser:
    """One of some texts."""

    def parse(value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            raise ValueError
        return value

    return parse


def whole(least: int, most: int) -> Parser:
    """A whole number within bounds."""

    def parse(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError
        return value

    return parse


def number(least: float, most: float) -> Parser:
    """A number within bounds; NaN lies in none."""

    def parse(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise ValueError
        return float(value)

    return parse


def weight(value: object) -> float:
    """A weight: a number from 0 to 1000."""
    found = number(0, 1_000)(value)
    if not isfinite(found):
        raise ValueError
    return float(found)


def persons(value: object) -> Mapping[str, int]:
    """Limits by window, one at least."""
    if not isinstance(value, dict) or not value or not value.keys() <= set(WINDOWS):
        raise ValueError
    return MappingProxyType({name: whole(0, MOST)(one) for name, one in value.items()})


def time_zone(value: object) -> str:
    """A name of the IANA data base; whether there is such a zone is for whoever reads the clock."""
    found = text(value)
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2}", found):
        raise ValueError
    return found
