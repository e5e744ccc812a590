"""`date-layout`: the same day in two layouts of the same family, in columns that hold dates as text.

| as 0              | as 1            | which                                                       |
| ----------------- | --------------- | ----------------------------------------------------------- |
| 1915-11-11        | 19151111        | ISO 8601, extended and basic format                         |
| 1991/01/02        | 1991/1/2        | with and without leading zeros; dots likewise; day or year  |
|                   |                 | may come first, the order is never touched                  |
| 民國80年01月02日  | 民國80年1月2日  | likewise; years of the Republic, of our era, without an era |

Only dates that exist have a place: 1850-21-01 has none. Where no part is below ten, 1991/11/12 has one spelling only.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from muniment.disclosure import Kind
from muniment.marks.carriers.spelling import Spelled, Spelling

_MINGUO: Final = 1911
"""The year before the first year of the Republic of China."""
_YEARS: Final = range(1000, 3000)
_PARTS = re.compile(
    r"(?P<lead>)(?P<a>[0-9]{1,4})(?P<p>[/.])(?P<b>[0-9]{1,2})(?P<q>(?P=p))(?P<c>[0-9]{1,4})(?P<end>)"
    r"|(?P<lead2>(?:民國|西元)?)(?P<a2>[0-9]{1,4})(?P<p2>年)(?P<b2>[0-9]{1,2})(?P<q2>月)(?P<c2>[0-9]{1,2})(?P<end2>日)"
)


def spell(value: str) -> Spelled | None:
    """The date in the two layouts of its family."""
    length = len(value)
    if length == 10 and value[4] == "-" == value[7]:
        return (value, value.replace("-", ""), 0) if _is_iso(value) else None
    if length == 8 and value.isdigit():
        return (f"{value[:4]}-{value[4:6]}-{value[6:]}", value, 1) if _is_iso(value) else None
    if length > 14:
        return None
    found = _PARTS.fullmatch(value)
    if found is None:
        return None
    lead, a, p, b, q, c, end = (found.groups()[:7] if found["p"] else found.groups()[7:])
    return _padded(lead, (a, b, c), (p, q, end), value)


def _is_iso(value: str) -> bool:
    """Whether it is a day of our era's second or third millennium, in the extended or basic format."""
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return value[0] in "12"


def _padded(lead: str, parts: tuple[str, str, str], marks: tuple[str, str, str], value: str) -> Spelled | None:
    """With and without leading zeros: of month and day, wherever they stand."""
    year_last = len(parts[2]) > 2
    if not _is_date(parts, year_last):
        return None
    year = 2 if year_last else 0
    a, b, c = (part if i == year else part.zfill(2) for i, part in enumerate(parts))
    first = f"{lead}{a}{marks[0]}{b}{marks[1]}{c}{marks[2]}"
    a, b, c = (part if i == year else part.lstrip("0") for i, part in enumerate(parts))
    second = f"{lead}{a}{marks[0]}{b}{marks[1]}{c}{marks[2]}"
    if first == second:
        return None
    return first, second, 0 if value == first else 1 if value == second else None


def _is_date(parts: tuple[str, str, str], year_last: bool) -> bool:
    """Whether the parts are a day that exists; with the year last, day and month may come in either order."""
    a, b, c = map(int, parts)
    if year_last:
        return len(parts[2]) == 4 and len(parts[0]) <= 2 and (_exists(c, b, a) or _exists(c, a, b))
    if len(parts[0]) == 4:
        return _exists(a, b, c)
    return 0 < a <= 200 and _exists(a + _MINGUO, b, c)


def _exists(year: int, month: int, day: int) -> bool:
    if year not in _YEARS or not 1 <= month <= 12 or not 1 <= day <= 31:
        return False
    if day <= 28:
        return True
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


DATE_LAYOUT: Final = Spelling("date-layout", 21, frozenset({Kind.DATE}), spell)
