"""Who is to blame: what each column, pair of columns and value adds to the persons at risk.

    left_out(columns)                persons at risk with a column and without it, all others as they are
    contributions(sweep)             what a column adds to sets of columns, on average (Shapley 1953)
    interactions(sweep)              what two columns add together beyond what each adds (Grabisch, Roubens 1999)
    by_value(column, found)          at which values of a column the persons at risk are

Rules
1. Contributions and interactions are worked out from the counts of a sweep as they were told: they tell nothing more.
2. A value is named only where as many persons as the floor have it. What is not named holds together as many persons
   as the floor, and as many at risk, or none, so that it cannot be had by taking away what is named.
3. Blame is not cause: a column that adds nothing because another says the same is as dangerous as that one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.errors import InputError
from muniment.exposure.classes import classes
from muniment.exposure.extract import Classes, Coded
from muniment.exposure.floor import FLOOR, Count, check_rows
from muniment.exposure.shares import nested
from muniment.exposure.sweep import Sweep, weight

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALONE: Final = 2
"""The k below which a class is one person: at risk is who is singled out."""


@dataclass(frozen=True, slots=True)
class Blame:
    """Persons at risk `before`, and `after` the columns were left out (or coarsened to `level`)."""

    columns: tuple[str, ...]
    before: Count
    after: Count
    level: str = ""

    @property
    def added(self) -> int:
        """Persons at risk because of the columns, as told."""
        return weight(self.before) - weight(self.after)


@dataclass(frozen=True, slots=True)
class Added:
    """Persons whom columns add to those singled out, on average over sets; below 0 where they say the same."""

    columns: tuple[str, ...]
    persons: float


@dataclass(frozen=True, slots=True)
class ValueBlame:
    """Persons with one value of a column (`None`: NULL), and those of them at risk."""

    column: str
    value: str | None
    persons: Count
    at_risk: Count

    @property
    def share(self) -> float:
        """The share of the persons with the value who are at risk."""
        return min(1.0, self.at_risk.share(self.persons.at_least))


def left_out(
    columns: Sequence[Coded], *, k: int = ALONE, before: Count | None = None, floor: int = FLOOR
) -> tuple[Blame, ...]:
    """Persons in classes of fewer than k, with all columns and without each, those that add most first.

    before: the persons at risk with all columns, as they were told already, so that they are told alike here.

    Raises:
        InputError: no column, fewer rows than the floor, a k below 2; numba is not installed.
    """
    check_k(k)
    found = classes(columns)
    check_rows(found.rows, "a table to blame columns for", floor)
    whole = told_at_risk(found, k, floor, before)
    told = []
    for place, column in enumerate(columns):
        others = [*columns[:place], *columns[place + 1 :]]
        after = at_risk(classes(others), k) if others else found.rows * (found.rows < k)
        told.append(Blame((column.name,), whole, held_by(whole, [after], floor)[0]))
    return tuple(sorted(told, key=lambda one: -one.added))


def check_k(k: int) -> None:
    """Refuse a k at which nobody is at risk (`InputError`)."""
    if k < ALONE:
        raise InputError(f"k = {k}: at risk are persons in classes of fewer than k, so expected {ALONE} or more")


def at_risk(found: Classes, k: int) -> int:
    """Rows in classes of fewer than k: exact, for computing with."""
    return int(found.sizes[found.sizes < k].sum())


def told_at_risk(found: Classes, k: int, floor: int, before: Count | None = None) -> Count:
    """Rows in classes of fewer than k as they may leave, or as they were told already (`InputError`: of others)."""
    exact = at_risk(found, k)
    if before is None:
        return nested((found.rows, exact), floor)[1]
    if exact > before.most or (exact == 0) != (before.most == 0):
        raise InputError(f"the persons at risk that were told are not those of these columns at k = {k}")
    return before


def held_by(before: Count, counts: Sequence[int], floor: int) -> tuple[Count, ...]:
    """Counts each of which holds the next, and that are held by one that was told, as they may leave."""
    if before.hidden:
        return tuple(Count.of(count, floor) for count in counts)
    return nested((before.at_least, *counts), floor)[1:]


def contributions(swept: Sweep) -> tuple[Added, ...]:
    """What each column adds to a set of the others, the mean over sizes of sets; most first.

    Where the sweep has sets of all columns, these are Shapley values, and add up to the persons singled out by all.
    """
    told = _told(swept)

    def added(column: frozenset[str], others: frozenset[str]) -> int:
        return told[others | column] - told[others]

    return _averages(swept, 1, added)


def interactions(swept: Sweep, count: int = 10) -> tuple[Added, ...]:
    """What pairs add beyond what each of both adds, the mean over sizes of sets; most first.

    Below 0 where two columns say the same. Empty where the sweep has no pairs.
    """
    told = _told(swept)

    def added(pair: frozenset[str], others: frozenset[str]) -> int:
        return told[others | pair] + told[others] - sum(told[others | {one}] for one in pair)

    return _averages(swept, 2, added)[:count]


def _told(swept: Sweep) -> Mapping[frozenset[str], int]:
    return {frozenset(): 0} | {frozenset(one.names): weight(one.uniques) for one in swept.sets}


def _averages(swept: Sweep, size: int, added: Callable[[frozenset[str], frozenset[str]], int]) -> tuple[Added, ...]:
    """What sets of `size` columns add to sets of the others, the mean of the means of each size."""
    told = []
    for columns in combinations(swept.names, size) if size <= swept.size else ():
        others = [name for name in swept.names if name not in columns]
        means = [
            np.mean([added(frozenset(columns), frozenset(more)) for more in combinations(others, count)])
            for count in range(swept.size - size + 1)
        ]
        told.append(Added(columns, float(np.mean(means))))
    return tuple(sorted(told, key=lambda one: -one.persons))


def by_value(
    column: Coded, found: Classes, *, k: int = ALONE, count: int = 10, floor: int = FLOOR
) -> tuple[ValueBlame, ...]:
    """The values of a column at which most persons in classes of fewer than k are (rule 2), at most `count` of them.

    Raises:
        InputError: the column has no labels or other rows than the classes; fewer rows than the floor; a k below 2.
    """
    check_k(k)
    check_rows(found.rows, "a table to blame values for", floor)
    if len(column) != found.rows:
        raise InputError(f"column {column.name!r} has {len(column):,} rows: expected the {found.rows:,} of the classes")
    if len(column.labels) != column.size:
        raise InputError(f"column {column.name!r} was read without its labels, which blame by value names")
    persons = np.bincount(column.codes, minlength=column.size)
    small = np.bincount(column.codes[(found.sizes < k)[found.ids]], minlength=column.size)
    return tuple(
        ValueBlame(column.name, column.labels[code], *nested((int(persons[code]), int(small[code])), floor))
        for code in _nameable(persons, small, count, floor)
    )


def _nameable(persons: NDArray[np.int64], small: NDArray[np.int64], count: int, floor: int) -> list[int]:
    """The values that may be named, most at risk first (rule 2)."""
    ranked = np.lexsort((np.arange(len(small)), -persons, -small))
    named = [int(code) for code in ranked if persons[code] >= floor and small[code] >= floor][:count]
    while named and not _rest_is_large(named, persons, small, floor):
        named.pop()
    return named


def _rest_is_large(named: list[int], persons: NDArray[np.int64], small: NDArray[np.int64], floor: int) -> bool:
    """Whether what is not named is none, or as many as the floor, of persons, of those at risk and of the others.

    A value of which fewer than the floor are not at risk is told as wholly at risk; the rest has to hide that as well.
    """
    raised = any(0 < persons[code] - small[code] < floor for code in named)
    rest_small = int(small.sum() - small[named].sum())
    rest_safe = int((persons - small).sum() - (persons - small)[named].sum())
    return all(rest >= floor or (rest == 0 and not raised) for rest in (rest_small, rest_safe))
