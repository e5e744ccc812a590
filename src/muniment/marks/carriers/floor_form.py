"""`floor-form`: "3樓" or "3F" behind a house number.

三樓 is a third spelling: it has a place and reads as erased. Basements (B1, 地下1樓), ranges (3樓-5樓) and numbers
that may belong to what stands before (12號之35樓) have none.
"""

from __future__ import annotations

import re
from typing import Final

from muniment.disclosure import Kind
from muniment.marks.carriers.hannumerals import HAN_VALUES
from muniment.marks.carriers.spelling import Spelled, Spelling

_SLOT = re.compile(
    r"(?<![\d一二三四五六七八九十樓下之~～至到、A-Za-z-])(\d{1,3}|[一二三四五六七八九十]{1,3})([樓Ff])"
    r"(?![A-Za-z\d])(?![-~～至到之、][\d一二三四五六七八九十]*[樓Ff])"
)

_SIGNS: Final = frozenset("樓Ff")


def spell(value: str) -> Spelled | None:
    """The cell with every floor as 樓, and with every floor as F."""
    if value.isascii() or "號" not in value or _SIGNS.isdisjoint(value):
        return None
    first = second = value
    for found in reversed(list(_SLOT.finditer(value))):
        number = _number(found[1])
        if number:
            start, end = found.span()
            first = f"{first[:start]}{number}樓{first[end:]}"
            second = f"{second[:start]}{number}F{second[end:]}"
    if first == second:
        return None
    # 3f is read like 3F; f elsewhere in the cell is nobody's business
    ones = value.replace("f", "F") == second.replace("f", "F")
    return first, second, 0 if value == first else 1 if ones else None


def _number(shown: str) -> str:
    """The floor in digits; empty where the numerals are no number."""
    return shown if shown.isdigit() else str(HAN_VALUES.get(shown, ""))


FLOOR_FORM: Final = Spelling("floor-form", 12, frozenset({Kind.ADDRESS}), spell)
