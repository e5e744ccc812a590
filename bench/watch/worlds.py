"""Simulated backgrounds: worlds of `muniment.simulate` with every attack injected once, each in accounts of its own.

The simulator was written from the published cases before the signals, and is frozen by a hash
(tests/simulate/FROZEN). Attacks begin after the split, so that every detector has a clean half to learn from; in a
*poisoned* world they begin before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.simulate.attackers import ATTACKS
from muniment.simulate.inject import Planned, inject_many
from muniment.simulate.settings import WorldSettings
from muniment.simulate.world import World, simulate
from muniment.watch.context.index import ContextIndex
from muniment.watch.context.tables import DAY_MS
from watch.ground import Ground, Trial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from muniment.simulate.inject import Injected

SHARES: Final = (0.60, 0.84, 0.94)
"""Shares of explained reads."""
SPLIT: Final = 130
"""Days before which a world is clean; attacks begin in the weeks after."""
NAMES: Final = tuple(name for name in ATTACKS if name != "singer")
"""Attacks that are measured: all but the one on a single person, whose signal names no account."""


@dataclass(frozen=True, slots=True)
class Run:
    """One simulated background. `begin`: the day (from the start) from which on attacks begin."""

    number: int
    explained: float = 0.84
    accounts: int = 60
    days: int = 260
    begin: int = SPLIT + 7
    surge: bool = False

    @property
    def settings(self) -> WorldSettings:
        """The settings of the world."""
        return WorldSettings(self.number, self.accounts, self.days, self.explained, surge=self.surge)


def clean(run: Run) -> Ground:
    """A world without attacks."""
    return _ground(run, simulate(run.settings), ())


def attacked(run: Run, attacks: Sequence[str] = NAMES) -> Ground:
    """A world with each attack once, in an order and in accounts drawn by the run's number."""
    random = np.random.default_rng((run.number, 11))
    world = simulate(run.settings)
    plan = _planned(world, run, attacks, random)
    injected = inject_many(world, plan, run.number)
    return _ground(run, injected.world, _trials(injected))


def _ground(run: Run, world: World, trials: Sequence[Trial]) -> Ground:
    name = f"simulator, {run.explained:.0%} explained"
    return Ground(name, run.number, world.reads, world.context, world.spaces, world.first_day + SPLIT, trials)


def _planned(world: World, run: Run, attacks: Sequence[str], random: np.random.Generator) -> list[Planned]:
    """Who attacks and when, those of several accounts first: they need an office that has as many left."""
    office = _offices(world, world.first_day + run.begin)
    free = random.permutation(_regular(world))
    plan = []
    for attack in sorted(attacks, key=lambda one: -ATTACKS[one].accounts):
        many = ATTACKS[attack].accounts
        sizes = np.bincount(office[free], minlength=int(office.max()) + 1)
        first = free[np.argmax(sizes[office[free]] >= many)]
        chosen = free[office[free] == office[first]][:many]
        free = np.setdiff1d(free, chosen, assume_unique=True)
        free = random.permutation(free)
        day = world.first_day + run.begin + int(random.integers(7))
        plan.append(Planned(attack, tuple(chosen.tolist()), day))
    return plan


def _offices(world: World, day: int) -> NDArray[np.int64]:
    """The office of each account on a day, shape (accounts,)."""
    accounts = np.arange(world.accounts, dtype=np.int32)
    moments = np.full(world.accounts, day * DAY_MS, np.int64)
    return ContextIndex(world.context).offices(accounts, moments)[0].astype(np.int64)


def _regular(world: World) -> NDArray[np.int64]:
    """Accounts that work on at least a third of the days of both halves, so that an attack has a place to hide."""
    day = world.day_of(world.reads.moment) - world.first_day
    seen = np.unique(np.stack([world.reads.account.astype(np.int64), day], axis=1), axis=0)
    early = np.bincount(seen[seen[:, 1] < SPLIT, 0], minlength=world.accounts)
    late = np.bincount(seen[seen[:, 1] >= SPLIT, 0], minlength=world.accounts)
    return np.flatnonzero((early >= SPLIT // 3) & (late >= (world.days - SPLIT) // 3))


def _trials(injected: Injected) -> list[Trial]:
    world, trials = injected.world, []
    days = world.day_of(world.reads.moment)
    for number, planned in enumerate(injected.plan):
        rows = injected.lost(number)
        if len(rows):
            begin = int(days[rows].min())
            office = int(_offices(world, begin)[planned.accounts[0]])
            reasons = tuple(sorted(injected.expected_pattern(number)))
            at = (planned.accounts, office, begin, world.reads.sequence[rows], days[rows])
            trials.append(Trial(planned.kind.name, *at, reasons))
    return trials
