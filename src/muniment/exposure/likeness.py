"""Measures of a sensitive column in classes: what an attacker learns of a person without knowing the row.

    distinct l, entropy l   how many values each class has at least    Machanavajjhala et al. 2006
    t, equal and ordered    how far a class lies from all rows         Li, Li, Venkatasubramanian 2007
    beta                    the largest gain of a value                Cao, Karras 2012
    delta                   the largest log-ratio of a value           Brickell, Shmatikov 2008

Named functions give exact numbers to compute with; what may leave is the frozen value of `likeness`.

Rules
1. NULL is a value of its own; in an order it lies where its code lies (last). Only values that occur count.
2. beta and delta look at the values that a class has: one that it has not would make delta endless in nearly all data.
3. What one rare value in one class gives, would tell how rare it is: beta, delta and t are told up to what a value of
   `floor` persons gives, and as "or more" beyond. Entropy l is told down to a tenth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from muniment.errors import InputError
from muniment.exposure import kernels
from muniment.exposure.classes import ValueRuns, class_value_counts
from muniment.exposure.extract import Classes, Coded
from muniment.exposure.floor import FLOOR, Count, check_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIGITS: Final = 3
"""Significant digits of a distance that is told."""


@dataclass(frozen=True, slots=True)
class Extremes:
    """The exact figures of the worst class each, to compute with. `entropy` is exp(H); `ordered`: nan where no order.

    `certain`: persons in classes of one value.
    """

    distinct: int
    entropy: float
    equal: float
    beta: float
    delta: float
    ordered: float
    certain: int


@dataclass(frozen=True, slots=True)
class Bounded:
    """A figure as it may leave: the value, or, where `or_more`, this much at least."""

    value: float
    or_more: bool = False

    def to_json(self) -> float | str:
        """The number, or ">=" and the number."""
        return f">={self.value}" if self.or_more else self.value


@dataclass(frozen=True, slots=True)
class Likeness:
    """The measures of one sensitive column as they may leave (rule 3). `ordered` is `None` where it has no order.

    `certain`: persons whose value follows from their quasi-identifiers (all of their class have it), those alone in
    their class included.
    """

    column: str
    distinct_l: int
    entropy_l: float
    t: Bounded
    t_ordered: Bounded | None
    beta: Bounded
    delta: Bounded
    certain: Count


# --- exact, to compute with ------------------------------------------------------------------------------------


def distinct_l(of: Classes, column: Coded) -> int:
    """Fewest different values in a class (Machanavajjhala, Gehrke, Kifer, Venkitasubramaniam 2006)."""
    return extremes(of, column).distinct


def entropy_l(of: Classes, column: Coded) -> float:
    """exp of the least entropy of a class, in values, not below 1 (Machanavajjhala et al. 2006)."""
    return extremes(of, column).entropy


def t_equal(of: Classes, column: Coded) -> float:
    """Largest distance of a class from all rows, any two values equally far apart (Li, Li, Venkatasubramanian 2007)."""
    return extremes(of, column).equal


def t_ordered(of: Classes, column: Coded) -> float:
    """Largest earth mover's distance of a class from all rows, neighbours among m values 1 / (m - 1) apart.

    Li, Li, Venkatasubramanian 2007. 0 for one value. `InputError` where the codes do not follow an order.
    """
    if not column.ordered:
        raise InputError(f"column {column.name!r} has no order of values: expected numbers or dates for an ordered t")
    return extremes(of, column).ordered


def beta(of: Classes, column: Coded) -> float:
    """Largest relative gain (q - p) / p of a value in a class: basic beta-likeness (Cao, Karras 2012)."""
    return extremes(of, column).beta


def delta(of: Classes, column: Coded) -> float:
    """Largest |ln(q / p)| of a value that a class has: delta-disclosure privacy (Brickell, Shmatikov 2008)."""
    return extremes(of, column).delta


def extremes(of: Classes, column: Coded, runs: ValueRuns | None = None) -> Extremes:
    """All figures in one pass over the runs of values in classes (made here where not given).

    Raises `InputError` for no rows, and where the column has other rows than the classes.
    """
    if not of.rows:
        raise InputError(f"column {column.name!r} has no rows: expected at least one")
    runs = class_value_counts(of, column) if runs is None else runs
    totals = np.bincount(column.codes, minlength=max(column.size, 1))
    present = np.flatnonzero(totals)
    place = np.zeros(len(totals), np.uint32)
    place[present] = np.arange(len(present), dtype=np.uint32)
    shares = totals[present] / of.rows
    distinct, certain = kernels.compiled(_diversity)(runs.starts, runs.counts)
    equal, high, low, entropy = kernels.compiled(_distances)(*_runs(runs), place, shares)
    return Extremes(
        distinct=distinct,
        entropy=math.exp(max(entropy, 0.0)),
        equal=equal,
        beta=high - 1.0,
        delta=max(math.log(high), -math.log(low)),
        ordered=_farthest(runs, place, shares) if column.ordered else math.nan,
        certain=certain,
    )


def _runs(runs: ValueRuns) -> tuple[NDArray[np.int64], NDArray[np.uint32], NDArray[np.uint32]]:
    return runs.starts, runs.values, runs.counts


def _farthest(runs: ValueRuns, place: NDArray[np.uint32], shares: NDArray[np.float64]) -> float:
    below = np.cumsum(shares)
    before = np.concatenate([[0.0], np.cumsum(below)])
    moved: float = kernels.compiled(_moved)(*_runs(runs), place, below, before)
    return moved / max(len(shares) - 1, 1)


def _diversity(starts: NDArray[np.int64], counts: NDArray[np.uint32]) -> tuple[int, int]:
    """Fewest values in a class, and the rows of classes of one value."""
    least, certain = len(counts), 0
    for number in range(len(starts) - 1):
        least = min(least, starts[number + 1] - starts[number])
        if starts[number + 1] - starts[number] == 1:
            certain += counts[starts[number]]
    return least, certain


def _distances(
    starts: NDArray[np.int64],
    values: NDArray[np.uint32],
    counts: NDArray[np.uint32],
    place: NDArray[np.uint32],
    shares: NDArray[np.float64],
) -> tuple[float, float, float, float]:
    """The largest half-sum of |q - p|, the largest and least q / p, and the least entropy (in nats) of a class."""
    equal, high, low, least = 0.0, 0.0, np.inf, np.inf
    for number in range(len(starts) - 1):
        rows, logs, apart = 0, 0.0, 0.0
        for run in range(starts[number], starts[number + 1]):
            rows += counts[run]
            if counts[run] > 1:
                logs += counts[run] * np.log(counts[run])
        for run in range(starts[number], starts[number + 1]):
            share = shares[place[values[run]]]
            part = counts[run] / rows
            high, low, apart = max(high, part / share), min(low, part / share), apart + max(part - share, 0.0)
        equal, least = max(equal, apart), min(least, np.log(rows) - logs / rows)
    return equal, high, low, least


def _moved(
    starts: NDArray[np.int64],
    values: NDArray[np.uint32],
    counts: NDArray[np.uint32],
    place: NDArray[np.uint32],
    below: NDArray[np.float64],
    before: NDArray[np.float64],
) -> float:
    """The largest sum over values of the distance between the cumulated shares of a class and of all rows.

    below: share of all rows up to and with each value; before: sum of `below` ahead of each value. Between two values
    of a class its own share is level: the sum there is that of two stretches, on either side of where `below` passes
    the level (found by halving).
    """
    farthest = 0.0
    for number in range(len(starts) - 1):
        rows: Any = 0
        for run in range(starts[number], starts[number + 1]):
            rows += counts[run]
        work, reached, seen = 0.0, np.int64(0), rows * 0
        for run in range(starts[number], starts[number + 1] + 1):
            inside = run < starts[number + 1]
            end = np.int64(place[values[run]] if inside else len(below))
            level = seen / rows
            first, last = reached, end
            while first < last:
                middle = (first + last) // 2
                if below[middle] < level:
                    first = middle + 1
                else:
                    last = middle
            work += level * (first - reached) - (before[first] - before[reached])
            work += (before[end] - before[first]) - level * (end - first)
            reached, seen = end, seen + (counts[run] if inside else 0)
        farthest = max(farthest, work)
    return farthest


# --- what may leave ----------------------------------------------------------------------------------------------


def likeness(
    of: Classes, column: Coded, *, floor: int = FLOOR, runs: ValueRuns | None = None, what: str = "the extract"
) -> Likeness:
    """All measures of one sensitive column, as they may leave.

    Raises `InputError` for fewer rows than the floor, and as `extremes`.
    """
    check_rows(of.rows, what, floor)
    found = extremes(of, column, runs)
    most = 1.0 - floor / of.rows
    gain = of.rows / floor - 1.0
    return Likeness(
        column=column.name,
        distinct_l=found.distinct,
        entropy_l=math.floor(found.entropy * 10 + 1e-9) / 10,
        t=_bounded(found.equal, most),
        t_ordered=_bounded(found.ordered, most) if column.ordered else None,
        beta=_bounded(found.beta, gain),
        delta=_bounded(found.delta, math.log1p(gain)),
        certain=_certain(found.certain, of.uniques, floor),
    )


def _bounded(value: float, most: float) -> Bounded:
    return Bounded(_significant(min(value, most)), value > most)


def _significant(number: float) -> float:
    return float(f"{number:.{DIGITS}g}")


def _certain(persons: int, alone: int, floor: int) -> Count:
    """Of those who are not alone either none or at least the floor is told, or the difference would be a count."""
    near = 0 < persons - alone < floor and alone >= floor
    return Count.of(alone + floor if near else persons, floor)

