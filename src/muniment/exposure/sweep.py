"""Which columns are dangerous: whom every set of columns up to a size singles out, counted exactly.

    sweep(extract, names, size=3)    Sweep: each set of columns with the persons it singles out
    Sweep.worst()                    the sets that single out most, none because of a smaller one within it

Columns go from the one of most values to the one of fewest. Rows are put into blocks of equal values in the first
columns of a set and told apart there by the others, so that counters are few and stay in the cache. A person who is
alone in some columns is alone in more of them as well, and leaves the blocks (stripped partitions: Huhtala et al.
1999, TANE). Where a column follows from others (the county from the village), their sets are counted once.

Rules
1. Exact: every set is counted, or concluded from one that was. More than `SETS` sets are refused, never sampled.
2. What is told of a set may be compared with what is told of a set within it. So that no difference is from 1 to below
   the floor, the count of the larger set is raised: by fewer than the floor for each column after the first. For the
   same reason, persons who are not singled out are told as none where they are fewer than the floor.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from muniment.errors import InputError, LimitError
from muniment.exposure import kernels, sweep_kernels
from muniment.exposure.classes import ROWS
from muniment.exposure.extract import Coded, Extract
from muniment.exposure.floor import FLOOR, Count, check_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

Places = tuple[int, ...]

SETS: Final = 100_000
"""Sets of columns that one sweep counts."""
CELLS: Final = 2**19
"""Counters of a block that are not worth making fewer: a byte each, half of a usual second-level cache."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Classes of a set of columns, and rows alone in theirs: exact, for computing with, never put out."""

    classes: int
    uniques: int


def weight(count: Count) -> int:
    """The number that stands for a count as it was told: the floor, where it is fewer."""
    return count.floor if count.hidden else count.at_least


@dataclass(frozen=True, slots=True)
class ColumnSet:
    """A set of columns, and `uniques`, the persons of `rows` whom it singles out, as they may leave (rule 2)."""

    names: tuple[str, ...]
    rows: int
    uniques: Count

    @property
    def share(self) -> float:
        """The share of persons singled out; of fewer than the floor, that of the floor."""
        return self.uniques.share(self.rows)


@dataclass(frozen=True, slots=True)
class Sweep:
    """Sets of at most `size` of the columns `names`, smaller ones first, each in the order of `names`.

    `counted`: how many of them were counted; the others were concluded from those.
    """

    names: tuple[str, ...]
    rows: int
    size: int
    counted: int
    sets: tuple[ColumnSet, ...] = field(repr=False)

    def of(self, names: Sequence[str]) -> ColumnSet:
        """The set of these columns, in any order; `InputError` where the sweep has none such."""
        wanted = frozenset(names)
        for one in self.sets:
            if wanted == frozenset(one.names):
                return one
        shown = ", ".join(names) or "no column"
        raise InputError(
            f"no set {shown}: the sweep has sets of 1 to {self.size} of the columns {', '.join(self.names)}",
            hint="sweep these columns, or larger sets",
        )

    def worst(self, count: int = 10) -> tuple[ColumnSet, ...]:
        """The sets that single out most persons, most first, then fewest columns.

        A set is left out that singles out no more than a set within it, and so is one that singles out nobody.
        """
        told = {frozenset(one.names): one.uniques for one in self.sets}
        kept = [one for one in self.sets if one.uniques.at_least and not _idle(one, told)]
        return tuple(sorted(kept, key=lambda one: (-weight(one.uniques), len(one.names)))[:count])


def _idle(one: ColumnSet, told: dict[frozenset[str], Count]) -> bool:
    whole = frozenset(one.names)
    smaller = (whole - {name} for name in one.names) if len(whole) > 1 else ()
    return any(weight(told[less]) >= weight(one.uniques) for less in smaller)


def sweep(
    extract: Extract,
    names: Sequence[str] | None = None,
    *,
    size: int = 3,
    whole: Count | None = None,
    floor: int = FLOOR,
) -> Sweep:
    """All sets of at most `size` of these columns (or of all), and whom each singles out.

    whole: the persons whom all of these columns, or more, single out, where that is told as well: then no set is told
    at a small difference to it either.

    Raises:
        InputError: fewer rows than the floor; no column, one twice, or one that is not there; a size below 1.
        LimitError: more than `SETS` sets.
        MissingExtraError: numba is not installed.
    """
    names = extract.names if names is None else tuple(names)
    check_rows(extract.rows, "a table to sweep", floor)
    columns = extract.chosen(names)
    tallies, counted = tally(columns, size)
    told = _told(tallies, names, extract.rows, floor, whole)
    return Sweep(names, extract.rows, min(size, len(names)), counted, told)


def tally(columns: Sequence[Coded], size: int = 3) -> tuple[dict[Places, Tally], int]:
    """The exact tally of each set, by the places of its columns, and how many were counted; errors as `sweep`."""
    _check_sets(columns, size)
    rows = len(columns[0])
    order = sorted(range(len(columns)), key=lambda place: -columns[place].size)
    walk = _Walk(rows, min(size, len(columns)))
    codes = {step: columns[place].codes for step, place in enumerate(order)}
    root = _Blocks(np.array([0, rows], np.uint32), codes, Tally(1, int(rows == 1)), 0)
    walk.below((), root, [columns[place].size for place in order])
    return {tuple(sorted(order[step] for step in steps)): found for steps, found in walk.found.items()}, walk.counted


