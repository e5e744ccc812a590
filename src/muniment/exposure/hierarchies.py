"""Hierarchies: how a value is told less exactly, level by level, up to "*".

A rule says it for any text (`Dates` of a date: its month, its year, its decade), so that a plan can be kept and used on
values that nobody has seen yet; `hierarchy` works it out for the values of one column.

Rules
1. A hierarchy is a tree: values that are one at a level are one at every level above. What is no tree is refused.
2. NULL stays NULL, and is a value of its own, up to the last level, where everything is "*".
3. A text that a rule cannot read stays as it is on level 0 and is "?" above it: never more exact than its neighbours.
4. Loss of a cell: (leaves below what is told - 1) / (leaves of the hierarchy - 1): 0 untouched, 1 for "*" and for what
   is suppressed (Iyengar 2002). Granularity is 1 less the mean over all cells. Leaves are the values of the column, and
   those of the table where the hierarchy is one.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol

import numpy as np

from muniment.errors import InputError
from muniment.exposure.extract import Coded

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOP: Final = "*"
OTHER: Final = "?"
Label = str | None


class Rule(Protocol):
    """How texts are told less exactly. `levels` names what lies between the value and "*", most exact first."""

    kind: ClassVar[str]

    @property
    def levels(self) -> tuple[str, ...]:
        """Names of the levels, as many as `ancestors` gives texts."""

    def ancestors(self, text: str) -> tuple[str, ...] | None:
        """The text on each level; `None` where the rule cannot read it."""

    def to_json(self) -> dict[str, Any]:
        """The rule's settings, for `rule_from_json`."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Hierarchy:
    """A rule worked out for a column of v values. Level 0 is the value, the last is "*".

    `levels`: their names. For each level: `maps`, the code on it of each value, uint32, shape (v,); `labels`, the text
    of each code on it; `losses`, the loss of each code on it (rule 4), float64. `unread`: values that the rule could
    not read, bool, shape (v,).
    """

    name: str
    levels: tuple[str, ...]
    maps: tuple[NDArray[np.uint32], ...]
    labels: tuple[tuple[Label, ...], ...]
    losses: tuple[NDArray[np.float64], ...]
    unread: NDArray[np.bool_]

    @property
    def height(self) -> int:
        """How many levels there are, the value and "*" included."""
        return len(self.levels)

    def level(self, name: str) -> int:
        """The number of a level by its name; `InputError` lists what there is."""
        if name not in self.levels:
            raise InputError(f"column {self.name!r} has no level {name!r}; its levels are {', '.join(self.levels)}")
        return self.levels.index(name)


def hierarchy(column: Coded, rule: Rule) -> Hierarchy:
    """A rule worked out for a column that was read with its labels.

    Raises:
        InputError: the column has no labels, or what the rule says of its values is no tree (rule 1).
    """
    if len(column.labels) != column.size:
        raise InputError(f"column {column.name!r} was read without its labels, which hierarchies need")
    told = [(None,) * len(rule.levels) if label is None else rule.ancestors(label) for label in column.labels]
    unread = np.fromiter((one is None for one in told), np.bool_, column.size)
    chains: list[Sequence[Label]] = [one or (OTHER,) * len(rule.levels) for one in told]
    beyond = _leaves_beyond(rule, column.labels)
    texts = [list(column.labels), *([chain[level] for chain in chains] for level in range(len(rule.levels)))]
    texts.append([TOP] * column.size)
    maps, labels = zip(*map(_numbered, texts), strict=True)
    _check_tree(column.name, ("value", *rule.levels, TOP), maps)
    losses = tuple(_losses(level, maps[level], labels[level], beyond) for level in range(len(maps)))
    return Hierarchy(column.name, ("value", *rule.levels, TOP), maps, labels, losses, unread)


def hierarchies(columns: Sequence[Coded], rules: Mapping[str, Rule]) -> tuple[Hierarchy, ...]:
    """One for each column, in their order; a column without a rule gets the one that suits its values (`suited`)."""
    return tuple(hierarchy(column, rules.get(column.name) or suited(column)) for column in columns)


