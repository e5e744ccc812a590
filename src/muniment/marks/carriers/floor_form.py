"""`floor-form`: "3樓" or "3F" behind a house number.

三樓 is a third spelling: it has a place and reads as erased. Basements (B1, 地下1樓), ranges (3樓-5樓) and numbers that may
belong to what stands before (12號之35樓) have none.
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


def spell(value: str) -> Spelled | None:
    """The cell with every floor as 樓, and with every floor as F."""
    if value.isascii() or "號" not in value or ("樓" not in value and "F" not in value and "f" not in value):
        return None
    first, second, shown, end = "", "", set(), 0
    for found in _SLOT.finditer(value):
        number, sign = found.groups()
        if not number.isdigit():
            if number not in HAN_VALUES:
                continue
            number, sign = str(HAN_VALUES[number]), ""
        between = value[end : found.start()]
        first += f"{between}{number}樓"
        second += f"{between}{number}F"
        shown.add(sign)
        end = found.end()
    if not end:
        return None
    rest = value[end:]
    return first + rest, second + rest, 0 if shown == {"樓"} else 1 if shown <= {"F", "f"} else None


FLOOR_FORM: Final = Spelling("floor-form", 12, frozenset({Kind.ADDRESS}), spell)
