"""Columns of decoys that are drawn one after another from records alike in what each depends on (sequential synthesis).

A donor is of about the same age, and of the same sex, area or script where the column goes with these. Where numbers
of a column lie close, one nearby takes the place of the donor's: such a number stands alone as often as records' do.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence

from muniment.disclosure import Kind
from muniment.marks.decoys.calendar import Row
from muniment.marks.decoys.coins import Coins
from muniment.marks.decoys.habits import Habits, Role, script, tie
from muniment.marks.decoys.names import NearDonors
from muniment.marks.decoys.rarity import Rarity
from muniment.table import Cells

_ENOUGH = 8
"""Donors about as old, below which a condition is given up."""
_NEW_AT_MOST = 1.5
_TIED = 0.02
"""The tie from which a column is taken to depend on another."""
_ROUND = 0.2
"""Numbers ending in 0, from which share on a column is taken to be rounded: one in ten does so by chance."""
_PROBE = bytes(32)
"""A fixed key: what is tried out with it is not part of any decoy."""


class Donors:
    """The columns drawn one after another from records alike in what each depends on (sequential synthesis)."""

    def __init__(self, habits: Habits) -> None:
        self._habits = habits
        self._columns = habits.columns(Role.DONOR)
        alike: list[Hashable] = list(zip(habits.shapes, strict=True))
        self._alike = NearDonors(alike, habits.days, habits.undated)
        # One record a unit, heads and others in turn: those of one household are alike for other reasons as well.
        self._apart = [rows[number % len(rows)] for number, rows in enumerate(habits.units)]
        self._known = self._conditions()
        self._aged = frozenset(name for name in self._columns if self._goes_with_age(name))
        self._chosen = {name: self._choose(name) for name in self._columns}
        self._near = {name: self._donors(name) for name in self._columns}
        self._rounded = frozenset(name for name in self._columns if _ends_round(habits.table[name]))
        self._smooth = frozenset(
            name for name in self._columns if habits.kinds[name] is Kind.NUMBER and self._is_smooth(name)
        )

    def alike(self, row: int, day: int, coins: Coins) -> int:
        """A record with names of the same shape, about as old."""
        return self._alike.draw((self._habits.shapes[row],), day, coins)

    def _conditions(self) -> dict[str, Sequence[Hashable]]:
        """What a column may depend on besides age: script of the name, sex, area, and categories drawn before it."""
        habits = self._habits
        known: dict[str, Sequence[Hashable]] = {"": [script(shape) for shape in habits.shapes]}
        for name in habits.columns(Role.SKELETON):
            known[name] = habits.table[name]
        for name in habits.columns(Role.PLACE):
            if habits.kinds[name] not in (Kind.ADDRESS, Kind.PHONE):
                known[name] = habits.table[name]
        for name in self._columns:
            if habits.kinds[name] is Kind.CATEGORY:
                known[name] = habits.table[name]
        return known

    def _values(self, name: str) -> Sequence[Hashable]:
        """The values of a column as ties are seen in them: of numbers, how long they are."""
        cells = self._habits.table[name]
        number = self._habits.kinds[name] is Kind.NUMBER
        return ["" if cell is None else len(cell) if number else cell for cell in cells]

    def _choose(self, name: str) -> tuple[str, ...]:
        """The conditions of a column: the script, where names have several, and the one it is tied with most."""
        made = self._columns[self._columns.index(name) :]
        values = self._values(name)
        ties = [(tie(known, values, self._apart), by) for by, known in self._known.items() if by and by not in made]
        strength, by = max(ties, default=(0.0, ""))
        scripts = ("",) if len(set(self._known[""])) > 1 else ()
        return (*scripts, by) if strength > _TIED else scripts

    def _goes_with_age(self, name: str) -> bool:
        """Whether persons about as old agree in a column more than others do."""
        decades = [day // 3_650 for day in self._habits.days]
        return tie(decades, self._values(name), self._apart) > _TIED / 4

    def _donors(self, name: str) -> list[tuple[tuple[str, ...], NearDonors]]:
        """Donors by all the chosen conditions, then by fewer, then by none; of any age where age does not matter."""
        chosen, habits = self._chosen[name], self._habits
        rows = range(habits.table.rows)
        days = habits.days if name in self._aged else [0] * len(rows)
        return [
            (chosen[:depth], NearDonors([self._bucket(chosen[:depth], row) for row in rows], days, habits.undated))
            for depth in range(len(chosen), -1, -1)
        ]

    def _bucket(self, conditions: Sequence[str], row: int) -> Hashable:
        """The values of the conditions in one row."""
        return tuple(self._known[by][row] for by in conditions)

    def draw(self, row: int, day: int, made: Row, coins: Coins) -> Row:
        """Values of these columns for a decoy in the place of `row`, born about `day`; its other cells are `made`."""
        new: Row = {}
        for name in self._columns:
            cells, born = made | new, day if name in self._aged else 0
            for conditions, near in self._near[name]:
                bucket = tuple(cells[by] if by else self._known[by][row] for by in conditions)
                if near.near(bucket, born) >= _ENOUGH or not conditions:
                    new[name] = self._value(name, near, bucket, born, coins)
                    break
        return new

    def _value(self, name: str, near: NearDonors, bucket: Hashable, day: int, coins: Coins) -> str | None:
        """A donor's value; of numbers one nearby, where numbers of the column lie so close that any may occur."""
        cell = self._habits.table[name][near.draw(bucket, day, coins)]
        if cell is None or name not in self._smooth:
            return cell
        return _nearby(cell, coins, rounded=name in self._rounded)

    def _is_smooth(self, name: str) -> bool:
        """Whether numbers nearby are new to a column no oftener than the next record's number would be."""
        cells = [cell for cell in self._habits.table[name] if cell is not None]
        rarity, coins = Rarity(cells), Coins(_PROBE, name)
        new = sum(rarity.is_new(_nearby(cell, coins, rounded=name in self._rounded)) for cell in cells)
        return new <= _NEW_AT_MOST * rarity.novel * len(cells)


_PLAIN_NUMBER = re.compile(r"(-?)(\d+)(\.\d+)?")


def _ends_round(cells: Cells) -> bool:
    """Whether more numbers of a column end in 0 than chance has it."""
    filled = [cell for cell in cells if cell]
    return sum(cell.endswith("0") for cell in filled) > _ROUND * len(filled)


def _nearby(cell: str, coins: Coins, *, rounded: bool) -> str:
    """A number within some five percent, with as many decimals and, if `rounded`, at least as many trailing zeros."""
    match = _PLAIN_NUMBER.fullmatch(cell)
    if match is None:
        return cell
    digits = match[2] + (match[3] or "")[1:]
    zeros = len(digits) - len(digits.rstrip("0")) if rounded and digits.strip("0") else 0
    step = 10**zeros
    reach = max(1, int(digits) // step // 20)
    value = max(0, int(digits) // step + coins.between(-reach, reach)) * step
    text = str(value).zfill(len(digits) if match[3] or digits.startswith("0") else 1)
    decimals = len(match[3] or " ") - 1
    return match[1] + (f"{text[:-decimals]}.{text[-decimals:]}" if decimals else text)
