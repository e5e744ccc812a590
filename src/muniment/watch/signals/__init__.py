"""Signals: each looks at one way in which a harvest shows, and says by how much it is seen, as factors of e-values.

Rules
1. A signal is one file with one class. `step` returns, for each account-day, one factor a *bet*: a number whose mean is
   at most 1 given the past, while the null of the signal holds. Bets are alternatives (how much, how fast); each has a
   detector of its own, and detectors are averaged. A day that says nothing has the factor 1 (logarithm 0).
2. `design` says that the null is true by design (a declared budget, a challenge, a coin): only then is a bound printed.
   What is learned from the past is learned before the day is looked at, never from it (predictable plug-in).
3. State is arrays, one row an account (or group), owned by whoever calls: `step` reads it, then updates it in place. It
   survives restarts as it is; together all signals take at most 2 kB an account.
4. Pure: no clock, no chance, no file. The same days give the same factors, bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.watch.context.tables import Context
    from muniment.watch.days import Day, Prefix

State: TypeAlias = "dict[str, NDArray[np.float64]]"
"""Arrays by name, shape (rows, width); rows are units by code and grow with them, new ones filled with `fill`."""
Unit: TypeAlias = Literal["account", "office"]


@dataclass(frozen=True, slots=True)
class Shape:
    """One array of a signal's state: its numbers a row, and what a new row holds. `unit`: what a row is."""

    width: int
    fill: float = 0.0
    unit: Unit = "account"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Step:
    """What a signal says of one day. u units (of `Signal.unit`), k bets.

    `unit`: codes, int64, shape (u,), ascending. `log_e`: natural logarithms of the factors, shape (u, k), never NaN,
    -inf only where a bet is lost for good. `records`: the reads that speak, for "records at stake", shape (u,), int64.
    `reads`: mask over the reads of the day that speak, shape (n,), so that an alert can name
    columns and registers.
    """

    unit: NDArray[np.int64]
    log_e: NDArray[np.float64]
    records: NDArray[np.int64]
    reads: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class About:
    """What does not change about a signal.

    `name`: in settings, alerts and messages: one word, lower case. `design`: rule 2. `bets`: k, how many factors a unit
    gets. `weight`: its part in a mean of signals, fixed beforehand. `general`: whether it says little about how a
    harvest goes on, so that an alert is named after another signal that speaks nearly as loud. `at_once`: whether it is
    about single days, and adds nothing when a day is closed. `shapes`: its state by name. `needs`: the tables of
    `Context` without which it says nothing.
    """

    name: str
    bets: int
    design: bool = False
    weight: float = 1.0
    general: bool = False
    at_once: bool = False
    unit: Unit = "account"
    shapes: Mapping[str, Shape] = field(default_factory=dict)
    needs: tuple[str, ...] = ()


class Signal(Protocol):
    """One way to see a harvest, told when a day is over."""

    @property
    def about(self) -> About:
        """What does not change about it."""
        ...

    def step(self, day: Day, context: Context, state: State) -> Step:
        """The factors of one day; the state is updated by it."""
        ...


class Running(Signal, Protocol):
    """A signal that also speaks while the day lasts, so that bulk is seen inside the disclosure or at the next."""

    def running(self, so_far: Prefix, state: State) -> NDArray[np.float64]:
        """The factors of the day up to and with each disclosure, shape (d, k); the state stays as it is.

        Stopped at any disclosure it has the mean 1 at most, as at the end of the day: `step` gives what `running` gives
        for the last disclosure of the day, where no later read explains an earlier one.
        """
        ...
