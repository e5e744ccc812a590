"""`and-sign`: "Smith and Sons" or "Smith & Sons".

All occurrences in a cell are written alike; a cell that shows both reads as erased. The sign keeps no case, so the
other words of the cell must tell it: AND where they are all capitals, and where they are not.
"""

from __future__ import annotations

from typing import Final

from muniment.disclosure import Kind
from muniment.marks.carriers.spelling import Spelled, Spelling
from muniment.marks.carriers.words import context


def spell(value: str) -> Spelled | None:
    """Every "and" or "&" between blanks, as a word and as a sign."""
    if " & " not in value and " and " not in value and " AND " not in value:
        return None
    words = value.split(" ")
    style = context(words)
    if style is None:
        return None
    word = "and" if style == "lower" else "AND"
    inner = words[1:-1]
    signs, spelled = inner.count("&"), inner.count(word)
    if not signs and not spelled:
        return None
    either = (word, "&")
    long = [words[0], *(word if w in either else w for w in inner), words[-1]]
    brief = [words[0], *("&" if w in either else w for w in inner), words[-1]]
    return " ".join(long), " ".join(brief), None if signs and spelled else int(signs > 0)


AND_SIGN: Final = Spelling("and-sign", 6, frozenset({Kind.ADDRESS, Kind.TEXT}), spell)
