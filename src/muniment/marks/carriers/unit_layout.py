"""`unit-layout`: "Unit 3/12 Smith St" or "U3/12 Smith St"; "Apartment 8" or "Apt 8".

The first designator of the cell with a number behind it. "U3" does not say whether it was Unit or UNIT; the other
words of the cell do, and where there are none the cell has no place.
Source: AS 4590.1 (unit types) for U; USPS Publication 28, appendix C2 for the abbreviations.
"""

from __future__ import annotations

import re
from typing import Final

from muniment.disclosure import Kind
from muniment.marks.carriers.spelling import Spelled, Spelling
from muniment.marks.carriers.words import UNITS, context, styled, western

_STYLED: Final = styled(UNITS)
_KEYS: Final = frozenset({*_STYLED, "unit", "Unit", "UNIT"})
_UNIT: Final = {"lower": "Unit", "upper": "UNIT"}
_NUMBER: Final = r"[0-9](?![0-9]*(?:[sS][tT]|[nNrR][dD]|[tT][hH])(?![A-Za-z0-9]))"
"""The first digit of a number that is no ordinal: "Floor 3rd" is left to `ordinals`."""
_WORDS: Final = "|".join(sorted((word.replace(".", r"\.") for word in _STYLED), key=len, reverse=True))
_SLOT = re.compile(
    rf"(?<![^ ])(?:(?P<unit>[uU](?:nit |NIT )?)(?={_NUMBER})"
    rf"|(?P<word>{_WORDS}) (?=#?{_NUMBER}|[A-Za-z](?![^ ,/])))"
)
_SHORT_UNIT = re.compile(r"(?<![^ ])[uU][0-9]")


def spell(value: str) -> Spelled | None:
    """The first unit designator of the cell, spelled out and abbreviated."""
    if _KEYS.isdisjoint(value.split(" ")) and not _has_short_unit(value):
        return None
    found = _SLOT.search(value)
    if found is None or not western(value):
        return None
    before, after = value[: found.start()], value[found.end() :]
    word = found["word"]
    if word is not None:
        long, brief, bit = _STYLED[word]
        return f"{before}{long} {after}", f"{before}{brief} {after}", bit
    return _unit(before, found["unit"], after)


def _has_short_unit(value: str) -> bool:
    lead = value[:1] in ("u", "U") or " u" in value or " U" in value
    return lead and _SHORT_UNIT.search(value) is not None


def _unit(before: str, word: str, after: str) -> Spelled | None:
    """Unit and U: the short form has lost its case style, so the rest of the cell must tell it."""
    style = context(f"{before}{after}".replace(",", " ").split(" "))
    if style is None:
        return None
    long = "unit" if word[0] == "u" else _UNIT[style]
    if len(word) > 1 and word != f"{long} ":
        return None
    return f"{before}{long} {after}", f"{before}{word[0]}{after}", int(len(word) == 1)


UNIT_LAYOUT: Final = Spelling("unit-layout", 3, frozenset({Kind.ADDRESS}), spell)
