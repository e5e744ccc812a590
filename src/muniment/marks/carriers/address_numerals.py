"""`address-numerals`: "中山路二段" or "中山路2段".

Only the section of a road, street or boulevard: parcels (大安段二小段) and names that hold a number (三民路) are
left alone. Full-width digits are read like half-width ones.
"""

from __future__ import annotations

import re
from typing import Final

from muniment.disclosure import Kind
from muniment.marks.carriers.hannumerals import HAN_NUMERALS, HAN_VALUES
from muniment.marks.carriers.spelling import Spelled, Spelling

_SLOT = re.compile(r"(?<=[路街道])([0-9０-９]{1,2}|[一二三四五六七八九十]{1,3})段")


def spell(value: str) -> Spelled | None:
    """The cell with the first section number in Chinese numerals, and in digits."""
    if "段" not in value:
        return None
    found = _SLOT.search(value)
    if found is None:
        return None
    shown = found[1]
    digits = shown.isdigit()
    number = int(shown) if digits and int(shown[0]) else HAN_VALUES.get(shown)
    if number is None:
        return None
    before, after = value[: found.start()], value[found.end(1) :]
    return f"{before}{HAN_NUMERALS[number]}{after}", f"{before}{number}{after}", int(digits)


ADDRESS_NUMERALS: Final = Spelling("address-numerals", 14, frozenset({Kind.ADDRESS}), spell)
