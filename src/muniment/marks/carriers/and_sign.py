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
    return None if style is None else _spell(words, "and" if style == "lower" else "AND")


def _spell(words: list[str], word: str) -> Spelled | None:
    inner = words[1:-1]
    signs, spelled = inner.count("&"), inner.count(word)
    if not signs and not spelled:
        return None
    return _with(words, word, "&", word), _with(words, word, "&", "&"), None if signs and spelled else int(signs > 0)


def _with(words: list[str], one: str, other: str, wanted: str) -> str:
    """The cell with both words written as the wanted one; what stands first or last is no joint."""
    return " ".join([words[0], *(wanted if word in (one, other) else word for word in words[1:-1]), words[-1]])


AND_SIGN: Final = Spelling("and-sign", 6, frozenset({Kind.ADDRESS, Kind.TEXT}), spell)
