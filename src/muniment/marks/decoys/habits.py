"""What a register's records are like, learned from a sample: which records live together, which columns go together.

Words
- A *unit* is a set of records that share a code of their own (a household) or, failing that, an address.
- A *role* says how a column of a decoy is made; it follows from the kind of the column and from what the sample shows.
- `tie(a, b)`: of two units that agree in `a`, how much more often they agree in `b` than any two do: 0 not, 1 always.

A sample must hold whole units: one that was drawn row by row has lost the households, and decoys drawn from it as well.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from muniment.disclosure import Kind, Register
from muniment.errors import InputError
from muniment.limits import DECOY_SAMPLE_ROWS
from muniment.marks.decoys.dates import read_date
from muniment.table import Cells, Table

LARGEST_UNIT = 15
"""Records in a unit: larger groups are an institution or a default value, not a household."""
CLOSE_TIE = 0.5
"""From this tie on, two columns are drawn from one donor."""
_PAIRS = 4_000


class Role(StrEnum):
    """How a column of a decoy is made."""

    KEY = "key"
    """From the reserved numbers."""
    UNIT = "unit"
    """A code of the unit: a new one, the same for all its members."""
    NAME = "name"
    PLACE = "place"
    """Shared by the unit, from another unit, with its numbers changed."""
    DIGITS = "digits"
    """A personal number (mobile telephone, card): a common head and a new tail."""
    DATE = "date"
    EMAIL = "email"
    SKELETON = "skeleton"
    """Kept from the record whose place in the unit the decoy takes (sex)."""
    DONOR = "donor"
    """From a record alike in the columns it depends on."""


@dataclass(frozen=True, slots=True, repr=False)
class Habits:
    """What was learned. It holds rows of the register: it is never stored, printed or logged."""

    table: Table
    roles: Mapping[str, Role]
    kinds: Mapping[str, Kind]
    units: tuple[tuple[int, ...], ...]
    unit_of: tuple[int, ...]
    days: tuple[int, ...]
    """Day of the first date column of each row; where there is none, that of another row in the same place."""
    undated: frozenset[int]
    """The rows whose day is another's: nothing about ages is learned from them."""
    shapes: tuple[Hashable, ...]
    """Of each row: which name columns are filled, and with how many parts."""

    def by_size(self) -> Mapping[int, list[int]]:
        """The numbers of the units of each size."""
        sizes: dict[int, list[int]] = defaultdict(list)
        for number, rows in enumerate(self.units):
            sizes[len(rows)].append(number)
        return sizes

    def columns(self, *roles: Role) -> tuple[str, ...]:
        """The columns of these roles, in order."""
        return tuple(name for name in self.table.columns if self.roles[name] in roles)


def learn(sample: Table, register: Register) -> Habits:
    """Learn from a sample of whole units. Raises `InputError` for a sample too small to draw from."""
    if sample.rows < 20:
        raise InputError(f"the sample has {sample.rows} records: expected at least 20 to draw decoys from")
    if sample.rows > DECOY_SAMPLE_ROWS:
        raise InputError(f"the sample has {sample.rows:,} records: expected at most {DECOY_SAMPLE_ROWS:,}")
    kinds = {name: register.column(name).kind for name in sample.columns}
    keys = frozenset(register.key)
    unit_column = _unit_column(sample, kinds, keys)
    units = _units(sample, kinds, unit_column)
    unit_of = [0] * sample.rows
    for number, rows in enumerate(units):
        for row in rows:
            unit_of[row] = number
    names = [name for name in sample.columns if kinds[name] is Kind.NAME]
    shapes = tuple(zip(*(map(_parts, sample[name]) for name in names), strict=True)) if names else ((),) * sample.rows
    roles = {name: _role(name, sample, kinds, keys, unit_column, units) for name in sample.columns}
    days, undated = _days(sample, kinds, units)
    return Habits(sample, roles, kinds, units, tuple(unit_of), days, undated, shapes)


# --- units -------------------------------------------------------------------------------------------------------


