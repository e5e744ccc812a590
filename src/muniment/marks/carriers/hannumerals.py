"""Numbers up to 99 in Chinese numerals: what floors and sections of roads are counted with."""

from __future__ import annotations

from typing import Final

_DIGITS: Final = "一二三四五六七八九"


def _spelled(number: int) -> str:
    tens, ones = divmod(number, 10)
    lead = "" if not tens else "十" if tens == 1 else f"{_DIGITS[tens - 1]}十"
    return lead + (_DIGITS[ones - 1] if ones else "")


HAN_NUMERALS: Final = {number: _spelled(number) for number in range(1, 100)}
"""1-99 -> 一 ... 九十九."""
HAN_VALUES: Final = {numeral: number for number, numeral in HAN_NUMERALS.items()}
"""一 ... 九十九 -> 1-99."""
