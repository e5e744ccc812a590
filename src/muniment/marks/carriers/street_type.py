"""`street-type`: "Stanley Street" or "Stanley St".

The word must end the name of a street: it stands last, before a comma, or before a number, a unit or a direction. So
"12 St Johns Road" is marked at Road, never at St, and "The Close" is left alone.

Source of the table: USPS Publication 28, appendix C1; for types that it lacks or that are written otherwise in
Australia (circuit, close, esplanade, grove, parade, promenade, terrace) AS 4590.1. One abbreviation a word; others
(Av, Cr, Ter) are read as erased. Left out are abbreviations that are words or names themselves: Arc (Joan of Arc) and
Xing (a Chinese name). CT is also Connecticut, so Court has a place only where nothing hints at a town before it.
"""

from __future__ import annotations

import re
from typing import Final

from muniment.disclosure import Kind
from muniment.marks.carriers.spelling import Spelled, Spelling
from muniment.marks.carriers.words import AFTER_STREET, has_digit, is_ordinal, styled

TYPES: Final = {
    "alley": "aly", "avenue": "ave", "boulevard": "blvd", "circle": "cir", "circuit": "cct",
    "close": "cl", "court": "ct", "cove": "cv", "crescent": "cres", "drive": "dr",
    "esplanade": "esp", "expressway": "expy", "freeway": "fwy", "garden": "gdn", "gardens": "gdns", "grove": "gr",
    "heights": "hts", "highway": "hwy", "junction": "jct", "lane": "ln", "parade": "pde", "parkway": "pkwy",
    "place": "pl", "plaza": "plz", "promenade": "prom", "ridge": "rdg", "road": "rd", "square": "sq",
    "street": "st", "terrace": "tce", "trail": "trl", "turnpike": "tpke",
}  # fmt: skip
_STYLED: Final = styled(TYPES)
_KEYS: Final = frozenset(_STYLED)
_PLAIN: Final = {word: entry for word, entry in _STYLED.items() if entry[0].lower() != "court"}
"""The words that need no look at the rest of the cell."""
_STREETS: Final = frozenset({*TYPES, *TYPES.values(), "saint"})
_ZIP: Final = re.compile(r"[0-9]{5}")
_NO_NAMES: Final = frozenset({"the", "and"})


def spell(value: str) -> Spelled | None:
    """The last word of the cell that ends the name of a street, spelled out and abbreviated."""
    head, _, last = value.rpartition(" ")
    entry = _PLAIN.get(last)
    if entry is not None and _is_name(head.rpartition(" ")[2]):
        return f"{head} {entry[0]}", f"{head} {entry[1]}", entry[2]
    words = value.split(" ")
    if "," not in value and _KEYS.isdisjoint(words):
        return None
    return _inside(words)


def _inside(words: list[str]) -> Spelled | None:
    """The slot of a cell in which something follows the name of the street."""
    for at in range(len(words) - 1, 0, -1):
        word = words[at]
        comma = "," if word.endswith(",") else ""
        entry = _STYLED.get(word[:-1] if comma else word)
        if entry is None or not _is_name(words[at - 1]) or _may_be_state(entry[0], words, at):
            continue
        if comma or at == len(words) - 1 or _may_follow(words[at + 1]):
            before, after = " ".join(words[:at]), " ".join(["", *words[at + 1 :]])
            return f"{before} {entry[0]}{comma}{after}", f"{before} {entry[1]}{comma}{after}", entry[2]
    return None


def _is_name(word: str) -> bool:
    """Whether the word before can be the name of a street: letters, or an ordinal; not a number, not "the"."""
    if word.isalpha():
        return word.lower() not in _NO_NAMES
    if not word or word.endswith(","):
        return False
    return is_ordinal(word) or (word[0].isalpha() and not has_digit(word))


def _may_be_state(full: str, words: list[str], at: int) -> bool:
    """Whether CT may be Connecticut: behind a comma or another street, or before a five-digit ZIP code."""
    if full.lower() != "court":
        return False
    if at + 1 < len(words) and _ZIP.match(words[at + 1]):
        return True
    return any(word.endswith(",") or word.strip(".").lower() in _STREETS for word in words[:at])


def _may_follow(word: str) -> bool:
    return has_digit(word) or word.strip(",.").lower() in AFTER_STREET


STREET_TYPE: Final = Spelling("street-type", 1, frozenset({Kind.ADDRESS}), spell)