def _numbered(texts: list[Label]) -> tuple[NDArray[np.uint32], tuple[Label, ...]]:
    numbers: dict[Label, int] = {}
    codes = np.fromiter((numbers.setdefault(text, len(numbers)) for text in texts), np.uint32, len(texts))
    return codes, tuple(numbers)


def _check_tree(name: str, levels: Sequence[str], maps: Sequence[NDArray[np.uint32]]) -> None:
    for level in range(len(maps) - 1):
        below, above = maps[level], maps[level + 1]
        parent = np.zeros(int(below.max(initial=0)) + 1, np.uint32)
        parent[below] = above
        torn = int((parent[below] != above).sum())
        if torn:
            raise InputError(
                f"the hierarchy of column {name!r} is no tree: what is one on level {levels[level]!r} is told apart on "
                f"the less exact level {levels[level + 1]!r}",
                hint="give each value of a level one parent only",
            )


def _leaves_beyond(rule: Rule, labels: Sequence[Label]) -> list[tuple[str, ...]]:
    """Chains, leaf first, of a table's values that the column has not."""
    if not isinstance(rule, Table):
        return []
    present = set(labels)
    return [(text, *chain) for text, chain in rule.parents.items() if text not in present]


def _losses(
    level: int, codes: NDArray[np.uint32], labels: Sequence[Label], beyond: Sequence[Sequence[str]]
) -> NDArray[np.float64]:
    leaves = np.bincount(codes, minlength=len(labels)).astype(np.float64)
    numbers = {label: number for number, label in enumerate(labels)}
    for chain in beyond:
        number = numbers.get(chain[level] if level < len(chain) else TOP)
        if number is not None:
            leaves[number] += 1
    whole = len(codes) + len(beyond)
    return (leaves - 1) / (whole - 1) if whole > 1 else np.full(len(labels), float(level > 0))


# --- built-in rules --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Whole:
    """The value, or nothing."""

    kind: ClassVar[str] = "whole"

    @property
    def levels(self) -> tuple[str, ...]:
        """None between the value and "*"."""
        return ()

    def ancestors(self, text: str) -> tuple[str, ...] | None:
        """Nothing: every text is read."""
        return ()

    def to_json(self) -> dict[str, Any]:
        """No settings."""
        return {}


@dataclass(frozen=True, slots=True)
class Bands:
    """Numbers by bands of these widths, from multiples of the width; `top` and above are one band on every level.

    Each width is a multiple of the one before (`InputError`): otherwise bands would overlap and be no tree.
    """

    kind: ClassVar[str] = "bands"
    widths: tuple[float, ...] = (5, 10, 20)
    top: float | None = None

    def __post_init__(self) -> None:
        pairs = zip((0, *self.widths), self.widths, strict=False)
        if not self.widths or any(wide <= narrow or (narrow and wide % narrow) for narrow, wide in pairs):
            shown = ", ".join(f"{width:g}" for width in self.widths)
            raise InputError(f"bands of {shown}: expected widths above 0, each a multiple of the one before")

    @property
    def levels(self) -> tuple[str, ...]:
        """By width: "bands of 5"."""
        return tuple(f"bands of {width:g}" for width in self.widths)

    def ancestors(self, text: str) -> tuple[str, ...] | None:
        """The bands of a number."""
        number = _number(text)
        if number is None:
            return None
        if self.top is not None and number >= self.top:
            return (f"{self.top:g} or more",) * len(self.widths)
        return tuple(self._band(number, width) for width in self.widths)

    def _band(self, number: float, width: float) -> str:
        low = number // width * width
        high = low + width
        if self.top is not None and low < self.top < high:
            high = self.top
        whole = float(width).is_integer() and float(high).is_integer()
        return f"{low:.0f} to {high - 1:.0f}" if whole else f"{low:g} to below {high:g}"

    def to_json(self) -> dict[str, Any]:
        """Widths and top."""
        return {"widths": list(self.widths), "top": self.top}