def _unit_column(sample: Table, kinds: Mapping[str, Kind], keys: frozenset[str]) -> str | None:
    """The code column whose values are shared by a few records each, or `None`."""
    best, most = None, 0.1
    for name in sample.columns:
        if kinds[name] is not Kind.CODE or name in keys:
            continue
        sizes = Counter(sample[name])
        sizes.pop(None, None)
        if not sizes or max(sizes.values()) > LARGEST_UNIT:
            continue
        shared = sum(size for size in sizes.values() if size > 1) / sample.rows
        if shared > most:
            best, most = name, shared
    return best


def _units(sample: Table, kinds: Mapping[str, Kind], column: str | None) -> tuple[tuple[int, ...], ...]:
    """The rows of each unit, by the unit column or by equal filled addresses."""
    if column is not None:
        labels: Sequence[Hashable] = sample[column]
    else:
        addresses = [sample[name] for name in sample.columns if kinds[name] is Kind.ADDRESS]
        labels = [cells if cells and all(cells) else None for cells in zip(*addresses, strict=True)]
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for row in range(sample.rows):
        label = labels[row] if labels else None
        groups[("row", row) if label is None else label].append(row)
    out: list[tuple[int, ...]] = []
    for rows in groups.values():
        out.extend([tuple(rows)] if len(rows) <= LARGEST_UNIT else [(row,) for row in rows])
    return tuple(out)


def _parts(name: str | None) -> Hashable:
    """The form of a name: how many parts, and whether they are characters or words."""
    return None if name is None else (len(split_name(name)), name.isascii())


_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d+")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U000323af]")


def split_name(name: str) -> list[tuple[int, int]]:
    """The parts of a name as (start, end): each Han character, each word."""
    spans: list[tuple[int, int]] = []
    for word in _WORD.finditer(name):
        start, end = word.span()
        if _HAN.search(word.group()):
            spans.extend((at, at + 1) for at in range(start, end))
        else:
            spans.append((start, end))
    return spans


# --- roles -------------------------------------------------------------------------------------------------------


def _role(
    name: str, sample: Table, kinds: Mapping[str, Kind], keys: frozenset[str], unit_column: str | None,
    units: Sequence[tuple[int, ...]],
) -> Role:
    """The role of one column."""
    kind = kinds[name]
    if name in keys:
        return Role.KEY
    if name == unit_column:
        return Role.UNIT
    if kind in _BY_KIND:
        return _BY_KIND[kind]
    if kind is Kind.CATEGORY and _follows_names(name, sample, kinds):
        return Role.SKELETON
    return _role_by_use(kind, sample[name], units, unit_column is not None)


def _role_by_use(kind: Kind, cells: Cells, units: Sequence[tuple[int, ...]], by_code: bool) -> Role:
    """The role of a column whose kind does not settle it: by who shares its values. `by_code`: units have a code."""
    repeats = _repeats(cells)
    area = repeats and kind in (Kind.PLACE, Kind.CODE)
    if _constant(cells, units) if by_code else area:
        return Role.PLACE
    return Role.DIGITS if kind in (Kind.PHONE, Kind.CODE) and not repeats else Role.DONOR


_BY_KIND = {
    Kind.NAME: Role.NAME,
    Kind.ADDRESS: Role.PLACE,
    Kind.DATE: Role.DATE,
    Kind.TIMESTAMP: Role.DATE,
    Kind.EMAIL: Role.EMAIL,
}  # fmt: skip


def _repeats(cells: Cells) -> bool:
    """Whether values of a column come back, as those of a postcode do and those of a card number do not."""
    filled = [cell for cell in cells if cell is not None]
    return len(set(filled)) < 0.5 * len(filled)


def _constant(cells: Cells, units: Sequence[tuple[int, ...]]) -> bool:
    """Whether members of a unit share the value in nearly all units, while units differ from one another."""
    several = [rows for rows in units if len(rows) > 1]
    same = sum(len({cells[row] for row in rows}) == 1 for rows in several)
    return bool(several) and same >= 0.95 * len(several) and len(set(cells)) > 10


