"""Memory of the recipient: what a release gives away on top of what they, or those they pool with, hold already.

    Kept of the new release + Kept of each earlier one --> Cumulative

Rows that can be linked (a key in both, the same order, a column that tells rows apart) make one wide row of all
releases: who is alone in the *joint* class is singled out, although each release was safe. Rows that cannot be linked
still meet in the sensitive value: of each person it is in the class of every release, so that only values in all of
them survive (intersection or composition attack: Ganta, Kasiviswanathan, Smith, KDD 2008).

Rules
1. Exact: every record of the releases is counted, none sampled.
2. A record that an earlier release does not hold is known to be missing there: that is a class of its own.
3. The classes of a release are those that its recipient saw, with all records in it, also where only some are in
   both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.errors import InputError
from muniment.exposure.classes import ValueRuns, class_value_counts, joint
from muniment.exposure.extract import Classes, Coded
from muniment.exposure.floor import FLOOR, Count, check_rows
from muniment.exposure.kept import Kept
from muniment.exposure.kernels import compiled
from muniment.exposure.shares import nested

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_CLASS: Final = 5
"""Persons in a class below which it counts as small, where nothing else was asked for."""


@dataclass(frozen=True, slots=True)
class Linked:
    """Joint classes of records: of `persons` that are looked at, those `alone` in theirs, and those in one `below` k.

    Each group holds the next; they are told so that no difference of two is below the floor (`shares.nested`).
    """

    releases: int
    persons: Count
    alone: Count
    below: Count

    @property
    def share_alone(self) -> float:
        """The share of persons that are alone."""
        return self.alone.share(self.persons.most)

    @property
    def share_below(self) -> float:
        """The share of persons in a joint class of fewer than k."""
        return self.below.share(self.persons.most)

    def to_json(self) -> dict[str, object]:
        """The JSON of one step."""
        return {
            "releases": self.releases,
            "persons": self.persons.to_json(),
            "alone": self.alone.to_json(),
            "share_alone": self.share_alone,
            "below_k": self.below.to_json(),
            "share_below_k": self.share_below,
        }


@dataclass(frozen=True, slots=True)
class Surviving:
    """Rows that cannot be linked: of `persons` in all releases so far, those of whom `one` sensitive value survives."""

    releases: int
    persons: Count
    one: Count

    @property
    def share(self) -> float:
        """The share of persons whose value is told by intersection."""
        return self.one.share(self.persons.most)

    def to_json(self) -> dict[str, object]:
        """The JSON of one step."""
        return {
            "releases": self.releases,
            "persons": self.persons.to_json(),
            "one_value": self.one.to_json(),
            "share": self.share,
        }


@dataclass(frozen=True, slots=True)
class Cumulative:
    """What a release adds. All values are counts as they may leave (`floor.Count`), or shares of them.

    itself: the new release taken alone. together: its persons with all that is held, a missing record being a class.
    steps: persons in the earliest release, in the first two, and so on, the new one last. with_each: the new release
    with each earlier one, all its persons. one_by_one, surviving: the sensitive value of each release taken alone, and
    of the intersection, step by step; empty where no common sensitive column is kept.
    """

    k: int
    itself: Linked
    together: Linked
    steps: tuple[Linked, ...]
    with_each: tuple[Linked, ...]
    one_by_one: tuple[Surviving, ...] = ()
    surviving: tuple[Surviving, ...] = ()

    @property
    def held(self) -> int:
        """How many earlier releases there are."""
        return len(self.with_each)

    def to_json(self) -> dict[str, object]:
        """The JSON of `cumulative`."""
        return {
            "k": self.k,
            "held": self.held,
            "itself": self.itself.to_json(),
            "together": self.together.to_json(),
            "steps": [step.to_json() for step in self.steps],
            "with_each": [step.to_json() for step in self.with_each],
            "one_by_one": [step.to_json() for step in self.one_by_one],
            "surviving": [step.to_json() for step in self.surviving],
        }


def accumulate(new: Kept, held: Sequence[Kept], *, k: int = LEAST_CLASS, floor: int = FLOOR) -> Cumulative:
    """Judge a release on top of earlier ones, oldest first, of the same register.

    `k`: classes of fewer count as small. Raises `InputError` where the new release has fewer records than the floor, or
    k is below 2.
    """
    if k < 2:
        raise InputError(f"k is {k}: a class of fewer than two persons is one person; expected 2 or more")
    check_rows(new.rows, "the release", floor)
    releases = (*held, new)
    own = _renumbered(new.ids)
    beside = [_ids_of(new.records, one) for one in held]
    values = _surviving(releases, floor) if _comparable(releases) else ((), ())
    return Cumulative(
        k=k,
        itself=_linked(1, own, k, floor),
        together=_linked(len(releases), reduce(_with, beside, own), k, floor),
        steps=tuple(_steps(releases, k, floor)),
        with_each=tuple(_linked(2, _with(own, ids), k, floor) for ids in beside),
        one_by_one=values[0],
        surviving=values[1],
    )


# --- rows that can be linked -----------------------------------------------------------------------------------


def _with(of: Classes, ids: NDArray[np.uint32]) -> Classes:
    return joint(of.ids, ids)


def _renumbered(ids: NDArray[np.uint32]) -> Classes:
    """The classes of some records, ids as they are; classes that none of them is in have size 0."""
    return Classes(ids, np.bincount(ids).astype(np.int64))


def _ids_of(records: NDArray[np.uint32], one: Kept) -> NDArray[np.uint32]:
    """The class in an earlier release of each of these records; one above all others where it is missing there."""
    if not one.rows:
        return np.zeros(len(records), np.uint32)
    place = np.minimum(np.searchsorted(one.records, records), one.rows - 1)
    return np.where(one.records[place] == records, one.ids[place], one.ids.max() + np.uint32(1))


def _steps(releases: Sequence[Kept], k: int, floor: int) -> list[Linked]:
    """Who is in the first, the first two, ... of the releases, and in which joint class of these."""
    records, of = releases[0].records, _renumbered(releases[0].ids)
    found = [_linked(1, of, k, floor)]
    for number, one in enumerate(releases[1:], 2):
        records, here, there = _common(records, one.records)
        of = joint(of.ids[here], one.ids[there])
        found.append(_linked(number, of, k, floor))
    return found


def _common(
    first: NDArray[np.uint32], second: NDArray[np.uint32]
) -> tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.int64]]:
    """The records in both, both ascending, and their places in either."""
    if not len(second):
        return second, np.zeros(0, np.int64), np.zeros(0, np.int64)
    place = np.minimum(np.searchsorted(second, first), len(second) - 1)
    here = np.flatnonzero(second[place] == first)
    return first[here], here, place[here]


def _linked(releases: int, of: Classes, k: int, floor: int) -> Linked:
    small = int(of.sizes[of.sizes < k].sum())
    persons, below, alone = nested((of.rows, small, of.uniques), floor)
    return Linked(releases, persons, alone, below)


# --- rows that cannot be linked --------------------------------------------------------------------------------


def _comparable(releases: Sequence[Kept]) -> bool:
    """Whether all releases have one sensitive column, the same."""
    return bool(releases[-1].sensitive) and len({one.sensitive for one in releases}) == 1


def _surviving(releases: Sequence[Kept], floor: int) -> tuple[tuple[Surviving, ...], tuple[Surviving, ...]]:
    """The sensitive values that each release leaves alone, and that all so far leave."""
    known = np.unique(np.concatenate([one.value_keys for one in releases]))
    runs = [_values_of(one, known) for one in releases]
    one_by_one = tuple(_told(1, one.ids, lists, floor) for one, lists in zip(releases, runs, strict=True))
    records, of, lists, found = releases[0].records, _renumbered(releases[0].ids), runs[0], [one_by_one[0]]
    for number, (one, more) in enumerate(zip(releases[1:], runs[1:], strict=True), 2):
        records, here, there = _common(records, one.records)
        before, beside = of.ids[here], one.ids[there]
        of = joint(before, beside)
        lists = _met(of, (before, lists), (beside, more))
        found.append(_told(number, of.ids, lists, floor))
    return one_by_one, tuple(found)


def _values_of(one: Kept, known: NDArray[np.uint64]) -> ValueRuns:
    """The values in each class of a release, in the numbers that all releases share."""
    numbers = np.searchsorted(known, one.value_keys).astype(np.uint32)
    return class_value_counts(one.classes, Coded(one.sensitive, numbers[one.values], len(known)))


def _told(releases: int, ids: NDArray[np.uint32], lists: ValueRuns, floor: int) -> Surviving:
    single = np.diff(lists.starts) == 1
    return Surviving(releases, *nested((len(ids), int(single[ids].sum())), floor))


def _met(
    of: Classes, first: tuple[NDArray[np.uint32], ValueRuns], second: tuple[NDArray[np.uint32], ValueRuns]
) -> ValueRuns:
    """The values in both classes of each joint class; `first` and `second`: ids of each row, and lists of values."""
    row = np.zeros(len(of.sizes), np.int64)
    row[of.ids] = np.arange(of.rows)
    a, b = first[0][row].astype(np.int64), second[0][row].astype(np.int64)
    left, right = first[1], second[1]
    starts = np.zeros(len(row) + 1, np.int64)
    nothing = np.zeros(0, np.uint32)
    compiled(_meet)(a, b, left.starts, left.values, right.starts, right.values, starts, nothing)
    values = np.empty(int(starts[-1]), np.uint32)
    compiled(_meet)(a, b, left.starts, left.values, right.starts, right.values, starts, values)
    return ValueRuns(starts, values, np.ones(len(values), np.uint32))


def _meet(
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    left_starts: NDArray[np.int64],
    left: NDArray[np.uint32],
    right_starts: NDArray[np.int64],
    right: NDArray[np.uint32],
    starts: NDArray[np.int64],
    values: NDArray[np.uint32],
) -> None:
    """Meet the sorted list a[i] with the list b[i]; write how far the lists reach, and the values where they fit."""
    count = 0
    for i in range(len(a)):
        x, x_end = left_starts[a[i]], left_starts[a[i] + 1]
        y, y_end = right_starts[b[i]], right_starts[b[i] + 1]
        while x < x_end and y < y_end:
            if left[x] < right[y]:
                x += 1
            elif left[x] > right[y]:
                y += 1
            else:
                if count < len(values):
                    values[count] = left[x]
                count, x, y = count + 1, x + 1, y + 1
        starts[i + 1] = count