def ages() -> Bands:
    """Ages by 5, 10 and 20 years, with 90 and above as one (as the US HIPAA safe harbour has them)."""
    return Bands((5, 10, 20), top=90)


@dataclass(frozen=True, slots=True)
class Dates:
    """Dates by month, year and decade; with `time`, moments by day first.

    Read are 1987-05-03, 1987/5/3, 19870503, a time behind a blank or T, and years of the Republic of China: 76/05/03,
    0760503, 民國76年5月3日. Told is the Gregorian calendar.
    """

    kind: ClassVar[str] = "dates"
    time: bool = False

    @property
    def levels(self) -> tuple[str, ...]:
        """Month, year, decade."""
        return ("day", "month", "year", "decade") if self.time else ("month", "year", "decade")

    def ancestors(self, text: str) -> tuple[str, ...] | None:
        """What a date is in, most exact first."""
        day = _date(text)
        if day is None:
            return None
        decade = day.year // 10 * 10
        chain = (f"{day.year:04}-{day.month:02}", f"{day.year:04}", f"{decade} to {decade + 9}")
        return (day.isoformat(), *chain) if self.time else chain

    def to_json(self) -> dict[str, Any]:
        """Whether a time of day is expected."""
        return {"time": self.time}


@dataclass(frozen=True, slots=True)
class TaiwanAddresses:
    """Addresses of Taiwan by road (else village), township and county, with 臺 for 台 and half-width digits.

    Village (里, 村) and road do not nest, so a road is told without its villages.
    """

    kind: ClassVar[str] = "taiwan addresses"

    @property
    def levels(self) -> tuple[str, ...]:
        """Road, township, county."""
        return ("road", "township", "county")

    def ancestors(self, text: str) -> tuple[str, ...] | None:
        """Its road, township and county."""
        found = _TAIWAN.match(unicodedata.normalize("NFKC", text).replace("台", "臺").replace(" ", ""))
        if found is None:
            return None
        county, township = found["county"], found["county"] + (found["township"] or "")
        return township + (found["road"] or found["village"] or ""), township, county

    def to_json(self) -> dict[str, Any]:
        """No settings."""
        return {}


_TAIWAN: Final = re.compile(
    r"\d{0,6}(?P<county>[\u4e00-\u9fff]{2}[縣市])"
    # Four townships have a character in their name that others end with.
    r"(?P<township>[前平左]鎮區|新市區|[^鄉鎮市區\d]{1,3}[鄉鎮市區])?"
    r"(?P<village>[^\d里村路街]{1,4}[里村])?(?:[\d一二三四五六七八九十]+鄰)?"
    r"(?P<road>[^\d路街]{1,8}(?:大道|路|街)(?:[\d一二三四五六七八九十]+段)?)?"
)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Addresses with commas, from house to country: the last `parts` parts, then one less each level."""

    kind: ClassVar[str] = "addresses"
    parts: int = 3

    def __post_init__(self) -> None:
        if not 1 <= self.parts <= 9:
            raise InputError(f"addresses of {self.parts} parts: expected 1 to 9")

    @property
    def levels(self) -> tuple[str, ...]:
        """By how many parts are left."""
        return tuple(f"last {count}" for count in range(self.parts, 0, -1))

    def ancestors(self, text: str) -> tuple[str, ...] | None:
        """The last parts of an address."""
        parts = [part.strip() for part in unicodedata.normalize("NFKC", text).split(",") if part.strip()]
        return tuple(", ".join(parts[-count:]) for count in range(self.parts, 0, -1)) if parts else None

    def to_json(self) -> dict[str, Any]:
        """How many parts."""
        return {"parts": self.parts}


@dataclass(frozen=True, slots=True)
class Codes:
    """Codes whose beginning is the coarser code (ICD-10, post codes, ISCO): the first `keep` characters of them."""

    kind: ClassVar[str] = "codes"
    keep: tuple[int, ...] = (3, 1)

    def __post_init__(self) -> None:
        if not self.keep or self.keep[-1] < 1 or list(self.keep) != sorted(set(self.keep), reverse=True):
            raise InputError(f"codes by their first {self.keep} characters: expected falling lengths above 0")

    @property
    def levels(self) -> tuple[str, ...]:
        """By length."""
        return tuple(f"first {length}" for length in self.keep)

    def ancestors(self, text: str) -> tuple[str, ...] | None:
        """The beginnings of a code."""
        return tuple(text[:length] + TOP for length in self.keep) if text else None

    def to_json(self) -> dict[str, Any]:
        """Lengths."""
        return {"keep": list(self.keep)}


@dataclass(frozen=True, slots=True, repr=False)
class Table:
    """A hierarchy of one's own: `parents` has the texts of each value on each level of `names` ("*" left out)."""

    kind: ClassVar[str] = "table"
    parents: Mapping[str, tuple[str, ...]]
    names: tuple[str, ...]

    @property
    def levels(self) -> tuple[str, ...]:
        """As the table names them."""
        return self.names

    def ancestors(self, text: str) -> tuple[str, ...] | None:
        """As the table has it; a value that it has not is not read."""
        return self.parents.get(text)

    def to_json(self) -> dict[str, Any]:
        """The whole table: it comes from a file about values, not from rows about persons."""
        return {"names": list(self.names), "parents": {text: list(chain) for text, chain in self.parents.items()}}


