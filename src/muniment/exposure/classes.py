"""Equivalence classes of rows: who looks alike in some columns. One pass of classes feeds all measures.

    classes(columns)                     Classes: the id of each row's class, the size of each class
    joint(ids, ids)                      Classes of rows alike in both
    class_value_counts(classes, column)  how often each value stands in each class, in sorted runs
    count_only(columns)                  Counts: classes, uniques, histogram of sizes; no ids
    key_of, extended, counted            the same in steps, for sweeps that share parents

These values are for computing with: they hold ids of classes and are never put out, written or logged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from muniment.errors import InputError, LimitError
from muniment.exposure import kernels
from muniment.exposure.extract import Classes, Coded

if TYPE_CHECKING:
    from numpy.typing import NDArray

CELLS: Final = 2**63
"""Largest product of sizes that a key holds; beyond, columns are folded to class ids on the way."""
ROWS: Final = 2**32 - 2
"""Rows that class ids of 32 bits can tell apart."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Key:
    """Several columns as one: `values`, unsigned, shape (rows,), each below `cells`. Equal rows, equal value."""

    values: NDArray[Any]
    cells: int


@dataclass(frozen=True, slots=True, repr=False)
class Counts:
    """Numbers of classes, of rows alone in theirs, and `histogram[s]`: classes of size s, int64, shape (256,).

    The last entry counts all classes of 255 rows and more; the first is 0. `histogram` is `None` if not asked for.
    """

    rows: int
    classes: int
    uniques: int
    histogram: NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ValueRuns:
    """How often each value stands in each class: class c has runs `starts[c]` to `starts[c + 1]`, sorted by value.

    starts: int64, (classes + 1,); values: uint32, (runs,); counts: uint32, (runs,), all above 0.
    """

    starts: NDArray[np.int64]
    values: NDArray[np.uint32]
    counts: NDArray[np.uint32]

    @property
    def ids(self) -> NDArray[np.uint32]:
        """The class of each run."""
        return np.repeat(np.arange(len(self.starts) - 1, dtype=np.uint32), np.diff(self.starts))


def classes(columns: Sequence[Coded]) -> Classes:
    """The classes of rows that are equal in all of these columns.

    Raises `InputError` where there is no column, or too many rows, and where numba is not installed.
    """
    key = key_of(columns)
    return Classes(*kernels.numbered(key.values, key.cells))


def joint(first: NDArray[np.uint32], second: NDArray[np.uint32]) -> Classes:
    """The classes of rows that share their class in both partitions of the same rows; ids as in `Classes`."""
    if len(first) != len(second):
        raise InputError(f"two partitions of the same rows: came {len(first):,} and {len(second):,} rows")
    if not len(first):
        return Classes(np.empty(0, np.uint32), np.empty(0, np.int64))
    size = int(second.max()) + 1
    cells = (int(first.max()) + 1) * size
    return Classes(*kernels.numbered(kernels.combined(first, second, size, cells), cells))


def class_value_counts(of: Classes, column: Coded) -> ValueRuns:
    """How often each value of a column stands in each class (input of l, t, beta and delta).

    `InputError` where the column has other rows than the classes.
    """
    if len(column) != of.rows:
        raise InputError(f"column {column.name!r} has {len(column):,} rows: expected the {of.rows:,} of the classes")
    return ValueRuns(*kernels.runs(of.ids, column.codes, len(of.sizes), column.size))


def count_only(columns: Sequence[Coded], *, histogram: bool = True) -> Counts:
    """How many classes and uniques there are, and of what sizes, without numbering them; errors as `classes`."""
    if histogram or len(columns) < 2:
        return counted(key_of(columns), histogram=histogram)
    return counted(key_of(columns[:-1]), columns[-1])


def key_of(columns: Sequence[Coded]) -> Key:
    """Several columns packed into one key, the last varying fastest; errors as `classes`."""
    if not columns:
        raise InputError("classes of no column: expected at least one quasi-identifier")
    first = columns[0]
    if len(first) > ROWS:
        raise LimitError(f"{len(first):,} rows: classes have numbers of 32 bits, so expected at most {ROWS:,}")
    key = Key(first.codes, max(first.size, 1))
    for column in columns[1:]:
        key = extended(key, column)
    return key


def extended(key: Key, column: Coded) -> Key:
    """The key with one more column; the key becomes class ids first where the product would pass 2**63."""
    _check_rows(key, column)
    size = max(column.size, 1)
    if key.cells * size > CELLS:
        ids, sizes = kernels.numbered(key.values, key.cells)
        key = Key(ids, max(len(sizes), 1))
    return Key(kernels.combined(key.values, column.codes, size, key.cells * size), key.cells * size)


def counted(key: Key, column: Coded | None = None, *, histogram: bool = False) -> Counts:
    """The counts of a key, or of the key with one more column: without a histogram that product is not built."""
    if column is not None and (histogram or key.cells * column.size > CELLS):
        return counted(extended(key, column), histogram=histogram)
    rows = len(key.values)
    if histogram:
        told = kernels.sizes_told(key.values, key.cells)
        return Counts(rows, int(told.sum()), int(told[1]), told)
    if column is None:
        return Counts(rows, *kernels.tallied(key.values, key.values, 0, key.cells))
    _check_rows(key, column)
    return Counts(rows, *kernels.tallied(key.values, column.codes, column.size, key.cells * column.size))


def _check_rows(key: Key, column: Coded) -> None:
    if len(key.values) != len(column):
        raise InputError(f"column {column.name!r} has {len(column):,} rows: expected {len(key.values):,}")
