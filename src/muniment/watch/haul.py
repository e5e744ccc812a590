"""The adaptive haul: what an insider who knows method and thresholds can take here before the first alert.

Haul: expected distinct records outside the account's assignments before its first alert, under the policy that
maximises it among those that raise an alert with a chance of at most one half over the horizon. It is the honest
figure of a watch: what is left to somebody who was told everything.

Rules
1. A policy is a plan: unexplained first reads for each workday. Plans are tried in families (`SHAPES`: even, rising,
   falling, in bursts, with a rush at the end) at many sizes, then the best is changed day by day (`Effort.rounds`).
   What is found is the largest haul *found*: a better plan may exist, and a page that prints it says so.
2. Who takes is judged by a `Judge`: the detector of the installation (estimated and guaranteed alerts), or by the
   declared budget alone, whose figure nothing learned can make worse.
3. Without cases nothing is unexplained, and without assignments a record in anybody's work is everybody's: then the
   haul is not bounded, and no number is given.
4. The gate's limits cap a plan before it is judged. Several accounts take several hauls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from muniment.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.watch.context.tables import Context

HORIZONS: Final = (1, 20, 220)
"""Workdays: a day, a month, a year."""
MONTH: Final = 20
"""Workdays over which a monthly limit of the gate counts."""
NEEDS: Final = ("cases", "assignments")


@dataclass(frozen=True, slots=True)
class Gate:
    """What the gate lets one account receive of unexplained records; `None`: no such limit."""

    a_day: int | None = None
    a_month: int | None = None

    def capped(self, plans: NDArray[np.int64]) -> NDArray[np.int64]:
        """Plans as the gate lets them through, shape (p, days): what is above a limit is not received."""
        kept = plans if self.a_day is None else np.minimum(plans, self.a_day)
        if self.a_month is None:
            return kept
        kept = kept.copy()
        for start in range(0, kept.shape[1], MONTH):
            month = kept[:, start : start + MONTH]
            total = np.minimum(month.cumsum(axis=1), self.a_month)
            kept[:, start : start + MONTH] = np.diff(total, axis=1, prepend=0)
        return kept


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Judged:
    """How plans fared, shape (p, replicas): records taken before the first alert, and whether there was one."""

    taken: NDArray[np.int64]
    alerted: NDArray[np.bool_]


class Judge(Protocol):
    """A detector that plans are tried against."""

    def judge(self, plans: NDArray[np.int64]) -> Judged:
        """Try plans of unexplained first reads a workday, shape (p, days)."""
        ...


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard the maximum is sought. `chance`: of an alert, at most. `sizes`: per shape and pass. `most`: records a
    workday that no plan exceeds on average. `rounds`: of changing the best plan, `tries` changes each."""

    chance: float = 0.5
    sizes: int = 12
    passes: int = 3
    most: float = 5_000.0
    rounds: int = 0
    tries: int = 32


