"""From a TOML value to what a program uses: parsers that settings files share, and a key as their tables have it.

A parser returns the value or raises `ValueError`; what was expected stands in the table of keys.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from muniment.config.settings import REQUIRED
from muniment.limits import NAME_CHARACTERS

Parser: TypeAlias = Callable[[object], Any]
MOST: Final = 10**9
"""The largest count of persons in a setting: more than any register has."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key: the tables it may stand in, its name, what it takes, what it means, and how it is read."""

    tables: tuple[str, ...]
    name: str
    expected: str
    english: str
    chinese: str
    parse: Parser = field(repr=False)
    default: Any = REQUIRED


def text(value: object) -> str:
    """A text of one line."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value) > NAME_CHARACTERS * 5:
        raise ValueError
    return value.strip()


def optional_text(value: object) -> str:
    """A text of one line, or an empty one."""
    return "" if value == "" else text(value)


def texts(value: object) -> tuple[str, ...]:
    """A list of texts, each once."""
    if not isinstance(value, list):
        raise ValueError
    found = tuple(map(text, value))
    if len(set(found)) != len(found):
        raise ValueError
    return found


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


def choices_of(*choices: str) -> Parser:
    """A list of some of these texts, one at least."""

    def parse(value: object) -> tuple[str, ...]:
        found = texts(value)
        if not found or not set(found) <= set(choices):
            raise ValueError
        return found

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


def time_zone(value: object) -> str:
    """A name of the IANA data base; whether there is such a zone is for whoever reads the clock."""
    found = text(value)
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2}", found):
        raise ValueError
    return found
