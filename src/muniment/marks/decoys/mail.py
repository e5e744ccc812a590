"""Mail addresses of decoys: built like one of a record alike, with the decoy's own name and year of birth in it."""

from __future__ import annotations

import re
from collections.abc import Hashable
from datetime import date

from muniment.disclosure import Kind
from muniment.marks.decoys.calendar import Row
from muniment.marks.decoys.coins import Coins
from muniment.marks.decoys.dates import read_date
from muniment.marks.decoys.habits import Habits, Role
from muniment.marks.decoys.names import NearDonors


class Mail:
    """Mail addresses: built like one of a record alike, with the decoy's own name and year of birth in it."""

    def __init__(self, habits: Habits) -> None:
        self._habits = habits
        self._columns = habits.columns(Role.EMAIL)
        self._names = habits.columns(Role.NAME)
        shapes: list[Hashable] = list(habits.shapes)
        self._near = NearDonors(shapes, habits.days, habits.undated)
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
    return {str(date.fromordinal(before.day).year): str(date.fromordinal(after.day).year)}


def _digits_like(text: str, coins: Coins) -> str:
    """As many digits, the first of them not 0 where it was not."""
    low = 0 if text.startswith("0") else 10 ** (len(text) - 1)
    return str(coins.between(low, 10 ** len(text) - 1)).zfill(len(text)) if len(text) < 19 else text