def _follows_names(name: str, sample: Table, kinds: Mapping[str, Kind]) -> bool:
    """Whether a category of few values goes with given names, as sex does."""
    if len(set(sample[name])) > 6:
        return False
    last = [column for column in sample.columns if kinds[column] is Kind.NAME]
    for column in last:
        for position in (0, -1):
            parts = [_part(cell, position) for cell in sample[column]]
            if tie(parts, sample[name], range(sample.rows)) > 0.3:
                return True
    return False


def _part(cell: str | None, position: int) -> str | None:
    """One part of a name."""
    spans = split_name(cell) if cell else []
    return cell[slice(*spans[position])] if cell and spans else None


def _days(
    sample: Table, kinds: Mapping[str, Kind], units: Sequence[tuple[int, ...]]
) -> tuple[tuple[int, ...], frozenset[int]]:
    """The day of the first date column for each row, and the rows that have none: they take those of others in turn."""
    column = next((name for name in sample.columns if kinds[name] is Kind.DATE), None)
    if column is None:
        return (0,) * sample.rows, frozenset()
    read = [read_date(cell) for cell in sample[column]]
    days = {row: found.day for row, found in enumerate(read) if found is not None}
    places: dict[int, list[int]] = defaultdict(list)
    for rows in units:
        for place, row in enumerate(rows):
            if row in days:
                places[place].append(days[row])
    place_of = {row: place for rows in units for place, row in enumerate(rows)}
    undated = [row for row in range(sample.rows) if row not in days]
    for number, row in enumerate(undated):
        # Spread evenly: were they all given one day, those born on it would take after persons of any age.
        known = places[place_of[row]] or places[0] or [0]
        days[row] = known[number * len(known) // len(undated)]
    return tuple(days[row] for row in range(sample.rows)), frozenset(undated)


def script(shape: Hashable) -> Hashable:
    """Which name column is the first filled one, and in which script, whatever the number of parts."""
    parts = shape if isinstance(shape, tuple) else ()
    return next(((at, part[1]) for at, part in enumerate(parts) if part is not None), None)


# --- what goes with what -----------------------------------------------------------------------------------------


def tie(first: Sequence[Hashable], second: Sequence[Hashable], rows: Iterable[int]) -> float:
    """How much agreement in `first` brings agreement in `second`, over these rows (one a unit): 0 not at all, 1 always.

    It is the chance-corrected share of neighbouring pairs with one value of `first` (at most `_PAIRS` of them), as
    in Cohen's kappa. With fewer than 20 such pairs there is no evidence of a tie.
    """
    groups: dict[Hashable, list[int]] = defaultdict(list)
    counts: Counter[Hashable] = Counter()
    for row in rows:
        if first[row] is not None:
            groups[first[row]].append(row)
            counts[second[row]] += 1
    pairs = [pair for members in groups.values() for pair in pairwise(members)]
    if len(pairs) < 20:
        return 0.0
    step = max(1, len(pairs) // _PAIRS)
    used = pairs[::step]
    agree = sum(second[a] == second[b] for a, b in used) / len(used)
    total = sum(counts.values())
    base = sum((count / total) ** 2 for count in counts.values())
    return 0.0 if base >= 1 else (agree - base) / (1 - base)


def clusters(
    names: Sequence[str], values: Mapping[str, Sequence[Hashable]], rows: Sequence[int], at_least: float
) -> list[tuple[str, ...]]:
    """Sets of columns tied to one another, directly or through others, in either direction."""
    label = {name: number for number, name in enumerate(names)}
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            strength = max(tie(values[a], values[b], rows), tie(values[b], values[a], rows))
            if label[a] != label[b] and strength >= at_least:
                old, new = label[b], label[a]
                label.update({name: new for name, at in label.items() if at == old})
    groups: dict[int, list[str]] = defaultdict(list)
    for name in names:
        groups[label[name]].append(name)
    return [tuple(group) for group in groups.values()]
