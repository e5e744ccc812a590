"""Ages and dates of a fictitious unit: put together anew, so that no family of the register stands there again.

Rules
1. The first member is about as old as that of the unit which lends its form. Each further one follows the one before
   by the interval of another unit: one of the `_NEAREST` units that are alike in the sexes, in the ages of the first
   member and the one before, and in the interval itself. Large families are rare, so theirs come from farther away,
   as they should: an attacker who looks for the nearest family finds none nearer than real families have.
2. Dates that were close stay as close: twins, a birth and its registration.
3. The order of dates in a record and of time stamps in a unit is kept, no date lies outside those of the register,
   no first member is registered younger than any is, and no births arise that are closer than a mother can bear.
4. Time stamps move by whole weeks, so that an office that works from Monday to Friday still does; stamps that were
   equal in a unit stay equal; the time of day is that of some other record.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from muniment.disclosure import Kind
from muniment.marks.decoys.coins import Coins
from muniment.marks.decoys.dates import Written, read_date
from muniment.marks.decoys.habits import Habits, Role, script

if TYPE_CHECKING:
    from numpy.typing import NDArray

Row = dict[str, str | None]
Dates = Mapping[str, Written | None]
_NEAREST, _AT_LEAST, _REACH = 60, 8, 2_200
"""Steps from which one is taken: the nearest, as long as they lie within so many days, but at least so few. What is
farther away is another kind of relation, a parent where a child was."""
_FEW = 80
"""Units of one size and pair of sexes below which larger and smaller units lend intervals too."""
_CLOSE = 280
"""Days between births below which they are one event, or none of the same mother."""
_GENERATION = 17 * 365
"""Days by which children are younger than parents, at the least."""
_SOON = 90
"""Days between two dates of one record below which the second follows from the first."""
_OWN_SHIFT, _WEEKS, _TRIES = 45, 8, 60


class Calendar:
    """Draws the dates of units from the habits of a register."""

    def __init__(self, habits: Habits) -> None:
        self._habits = habits
        names = habits.columns(Role.DATE)
        self._births = tuple(name for name in names if habits.kinds[name] is Kind.DATE)
        self._stamps = tuple(name for name in names if habits.kinds[name] is Kind.TIMESTAMP)
        self._read = {name: [read_date(cell) for cell in habits.table[name]] for name in names}
        self._span = {
            name: _span([found.day for found in read if found is not None]) for name, read in self._read.items()
        }
        self._heaps = self._heaped()
        self._kinds = [
            (script(habits.shapes[row]), *(habits.table[name][row] for name in habits.columns(Role.SKELETON)))
            for row in range(habits.table.rows)
        ]
        self._steps = self._learn_steps()
        self._youngest = self._learn_youngest()

    # --- learning ------------------------------------------------------------------------------------------------

    def _heaped(self) -> frozenset[tuple[int, int]]:
        """Days of the year that stand far more often than they should: 1 January for unknown birthdays."""
        found = Counter(_month_day(one.day) for name in self._births for one in self._read[name] if one is not None)
        return frozenset(day for day, count in found.items() if count > 3 * found.total() / 365 + 5)

    def _bucket(self, rows: Sequence[int], at: int, size: int) -> Hashable:
        """What a step to member `at` must be alike in: place and size, sexes and scripts of the two members."""
        return (size, at, self._kinds[rows[at - 1]] if at else None, self._kinds[rows[at]])

    def _learn_steps(self) -> dict[Hashable, NDArray[np.int64]]:
        """Steps by bucket, for exact sizes and (size 0) for all sizes together; see `_step` for the three columns."""
        found: dict[Hashable, list[tuple[int, int, int]]] = defaultdict(list)
        for rows in self._habits.units:
            days = [self._habits.days[row] for row in rows]
            for at in range(len(rows)):
                if not self._habits.undated.isdisjoint((rows[0], rows[max(0, at - 1)], rows[at])):
                    continue
                for size in (len(rows), 0):
                    found[self._bucket(rows, at, size)].append(_step(days, at))
        return {bucket: np.array(steps, np.int64) for bucket, steps in found.items()}

    def _learn_youngest(self) -> dict[str, int]:
        """The least time from the birth to a stamp, in days, of the first members of units."""
        least: dict[str, int] = {}
        for rows in self._habits.units:
            for name, (born, stamped) in self._gaps(rows[0]).items():
                least[name] = min(least.get(name, stamped - born), stamped - born)
        return least

    def _gaps(self, row: int) -> dict[str, tuple[int, int]]:
        """Birth and stamp of a row, for each stamp column."""
        born = self._read[self._births[0]][row] if self._births else None
        stamps = ((name, self._read[name][row]) for name in self._stamps)
        return {name: (born.day, found.day) for name, found in stamps if born is not None and found is not None}

    # --- drawing -------------------------------------------------------------------------------------------------

    def draw(self, rows: Sequence[int], coins: Coins) -> tuple[list[int], list[Row]]:
        """New days of birth and new date cells for the members of a unit that lends its form."""
        old = [{name: read[row] for name, read in self._read.items()} for row in rows]
        moved: list[dict[str, int]] = []
        days: list[int] = []
        for attempt in range(_TRIES):
            days = self._ages(rows, coins, narrow=attempt >= _TRIES // 2)
            moved = self._moved(rows, old, days, coins)
            if self._plausible(rows, old, moved, days):
                break
        else:
            days = [self._habits.days[row] for row in rows]
            moved = [{name: found.day for name, found in member.items() if found is not None} for member in old]
        rests: dict[str, str] = {}
        cells = [
            {name: self._cell(name, row, written, new.get(name), rests, coins) for name, written in member.items()}
            for row, member, new in zip(rows, old, moved, strict=True)
        ]
        return days, cells

    def _ages(self, rows: Sequence[int], coins: Coins, *, narrow: bool) -> list[int]:
        """New days of birth, one member after another."""
        old = [self._habits.days[row] for row in rows]
        new: list[int] = []
        for at in range(len(rows)):
            twin = next((by for by in range(at) if abs(old[by] - old[at]) < _CLOSE), None)
            if twin is not None:
                new.append(new[twin] + old[at] - old[twin])
                continue
            step = _step([*new, new[-1] + old[at] - old[at - 1]] if at else old, at)
            interval = step[2] if narrow else self._interval(rows, at, step, coins)
            new.append(step[0] + interval + coins.between(-_OWN_SHIFT, _OWN_SHIFT))
        heaped = [self._on_heap(a, b) for a, b in zip(old, new, strict=True)]
        return [a + (b - a) // 7 * 7 if self._soon(row) else b for row, a, b in zip(rows, old, heaped, strict=True)]

    def _soon(self, row: int) -> bool:
        """Whether a stamp of the row followed soon upon the birth: both then move by the same whole weeks."""
        return any(0 <= stamped - born < _SOON for born, stamped in self._gaps(row).values())

    def _interval(self, rows: Sequence[int], at: int, step: tuple[int, int, int], coins: Coins) -> int:
        """The interval to member `at` of one of the units with the nearest steps."""
        none = np.array([step], np.int64)
        steps = self._steps.get(self._bucket(rows, at, len(rows)), none)
        if len(steps) < _FEW:
            steps = self._steps.get(self._bucket(rows, at, 0), none)
        distance = np.abs(steps - np.array(step)).max(axis=1)
        nearest = np.argsort(distance, kind="stable")[:_NEAREST]
        count = max(min(_AT_LEAST, len(nearest)), int(np.sum(distance[nearest] <= _REACH)))
        return int(steps[nearest[coins.below(count)], 2])

    def _on_heap(self, old: int, new: int) -> int:
        """A new day in its year, on the same month and day where births heap on it."""
        month, day = _month_day(old)
        if (month, day) not in self._heaps:
            return new
        return date(date.fromordinal(new).year, month, min(day, 28) if month == 2 else day).toordinal()

    def _moved(
        self, rows: Sequence[int], old: Sequence[Dates], days: Sequence[int], coins: Coins
    ) -> list[dict[str, int]]:
        """All dates of the members: further birth-like dates along with the first, stamps by whole weeks."""
        soon = [(row, day - self._habits.days[row]) for row, day in zip(rows, days, strict=True)]
        weeks = {stamped: by for row, by in soon for born, stamped in self._gaps(row).values()
                 if 0 <= stamped - born < _SOON}  # fmt: skip
        out = []
        for row, member, day in zip(rows, old, days, strict=True):
            by = day - self._habits.days[row]
            new = {name: found.day + by for name in self._births if (found := member[name]) is not None}
            for name in self._stamps:
                if (found := member[name]) is not None:
                    new[name] = found.day + self._weeks(found.day, weeks, coins)
            out.append(new)
        return out

    def _weeks(self, day: int, weeks: dict[int, int], coins: Coins) -> int:
        """By how many days a stamp moves: with its equals in the unit, and with a birth that it follows soon."""
        if day not in weeks:
            weeks[day] = 7 * coins.between(-_WEEKS, _WEEKS)
        return weeks[day]

    def _plausible(
        self, rows: Sequence[int], old: Sequence[Dates], new: Sequence[Mapping[str, int]], days: Sequence[int]
    ) -> bool:
        """Whether rule 3 holds."""
        if not all(self._span[name][0] <= day <= self._span[name][1] for member in new for name, day in member.items()):
            return False
        known = [
            [(found.day, moved[name]) for name, found in member.items() if found is not None]
            for member, moved in zip(old, new, strict=True)
        ]
        stamps = [
            (found.day, moved[name])
            for member, moved in zip(old, new, strict=True)
            for name in self._stamps
            if (found := member[name]) is not None
        ]
        births = [
            (found.day, moved[name])
            for member, moved in zip(old, new, strict=True)
            for name in self._births
            if (found := member[name]) is not None
        ]
        pairs = zip([self._habits.days[row] for row in rows], days, strict=True)
        ordered = _generations(list(pairs)) and all(_in_order(dates) for dates in known) and _in_order(stamps)
        return ordered and _apart(births) and self._old_enough(rows[0], new[0])

    def _old_enough(self, row: int, new: Mapping[str, int]) -> bool:
        """Whether the first member is registered no younger than first members are."""
        return all(
            new[name] - new[self._births[0]] >= min(self._youngest[name], stamped - born)
            for name, (born, stamped) in self._gaps(row).items()
        )

    def _cell(
        self, name: str, row: int, written: Written | None, day: int | None, rests: dict[str, str], coins: Coins
    ) -> str | None:
        """A date cell as it is written: the old layout, the new day, another record's time of day."""
        if written is None or day is None:
            return self._habits.table[name][row]
        if not written.rest:
            return written.at(day)
        if written.text not in rests:
            donor = coins.pick(self._read[name])
            rests[written.text] = donor.rest if donor and len(donor.rest) == len(written.rest) else written.rest
        return written.at(day, rests[written.text])


