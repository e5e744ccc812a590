"""Columns of decoys that are drawn one after another from records alike in what each depends on (sequential synthesis).

A donor is of about the same age, and of the same sex, area or script where the column goes with these. Numbers that
stand alone in the register are as often alone among decoys: then a number nearby takes the donor's place.
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

_TRIES = 25


class Donors:
    """The columns drawn one after another from records alike in what each depends on (sequential synthesis)."""

    def __init__(self, habits: Habits) -> None:
        self._habits = habits
        self._columns = habits.columns(Role.DONOR)
        rows = range(habits.table.rows)
        alike: list[Hashable] = list(zip(habits.shapes, strict=True))
        self._alike = NearDonors(alike, habits.days, rows)
        self._known = self._conditions()
        self._chosen = {name: self._choose(name) for name in self._columns}
        self._near = {name: self._donors(name) for name in self._columns}
        self._rarity = {name: Rarity(habits.table[name]) for name in self._columns
                        if habits.kinds[name] is Kind.NUMBER}  # fmt: skip

    def alike(self, row: int, day: int, coins: Coins) -> int:
        """A record with names of the same shape, about as old."""
        return self._alike.draw((self._habits.shapes[row],), day, coins)

    def _conditions(self) -> dict[str, Sequence[Hashable]]:
        """What a column may depend on besides age: script of the name, sex, area; in the order of the columns."""
        habits = self._habits
        known: dict[str, Sequence[Hashable]] = {"": [script(shape) for shape in habits.shapes]}
        for name in habits.columns(Role.SKELETON):
            known[name] = habits.table[name]
        for name in habits.columns(Role.PLACE):
            if habits.kinds[name] not in (Kind.ADDRESS, Kind.PHONE):
                known[name] = habits.table[name]
        return known

    def _choose(self, name: str) -> tuple[str, ...]:
        """The two conditions with which a column is tied most."""
        values: Sequence[Hashable] = self._habits.table[name]
        if self._habits.kinds[name] is Kind.NUMBER:
            values = [cell and len(cell) for cell in self._habits.table[name]]
        values = ["" if value is None else value for value in values]
        ties = sorted(((tie(known, values, range(len(values))), by) for by, known in self._known.items()), reverse=True)
        return tuple(by for strength, by in ties[:2] if strength > 0.02)

    def _donors(self, name: str) -> list[tuple[tuple[str, ...], NearDonors]]:
        """Donors by all the chosen conditions, then by fewer, then by none."""
        chosen, rows = self._chosen[name], range(self._habits.table.rows)
        return [
            (chosen[:depth], NearDonors([self._bucket(chosen[:depth], row) for row in rows], self._habits.days, rows))
            for depth in range(len(chosen), -1, -1)
        ]

    def _bucket(self, conditions: Sequence[str], row: int) -> Hashable:
        """The values of the conditions in one row."""
        return tuple(self._known[by][row] for by in conditions)

    def draw(self, row: int, day: int, made: Row, coins: Coins) -> Row:
        """Values of these columns for a decoy in the place of `row`, born about `day`; its other cells are `made`."""
        new: Row = {}
        for name in self._columns:
            for conditions, near in self._near[name]:
                bucket = tuple(made[by] if by else self._known[by][row] for by in conditions)
                if near.size(bucket) >= 8 or not conditions:
                    new[name] = self._value(name, near, bucket, day, coins)
                    break
        return new

    def _value(self, name: str, near: NearDonors, bucket: Hashable, day: int, coins: Coins) -> str | None:
        """A donor's value; of numbers a new one nearby, as often as numbers stand alone in the column."""
        cell = self._habits.table[name][near.draw(bucket, day, coins)]
        rarity = self._rarity.get(name)
        if rarity is None or cell is None:
            return cell
        new = coins.chance(rarity.novel)
        for _ in range(_TRIES):
            offer = _nearby(cell, coins) if new else cell
            if rarity.is_new(offer) if new else rarity.accept(offer, coins):
                return offer
            cell = self._habits.table[name][near.draw(bucket, day, coins)] or cell
        return cell


_PLAIN_NUMBER = re.compile(r"(-?)(\d+)(\.\d+)?")


def _nearby(cell: str, coins: Coins) -> str:
    """A number within some five percent, with as many decimals and at least as many trailing zeros."""
    match = _PLAIN_NUMBER.fullmatch(cell)
    if match is None:
        return cell
    digits = match[2] + (match[3] or "")[1:]
    zeros = len(digits) - len(digits.rstrip("0")) if digits.strip("0") else 0
    step = 10**zeros
    reach = max(1, int(digits) // step // 20)
    value = max(0, int(digits) // step + coins.between(-reach, reach)) * step
    text = str(value).zfill(len(digits) if match[3] or digits.startswith("0") else 1)
    decimals = len(match[3] or " ") - 1
    return match[1] + (f"{text[:-decimals]}.{text[-decimals:]}" if decimals else text)
