"""Fictitious units drawn from the habits of a register, one row a member.

A unit of the sample lends its form: how many members, of what sex, about what ages. Dates come first, then names that
fit sex and age, then what the unit shares, then the rest, column by column, from records alike in what the column
depends on. No value that identifies a person is taken over whole.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence

from muniment.disclosure import Kind
from muniment.marks.decoy_calendar import Calendar, Row
from muniment.marks.decoy_coins import Coins
from muniment.marks.decoy_dates import read_date
from muniment.marks.decoy_habits import Habits, Role, script, tie
from muniment.marks.decoy_names import Namer, NearDonors
from muniment.marks.decoy_places import Digits, Placer
from muniment.marks.decoy_rarity import Rarity

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
        firsts = [rows[0] for rows in habits.units]
        self._digits = {name: Digits(habits.table[name]) for name in habits.columns(Role.DIGITS)}
        self._digits |= {name: Digits([habits.table[name][row] for row in firsts]) for name in habits.columns(Role.UNIT)}
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
        """Values of all these columns for a decoy in the place of `row`, born about `day`, whose other cells are `made`."""
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


class Mail:
    """Mail addresses: built like one of a record alike, with the decoy's own name and year of birth in it."""

    def __init__(self, habits: Habits) -> None:
        self._habits = habits
        self._columns = habits.columns(Role.EMAIL)
        self._names = habits.columns(Role.NAME)
        shapes: list[Hashable] = list(habits.shapes)
        self._near = NearDonors(shapes, habits.days, range(habits.table.rows))
        self._dates = [name for name in habits.columns(Role.DATE) if habits.kinds[name] is Kind.DATE]

    def draw(self, row: int, day: int, new: Row, coins: Coins) -> Row:
        """The mail cells of a decoy whose other cells are `new`."""
        out: Row = {}
        for column in self._columns:
            donor = self._near.draw(self._habits.shapes[row], day, coins)
            cell = self._habits.table[column][donor]
            out[column] = None if cell is None else self._rewritten(cell, donor, new, coins)
        return out

    def _rewritten(self, cell: str, donor: int, new: Row, coins: Coins) -> str:
        """Exchange the parts of the donor's name and its year of birth, and draw the other digits anew."""
        local, at, domain = cell.partition("@")
        exchange: dict[str, str] = {}
        for name in self._names:
            old = _words(self._habits.table[name][donor])
            exchange.update(zip(old, _words(new[name]), strict=False))
        for name in self._dates:
            exchange.update(_year(self._habits.table[name][donor], new[name]))
        found = sorted((word for word in exchange if len(word) > 1 and word in local), key=len, reverse=True)
        pattern = re.compile("|".join([*map(re.escape, found), r"\d+"]))

        def other(match: re.Match[str]) -> str:
            text = match.group()
            return exchange[text] if text in exchange else _digits_like(text, coins)

        return pattern.sub(other, local) + at + domain


def _words(name: str | None) -> list[str]:
    """The words of a name in lower case, without hyphens."""
    return [re.sub(r"[\W_]", "", word) for word in (name or "").casefold().split()]


def _year(old: str | None, new: str | None) -> dict[str, str]:
    """The year of birth, where both dates can be read."""
    before, after = read_date(old), read_date(new)
    if before is None or after is None:
        return {}
    from datetime import date

    return {str(date.fromordinal(before.day).year): str(date.fromordinal(after.day).year)}


def _digits_like(text: str, coins: Coins) -> str:
    """As many digits, the first of them not 0 where it was not."""
    low = 0 if text.startswith("0") else 10 ** (len(text) - 1)
    return str(coins.between(low, 10 ** len(text) - 1)).zfill(len(text)) if len(text) < 19 else text


def units_by_size(habits: Habits) -> Mapping[int, list[int]]:
    """The numbers of units by how many members they have."""
    sizes: dict[int, list[int]] = defaultdict(list)
    for number, rows in enumerate(habits.units):
        sizes[len(rows)].append(number)
    return sizes
