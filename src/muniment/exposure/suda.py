"""Minimal sample uniques: which fewest columns together tell persons apart, and what each column adds to it.

A set of columns is a minimal unique of a row that is alone in these columns and in none of their subsets (Elliot,
Manning, Ford 2002; SUDA2: Manning, Haglin, Keane 2008). A minimal unique of s among a columns, with sets of up to m
looked at, scores (a - s) (a - s - 1) ... (a - m), one at least: few columns that suffice weigh more.

    found (sets of columns -> minimal uniques)  --  exact, to compute with
    suda  -> Suda                               --  what may leave

Rules
1. Exact: all sets of columns up to the largest size asked for, all rows.
2. A row alone in one subset is alone in each set above: it is left out there, and so is every set above one in which
   all rows are alone.
3. Contributions are worked out from the counts as they are told, so that they tell nothing else.
4. No row, and no value of a row, has a score here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.errors import InputError, LimitError
from muniment.exposure.extract import Coded
from muniment.exposure.floor import FLOOR, Count, check_rows
from muniment.exposure.shares import nested
from muniment.exposure.suda_kernels import Alike, Cutter, everybody

if TYPE_CHECKING:
    from numpy.typing import NDArray

Columns = tuple[str, ...]
SETS: Final = 100_000
"""Sets of columns that are ever gone through: a 1 M register then takes minutes."""
BITS: Final = 2**33
"""Bits of rows known to be alone, kept for all sets that others stand on: 1 GiB."""
NEVER: Final = 255
"""Fewest columns of a row that no set tells apart; largest size of a set plus one."""


@dataclass(frozen=True, slots=True)
class SetUniques:
    """A set of columns, and the rows of which it is a minimal unique."""

    columns: Columns
    rows: Count


@dataclass(frozen=True, slots=True)
class Contribution:
    """The share of the whole score that comes from minimal uniques with this column; they overlap, so the sum is
    above 1."""

    column: str
    share: float


@dataclass(frozen=True, slots=True)
class Suda:
    """Minimal sample uniques as they may leave.

    within: persons told apart by at most 1, 2, ... `largest` columns; sets: those that are a minimal unique of some
    row, by their score, highest first; contributions: of all columns, highest first.
    """

    columns: Columns
    rows: int
    largest: int
    within: tuple[Count, ...]
    sets: tuple[SetUniques, ...]
    contributions: tuple[Contribution, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Found:
    """Exact, to compute with: rows by set of columns (names in the order given), and rows by their fewest columns.

    by_least: int64, (largest + 1,): entry s counts rows of which s columns are the fewest; entry 0 is 0.
    """

    by_set: Mapping[Columns, int]
    by_least: NDArray[np.int64]


def suda(columns: Sequence[Coded], largest: int | None = None, *, floor: int = FLOOR, what: str = "the extract"
         ) -> Suda:  # fmt: skip
    """Minimal sample uniques of up to `largest` columns (all, where not given), as they may leave.

    Raises `InputError` for fewer rows than the floor, and as `found`.
    """
    names = tuple(column.name for column in columns)
    check_rows(len(columns[0]) if columns else 0, what, floor)
    exact = found(columns, largest)
    size = len(exact.by_least) - 1
    told = {key: Count.of(rows, floor) for key, rows in exact.by_set.items()}
    scores = {key: weight(len(key), len(names), size) * _weighed(count) for key, count in told.items()}
    shares = contributions(scores, names)
    within = np.cumsum(exact.by_least)[:0:-1].tolist()
    return Suda(
        columns=names,
        rows=len(columns[0]),
        largest=size,
        within=nested([len(columns[0]), *within], floor)[:0:-1],
        sets=tuple(SetUniques(key, told[key]) for key in sorted(scores, key=lambda key: (-scores[key], key))),
        contributions=tuple(Contribution(name, shares[name]) for name in sorted(shares, key=lambda one: -shares[one])),
    )


def weight(size: int, columns: int, largest: int) -> int:
    """The score of one minimal unique of so many columns (Elliot et al. 2005)."""
    return math.prod(columns - step for step in range(size, min(largest, columns - 1) + 1))


def contributions(scores: Mapping[Columns, float], names: Columns) -> dict[str, float]:
    """The share of each column in the whole of these scores by set; 0 where there is none."""
    whole = sum(scores.values())
    return {name: sum(scores[key] for key in scores if name in key) / whole if whole else 0.0 for name in names}


def found(columns: Sequence[Coded], largest: int | None = None) -> Found:
    """All minimal sample uniques, counted.

    Raises `InputError` for no column, columns of different length or of one name, a size below 1, `LimitError` for
    more sets or rows than can be gone through.
    """
    size = len(columns) if largest is None else min(largest, len(columns))
    _check(columns, size)
    search = _Search(columns, size)
    by_set = {
        tuple(column.name for place, column in enumerate(columns) if search.places[place] & mask): rows
        for mask, rows in search.run()
        if rows
    }
    by_least = np.bincount(search.least, minlength=NEVER + 1)[: size + 1].astype(np.int64)
    return Found(by_set, by_least)


def _weighed(count: Count) -> int:
    return count.floor if count.hidden else count.at_least


def _check(columns: Sequence[Coded], size: int) -> None:
    if not columns or size < 1:
        raise InputError(f"minimal uniques of {len(columns)} columns in sets of {size}: expected at least one of each")
    if len({column.name for column in columns}) < len(columns):
        raise InputError("minimal uniques of columns of the same name: expected each column once")
    for column in columns:
        if len(column) != len(columns[0]):
            raise InputError(f"column {column.name!r} has {len(column):,} rows: expected {len(columns[0]):,}")
    if size >= NEVER:
        raise LimitError(f"sets of {size} columns: expected at most {NEVER - 1}", hint="a smaller largest set")
    sets = sum(math.comb(len(columns), step) for step in range(1, size + 1))
    kept = sum(math.comb(len(columns), step) for step in range(1, size))
    if sets > SETS or kept * len(columns[0]) > BITS:
        raise LimitError(
            f"{sets:,} sets of {len(columns)} columns over {len(columns[0]):,} rows: expected at most {SETS:,} sets, "
            f"and {BITS:,} for sets below the largest times rows",
            hint="fewer columns or a smaller largest set",
        )


class _Search:
    """Goes through sets as masks of bits in ascending order, so that every subset comes before its set.

    Columns of many values have the high bits: they are cut first, and most sets start from classes that are small.
    """

    def __init__(self, columns: Sequence[Coded], largest: int) -> None:
        order = sorted(range(len(columns)), key=lambda place: columns[place].size)
        self.cutters = [Cutter(columns[place]) for place in order]
        self.places = {place: 1 << bit for bit, place in enumerate(order)}
        self.rows = len(columns[0])
        self.largest = largest
        self.least: NDArray[np.uint8] = np.full(self.rows, NEVER, np.uint8)
        self.alone: dict[int, NDArray[np.uint64]] = {}
        """Bits of rows alone in each set; a set that is missing tells all rows apart."""

    def run(self) -> Iterator[tuple[int, int]]:
        """Each set that was gone through, and the rows of which it is a minimal unique."""
        if self.rows:
            yield from self._above(0, everybody(self.rows), len(self.cutters), 1)

    def _above(self, mask: int, alike: Alike, bits: int, size: int) -> Iterator[tuple[int, int]]:
        for bit in range(bits):
            wider = mask | 1 << bit
            known = self._known(wider, size)
            if known is None:
                continue
            if size == self.largest or bit == 0:
                alone = self.cutters[bit].tell(alike, known, self.least, size)
                if size < self.largest:
                    self.alone[wider] = known
                yield wider, alone
                continue
            before = _ones(known)
            finer = self.cutters[bit].cut(alike, known, self.least, size)
            yield wider, _ones(known) - before
            if len(finer.rows):
                self.alone[wider] = known
                yield from self._above(wider, finer, bit, size + 1)

    def _known(self, mask: int, size: int) -> NDArray[np.uint64] | None:
        """Bits of rows alone in some subset; `None` where that is all."""
        if size == 1:
            return np.zeros((self.rows + 63) // 64, np.uint64)
        parts = [self.alone.get(mask ^ value) for value in self.places.values() if mask & value]
        if any(part is None for part in parts):
            return None
        return reduce(np.bitwise_or, [part for part in parts if part is not None])


def _ones(words: NDArray[np.uint64]) -> int:
    return int(np.bitwise_count(words).sum())
