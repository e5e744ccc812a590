"""`code-spacing`: "AB1 2CD" or "AB12CD"; "530 4218" or "5304218".

Two shapes: a full British postcode (an outward code, then a digit and two letters: Royal Mail PAF Programmers' Guide)
and a run of digits in the groups of GROUPS. Both keep every character; only the blanks change.
"""

from __future__ import annotations

import re
from itertools import accumulate
from typing import Final

from muniment.disclosure import Kind
from muniment.marks.carriers.spelling import Spelled, Spelling

GROUPS: Final = {
    6: (3, 3), 7: (3, 4), 8: (4, 4), 9: (3, 3, 3), 10: (3, 3, 4), 11: (3, 4, 4), 12: (4, 4, 4), 16: (4, 4, 4, 4),
}  # fmt: skip
"""Digits -> the groups they are written in."""
_CUTS: Final = {count: tuple(accumulate(groups))[:-1] for count, groups in GROUPS.items()}
_POSTCODE = re.compile(r"[A-Z]{1,2}[0-9][A-Z0-9]?[0-9][A-Z]{2}|[a-z]{1,2}[0-9][a-z0-9]?[0-9][a-z]{2}")
_LONGEST: Final = max(GROUPS) + 3


def spell(value: str) -> Spelled | None:
    """The code without blanks and in groups."""
    if not 5 <= len(value) <= _LONGEST or not value.isascii():
        return None
    closed = value.replace(" ", "")
    if closed.isdigit():
        grouped = _grouped(closed)
    elif _POSTCODE.fullmatch(closed):
        grouped = f"{closed[:-3]} {closed[-3:]}"
    else:
        return None
    if value == closed and grouped:
        return closed, grouped, 0
    return (closed, grouped, 1) if value == grouped else None


def _grouped(digits: str) -> str:
    """The digits in the groups of their number; empty where GROUPS has none."""
    cuts = _CUTS.get(len(digits), ())
    if len(cuts) == 1:  # most codes: two groups
        return f"{digits[: cuts[0]]} {digits[cuts[0] :]}"
    starts, ends = (0, *cuts), (*cuts, len(digits))
    return " ".join([digits[start:end] for start, end in zip(starts, ends, strict=True)]) if cuts else ""


CODE_SPACING: Final = Spelling("code-spacing", 23, frozenset({Kind.CODE}), spell)
