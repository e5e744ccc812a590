"""Fictitious units drawn from the habits of a register, one row a member.

A unit of the sample lends its form: how many members, of what sex, about what ages. Dates come first, then names that
fit sex and age, then what the unit shares, then the rest, column by column, from records alike in what the column
depends on. No value that identifies a person is taken over whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable

from muniment.marks.decoys.calendar import Calendar, Row
from muniment.marks.decoys.coins import Coins
from muniment.marks.decoys.donors import Donors
from muniment.marks.decoys.habits import Habits, Role, script
from muniment.marks.decoys.mail import Mail
from muniment.marks.decoys.names import Namer
from muniment.marks.decoys.places import Digits, Placer

_TRIES = 25


class Drawer:
    """Draws fictitious units. It holds rows of the register: it is never stored, printed or logged."""

    def __init__(self, habits: Habits) -> None:
        self._habits = habits
        self._namer = Namer(habits)
        self._placer = Placer(habits)
        self._calendar = Calendar(habits)
        self._donors = Donors(habits)
        self._mail = Mail(habits)
        firsts = habits.table.take([rows[0] for rows in habits.units])
        self._digits = {name: Digits(habits.table[name]) for name in habits.columns(Role.DIGITS)}
        self._digits |= {name: Digits(firsts[name]) for name in habits.columns(Role.UNIT)}
        self._taken = {name: frozenset(habits.table[name]) for name in habits.columns(Role.UNIT)}
        self._firsts: dict[Hashable, list[int]] = defaultdict(list)
        for number, rows in enumerate(habits.units):
            self._firsts[script(habits.shapes[rows[0]])].append(number)

    def unit(self, number: int, coins: Coins) -> list[Row]:
        """A fictitious unit of the form of unit `number`; the key columns are left empty."""
        rows = self._habits.units[number]
        table = self._habits.table
        days, dates = self._calendar.draw(rows, coins)
        place = self._placer.draw(self._like_first(rows[0], coins), coins)
        codes = {name: self._new_code(name, rows[0], coins) for name in self._taken}
        surnames: dict[Hashable, int] = {}
        out = []
        for row, day, dated in zip(rows, days, dates, strict=True):
            new: Row = dict.fromkeys(self._habits.columns(Role.KEY))
            new |= {name: table[name][row] for name in self._habits.columns(Role.SKELETON)}
            new |= place | codes | dated | self._namer.draw(row, day, surnames, coins)
            new |= self._donors.draw(row, day, new, coins)
            new |= self._personal(row, day, coins)
            new |= self._mail.draw(row, day, new, coins)
            out.append(new)
        return out

    def _new_code(self, name: str, row: int, coins: Coins) -> str | None:
        """A code for the unit that no unit of the sample has."""
        code = self._habits.table[name][row]
        for _ in range(_TRIES):
            if code is None or code not in self._taken[name]:
                break
            code = self._digits[name].renew(code, coins)
        return code

    def _like_first(self, row: int, coins: Coins) -> int:
        """The first record of some unit with a name in the same script: where such people live."""
        return self._habits.units[coins.pick(self._firsts[script(self._habits.shapes[row])])][0]

    def _personal(self, row: int, day: int, coins: Coins) -> Row:
        """Personal numbers: whether there is one follows from a record alike, and so does its head."""
        new: Row = {}
        for name in self._habits.columns(Role.DIGITS):
            cell = self._habits.table[name][self._donors.alike(row, day, coins)]
            new[name] = None if cell is None else self._digits[name].renew(cell, coins)
        return new
