"""`address-dash`: "12之3號" or "12-3號", "12號之3" or "12號-3", "5樓之2" or "5樓-2".

之 and the dash are exchanged where they stand; 12之3號 is never turned into 12號之3, which is another door in some
counties. A dash that could mean a range stays: "3-5號" (a higher number of the same parity, the same side of the
street) and "5樓-6樓" have no place, whichever sign they are written with.
"""

from __future__ import annotations

import re
from typing import Final

from muniment.disclosure import Kind
from muniment.marks.carriers.spelling import Spelled, Spelling, both

_DIGITS: Final = 9
"""Digits of a door's number at most: no house has more."""
_SLOT = re.compile(
    r"(?<![\d之-])(\d+)[之-](\d+)(?=號)"
    r"|(?<![\d之-])(\d+)號[之-](\d+)(?![\d號樓Ff])"
    r"|(?:(?<=樓)|(?<=[\d一二三四五六七八九十][Ff]))[之-]\d+(?![\d號樓Ff])"
)


def spell(value: str) -> Spelled | None:
    """The cell with every such sign as 之, and with every one as a dash."""
    if value.isascii() or ("之" not in value and "-" not in value) or "號" not in value:
        return None
    first = second = value
    for found in _SLOT.finditer(value):
        at = _sign(found)
        if at is not None:
            first = f"{first[:at]}之{first[at + 1 :]}"
            second = f"{second[:at]}-{second[at + 1 :]}"
    return both(value, first, second)


def _sign(found: re.Match[str]) -> int | None:
    """Where the sign stands; `None` where it may be a range."""
    before_door, low, behind_door, high = found.groups()
    if before_door is not None:
        return None if _may_be_range(before_door, low) else found.start() + len(before_door)
    if behind_door is not None:
        return None if _may_be_range(behind_door, high) else found.start() + len(behind_door) + 1
    return found.start()


def _may_be_range(low: str, high: str) -> bool:
    if len(low) > _DIGITS or len(high) > _DIGITS:
        return True
    difference = int(high) - int(low)
    return difference > 0 and difference % 2 == 0


ADDRESS_DASH: Final = Spelling("address-dash", 11, frozenset({Kind.ADDRESS}), spell)
