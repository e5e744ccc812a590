"""`trailing-zeros`: "12.5" or "12.50", for decimals kept as text.

Only cells with a decimal point: an integer stays an integer. Not together with `dither` on one column, which writes
the last digit itself (the table of carriers refuses the pair).
"""

from __future__ import annotations

from typing import Final

from muniment.disclosure import Kind
from muniment.marks.carriers.spelling import Spelled, Spelling


def spell(value: str) -> Spelled | None:
    """The decimal without a trailing zero and with one."""
    whole, point, places = value.partition(".")
    if not point or not places.isdigit() or not value.isascii():
        return None
    digits = whole[1:] if whole[:1] == "-" else whole
    if not digits.isdigit() or (digits[0] == "0" and len(digits) > 1):
        return None
    least = places.rstrip("0") or "0"
    if len(places) > len(least) + 1:
        return None
    return f"{whole}.{least}", f"{whole}.{least}0", len(places) - len(least)


TRAILING_ZEROS: Final = Spelling("trailing-zeros", 24, frozenset({Kind.NUMBER}), spell)
