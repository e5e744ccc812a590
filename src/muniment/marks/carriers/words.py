"""Words of a western address: their case styles, and which words may stand where.

The carriers of this family share these tables so that they agree on what a word is: none of them looks at anything
that another of them changes. Where a test must not depend on a spelling, it asks for words that no carrier touches
(`context`), or accepts every spelling of a word (`AFTER_STREET`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, Literal, TypeAlias

Style: TypeAlias = Literal["lower", "title", "upper"]
Entry: TypeAlias = tuple[str, str, int]
"""A word in both spellings, and the bit that the spelling at hand shows."""

ORDINALS: Final[Mapping[str, str]] = {
    "first": "1st", "second": "2nd", "third": "3rd", "fourth": "4th", "fifth": "5th", "sixth": "6th",
    "seventh": "7th", "eighth": "8th", "ninth": "9th", "tenth": "10th", "eleventh": "11th", "twelfth": "12th",
}  # fmt: skip
"""Ordinals up to twelve: beyond, a street sign says 21st and nobody writes the word."""

UNITS: Final[Mapping[str, str]] = {
    "apartment": "apt", "suite": "ste", "building": "bldg", "room": "rm", "department": "dept",
}  # fmt: skip
"""Secondary unit designators: USPS Publication 28, appendix C2. Not floor: "Miami FL 33101" is no floor."""

DIRECTIONS: Final = frozenset(
    "n s e w ne nw se sw north south east west northeast northwest southeast southwest".split()
)
AFTER_STREET: Final = frozenset(
    {*UNITS, *UNITS.values(), *ORDINALS, *DIRECTIONS, "unit", "flat", "floor", "fl", "lot", "shop", "level", "po"}
)
"""What may follow the name of a street. So "smith st north" holds a street, and "12 st johns" does not."""
UNSTABLE: Final = frozenset({"and", "unit", *ORDINALS})
"""Words that a carrier writes without letters, or with one: no ground to tell the case of a cell by."""

_ORDINAL = re.compile(r"[0-9]+(?:st|nd|rd|th)", re.IGNORECASE | re.ASCII)
_DIGIT = re.compile(r"[0-9#]")
_WESTERN_END = "\u2e80"


def styles(word: str) -> tuple[str, str, str]:
    """The word in lower, title and upper case."""
    return word, word.capitalize(), word.upper()


def styled(pairs: Mapping[str, str]) -> dict[str, Entry]:
    """Every case style of every full word and abbreviation (with or without a full stop) -> its entry."""
    table: dict[str, Entry] = {}
    for full, short in pairs.items():
        for long, brief in zip(styles(full), styles(short), strict=True):
            table |= {long: (long, brief, 0), brief: (long, brief, 1), f"{brief}.": (long, brief, 1)}
    return table


def western(value: str) -> bool:
    """Whether the cell holds no character of East Asian scripts (there the digits and letters mean other things)."""
    return value.isascii() or max(value) < _WESTERN_END


def has_digit(word: str) -> bool:
    """Whether a digit or a number sign stands in the word."""
    return _DIGIT.search(word) is not None


def is_ordinal(word: str) -> bool:
    """Whether the word is an ordinal in digits, such as 42nd."""
    return _ORDINAL.fullmatch(word) is not None


def style_of(word: str) -> Style | None:
    """The case style of a word of two letters or more; `None` for a mixture (McIntyre) and for a single letter."""
    if len(word) < 2 or not word[0].isalpha() or has_digit(word):
        return None
    if word.islower():
        return "lower"
    if word.isupper():
        return "upper"
    return "title" if word[0].isupper() and word[1:].islower() else None


def context(words: Iterable[str]) -> Style | None:
    """The case that a cell is kept in, told by words that no carrier touches.

    `lower` where one of them has a small letter, `upper` where none has, `None` where there is no such word.
    """
    found: Style | None = None
    for word in words:
        if not word.isalpha():
            word = word.strip(".,")
            if has_digit(word):
                continue
        if len(word) < 2 or word.lower() in UNSTABLE:
            continue
        if word != word.upper():
            return "lower"
        if word != word.lower():
            found = "upper"
    return found
