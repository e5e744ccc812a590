"""How the rows of a segment are arranged: by shape, so that each kind costs what it must and no more. Pure.

Rules
1. Three shapes in this order: rows of one record or none, lists, dumps; within a shape in order of sequence. So single
   reads, the most frequent, have no levels to store.
2. A set is a dump where it holds at least `DUMP_RECORDS` records and an eighth of the `span`, the ordinals reserved
   when the segment was sealed. A dump is stored as runs of consecutive ordinals.
3. A row group holds rows of one shape and some 4 million records (or runs) at most; one row is never divided.
4. Records are stored ascending in the first, third, ... row of a row group and descending in the others, so that the
   difference from one row to the next stays small: a set has no order. Reading gives them ascending.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.errors import IntegrityError
from muniment.ledger.batch import Batch

if TYPE_CHECKING:
    from numpy.typing import NDArray

DUMP_RECORDS: Final = 4_096
"""Records below which no set is a dump, however small the register."""
DUMP_SHARE: Final = 8
"""A dump holds at least one in so many of the ordinals reserved."""
GROUP_VALUES: Final = 4 * 1024**2
"""Records, runs or rows in one row group: some 16 MB of it are in memory at a time."""
SEGMENT_RECORDS: Final = 2**30
"""Records of one segment that are unpacked: 4 GiB as an array."""


class Shape(IntEnum):
    """The shapes of rows, in the order in which they stand in a segment; also what an event commits to."""

    SINGLE = 0
    LIST = 1
    DUMP = 2


@dataclass(frozen=True, slots=True)
class Group:
    """Rows `start` to `stop` of the arranged batch: one row group."""

    shape: Shape
    start: int
    stop: int


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Lists:
    """Values of n rows back to back: `values[starts[i]:starts[i + 1]]` belong to row i. uint32; starts (n + 1,)."""

    starts: NDArray[np.int64]
    values: NDArray[np.uint32]

    @property
    def counts(self) -> NDArray[np.int64]:
        """Values of each row."""
        return np.diff(self.starts)


def shapes_of(counts: NDArray[np.int64], span: int) -> NDArray[np.int8]:
    """The shape of each row from its number of records and the span."""
    dump = (counts >= DUMP_RECORDS) & (counts * DUMP_SHARE >= span)
    return np.where(dump, Shape.DUMP, np.where(counts > 1, Shape.LIST, Shape.SINGLE)).astype(np.int8)


def arranged(batch: Batch, span: int) -> tuple[Batch, tuple[Group, ...]]:
    """The batch in the order of its segment, and its row groups."""
    shapes = shapes_of(batch.counts, span)
    batch = batch.take(np.argsort(shapes, kind="stable"))
    ends = np.cumsum(np.bincount(shapes, minlength=len(Shape)))
    groups: list[Group] = []
    for shape, start, stop in zip(Shape, [0, *ends.tolist()], ends.tolist(), strict=False):
        if shape == Shape.DUMP:
            weights = run_counts(batch, start, stop)
        else:
            weights = np.maximum(batch.counts[start:stop], 1)
        groups += [Group(shape, start + a, start + b) for a, b in _divided(weights)]
    return batch, tuple(groups)


def _divided(weights: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Ranges of rows of some `GROUP_VALUES` values each; a row belongs where its first value falls."""
    numbers = (np.cumsum(weights) - weights) // GROUP_VALUES
    cuts = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(weights)] if len(weights) else []
    return list(pairwise(cuts))


def records_of(batch: Batch, group: Group) -> Lists:
    """The records of a row group in the order of rule 4; also undoes it, as going there and back is the same step."""
    starts = batch.starts[group.start : group.stop + 1]
    return alternated(Lists(starts - starts[0], batch.ordinals[starts[0] : starts[-1]]))


def alternated(lists: Lists) -> Lists:
    """Turn around every second row."""
    counts = lists.counts
    if len(counts) == 0 or int(counts.max()) <= 1:
        return lists
    place = np.arange(len(lists.values))
    turned = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
    mirror = np.repeat(lists.starts[:-1] + lists.starts[1:] - 1, counts)
    return Lists(lists.starts, lists.values[np.where(turned, mirror - place, place)])


def run_counts(batch: Batch, start: int, stop: int) -> NDArray[np.int64]:
    """Runs of consecutive ordinals in each of some rows."""
    return np.array([_run_starts(batch.records(row)).size for row in range(start, stop)], np.int64)


def _run_starts(records: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Where the runs of ascending ordinals begin."""
    broken = np.empty(len(records), np.bool_)
    broken[:1] = True
    np.not_equal(records[1:], records[:-1] + np.uint32(1), out=broken[1:])
    return np.flatnonzero(broken)


def runs_of(batch: Batch, group: Group) -> tuple[Lists, Lists]:
    """First ordinal and length of the runs of each row of a group of dumps."""
    firsts, lengths, counts = [], [], [0]
    for row in range(group.start, group.stop):
        records = batch.records(row)
        begins = _run_starts(records)
        firsts.append(records[begins])
        lengths.append(np.diff(begins, append=len(records)).astype(np.uint32))
        counts.append(len(begins))
    starts = np.cumsum(counts).astype(np.int64)
    return Lists(starts, np.concatenate(firsts)), Lists(starts, np.concatenate(lengths))


def expanded(firsts: Lists, lengths: Lists) -> Lists:
    """Undo `runs_of`. Raises `IntegrityError` where the two do not fit or name more records than a segment may hold."""
    sizes = lengths.values.astype(np.int64)
    total = int(sizes.sum())
    if not np.array_equal(firsts.starts, lengths.starts) or total > SEGMENT_RECORDS or (sizes == 0).any():
        raise IntegrityError("the runs of a dump are malformed")
    ends = np.concatenate(([0], np.cumsum(sizes)))
    shift = firsts.values.astype(np.int64) - ends[:-1]
    values = np.repeat(shift, sizes) + np.arange(total)
    if total and int(values.max()) >= 1 << 32:
        raise IntegrityError("the runs of a dump are malformed")
    return Lists(ends[firsts.starts], values.astype(np.uint32))
