"""Addresses and numbers of decoys: a real street with numbers it has not, a common telephone head with a new tail.

Columns that go together (an address in two scripts, its postcode, the area code) are drawn from one donor unit, which
lies in the area of another unit; what depends on the area (birthplace) is drawn afterwards, to fit it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from zlib import crc32

from muniment.disclosure import Kind
from muniment.marks.decoys.coins import Coins
from muniment.marks.decoys.habits import CLOSE_TIE, Habits, Role, clusters, script, tie
from muniment.marks.decoys.rarity import Rarity

_NUMBER = re.compile(r"\d+")
_BEFORE = re.compile(r"([^\W\d_]{2,}) ?$|(\S)?\s*$")
_FEW = 20
"""Examples of a context below which the wider context is used."""
_DENSE = 5
"""Addresses in an area from which on one can see what they all begin and end with."""
_TRIES = 25

Context = tuple[str, str, str]
"""A column, what stands before a number there, and what behind it."""
Affixes = dict[str, tuple[str, str]]
"""What the addresses of an area begin and end with, by column."""


class Digits:
    """Numbers of one column: the head of digits that is common in it stays, the tail is drawn anew, place by place."""

    def __init__(self, cells: Sequence[str | None]) -> None:
        by_length: dict[int, list[str]] = defaultdict(list)
        for cell in cells:
            if cell is not None:
                digits = "".join(_NUMBER.findall(cell))
                by_length[len(digits)].append(digits)
        self._heads = {length: _head(numbers, length) for length, numbers in by_length.items()}
        self._numbers = by_length

    def head(self, cell: str | None) -> str | None:
        """The head of a number, or `None`."""
        digits = "".join(_NUMBER.findall(cell or ""))
        return digits[: self._heads.get(len(digits), 0)] or None

    def renew(self, cell: str, coins: Coins, keep: int | None = None) -> str:
        """The same layout and head with a new tail; or the same first `keep` digits."""
        length = sum(len(part) for part in _NUMBER.findall(cell))
        head = self._heads.get(length, 0) if keep is None else keep
        at = -1

        def digit(match: re.Match[str]) -> str:
            nonlocal at
            at += 1
            return match.group() if at < head else coins.pick(self._numbers[length])[at]

        return re.sub(r"\d", digit, cell) if length in self._heads else cell


def _head(numbers: Sequence[str], length: int) -> int:
    """The head of digits in which one still depends on those before it (area, exchange); the tail is free."""
    best = 0
    # Each once and well mixed: in numbers given out in order, neighbours agree in the tail as well.
    numbers = sorted(set(numbers), key=lambda number: crc32(number.encode()))
    rows = range(len(numbers))
    for at in range(length):
        digit = [number[at] for number in numbers]
        if (len(set(digit)) == 1 and best == at) or tie([number[:at] for number in numbers], digit, rows) > 0.05:
            best = at + 1
    return best


class Placer:
    """Draws what a fictitious unit shares: address, postcode, telephone."""

    def __init__(self, habits: Habits) -> None:
        self._habits = habits
        self._columns = habits.columns(Role.PLACE)
        self._firsts = [rows[0] for rows in habits.units]
        self._skeletons = {name: self._skeleton(name) for name in self._columns}
        self.groups = clusters(self._columns, self._skeletons, self._firsts, CLOSE_TIE)
        self._anchors = [self._anchor(group) for group in self.groups]
        self._donors = [self._by_area(anchor) for anchor in self._anchors]
        self._streets = [Rarity(self._street(group, row) for row in self._firsts) for group in self.groups]
        self._fixes = [self._affixes(group, donors) for group, donors in zip(self.groups, self._donors, strict=True)]
        self._examples = self._contexts()
        self._digits = {
            name: Digits([habits.table[name][row] for row in self._firsts])
            for name in self._columns if habits.kinds[name] is Kind.PHONE
        }  # fmt: skip
        self._prefixes = {name: self._area_prefixes(name) for name in self._digits}
        self._exchanges = {
            name: Rarity(digits.head(habits.table[name][row]) for row in self._firsts)
            for name, digits in self._digits.items()
        }

    def _skeleton(self, name: str) -> list[Hashable]:
        """Values with their numbers taken out; of a telephone number the first two digits."""
        cells = self._habits.table[name]
        if self._habits.kinds[name] is Kind.PHONE:
            return [cell and "".join(_NUMBER.findall(cell))[:2] for cell in cells]
        if self._habits.kinds[name] is Kind.ADDRESS:
            return [cell and _NUMBER.sub("#", cell) for cell in cells]
        return list(cells)

    def _anchor(self, group: Sequence[str]) -> str | None:
        """The column that tells the area: filled, and of the fewest values, telephone numbers aside."""
        count = len(self._firsts)
        offers = []
        for name in group:
            values = [self._skeletons[name][row] for row in self._firsts]
            filled = sum(value is not None for value in values)
            distinct = len(set(values))
            if self._habits.kinds[name] is not Kind.PHONE and filled > 0.95 * count and distinct < count / 4:
                offers.append((distinct, name))
        return min(offers)[1] if offers and len(group) > 1 else None

    def _area(self, anchor: str | None, row: int) -> Hashable:
        """The area of a row and the shape of its name (from abroad or not)."""
        return (self._habits.table[anchor][row] if anchor else None, script(self._habits.shapes[row]))

    def _by_area(self, anchor: str | None) -> Mapping[Hashable, list[int]]:
        """The first rows of units by area."""
        areas: dict[Hashable, list[int]] = defaultdict(list)
        for row in self._firsts:
            areas[self._area(anchor, row)].append(row)
        return areas

    def _street(self, group: Sequence[str], row: int) -> Hashable:
        """The street of a row, by which streets are counted."""
        return self._street_of({name: self._habits.table[name][row] for name in group})

    def _street_of(self, cells: Mapping[str, str | None]) -> Hashable:
        """The words of the first filled address up to a number behind them; with no number, all of it."""
        for name, cell in cells.items():
            if self._habits.kinds[name] is Kind.ADDRESS and cell is not None:
                words = [part.strip(" ,.-") for part in _NUMBER.split(cell)]
                return (name, next((part for part in words if len(part) > 1), ""))
        return None

    def _affixes(self, group: Sequence[str], donors: Mapping[Hashable, list[int]]) -> dict[Hashable, Affixes]:
        """What all addresses of an area begin and end with, for each address column."""
        table, kinds = self._habits.table, self._habits.kinds
        out: dict[Hashable, Affixes] = {}
        for area, rows in donors.items():
            out[area] = {}
            for name in group:
                cells = [cell for cell in (table[name][row] for row in rows) if cell is not None]
                if kinds[name] is Kind.ADDRESS and len(cells) >= _DENSE:
                    head, tail = _shared_head(cells), _shared_head([cell[::-1] for cell in cells])[::-1]
                    out[area][name] = (_NUMBER.split(head)[0], _NUMBER.split(tail)[-1])
        return out

    def _contexts(self) -> Mapping[Context, list[str]]:
        """The numbers that stand in addresses, by column and by what stands before and behind them."""
        found: dict[Context, list[str]] = defaultdict(list)
        for name in self._columns:
            if self._habits.kinds[name] in (Kind.ADDRESS, Kind.NUMBER, Kind.TEXT):
                for row in self._firsts:
                    cell = self._habits.table[name][row] or ""
                    for match in _NUMBER.finditer(cell):
                        before, behind = _around(cell, match)
                        found[name, before, behind].append(match.group())
                        found[name, "", behind].append(match.group())
                        found[name, "", ""].append(match.group())
        return found

    def draw(self, row: int, coins: Coins) -> dict[str, str | None]:
        """New shared values for a fictitious unit in the area of the unit of `row`."""
        new: dict[str, str | None] = {}
        for number in range(len(self.groups)):
            new.update(self._draw_group(number, row, coins))
        return new

    def _draw_group(self, number: int, row: int, coins: Coins) -> dict[str, str | None]:
        """One set of columns that go together, from one donor unit; the street is a new one as often as streets are."""
        area = self._area(self._anchors[number], row)
        cells = self._donor_cells(number, area, coins)
        if coins.chance(self._streets[number].novel):
            cells.update(self._transplanted(number, area, cells, coins))
        cells = self._renumbered(cells, coins)
        return {
            name: self._new_number(name, area, cell, coins) if cell is not None and name in self._digits else cell
            for name, cell in cells.items()
        }

    def _new_number(self, name: str, area: Hashable, cell: str, coins: Coins) -> str:
        """A telephone number with the head of `cell`, or with a head that is new, as often as heads are."""
        digits, heads = self._digits[name], self._exchanges[name]
        if heads.novel and coins.chance(heads.novel):
            keep = self._prefixes[name].get(area, 0)
            for _ in range(_TRIES if keep else 0):
                offer = digits.renew(cell, coins, keep)
                if heads.is_new(digits.head(offer)):
                    return offer
        return digits.renew(cell, coins)

    def _area_prefixes(self, name: str) -> dict[Hashable, int]:
        """How many digits all numbers of an area begin with, where it has enough of them to tell."""
        number = next(at for at, group in enumerate(self.groups) if name in group)
        out = {}
        for area, rows in self._donors[number].items():
            found = ["".join(_NUMBER.findall(cell)) for row in rows if (cell := self._habits.table[name][row])]
            if len(found) >= _DENSE:
                out[area] = len(_shared_head(found))
        return out

    def _donor_cells(self, number: int, area: Hashable, coins: Coins) -> dict[str, str | None]:
        """The cells of one donor unit of the area, whose street and telephone exchange are not too common for a decoy.

        What is filled is settled by the first donor: refusals must not shift the share of empty cells.
        """
        donors = self._donors[number][area]
        first = coins.pick(donors)
        alike = [row for row in donors if self._filled(number, row) == self._filled(number, first)]
        cells: dict[str, str | None] = {}
        for _ in range(_TRIES):
            row = coins.pick(alike)
            cells = {name: self._habits.table[name][row] for name in self.groups[number]}
            heads = [(rarity, self._digits[name].head(cells[name])) for name, rarity in self._exchanges.items()
                     if cells.get(name) is not None]  # fmt: skip
            if all(rarity.accept(value, coins) for rarity, value in
                   [(self._streets[number], self._street_of(cells)), *heads]):  # fmt: skip
                break
        return cells

    def _filled(self, number: int, row: int) -> tuple[bool, ...]:
        """Which cells of a group are filled in a row."""
        return tuple(self._habits.table[name][row] is not None for name in self.groups[number])

    def _transplanted(
        self, number: int, area: Hashable, cells: Mapping[str, str | None], coins: Coins
    ) -> dict[str, str | None]:
        """A street that this area has not in the sample: one of another area, between what all addresses here share."""
        here = self._fixes[number][area]
        for _ in range(_TRIES):
            row = coins.pick(self._firsts)
            there = self._fixes[number][self._area(self._anchors[number], row)]
            old = {name: self._habits.table[name][row] for name in self.groups[number]}
            usable = [name for name in here if name in there and (cells[name] is None) == (old[name] is None)]
            if here and len(usable) == len(here):
                moved = {name: _moved(old[name], there[name], here[name]) for name in here}
                if self._streets[number].is_new(self._street_of({**cells, **moved})):
                    return moved
        return {}

    def _renumbered(self, cells: Mapping[str, str | None], coins: Coins) -> dict[str, str | None]:
        """Exchange the numbers of addresses, equal numbers for equal ones in all columns."""
        exchange: dict[str, str] = {}
        for name, cell in cells.items():
            if (name, "", "") not in self._examples or cell is None:
                continue
            for match in _NUMBER.finditer(cell):
                if match.group() not in exchange:
                    exchange[match.group()] = coins.pick(self._alike(name, *_around(cell, match)))
        return {
            name: _NUMBER.sub(lambda match: exchange.get(match.group(), match.group()), cell)
            if cell is not None and (name, "", "") in self._examples else cell
            for name, cell in cells.items()
        }  # fmt: skip

    def _alike(self, name: str, before: str, behind: str) -> list[str]:
        """Numbers in the same context, or in a wider one where the sample has few."""
        for context in ((name, before, behind), (name, "", behind)):
            if len(self._examples.get(context, ())) >= _FEW:
                return self._examples[context]
        return self._examples[name, "", ""]


def _around(cell: str, match: re.Match[str]) -> tuple[str, str]:
    """What stands before a number (a word, or one character) and the one character behind it."""
    found = _BEFORE.search(cell[: match.start()])
    word = (found.group(1) or found.group(2) or "^") if found else "^"
    return (word if word.isascii() else word[-1]), cell[match.end() : match.end() + 1]


def _moved(cell: str | None, old: tuple[str, str], new: tuple[str, str]) -> str | None:
    """An address with what its area's addresses begin and end with exchanged."""
    return None if cell is None else new[0] + cell[len(old[0]) : len(cell) - len(old[1])] + new[1]


def _shared_head(texts: Sequence[str]) -> str:
    """What all texts begin with."""
    first, last = min(texts), max(texts)
    return first[: next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))]
