"""Joins of columns: all values of a key, and whether an interval of a key holds a moment. For millions of rows at once.

Rules
1. What is asked about may have any value: a key that is not there has no values and no interval.
2. Times are put in order once, and compared by their rank: no time is too early or too late to be compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray


class Lists:
    """The values of each key, in the order in which they were given."""

    def __init__(self, keys: NDArray[Any], values: NDArray[Any]) -> None:
        """`keys`: integers, shape (n,); `values`: shape (n,)."""
        order = np.argsort(keys, kind="stable")
        self._keys, self._starts, self._counts = np.unique(keys[order], return_index=True, return_counts=True)
        self._values = values[order]

    def __repr__(self) -> str:
        return f"Lists({len(self._keys):,} keys, {len(self._values):,} values)"

    def count(self, keys: NDArray[Any]) -> NDArray[np.int64]:
        """How many values each key has, shape (m,)."""
        return self._ranges(keys)[1]

    def of(self, keys: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """All values of m keys: the place (0 to m - 1) of the key that each belongs to, ascending, and the values."""
        starts, counts = self._ranges(keys)
        owner = np.repeat(np.arange(len(keys)), counts)
        shift = starts - (np.cumsum(counts) - counts)
        return owner, self._values[np.arange(len(owner)) + shift[owner]]

    def _ranges(self, keys: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where the values of each key start, and how many they are."""
        if not len(self._keys):
            return np.zeros(len(keys), np.int64), np.zeros(len(keys), np.int64)
        place, there = _places(self._keys, keys)
        return self._starts[place], np.where(there, self._counts[place], 0)


class Spans:
    """Half-open intervals of each key; those of one key that overlap or touch are one."""

    def __init__(self, keys: NDArray[np.int64], since: NDArray[np.int64], until: NDArray[np.int64]) -> None:
        """Shape (n,) each; an interval that ends before it begins, or at once, holds nothing."""
        keys, since, until = (column[since < until] for column in (keys, since, until))
        self._times = np.unique(np.concatenate([since, until]))
        self._keys, number = np.unique(keys, return_inverse=True)
        starts, ends = self._points(number, since), self._points(number, until)
        order = np.argsort(starts, kind="stable")
        starts, reach = starts[order], np.maximum.accumulate(ends[order])
        new = np.append(True, starts[1:] > reach[:-1])[: len(starts)]
        self._starts = starts[new]
        self._ends = reach[np.append(new[1:], True)[: len(starts)]]

    def __repr__(self) -> str:
        return f"Spans({len(self._keys):,} keys, {len(self._starts):,} intervals)"

    def hold(self, keys: NDArray[np.int64], moments: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether an interval of the key holds the moment, shape (m,)."""
        if not len(self._keys):
            return np.zeros(len(keys), np.bool_)
        number, there = _places(self._keys, keys)
        points = self._points(number, moments)
        before = np.searchsorted(self._starts, points, "right") - 1
        return np.asarray(there & (before >= 0) & (points < self._ends[before]))

    def _points(self, number: NDArray[np.int64], moments: NDArray[np.int64]) -> NDArray[np.int64]:
        """Key and time in one number: keys one behind another, within each the ranks of all times."""
        return number * (len(self._times) + 1) + np.searchsorted(self._times, moments, "right")


def _places(sorted_keys: NDArray[Any], keys: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Where each key stands, and whether it does; `sorted_keys` holds one at least."""
    place = np.minimum(np.searchsorted(sorted_keys, keys), len(sorted_keys) - 1)
    return place, sorted_keys[place] == keys
