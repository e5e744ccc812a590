"""`honorifics`: "Doctor Chen" or "Dr Chen" at the start of a text. Never in a column of names.

Only before a word with a capital: in running prose ("doctor was called") the word is no title. Titles that are names
of other things as well (General Hospital, Major Road) and Mister, which nobody writes, are not in the table.
"""

from __future__ import annotations

from typing import Final

from muniment.disclosure import Kind
from muniment.marks.carriers.spelling import Spelled, Spelling
from muniment.marks.carriers.words import styled

TITLES: Final = {
    "doctor": "dr", "professor": "prof", "reverend": "rev", "captain": "capt", "colonel": "col",
    "lieutenant": "lt", "sergeant": "sgt",
}  # fmt: skip
_STYLED: Final = {word: entry for word, entry in styled(TITLES).items() if word[0].isupper()}


def spell(value: str) -> Spelled | None:
    """The title at the start of the cell, spelled out and abbreviated."""
    word, _, rest = value.partition(" ")
    entry = _STYLED.get(word)
    if entry is None or not rest[:1].isupper() or rest.partition(" ")[0].lower() == "and":
        return None
    return f"{entry[0]} {rest}", f"{entry[1]} {rest}", entry[2]


HONORIFICS: Final = Spelling("honorifics", 5, frozenset({Kind.TEXT}), spell)
