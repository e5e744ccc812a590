"""`phone-layout`: the same number in two layouts of the same family.

| as 0             | as 1             | which                                             |
| ---------------- | ---------------- | ------------------------------------------------- |
| (02)2345-6789    | 02-2345-6789     | area code in brackets, or before a dash (Taiwan)  |
| (02)23456789     | 02-23456789      | the same, number in one piece                     |
| (02) 9999 9999   | 02 9999 9999     | area code in brackets, or before a blank          |
| (555) 123-4567   | 555-123-4567     | North America                                     |
| 0912-345-678     | 0912345678       | mobile, Taiwan                                    |
| 0412 345 678     | 0412-345-678     | mobile, Australia                                 |
| +886 2 2345 6789 | +886-2-2345-6789 | international                                     |

No digit is added, dropped or moved, and an extension (#12, 轉12, ext 12) stays as it is. Other layouts have no place:
which country's groups a bare run of digits has cannot be told from it.
"""

from __future__ import annotations

import re
from typing import Final

from muniment.disclosure import Kind
from muniment.marks.carriers.spelling import Spelled, Spelling

_EXTENSION = r"(?P<x>(?: ?(?:#|轉|分機|ext\.? ?|x)[0-9]{1,6})?)"
_AREA = r"0[1-8][0-9]{0,2}|01[0-9]{3}"
_NUMBER = r"[0-9]{3,4}-[0-9]{4}|[0-9]{5,8}"


def _layout(first: str, second: str) -> tuple[tuple[re.Pattern[str], int], tuple[re.Pattern[str], int]]:
    return (re.compile(first + _EXTENSION), 0), (re.compile(second + _EXTENSION), 1)


_BRACKETS, _DASHES = _layout(rf"\((?P<a>{_AREA})\)(?P<n>{_NUMBER})", rf"(?P<a>{_AREA})-(?P<n>{_NUMBER})")
_SPACED, _BLANKS = _layout(
    rf"\((?P<a>{_AREA})\) (?P<n>{_NUMBER}|[0-9]{{3,4}} [0-9]{{4}})",
    rf"(?P<a>{_AREA}) (?P<n>{_NUMBER}|[0-9]{{3,4}} [0-9]{{4}})",
)
_AMERICA, _AMERICA_DASHES = _layout(
    r"\((?P<a>[2-9][0-9]{2})\) (?P<n>[0-9]{3}-[0-9]{4})", r"(?P<a>[2-9][0-9]{2})-(?P<n>[0-9]{3}-[0-9]{4})"
)
_TAIWAN, _TAIWAN_CLOSED = _layout(
    r"(?P<a>09[0-9]{2})-(?P<b>[0-9]{3})-(?P<c>[0-9]{3})", r"(?P<a>09[0-9]{2})(?P<b>[0-9]{3})(?P<c>[0-9]{3})"
)
_AUSTRALIA, _AUSTRALIA_DASHES = _layout(
    r"(?P<a>0[45][0-9]{2}) (?P<b>[0-9]{3}) (?P<c>[0-9]{3})", r"(?P<a>0[45][0-9]{2})-(?P<b>[0-9]{3})-(?P<c>[0-9]{3})"
)
_WORLD, _WORLD_DASHES = _layout(
    r"(?P<n>\+[0-9]{1,3}(?: [0-9]{1,8}){1,5})", r"(?P<n>\+[0-9]{1,3}(?:-[0-9]{1,8}){1,5})"
)

_Row = tuple[tuple[re.Pattern[str], int], str, str]
_TABLE: Final[dict[str, tuple[_Row, ...]]] = {
    "(": (
        (_BRACKETS, "({a}){n}{x}", "{a}-{n}{x}"),
        (_SPACED, "({a}) {n}{x}", "{a} {n}{x}"),
        (_AMERICA, "({a}) {n}{x}", "{a}-{n}{x}"),
    ),
    "0": (
        (_DASHES, "({a}){n}{x}", "{a}-{n}{x}"),
        (_TAIWAN, "{a}-{b}-{c}{x}", "{a}{b}{c}{x}"),
        (_TAIWAN_CLOSED, "{a}-{b}-{c}{x}", "{a}{b}{c}{x}"),
        (_BLANKS, "({a}) {n}{x}", "{a} {n}{x}"),
        (_AUSTRALIA, "{a} {b} {c}{x}", "{a}-{b}-{c}{x}"),
        (_AUSTRALIA_DASHES, "{a} {b} {c}{x}", "{a}-{b}-{c}{x}"),
    ),
    "1": ((_AMERICA_DASHES, "({a}) {n}{x}", "{a}-{n}{x}"),),
}
"""First character ("1" stands for any other digit) -> layouts to try, with both layouts of the number they match."""


def spell(value: str) -> Spelled | None:
    """The number in the two layouts of its family."""
    lead = value[:1]
    if lead == "+":
        return _world(value)
    for (pattern, bit), first, second in _TABLE.get(lead if lead in ("(", "0") else "1" if lead.isdigit() else "", ()):
        found = pattern.fullmatch(value)
        if found is not None:
            parts = found.groupdict()
            return (value, second.format_map(parts), 0) if bit == 0 else (first.format_map(parts), value, 1)
    return None


def _world(value: str) -> Spelled | None:
    for pattern, bit in (_WORLD, _WORLD_DASHES):
        found = pattern.fullmatch(value)
        if found is not None:
            number, extension = found["n"], found["x"]
            return number.replace("-", " ") + extension, number.replace(" ", "-") + extension, bit
    return None


PHONE_LAYOUT: Final = Spelling("phone-layout", 20, frozenset({Kind.PHONE}), spell)