def _span(days: Sequence[int]) -> tuple[int, int]:
    """The first and the last of some days."""
    return min(days, default=0), max(days, default=0)


def _step(days: Sequence[int], at: int) -> tuple[int, int, int]:
    """The day of the member before, how long after the first member it was born, and the interval to member `at`."""
    return (days[at - 1], days[at - 1] - days[0], days[at] - days[at - 1]) if at else (0, 0, days[0])


def _in_order(dates: Sequence[tuple[int, int]]) -> bool:
    """Whether no two dates (old, new) have changed their order."""
    return not any(a < b and x > y for a, x in dates for b, y in dates)


def _generations(births: Sequence[tuple[int, int]]) -> bool:
    """Whether those (old, new) born a generation after the first member still are."""
    first, moved = births[0]
    return all(new - moved >= _GENERATION for old, new in births if old - first >= _GENERATION)


def _apart(births: Sequence[tuple[int, int]]) -> bool:
    """Whether no births (old, new) have come closer than `_CLOSE` that were not."""
    return not any(
        abs(x - y) < _CLOSE <= abs(a - b) for at, (a, x) in enumerate(births) for b, y in births[at + 1 :]
    )


def _month_day(day: int) -> tuple[int, int]:
    """Month and day of the month."""
    found = date.fromordinal(day)
    return found.month, found.day
