"""The cheapest fixes: single changes of a release, by the persons whom they protect for the utility they cost.

    fixes(columns, hierarchies, k=2)    tuple of Fix, the cheapest first

At risk are persons in classes of fewer than k; with k = 2, who is singled out. Each change is made on the classes, each
once with its rows, and counted exactly:
    coarsen     a column is told on a less exact level of its hierarchy, for all persons
    drop        a column is left out
    blank       a column is told as NULL for the persons at risk
    suppress    the persons at risk are left out

Rules
1. Utility lost is the mean over all cells of what is lost of each, 0 (untouched) to 1 (gone), as `hierarchies` says it;
   columns count by their weights. Blanking and suppressing cost the cells of the persons at risk.
2. A change that protects nobody is no fix. Counts hold one another along a column's levels and are told by
   `shares.nested`, so that no difference of two is a small count of persons.
3. One change at a time: what several do together is for `lattice` to say.
4. Blanked or suppressed is who would have been at risk: where that itself must stay unsaid, take another change.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from muniment.errors import InputError
from muniment.exposure import kernels
from muniment.exposure.blame import ALONE, check_k, held_by, told_at_risk
from muniment.exposure.classes import Key, classes, extended
from muniment.exposure.extract import Coded
from muniment.exposure.floor import FLOOR, Count, check_rows
from muniment.exposure.hierarchies import Hierarchy
from muniment.exposure.lattice import ClassTable, table_of
from muniment.exposure.sweep import raised, weight

if TYPE_CHECKING:
    from numpy.typing import NDArray

Kind = Literal["coarsen", "drop", "blank", "suppress"]

NONE_GIVEN: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Fix:
    """One change: persons at risk `before` and `after` it, and the share of utility `lost`, 0 to 1.

    `columns`: those changed; `level`: what a column is coarsened to, else "".
    """

    kind: Kind
    columns: tuple[str, ...]
    level: str
    before: Count
    after: Count
    lost: float

    @property
    def protected(self) -> int:
        """Persons no longer at risk, as told."""
        return weight(self.before) - weight(self.after)

    @property
    def protected_per_loss(self) -> float:
        """Persons protected for each hundredth of utility lost; infinite where nothing is lost."""
        return math.inf if self.lost <= 0 else self.protected / (100 * self.lost)


def fixes(
    columns: Sequence[Coded],
    hierarchies: Mapping[str, Hierarchy] = NONE_GIVEN,
    *,
    k: int = ALONE,
    weights: Mapping[str, float] = NONE_GIVEN,
    before: Count | None = None,
    floor: int = FLOOR,
) -> tuple[Fix, ...]:
    """Every single change that protects somebody, most persons for the utility lost first.

    hierarchies: by name of the column; a column without one is dropped or blanked. weights: what a column is worth, 1
    where it is not said. before: the persons at risk, as they were told already, so that they are told alike here.

    Raises:
        InputError: no column, fewer rows than the floor, a k below 2; a hierarchy or a weight of no such column, of
            other values than the column has, or a weight below 0; numba is not installed.
    """
    check_k(k)
    table = table_of(columns)
    check_rows(table.total, "a table to fix", floor)
    worth = _worth(columns, weights)
    _check_hierarchies(columns, hierarchies)
    trial = _Trial(columns, table, k, before, floor)
    told = [_suppressing(trial)]
    for place, column in enumerate(columns):
        told += trial.of(place, hierarchies.get(column.name), worth[place])
    helping = [one for one in told if one.protected > 0]
    return tuple(sorted(helping, key=lambda one: (-one.protected_per_loss, one.lost)))


def _worth(columns: Sequence[Coded], weights: Mapping[str, float]) -> list[float]:
    """The share of utility that each column is."""
    _check_names("weight", columns, weights)
    given = [float(weights.get(column.name, 1.0)) for column in columns]
    total = math.fsum(given)
    if not all(one >= 0 for one in given) or not 0 < total < math.inf:
        shown = ", ".join(f"{one:g}" for one in given)
        raise InputError(f"weights of columns: expected numbers from 0, not all 0; came {shown}")
    return [one / total for one in given]


def _check_hierarchies(columns: Sequence[Coded], hierarchies: Mapping[str, Hierarchy]) -> None:
    _check_names("hierarchy", columns, hierarchies)
    for column in columns:
        one = hierarchies.get(column.name)
        if one is not None and len(one.maps[0]) != column.size:
            raise InputError(
                f"the hierarchy of column {column.name!r} is of {len(one.maps[0]):,} values: expected the "
                f"{column.size:,} of the column",
                hint="work it out for this extract (hierarchies.hierarchy)",
            )


def _check_names(what: str, columns: Sequence[Coded], given: Mapping[str, object]) -> None:
    names = [column.name for column in columns]
    for name in given:
        if name not in names:
            raise InputError(f"a {what} of column {name!r}, which is not here; the columns are {', '.join(names)}")


def _suppressing(trial: _Trial) -> Fix:
    return Fix("suppress", tuple(trial.names), "", trial.before, Count.of(0, trial.floor), trial.before_share)


class _Trial:
    """The classes of a table, once each, and what becomes of those at risk when one column changes."""

    def __init__(self, columns: Sequence[Coded], table: ClassTable, k: int, before: Count | None, floor: int) -> None:
        self.table, self.k, self.floor = table, k, floor
        self.names = [column.name for column in columns]
        self.nulls = [column.null if column.null >= 0 else column.size for column in columns]
        self.columns = [
            Coded(column.name, codes, column.size) for column, codes in zip(columns, table.codes, strict=True)
        ]
        self.before = told_at_risk(table.of, k, floor, before)
        self.before_share = min(1.0, self.before.share(table.total))

    def of(self, place: int, hierarchy: Hierarchy | None, worth: float) -> list[Fix]:
        """The changes of one column."""
        rest, codes, name = self._rest(place), self.table.codes[place], (self.names[place],)
        levels = [] if hierarchy is None else list(zip(hierarchy.levels, hierarchy.maps, hierarchy.losses, strict=True))
        exact, losses = [], []
        for _, codes_on, losses_on in levels[1:-1]:
            exact.append(self._left(rest, codes_on[codes]))
            losses.append(worth * float(losses_on[codes_on[codes]] @ self.table.rows) / self.table.total)
        exact.append(self._left(rest, np.zeros_like(codes)))
        *coarser, dropped = held_by(self.before, exact, self.floor)
        told = [
            Fix("coarsen", name, level[0], self.before, after, lost)
            for level, after, lost in zip(levels[1:-1], coarser, losses, strict=True)
        ]
        told.append(Fix("drop", name, "", self.before, dropped, worth))
        told.append(Fix("blank", name, "", self.before, self._blanked(rest, place, dropped), worth * self.before_share))
        return told

    def _rest(self, place: int) -> Key:
        """The classes as one key of all other columns."""
        others = [*self.columns[:place], *self.columns[place + 1 :]]
        if not others:
            return Key(np.zeros(len(self.table.rows), np.uint8), 1)
        found = classes(others)
        return Key(found.ids, len(found.sizes))

    def _left(self, rest: Key, codes: NDArray[np.uint32]) -> int:
        """Rows at risk where classes differ in these codes and in the rest."""
        key = extended(rest, Coded("", codes, int(codes.max(initial=0)) + 1))
        ids, sizes = kernels.numbered(key.values, key.cells)
        rows = np.bincount(ids, weights=self.table.rows, minlength=len(sizes))
        return int(rows[rows < self.k].sum())

    def _blanked(self, rest: Key, place: int, dropped: Count) -> Count:
        """Rows at risk where the column is NULL for those at risk. Who is at risk without it is so then as well."""
        codes = self.table.codes[place].copy()
        codes[self.table.rows < self.k] = self.nulls[place]
        told = raised(self._left(rest, codes), [dropped], self.table.total, self.floor)
        near = weight(self.before) - weight(told) < self.floor
        return self.before if near and not told.hidden else told

    def _lost(self, place: int, hierarchy: Hierarchy, level: int) -> float:
        of_class = hierarchy.losses[level][hierarchy.maps[level][self.table.codes[place]]]
        return float(of_class @ self.table.rows) / self.table.total
