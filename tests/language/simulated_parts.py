"""The parts of one small simulated world, made step by step, for tests of a single step."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from muniment.simulate.clock import Clock
from muniment.simulate.office import Offices, establish
from muniment.simulate.population import Population, populate
from muniment.simulate.settings import Traits, WorldSettings, generator
from muniment.simulate.touches import Touches
from muniment.simulate.work import Drafts, work


@dataclass(frozen=True)
class Parts:
    """`account`, `day`: one entry a record that is looked for, by account, then day. `touches`: all of them done as
    work on the cases `drafts`, a record once per account and day."""

    settings: WorldSettings
    traits: Traits
    clock: Clock
    population: Population
    offices: Offices
    account: NDArray[np.int64]
    day: NDArray[np.int64]
    touches: Touches
    drafts: Drafts


@lru_cache(maxsize=24)
def parts(seed: int = 1, accounts: int = 12, days: int = 40, **more: object) -> Parts:
    """Made once for all tests."""
    settings = WorldSettings(seed=seed, accounts=accounts, days=days, **more)  # type: ignore[arg-type]
    traits = Traits.drawn(chance(seed))
    population = populate(settings, traits, chance(seed, 1))
    persons = np.flatnonzero((population.household >= 0) & (population.made < 0))
    offices = establish(settings, traits, persons, chance(seed, 2))
    rows = np.argwhere(offices.counts > 0)
    account, day = np.repeat(rows, offices.counts[rows[:, 0], rows[:, 1]], axis=0).T
    touches, drafts = work(offices, population, traits, account, day, chance(seed, 3))
    return Parts(
        settings, traits, Clock.of(settings), population, offices, account, day, touches.distinct(len(population)),
        drafts,
    )  # fmt: skip


def chance(seed: int, part: int = 0) -> np.random.Generator:
    """A generator that no world uses."""
    return generator(seed, 9_000 + part)