def _check_sets(columns: Sequence[Coded], size: int) -> None:
    names = [column.name for column in columns]
    if not columns or size < 1:
        raise InputError(f"sets of at most {size} of {len(columns)} columns: expected at least one column, one a set")
    for place, column in enumerate(columns):
        if column.name in names[:place]:
            raise InputError(f"column {column.name!r} is named twice", hint="name each column once")
    if len(columns[0]) > ROWS:
        raise LimitError(f"{len(columns[0]):,} rows: a sweep has numbers of 32 bits, so expected at most {ROWS:,}")
    sets = sum(math.comb(len(columns), count) for count in range(1, size + 1))
    if sets > SETS:
        raise LimitError(
            f"{sets:,} sets of at most {size} of {len(columns)} columns: expected at most {SETS:,}",
            hint="name fewer columns, or sweep smaller sets",
        )


# --- counting --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Blocks:
    """Rows in blocks, in the order of these, with the columns still to come, by step; `whole`: of the columns so far.

    In a block, rows are told apart by `key`, where there is one, below `cells`. `alone`: rows left out.
    """

    bounds: NDArray[np.uint32]
    codes: dict[int, NDArray[Any]]
    whole: Tally
    alone: int
    key: NDArray[Any] | None = None
    cells: int = 1

    def with_one(self, step: int, size: int) -> Tally:
        """The tally with one column more."""
        codes = self.codes[step]
        prefix, factor = (codes, 0) if self.key is None else (self.key, size)
        classes, uniques = sweep_kernels.counted(self.bounds, prefix, codes, factor, self.cells * size)
        return Tally(self.alone + classes, self.alone + uniques)

    def keyed(self, step: int, size: int, whole: Tally) -> _Blocks:
        """The same blocks, told apart by one column more."""
        codes, cells = self.codes[step], self.cells * size
        key = codes if self.key is None else kernels.combined(self.key, codes, size, cells)
        return _Blocks(self.bounds, _after(self.codes, step), whole, self.alone, key, cells)

    def split(self) -> _Blocks:
        """Blocks of rows that the key does not tell apart, and no key."""
        assert self.key is not None
        left = self.alone + len(self.key) - self.whole.uniques
        blocks = self.whole.classes - self.whole.uniques
        places, bounds = sweep_kernels.split(self.bounds, self.key, self.cells, blocks, left)
        codes = {step: sweep_kernels.moved(column, places, left) for step, column in self.codes.items()}
        return _Blocks(bounds, codes, self.whole, self.whole.uniques)


def _after(codes: dict[int, NDArray[Any]], step: int) -> dict[int, NDArray[Any]]:
    return {later: column for later, column in codes.items() if later > step}


class _Walk:
    """Depth first over the sets: steps ascend in each, and columns have fewer values with each step."""

    def __init__(self, rows: int, size: int) -> None:
        self.rows, self.size = rows, size
        self.found: dict[Places, Tally] = {}
        self.counted = 0

    def below(self, steps: Places, blocks: _Blocks, sizes: Sequence[int]) -> None:
        """Every set that begins with these steps and has one more at least."""
        if not blocks.codes:
            return
        if blocks.whole.uniques == self.rows:  # everybody is alone
            self._conclude(steps, blocks.codes, lambda more: blocks.whole)
            return
        blocks = self._tightened(steps, blocks, sizes)
        idle = []
        for step in list(blocks.codes):
            whole = self.found[(*steps, step)] = blocks.with_one(step, sizes[step])
            self.counted += 1
            if len(steps) + 1 == self.size:
                continue
            if whole.classes == blocks.whole.classes:  # it follows from the steps before
                idle.append(step)
            else:
                self.below((*steps, step), blocks.keyed(step, sizes[step], whole), sizes)
        for step in reversed(idle):
            later = _after(blocks.codes, step)
            self._conclude((*steps, step), later, lambda more: self.found[(*steps, *more)])

    def _tightened(self, steps: Places, blocks: _Blocks, sizes: Sequence[int]) -> _Blocks:
        """The blocks split by their key, where the largest set to come would have too many counters."""
        if blocks.key is None:
            return blocks
        more = list(blocks.codes)[: self.size - len(steps)]
        cells = blocks.cells * math.prod(sizes[step] for step in more)
        return blocks.split() if cells > CELLS else blocks

    def _conclude(self, steps: Places, later: Iterable[int], of: Callable[[Places], Tally]) -> None:
        """Every set that begins with these steps: what it has more, of columns to come, says what its tally is."""
        for count in range(1, self.size - len(steps) + 1):
            for more in combinations(later, count):
                self.found[(*steps, *more)] = of(more)


# --- telling ---------------------------------------------------------------------------------------------------


def _told(
    tallies: Mapping[Places, Tally], names: Sequence[str], rows: int, floor: int, whole: Count | None
) -> tuple[ColumnSet, ...]:
    counts: dict[Places, Count] = {}
    for places in sorted(tallies, key=lambda places: (len(places), places)):
        within = [counts[less] for less in combinations(places, len(places) - 1) if less]
        counts[places] = raised(tallies[places].uniques, within, rows, floor)
    return tuple(
        ColumnSet(tuple(names[place] for place in places), rows, _next_to(whole, count))
        for places, count in counts.items()
    )


def raised(count: int, within: Sequence[Count], rows: int, floor: int) -> Count:
    """The least count from this one on that is as any count within it, or at least the floor above (rule 2)."""
    below = sorted({weight(less) for less in within})
    told = max([weight(Count.of(count, floor)), *below])
    for less in below:
        if less < told < less + floor:
            told = less + floor
    if told == floor and count < floor:
        return Count.of(count, floor)
    return Count.of(rows if told > rows - floor else told, floor)


def _next_to(whole: Count | None, count: Count) -> Count:
    """The count, or that of all columns where both differ by less than the floor, or it was raised beyond."""
    if whole is None or whole.hidden or count.hidden or count.at_least <= whole.at_least - whole.floor:
        return count
    return whole
