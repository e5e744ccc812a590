"""Unicity of events: how many persons are the only one with p points of their own trace (de Montjoye et al. 2013).

A table of events (visits, moves, purchases) has one row for each event. A point is what an outsider can know of one: a
place and a day, a shop and a price. Any such column counts as a quasi-identifier of its own.

Rules
1. A person counts once for each p up to the number of its distinct points; with fewer it is left out at p, and the
   share is of those that are left.
2. Points of one person are drawn at random, without repeats, from `seed`; the p points are among the p + 1, so that no
   person is singled out by p and not by p + 1.
3. All persons are tried unless `tried` says how many: then the value says so, and its interval is that of the sample.
   What all cost grows with the persons that share a point: where a few hundred points are held by a million, sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.errors import InputError
from muniment.exposure import household_kernels
from muniment.exposure.classes import classes
from muniment.exposure.extract import Coded
from muniment.exposure.floor import FLOOR, Count, check_rows
from muniment.exposure.shares import Share, closed_up

if TYPE_CHECKING:
    from numpy.typing import NDArray

POINTS: Final = 4
"""Points up to which is looked: four singled out 95 % of 1.5 million phones."""


@dataclass(frozen=True, slots=True)
class Unicity:
    """`singled[p - 1]`: the share of tried persons with p points or more that p random ones of them single out."""

    columns: tuple[str, ...]
    persons: Count
    tried: Count
    singled: tuple[Share, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Traces:
    """Distinct points of each person, ascending from `starts`; persons of each point, from `holders`."""

    starts: NDArray[np.int64]
    points: NDArray[np.uint32]
    holders: NDArray[np.int64]
    persons: NDArray[np.uint32]


def unicity(
    person: Coded,
    columns: Sequence[Coded],
    *,
    most: int = POINTS,
    tried: int | None = None,
    seed: int = 0,
    floor: int = FLOOR,
) -> Unicity:
    """Unicity of the persons of a table of events by 1 to `most` points; rows without a person are left out.

    Raises `InputError` where there is no column of points, fewer persons than the floor, or `most` or `tried` is no
    number of points or persons.
    """
    if most < 1 or (tried is not None and tried < floor):
        raise InputError(f"{most} points, {tried} persons to try: expected at least 1 point and {floor} persons")
    traces = traces_of(person, columns)
    having = np.flatnonzero(np.diff(traces.starts))
    check_rows(len(having), "persons of a table of events", floor)
    chosen = having
    if tried is not None and tried < len(having):
        chosen = np.sort(np.random.default_rng(seed).choice(having, tried, replace=False))
    draws = household_kernels.drawn(traces.starts, traces.points, chosen, seed, most)
    alone = household_kernels.first_alone(
        traces.starts, traces.points, traces.holders, traces.persons, chosen, draws
    )
    singled = _shares(np.diff(traces.starts)[chosen], alone, most, floor)
    names = tuple(column.name for column in columns)
    return Unicity(names, Count.of(len(having), floor), Count.of(len(chosen), floor), singled)


def _shares(lengths: NDArray[np.int64], alone: NDArray[np.int64], most: int, floor: int) -> tuple[Share, ...]:
    """The share singled out by each number of points, of those with as many; counts that hold one another closed up."""
    left = [int((lengths >= count).sum()) for count in range(1, most + 1)]
    hits = [int(((lengths >= count) & (alone > 0) & (alone <= count)).sum()) for count in range(1, most + 1)]
    return tuple(
        Share.of_counts(min(hit, count), count, floor) for hit, count in zip(hits, closed_up(left, floor), strict=True)
    )


def traces_of(person: Coded, columns: Sequence[Coded]) -> Traces:
    """The distinct points of each person, and the persons of each point; errors as `classes`."""
    found = classes(columns)
    if len(person) != found.rows:
        raise InputError(f"column {person.name!r} has {len(person):,} rows: expected {found.rows:,}")
    kept = person.codes != person.null if person.null >= 0 else np.ones(len(person), bool)
    kinds = max(len(found.sizes), 1)
    pairs = np.unique(person.codes[kept].astype(np.uint64) * np.uint64(kinds) + found.ids[kept])
    owner, points = pairs // np.uint64(kinds), (pairs % np.uint64(kinds)).astype(np.uint32)
    starts = _starts(np.bincount(owner.astype(np.int64), minlength=person.size))
    order = np.argsort(points, kind="stable")
    holders = _starts(np.bincount(points, minlength=kinds))
    return Traces(starts, points, holders, owner[order].astype(np.uint32))


def _starts(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    starts = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    return starts