@dataclass(frozen=True, slots=True)
class Haul:
    """The largest haul found. `records` is `None` where it is not bounded; `why` says what is missing then.

    `shape`: the family of the best plan. `plan`: it, unexplained first reads a workday. `alert`: its chance of one.
    """

    horizon: int
    gated: bool
    records: float | None
    shape: str = ""
    alert: float = 0.0
    plan: tuple[int, ...] = ()
    why: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The figure as it is printed."""
        return "not bounded" if self.records is None else f"{self.records:,.0f}"


def hauls(
    context: Context,
    judge: Judge,
    gates: Sequence[Gate],
    horizons: Sequence[int] = HORIZONS,
    effort: Effort | None = None,
    random: np.random.Generator | None = None,
) -> tuple[Haul, ...]:
    """The haul of each horizon under each gate (`Gate()`: off), by horizon, then gate.

    `random` is only drawn from for `Effort.rounds`.

    Raises:
        InputError: a horizon below one workday.
    """
    for horizon in horizons:
        if horizon < 1:
            raise InputError(f"haul over {horizon} workdays: expected 1 or more")
    missing = tuple(name for name in NEEDS if name in context.missing)
    wanted = [(horizon, gate) for horizon in horizons for gate in gates]
    if missing:
        return tuple(Haul(horizon, gate != Gate(), None, why=missing) for horizon, gate in wanted)
    return tuple(_largest(judge, gate, horizon, effort or Effort(), random) for horizon, gate in wanted)


def _largest(judge: Judge, gate: Gate, horizon: int, effort: Effort, random: np.random.Generator | None) -> Haul:
    shapes = {name: shape(horizon) for name, shape in SHAPES.items()}
    best = Haul(horizon, gate != Gate(), 0.0)
    edges = dict.fromkeys(shapes, (0.0, effort.most * horizon))
    for _ in range(effort.passes):
        tried = [(name, size) for name in shapes for size in _sizes(*edges[name], effort.sizes)]
        plans = gate.capped(np.array([_plan(shapes[name], size) for name, size in tried]))
        judged = judge.judge(plans)
        best = _better(best, [name for name, _ in tried], plans, judged, effort)
        edges = _edges(tried, judged, effort)
    if random is not None and best.plan:
        for _ in range(effort.rounds):
            plans = gate.capped(_changed(np.array(best.plan, np.int64), effort.tries, random))
            best = _better(best, [best.shape] * len(plans), plans, judge.judge(plans), effort)
    return best


def _sizes(low: float, high: float, count: int) -> NDArray[np.float64]:
    """Totals of a plan, from low to high: in equal ratios from 1 record on, or in equal steps once they are close."""
    if low <= 0:
        return np.geomspace(1.0, max(high, 2.0), count)
    return np.linspace(low, high, count)


def _plan(shape: NDArray[np.float64], total: float) -> NDArray[np.int64]:
    """Whole records by day that add up to `total`, as near to the shape as whole numbers go."""
    reached = np.floor(shape.cumsum() / shape.sum() * total + 1e-9).astype(np.int64)
    return np.ediff1d(reached, to_begin=reached[:1])


def _edges(tried: Sequence[tuple[str, float]], judged: Judged, effort: Effort) -> dict[str, tuple[float, float]]:
    """By shape: the largest size that still passes, and the smallest above it that does not."""
    passes = judged.alerted.mean(axis=1) <= effort.chance
    edges: dict[str, tuple[float, float]] = {}
    for name in dict.fromkeys(name for name, _ in tried):
        sizes = [(size, bool(ok)) for (one, size), ok in zip(tried, passes, strict=True) if one == name]
        good = max((size for size, ok in sizes if ok), default=0.0)
        bad = min((size for size, ok in sizes if not ok and size > good), default=good or 1.0)
        edges[name] = (good, bad)
    return edges


def _better(best: Haul, names: Sequence[str], plans: NDArray[np.int64], judged: Judged, effort: Effort) -> Haul:
    alert = judged.alerted.mean(axis=1)
    taken = np.where(alert <= effort.chance, judged.taken.mean(axis=1), -1.0)
    i = int(taken.argmax())
    if taken[i] <= (best.records or 0.0):
        return best
    plan = tuple(plans[i].tolist())
    return replace(best, records=float(taken[i]), shape=names[i], alert=float(alert[i]), plan=plan)


def _changed(plan: NDArray[np.int64], tries: int, random: np.random.Generator) -> NDArray[np.int64]:
    """The plan with some records moved to another day, and some added, `tries` times; shape (tries, days)."""
    changed = np.tile(plan, (tries, 1))
    rows, days = np.arange(tries), len(plan)
    source, target = random.integers(days, size=tries), random.integers(days, size=tries)
    moved = np.minimum(changed[rows, source], random.geometric(0.3, tries))
    changed[rows, source] -= moved
    changed[rows, target] += moved + random.integers(0, 3, tries)
    return changed


# --- families of plans -----------------------------------------------------------------------------------------------


def _even(days: int) -> NDArray[np.float64]:
    return np.ones(days)


def _rising(days: int) -> NDArray[np.float64]:
    return np.arange(1.0, days + 1.0)


def _falling(days: int) -> NDArray[np.float64]:
    return np.arange(days, 0.0, -1.0)


def _bursts(every: int) -> Callable[[int], NDArray[np.float64]]:
    def shape(days: int) -> NDArray[np.float64]:
        return np.where(np.arange(days) % every == min(every, days) - 1, 1.0, 0.0)

    return shape


def _tail(share: float) -> Callable[[int], NDArray[np.float64]]:
    """Even, with as much again on the last days, when an alert comes too late."""

    def shape(days: int) -> NDArray[np.float64]:
        last = max(1, round(days * share))
        plan = np.ones(days)
        plan[-last:] += days / last
        return plan

    return shape


def _doubling(days: int) -> NDArray[np.float64]:
    return np.asarray(np.exp2(np.arange(days) / max(days / 4, 1.0)), np.float64)


SHAPES: Final[Mapping[str, Callable[[int], NDArray[np.float64]]]] = {
    "even": _even,
    "rising": _rising,
    "falling": _falling,
    "ramp": _doubling,
    "bursts each 2nd day": _bursts(2),
    "bursts each 5th day": _bursts(5),
    "bursts each 10th day": _bursts(10),
    "bursts each 40th day": _bursts(40),
    "even, twice as much in the last tenth": _tail(0.1),
    "even, half of it on the last day": _tail(0.001),
    "all on the last day": _bursts(10**6),
}
"""Families of plans, by name: how a total is spread over the days."""


# --- the declared budget alone ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class DesignJudge:
    """The budget's detector and nothing else: bets 1 + l (U - a_day), Shiryaev-Roberts, mean over bets.

    `bets`: the l, shape (k,). `threshold`: of the joined value. `weight`: the signal's share in the mean over signals
    (the others are taken at 0, their least). `noise`: the account's own unexplained first reads of each workday in each
    of r replicas, shape (r, days at least the horizon); what he takes comes on top. An alert comes within the day.
    """

    bets: NDArray[np.float64]
    a_day: float
    threshold: float
    weight: float
    noise: NDArray[np.int64]

    def judge(self, plans: NDArray[np.int64]) -> Judged:
        """As `Judge`: the records of the day on which the threshold is passed count up to the one that passes it."""
        shape = (len(plans), len(self.noise))
        value = np.zeros((*shape, len(self.bets)))
        taken, alerted = np.zeros(shape, np.int64), np.zeros(shape, np.bool_)
        for day in range(plans.shape[1]):
            plan = np.where(alerted, 0, plans[:, day, None])
            own, before = self.noise[None, :, day], value + 1
            room = self._room(before)
            crossed = (own + plan > room) & ~alerted
            got = np.where(crossed, np.clip(np.floor(room) + 1 - own, 0, plan), plan)
            taken += got.astype(np.int64)
            alerted |= crossed
            factor = 1 + self.bets * ((own + plan)[..., None] - self.a_day)
            value = np.where(alerted[..., None], 0.0, before * factor)
        return Judged(taken, alerted)

    def _room(self, before: NDArray[np.float64]) -> NDArray[np.float64]:
        """The count of a day above which the joined value passes: it is linear in the count."""
        base = (before * (1 - self.bets * self.a_day)).mean(axis=-1)
        slope = (before * self.bets).mean(axis=-1)
        return np.asarray((self.threshold / self.weight - base) / slope)
