"""`ordinals`: "First Avenue" or "1st Avenue", in addresses.

The first ordinal of the cell that stands before a word. Its case style must be the one of that word, because "1st" has
kept none of its own. "Twenty first" is left alone. Source: USPS Publication 28, section 235 (numeric street names).
"""

from __future__ import annotations

from typing import Final

from muniment.disclosure import Kind
from muniment.marks.carriers.spelling import Spelled, Spelling
from muniment.marks.carriers.words import ORDINALS, Entry, Style, style_of, western

_TENS: Final = frozenset("twenty thirty forty fifty sixty seventy eighty ninety hundred".split())
_NOT_NEXT: Final = frozenset({"and", "unit"})


def _table() -> dict[tuple[str, Style], Entry]:
    table: dict[tuple[str, Style], Entry] = {}
    for word, digits in ORDINALS.items():
        forms: tuple[tuple[Style, str, str], ...] = (
            ("lower", word, digits),
            ("title", word.capitalize(), digits),
            ("upper", word.upper(), digits.upper()),
        )
        for style, long, brief in forms:
            table |= {(long, style): (long, brief, 0), (brief, style): (long, brief, 1)}
    return table


_ENTRIES: Final = _table()
_KEYS: Final = frozenset(word for word, _ in _ENTRIES)


def spell(value: str) -> Spelled | None:
    """The first ordinal of the cell, as a word and in digits."""
    words = value.split(" ")
    if _KEYS.isdisjoint(words) or not western(value):
        return None
    for at, word in enumerate(words[:-1]):
        if word not in _KEYS or (at and words[at - 1].lower() in _TENS):
            continue
        following = words[at + 1].strip(",.")
        style = style_of(following)
        entry = None if style is None or following.lower() in _NOT_NEXT else _ENTRIES.get((word, style))
        if entry is None:
            return None
        long, brief = list(words), words
        long[at], brief[at] = entry[0], entry[1]
        return " ".join(long), " ".join(brief), entry[2]
    return None


ORDINAL_WORDS: Final = Spelling("ordinals", 4, frozenset({Kind.ADDRESS}), spell)
