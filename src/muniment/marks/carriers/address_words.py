"""`address-words`: Saint or St, Mount or Mt, Fort or Ft at the start of a place name inside an address.

Only where it cannot be anything else: at the start of the cell or right behind a house number, before a word that is
a name. "12 St Georges Road" has a place; "Smith St North" (a street), "St Street", "6 ft wide" have none.
North/N and the like are left alone: in "North Street" the word is the name.
Source of the table: USPS Publication 28, appendix C1 and section 223 (spelling of city names).
"""

from __future__ import annotations

import re
from typing import Final

from muniment.disclosure import Kind
from muniment.marks.carriers.spelling import Spelled, Spelling
from muniment.marks.carriers.street_type import TYPES
from muniment.marks.carriers.words import AFTER_STREET, has_digit, styled, western

WORDS: Final = {"saint": "st", "mount": "mt", "fort": "ft"}
_STYLED: Final = styled(WORDS)
_KEYS: Final = frozenset(_STYLED)
_NOT_NEXT: Final = frozenset({*AFTER_STREET, *TYPES, *TYPES.values(), "and"})
_HOUSE_NUMBER = re.compile(r"[uU]?[0-9][0-9/\-]*[A-Za-z]?,?")


def spell(value: str) -> Spelled | None:
    """The first such word of the cell, spelled out and abbreviated."""
    words = value.split(" ")
    if _KEYS.isdisjoint(words) or not western(value):
        return None
    for at, word in enumerate(words[:-1]):
        entry = _STYLED.get(word)
        if entry is None or not _starts_name(words, at, entry[0]):
            continue
        long, brief = list(words), words
        long[at], brief[at] = entry[0], entry[1]
        return " ".join(long), " ".join(brief), entry[2]
    return None


def _starts_name(words: list[str], at: int, full: str) -> bool:
    """Whether the word stands where a place name starts, and a name follows."""
    # "6 ft": behind a number it is a length
    if at and (full.lower() == "fort" or not _HOUSE_NUMBER.fullmatch(words[at - 1])):
        return False
    following = words[at + 1]
    if not following[:1].isalpha() or has_digit(following):
        return False
    return following.strip(",.").lower() not in _NOT_NEXT


ADDRESS_WORDS: Final = Spelling("address-words", 2, frozenset({Kind.ADDRESS}), spell)