# --- own hierarchies -------------------------------------------------------------------------------------------


def table_from_csv(lines: Iterable[str], source: str) -> Table:
    """A hierarchy from a CSV file: a value and what it is on each level, a line each, by commas or semicolons.

    A first line that begins with "value" names the levels. A last level that is "*" everywhere may be there or not.

    Raises:
        InputError: nothing in it, lines of unequal length, a value twice, or no tree; with `source` and the line.
    """
    rows = _cells(lines, source)
    named: tuple[str, ...] | None = None
    if rows and rows[0][1][0].lower() == "value":
        named = rows.pop(0)[1][1:]
    if not rows:
        raise InputError(f"hierarchy {source}: no line in it; expected a value and its levels on each")
    width = len(rows[0][1])
    for number, row in rows:
        if len(row) != width:
            raise InputError(f"hierarchy {source}, line {number}: {len(row)} cells, expected {width}")
    if width > 1 and all(row[-1] == TOP for _, row in rows):
        width -= 1
    names = tuple(f"level {level}" for level in range(1, width)) if named is None else named[: width - 1]
    if len(names) != width - 1:
        raise InputError(f"hierarchy {source}, line 1: {len(names)} names for {width - 1} levels")
    _check_rows([(number, row[:width]) for number, row in rows], source)
    return Table({row[0]: row[1:width] for _, row in rows}, names)


def _cells(lines: Iterable[str], source: str) -> list[tuple[int, tuple[str, ...]]]:
    """The cells of each line that is not empty, with its number."""
    kept = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    separator = ";" if kept and ";" in kept[0][1] and kept[0][1].count(";") >= kept[0][1].count(",") else ","
    rows = []
    for number, line in kept:
        try:
            row = next(csv.reader([line], delimiter=separator, strict=True))
        except csv.Error as error:
            raise InputError(f"hierarchy {source}, line {number}: this is no line of CSV ({error})") from error
        rows.append((number, tuple(cell.strip() for cell in row)))
    return rows


def _check_rows(rows: Sequence[tuple[int, tuple[str, ...]]], source: str) -> None:
    for level in range(len(rows[0][1])):
        seen: dict[str, tuple[int, str]] = {}
        for number, row in rows:
            above = row[level + 1] if level + 1 < len(row) else TOP
            before, parent = seen.setdefault(row[level], (number, above))
            if level == 0 and before != number:
                raise InputError(f"hierarchy {source}, line {number}: its value stands in line {before} already")
            if parent != above:
                raise InputError(
                    f"hierarchy {source} is no tree: lines {before} and {number} have the same text in cell "
                    f"{level + 1} and different ones in cell {level + 2}",
                    hint="give each text one parent only",
                )


# --- which rule suits ------------------------------------------------------------------------------------------

