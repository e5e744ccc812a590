"""Pseudonyms in memory: sorted runs that are searched by many values at once, or by one.

Rules
1. A run never changes. `Runs` is a tuple of them; adding entries gives a new tuple, so that a reader on another thread
   sees the old entries or the new ones, never half of them.
2. Each run is more than four times as large as the next: a look-up passes few of them, and an entry is moved a few
   times in all.
3. Pseudonyms are uniform (they are keyed), so their top bits are a hash: a table of buckets, of 0.5 to 1 entry each,
   leads to the place in the run, and a few steps on it is found or passed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CHUNK: Final = 65_536
"""Values looked up in one pass: what a pass makes stays in the cache."""
_FEW: Final = 8
"""Values up to which one binary search each is cheaper than a pass over arrays."""
_GROWTH: Final = 4
"""A run at most so many times as large as the one that comes is merged with it."""
_LAST = np.uint64(2**64 - 1)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Run:
    """n entries by ascending pseudonym. Both columns have one entry more, at the end, that stands for "none"."""

    pseudonyms: NDArray[np.uint64]
    ordinals: NDArray[np.uint32]
    buckets: NDArray[np.uint32]
    shift: np.uint64

    def __repr__(self) -> str:
        return f"Run(entries={len(self)})"

    @classmethod
    def of(cls, pseudonyms: NDArray[np.uint64], ordinals: NDArray[np.uint32]) -> Run:
        """A run of entries that are ascending already, shape (n,) each."""
        bits = max(1, len(pseudonyms).bit_length())
        shift = np.uint64(64 - bits)
        buckets = np.zeros((1 << bits) + 1, np.uint32)
        for start in range(0, len(pseudonyms), _CHUNK):
            part = (pseudonyms[start : start + _CHUNK] >> shift).astype(np.int64)
            first = int(part[0])
            counts = np.bincount(part - first)
            buckets[first + 1 : first + 1 + len(counts)] += counts.astype(np.uint32)
        np.cumsum(buckets, out=buckets)
        return cls(np.append(pseudonyms, _LAST), np.append(ordinals, np.uint32(0)), buckets, shift)

    def __len__(self) -> int:
        return len(self.pseudonyms) - 1

    @property
    def entries(self) -> tuple[NDArray[np.uint64], NDArray[np.uint32]]:
        """Both columns, shape (n,)."""
        return self.pseudonyms[:-1], self.ordinals[:-1]

    def place(self, value: np.uint64) -> int:
        """Where a value stands in the run, or -1."""
        at = int(self.pseudonyms.searchsorted(value))
        return at if at < len(self) and self.pseudonyms[at] == value else -1

    def places(self, values: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Where each value stands in the run, or -1; shape (m,)."""
        at = self.buckets.take((values >> self.shift).astype(np.int64)).astype(np.int64)
        there = self.pseudonyms.take(at)
        behind = np.flatnonzero(there < values)
        while behind.size:
            at[behind] += 1
            there[behind] = self.pseudonyms.take(at[behind])
            behind = behind[there[behind] < values[behind]]
        at[(there != values) | (at == len(self))] = -1
        return at


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Runs:
    """Entries in runs, the largest first."""

    runs: tuple[Run, ...] = ()

    def __repr__(self) -> str:
        return f"Runs({list(map(len, self.runs))})"

    def __len__(self) -> int:
        return sum(map(len, self.runs))

    def lookup(self, values: NDArray[np.uint64]) -> tuple[NDArray[np.uint32], NDArray[np.bool_]]:
        """The ordinal of each value, and whether it is known (where it is not, its ordinal is 0); shape (m,) each."""
        ordinals, found = np.zeros(len(values), np.uint32), np.zeros(len(values), np.bool_)
        if len(values) <= _FEW:
            for i, value in enumerate(values):
                self._find(value, i, ordinals, found)
            return ordinals, found
        for start in range(0, len(values), _CHUNK):
            stop = start + _CHUNK
            self._find_many(values[start:stop], ordinals[start:stop], found[start:stop])
        return ordinals, found

    def _find(self, value: np.uint64, i: int, ordinals: NDArray[np.uint32], found: NDArray[np.bool_]) -> None:
        for run in self.runs:
            if (at := run.place(value)) >= 0:
                ordinals[i], found[i] = run.ordinals[at], True
                return

    def _find_many(self, values: NDArray[np.uint64], ordinals: NDArray[np.uint32], found: NDArray[np.bool_]) -> None:
        open_ = np.arange(len(values))
        for run in self.runs:
            at = run.places(values[open_])
            hit = at >= 0
            ordinals[open_[hit]] = run.ordinals.take(at[hit])
            found[open_[hit]] = True
            open_ = open_[~hit]
            if not open_.size:
                return

    def adding(self, pseudonyms: NDArray[np.uint64], ordinals: NDArray[np.uint32]) -> Runs:
        """These entries (ascending, none of them here yet) and those that come, shape (m,) each."""
        runs = list(self.runs)
        while runs and len(runs[-1]) <= _GROWTH * len(pseudonyms):
            pseudonyms, ordinals = _merged(runs.pop().entries, (pseudonyms, ordinals))
        return Runs((*runs, Run.of(pseudonyms, ordinals))) if len(pseudonyms) else self

    def entries(self) -> tuple[NDArray[np.uint64], NDArray[np.uint32]]:
        """Everything as two columns, by ascending pseudonym."""
        columns = np.zeros(0, np.uint64), np.zeros(0, np.uint32)
        for run in reversed(self.runs):
            columns = _merged(run.entries, columns) if len(columns[0]) else run.entries
        return columns


def sorted_entries(
    parts: Sequence[tuple[NDArray[np.uint64], NDArray[np.uint32]]],
) -> tuple[NDArray[np.uint64], NDArray[np.uint32]]:
    """Entries of several parts in any order, by ascending pseudonym; entries of equal pseudonym keep their order."""
    if not parts:
        return np.zeros(0, np.uint64), np.zeros(0, np.uint32)
    pseudonyms = np.concatenate([part[0] for part in parts]).astype(np.uint64, copy=False)
    ordinals = np.concatenate([part[1] for part in parts]).astype(np.uint32, copy=False)
    order = np.argsort(pseudonyms, kind="stable")
    return pseudonyms[order], ordinals[order]


def _merged(
    large: tuple[NDArray[np.uint64], NDArray[np.uint32]], small: tuple[NDArray[np.uint64], NDArray[np.uint32]]
) -> tuple[NDArray[np.uint64], NDArray[np.uint32]]:
    at = np.searchsorted(large[0], small[0]) + np.arange(len(small[0]))
    rest = np.ones(len(large[0]) + len(small[0]), np.bool_)
    rest[at] = False
    pseudonyms, ordinals = np.empty(len(rest), np.uint64), np.empty(len(rest), np.uint32)
    pseudonyms[at], ordinals[at] = small
    pseudonyms[rest], ordinals[rest] = large
    return pseudonyms, ordinals
