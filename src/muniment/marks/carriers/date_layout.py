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
from muniment.marks.carriers.spelling import Spelled, Spelling, both

_MINGUO: Final = 1911
"""The year before the first year of the Republic of China."""
_LAST_MINGUO: Final = 200
_YEARS: Final = range(1000, 3000)
_LONGEST: Final = len("西元1991年11月11日")
_MARKED = re.compile(r"([0-9]{1,4})([/.])([0-9]{1,2})([/.])([0-9]{1,4})")
_HAN = re.compile(r"((?:民國|西元)?[0-9]{1,4})年([0-9]{1,2})月([0-9]{1,2})日")


def spell(value: str) -> Spelled | None:
    """The date in the two layouts of its family."""
    length = len(value)
    if length == 10 and value[4] == "-" == value[7]:
        return (value, value.replace("-", ""), 0) if _is_iso(value) else None
    if length == 8 and value.isdigit():
        return (f"{value[:4]}-{value[4:6]}-{value[6:]}", value, 1) if _is_iso(value) else None
    return _parts(value) if length <= _LONGEST else None


def _parts(value: str) -> Spelled | None:
    """Days with separate parts: their leading zeros carry the bit."""
    found = _MARKED.fullmatch(value)
    if found is not None:
        a, mark, b, second_mark, c = found.groups()
        return _marked(a, b, c, mark, value) if mark == second_mark else None
    found = _HAN.fullmatch(value)
    return None if found is None else _han(found[1], found[2], found[3], value)


def _is_iso(value: str) -> bool:
    """Whether it is a day of our era's second or third millennium, in the extended or basic format."""
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return value[0] in "12"


def _marked(a: str, b: str, c: str, mark: str, value: str) -> Spelled | None:
    """Parts between slashes or dots. The year, first or last, stays; day and month may come in either order."""
    if len(c) > 2:
        year, one, two = int(c), int(a), int(b)
        if len(c) != 4 or len(a) > 2 or not (_exists(year, two, one) or _exists(year, one, two)):
            return None
        return both(value, f"{a:0>2}{mark}{b:0>2}{mark}{c}", f"{one}{mark}{two}{mark}{c}")
    month, day = int(b), int(c)
    if not _exists(int(a) if len(a) == 4 else _of_republic(int(a)), month, day):
        return None
    return both(value, f"{a}{mark}{b:0>2}{mark}{c:0>2}", f"{a}{mark}{month}{mark}{day}")


def _han(year: str, month: str, day: str, value: str) -> Spelled | None:
    """Parts behind 年, 月 and 日; a year below 1000 without 西元 counts from the founding of the Republic."""
    digits = year.lstrip("民國西元")
    era = int(digits)
    if year[0] != "西" and (year[0] == "民" or era not in _YEARS):
        era = _of_republic(era)
    if not _exists(era, int(month), int(day)):
        return None
    return both(value, f"{year}年{month:0>2}月{day:0>2}日", f"{year}年{int(month)}月{int(day)}日")


def _of_republic(year: int) -> int:
    return year + _MINGUO if 0 < year <= _LAST_MINGUO else 0


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
