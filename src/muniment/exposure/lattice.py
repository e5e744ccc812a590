"""Optimal full-domain generalisation with suppression: one level for each column, chosen over all of them.

    table_of(columns)                    ClassTable: each class once, with its rows
    optimal(table, hierarchies, goal)    Choice: the levels of least loss that reach the goal, proved least
    checked(table, hierarchies, levels)  Check of one node

A node is a level for each column; the lattice has all of them. Rows in classes below k are suppressed. Suppression only
falls as levels rise, so a node that suppresses too much speaks for all below it (predictive tagging: Samarati 2001;
Kohlmayer et al. 2012, Flash). Here tags carry the loss as well: the loss of a node is what generalisation costs all
rows plus what suppression adds. The first part is known for each node beforehand and the second only grows downwards,
so that a node counted bounds all nodes below it, and one is counted only while it could still be the best.

Rules
1. Exact: no node is left out that could be better. Of equal ones the first counted is taken; the order is fixed.
2. A lattice of more than `NODES` is refused, never searched in part.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from muniment.errors import InputError, LimitError
from muniment.exposure import kernels
from muniment.exposure.classes import classes
from muniment.exposure.extract import Classes, Coded
from muniment.exposure.floor import FLOOR, Count, check_rows
from muniment.exposure.hierarchies import Hierarchy
from muniment.exposure.kernels import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

Levels = tuple[int, ...]

NODES: Final = 2**20
"""Nodes of a lattice that is searched: a pass over their bounds, 8 bytes each, is made for each node counted."""
CELLS: Final = 2**25
"""Cells of a node that are ever counted directly: four bytes each, 128 MB."""
CELLS_A_CLASS: Final = 32
"""Cells for each class up to which clearing them costs less than hashing."""
SLACK: Final = 1e-12
"""By how much a bound must pass the best loss before a node is left out: sums of shares are no more exact."""


@dataclass(frozen=True, slots=True)
class Goal:
    """Classes of at least `k` rows, and at most the share `limit` of all rows suppressed; `InputError` if no such."""

    k: int = 5
    limit: float = 0.02

    def __post_init__(self) -> None:
        if self.k < 1 or not 0 <= self.limit < 1:
            raise InputError(f"k = {self.k}, limit {self.limit:g}: expected k from 1 and a share from 0 to below 1")

    def most(self, rows: int) -> int:
        """Rows that may be suppressed of so many; exact where the share is (0.02 of 100 is 2)."""
        return math.floor(self.limit * rows + 1e-9)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ClassTable:
    """Classes of c kinds in q columns: `codes` uint32, (q, c); `rows` of each, int64, (c,); `of`: the classes."""

    codes: NDArray[np.uint32]
    rows: NDArray[np.int64]
    of: Classes

    @property
    def total(self) -> int:
        """Rows in all classes."""
        return int(self.rows.sum())


@dataclass(frozen=True, slots=True, repr=False)
class Check:
    """A node counted: rows suppressed, and the sum of what suppression adds to their loss. For computing with."""

    suppressed: int
    penalty: float


@dataclass(frozen=True, slots=True)
class Choice:
    """The best node: `levels` of the columns; `suppressed` rows of `rows`; `granularity` (1 untouched, 0 nothing
    left); `nodes` of the lattice and how many of them were `counted`.

    Where fewer rows than the floor are suppressed, granularity takes them for as many as the floor.
    """

    levels: Levels
    rows: int
    suppressed: Count
    granularity: float
    nodes: int
    counted: int


def table_of(columns: Sequence[Coded]) -> ClassTable:
    """The classes of the columns, each once; errors as `classes`."""
    of = classes(columns)
    row = np.empty(len(of.sizes), np.int64)
    row[of.ids] = np.arange(of.rows)
    return ClassTable(np.array([column.codes[row] for column in columns], np.uint32), of.sizes, of)


def optimal(table: ClassTable, hierarchies: Sequence[Hierarchy], goal: Goal, floor: int = FLOOR) -> Choice:
    """The levels of least loss that reach the goal.

    Raises:
        InputError: fewer rows than the floor, or than k.
        LimitError: the lattice has more than `NODES`.
    """
    check_rows(table.total, "a table to generalise", floor)
    if table.total < goal.k:
        raise InputError(f"{table.total} rows cannot make a class of k = {goal.k}", hint="choose a smaller k")
    search = _Search(table, hierarchies, goal)
    levels, check = search.best()
    lost = search.loss(levels) * table.total + check.penalty - check.suppressed
    granularity = told_granularity(lost, check.suppressed, table.total, floor)
    suppressed = Count.of(check.suppressed, floor)
    return Choice(levels, table.total, suppressed, granularity, search.bounds.size, search.counted)


def check_nodes(hierarchies: Sequence[Hierarchy], most: int) -> None:
    """Refuse a lattice of no column (`InputError`) or of too many nodes (`LimitError`)."""
    nodes = math.prod(one.height for one in hierarchies)
    if not hierarchies:
        raise InputError("nothing to generalise: expected at least one quasi-identifier")
    if nodes > most:
        raise LimitError(
            f"{nodes:,} combinations of levels: expected at most {most:,}",
            hint="give fewer columns, or hierarchies of fewer levels",
        )


def told_granularity(lost: float, suppressed: int, rows: int, floor: int = FLOOR) -> float:
    """Granularity as it may leave: exact, unless some rows, but fewer than the floor, are suppressed.

    lost: the sum of the losses of the rows kept. Where the count is hidden the granularity of the rows kept is taken
    times their share as it is told.
    """
    told = Count.of(suppressed, floor)
    if not told.hidden:
        return 1.0 - (lost + suppressed) / rows
    kept = rows - suppressed
    return max(0.0, (1.0 - lost / kept) * (1.0 - told.share(rows))) if kept else 0.0


def checked(table: ClassTable, hierarchies: Sequence[Hierarchy], levels: Levels, k: int) -> Check:
    """One node counted exactly. Time is that of one or two passes over the classes."""
    keys, cells = node_keys(table.codes, hierarchies, levels)
    lost = generalisation_losses(table.codes, hierarchies, levels)
    rows = np.asarray(table.rows, np.int64)
    if cells <= min(CELLS, max(2**16, CELLS_A_CLASS * len(rows))):
        counters = np.zeros(cells, np.uint32)
    else:
        keys, sizes = kernels.numbered(keys, cells)
        counters = np.zeros(len(sizes), np.uint32)
    return Check(*compiled(_count)(keys, rows, lost, counters, k))


def node_keys(
    codes: NDArray[np.uint32], hierarchies: Sequence[Hierarchy], levels: Levels
) -> tuple[NDArray[Any], int]:
    """A key for each class at a node, and below what number they are; equal keys are one class there.

    codes: (q, c). Keys are unsigned, (c,). Columns are folded to class ids on the way where the product passes 2**63.
    """
    keys: NDArray[Any] = np.zeros(codes.shape[1], np.uint32)
    cells = 1
    for place, (one, level) in enumerate(zip(hierarchies, levels, strict=True)):
        size = len(one.labels[level])
        if size == 1:
            continue
        if cells * size > 2**63:
            keys, sizes = kernels.numbered(keys, cells)
            cells = len(sizes)
        if cells * size > 2**32:
            keys = keys.astype(np.uint64, copy=False)
        compiled(_extend)(keys, codes[place], one.maps[level].astype(keys.dtype) * keys.dtype.type(cells))
        cells *= size
    return keys, cells


def mean_losses(
    codes: NDArray[np.uint32], rows: NDArray[np.int64], hierarchies: Sequence[Hierarchy]
) -> NDArray[np.float64]:
    """The loss of every node by generalisation alone, of the shape of the lattice: a sum over columns.

    codes: (q, c), rows of each class: (c,).
    """
    whole = np.zeros(tuple(one.height for one in hierarchies))
    for place, one in enumerate(hierarchies):
        values = np.bincount(codes[place], weights=rows, minlength=len(one.maps[0]))
        means = [float(values @ one.losses[level][one.maps[level]]) / values.sum() for level in range(one.height)]
        shape = [1] * len(hierarchies)
        shape[place] = -1
        whole += np.reshape(means, shape) / len(hierarchies)
    return whole


def generalisation_losses(
    codes: NDArray[np.uint32], hierarchies: Sequence[Hierarchy], levels: Levels
) -> NDArray[np.float64]:
    """The loss of each class by generalisation alone: the mean over its cells, (c,)."""
    lost = np.zeros(codes.shape[1])
    for place, (one, level) in enumerate(zip(hierarchies, levels, strict=True)):
        of_code = one.losses[level][one.maps[level]] / len(hierarchies)
        if of_code.any():
            compiled(_add)(lost, codes[place], of_code)
    return lost


def _extend(keys: NDArray[Any], codes: NDArray[np.uint32], steps: NDArray[Any]) -> None:
    for row in range(len(keys)):
        keys[row] += steps[codes[row]]


def _add(lost: NDArray[np.float64], codes: NDArray[np.uint32], of_code: NDArray[np.float64]) -> None:
    for row in range(len(lost)):
        lost[row] += of_code[codes[row]]


def _count(
    keys: NDArray[Any], rows: NDArray[np.int64], lost: NDArray[np.float64], counters: NDArray[np.uint32], k: int
) -> tuple[int, float]:
    """Rows in cells below k, and the sum of what suppression adds to their loss."""
    for row in range(len(keys)):
        counters[keys[row]] += rows[row]
    suppressed, penalty = 0, 0.0
    for row in range(len(keys)):
        if counters[keys[row]] < k:
            suppressed += rows[row]
            penalty += rows[row] * (1.0 - lost[row])
    return suppressed, penalty


class _Search:
    """One search: the bounds of all nodes, and the best so far."""

    def __init__(self, table: ClassTable, hierarchies: Sequence[Hierarchy], goal: Goal) -> None:
        check_nodes(hierarchies, NODES)
        self.table, self.hierarchies, self.goal = table, hierarchies, goal
        self.losses = mean_losses(table.codes, table.rows, hierarchies)
        self.bounds = self.losses.copy()
        """No node's loss is below this; infinite where the node was counted or cannot reach the goal."""
        self.counted = 0
        self.least = math.inf
        self.found: tuple[Levels, Check] | None = None
        self.rows = table.total

    def loss(self, levels: Levels) -> float:
        """The loss of a node by generalisation alone."""
        return float(self.losses[levels])

    def best(self) -> tuple[Levels, Check]:
        """The node of least loss. The top always reaches the goal, since there are k rows."""
        levels: Levels | None = tuple(0 for _ in self.hierarchies)
        while levels is not None and not self._count(levels):
            levels = self._step(levels)
        while (levels := self._next()) is not None:
            self._count(levels)
        assert self.found is not None
        return self.found

    def _count(self, levels: Levels) -> bool:
        """Count a node, tag it and all below it, and say whether it reaches the goal."""
        self.counted += 1
        check = checked(self.table, self.hierarchies, levels, self.goal.k)
        below = tuple(slice(0, level + 1) for level in levels)
        reached = check.suppressed <= self.goal.most(self.rows)
        added = check.penalty / self.rows if reached else math.inf
        self.bounds[below] = np.maximum(self.bounds[below], self.losses[below] + added)
        self.bounds[levels] = math.inf
        if reached and self.loss(levels) + added < self.least:
            self.least, self.found = self.loss(levels) + added, (levels, check)
        return reached

    def _step(self, levels: Levels) -> Levels | None:
        """One level up, in the column where that costs least: a way to a first node that reaches the goal."""
        ups = [
            (*levels[:place], level + 1, *levels[place + 1 :])
            for place, level in enumerate(levels)
            if level + 1 < self.hierarchies[place].height
        ]
        return min(ups, key=lambda up: (self.loss(up), up)) if ups else None

    def _next(self) -> Levels | None:
        """Of the nodes that could still be best, the one whose count says most: the costliest."""
        still = np.flatnonzero(self.bounds < self.least - SLACK)
        if not len(still):
            return None
        place = still[np.argmax(self.losses.flat[still])]
        return tuple(map(int, np.unravel_index(place, self.bounds.shape)))
