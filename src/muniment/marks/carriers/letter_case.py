"""`letter-case`: the whole cell in small letters or in capitals, for codes and addresses whose owner says so.

A cell in mixed case has no place: its own case could not be given back. Cells whose letters do not return from the
other case (German sharp s, dotless i) have none either, nor have cells with East Asian text, nor words for "missing".
"""

from __future__ import annotations

from typing import Final

from muniment.disclosure import Kind
from muniment.marks.carriers.spelling import Spelled, Spelling
from muniment.marks.carriers.words import western

_MISSING: Final = frozenset({"null", "none", "nan", "n/a", "na", "nil"})


def spell(value: str) -> Spelled | None:
    """The cell in small letters and in capitals."""
    if value.islower():
        small, capitals, bit = value, value.upper(), 0
        if capitals.lower() != small:
            return None
    elif value.isupper():
        small, capitals, bit = value.lower(), value, 1
        if small.upper() != capitals:
            return None
    else:
        return None
    if small in _MISSING or not western(value) or not (small.islower() and capitals.isupper()):
        return None
    return small, capitals, bit


LETTER_CASE: Final = Spelling("letter-case", 22, frozenset({Kind.ADDRESS, Kind.CODE}), spell)