SUITED_SHARE: Final = 0.95
"""Share of a column's values that a rule must read to be taken for it unasked."""
SUITED_LOOKED_AT: Final = 1_000
"""Values from which the rule is told, spread evenly over all."""
FEW: Final = 12
"""Values up to which a column is told wholly or not at all."""

_AGE: Final = re.compile(r"(^|[^a-z])age([^a-z]|$)|年齡|歲", re.IGNORECASE)


def suited(column: Coded) -> Rule:
    """The built-in rule that reads the values of a column; `Whole` where none does, or there are few values.

    Text that looks like nothing known is told wholly or not at all: a common beginning would mean nothing.
    """
    texts = [label for label in column.labels[:: max(1, len(column.labels) // SUITED_LOOKED_AT)] if label is not None]
    if column.size <= FEW or not texts:
        return Whole()
    for looks, rule in _SUITED:
        if sum(map(looks, texts)) >= SUITED_SHARE * len(texts):
            return ages() if isinstance(rule, Bands) and _AGE.search(column.name) else rule
    return Whole()


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if np.isfinite(number) else None


_GREGORIAN: Final = re.compile(r"(\d{4})([-/.]?)(\d{1,2})\2(\d{1,2})(?:[T ].*)?")
_REPUBLIC: Final = re.compile(r"(?:民國)?(\d{2,3})([-/.年])(\d{1,2})[-/.月](\d{1,2})日?|(\d{3})(\d\d)(\d\d)")
_REPUBLIC_BEGAN: Final = 1911


def _date(text: str) -> date | None:
    text = unicodedata.normalize("NFKC", text).strip()
    found = _GREGORIAN.fullmatch(text)
    if found and (found[2] or len(found[3]) == len(found[4]) == 2):
        return _day(int(found[1]), found[3], found[4])
    found = _REPUBLIC.fullmatch(text)
    if found is None:
        return None
    year, month, day = found.group(1, 3, 4) if found[1] else found.group(5, 6, 7)
    return _day(int(year) + _REPUBLIC_BEGAN, month, day)


def _day(year: int, month: str, day: str) -> date | None:
    try:
        return date(year, int(month), int(day))
    except ValueError:
        return None


def _has_time(text: str) -> bool:
    return _date(text) is not None and bool(re.search(r"[T ]\d", text.strip()))


def _is_address(text: str) -> bool:
    return TaiwanAddresses().ancestors(text) is not None


_SUITED: Final[tuple[tuple[Callable[[str], bool], Rule], ...]] = (
    (_has_time, Dates(time=True)),
    (lambda text: _date(text) is not None, Dates()),
    (lambda text: _number(text) is not None, Bands()),
    (_is_address, TaiwanAddresses()),
    (lambda text: re.fullmatch(r"[A-Za-z]\d\d(\.?\d{1,4})?", text) is not None, Codes((3, 1))),
    (lambda text: text.count(",") >= 1, Addresses()),
)

# --- kept rules ------------------------------------------------------------------------------------------------

_READ: Final[Mapping[str, Callable[[Mapping[str, Any]], Rule]]] = {
    Whole.kind: lambda kept: Whole(),
    Bands.kind: lambda kept: Bands(tuple(kept["widths"]), kept["top"]),
    Dates.kind: lambda kept: Dates(kept["time"]),
    TaiwanAddresses.kind: lambda kept: TaiwanAddresses(),
    Addresses.kind: lambda kept: Addresses(kept["parts"]),
    Codes.kind: lambda kept: Codes(tuple(kept["keep"])),
    Table.kind: lambda kept: Table(
        {text: tuple(chain) for text, chain in kept["parents"].items()}, tuple(kept["names"])
    ),
}


def rule_to_json(rule: Rule) -> dict[str, Any]:
    """A rule as a value that can be kept."""
    return {"kind": rule.kind, **rule.to_json()}


def rule_from_json(kept: Mapping[str, Any]) -> Rule:
    """The rule that was kept; `InputError` where it is not one."""
    try:
        return _READ[kept["kind"]](kept)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError("this is no kept hierarchy: expected a known kind with its settings") from error
