"""Which accounts attack: drawn among those that work enough, each once, and no office twice while there are others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.errors import InputError
from muniment.simulate.inject import Planned
from muniment.simulate.settings import generator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.simulate.world import World

_STAGING: Final = 2_000
"""Number of the generator that draws accounts."""
FEWEST_DAYS: Final = 10
"""Days that an account must still work from the first day of an attack on."""


def staged(world: World, attacks: Sequence[str], day: int, seed: int) -> tuple[Planned, ...]:
    """A plan for `inject_many`: each attack begins on the local day `day`, in accounts of its own.

    Raises `InputError` for an unknown attack, or where there are not enough accounts.
    """
    rng = generator(seed, _STAGING)
    free = _working(world, day)
    used: list[int] = []
    plan = []
    for name in attacks:
        planned = Planned(name, (), day)
        kind = planned.kind
        office = _offices(world, free, used, kind.accounts, one=kind.trick != "one record", rng=rng)
        pool = np.flatnonzero(free & np.isin(world.office_of, office))
        chosen = tuple(np.sort(rng.choice(pool, kind.accounts, replace=False)).tolist())
        free[list(chosen)] = False
        used += office
        plan.append(Planned(name, chosen, day))
    return tuple(plan)


def _working(world: World, day: int) -> NDArray[np.bool_]:
    """Accounts that work on enough days from `day` on, and did before, shape (accounts,)."""
    at = int(world.clock.start(day - world.first_day))
    days = np.unique(np.stack((world.reads.account.astype(np.int64), world.clock.day(world.reads.moment))), axis=1)
    later = world.clock.start(days[1]) >= at
    before = np.bincount(days[0][~later], minlength=world.accounts)
    return (np.bincount(days[0][later], minlength=world.accounts) >= FEWEST_DAYS) & (before >= FEWEST_DAYS)


def _offices(
    world: World, free: NDArray[np.bool_], used: Sequence[int], accounts: int, *, one: bool, rng: np.random.Generator
) -> list[int]:
    """The office of the next attack, or all of them where it needs no common one."""
    left = np.bincount(world.office_of[free], minlength=int(world.office_of.max()) + 1)
    if not one:
        if left.sum() < accounts:
            raise InputError(f"attacks: {int(left.sum())} accounts are left: expected {accounts}")
        return list(range(len(left)))
    able = np.flatnonzero(left >= accounts)
    if not len(able):
        raise InputError(f"attacks: no office has {accounts} accounts left that work enough")
    fewest = np.bincount(np.array(used, np.int64), minlength=len(left))[able]
    return [int(rng.choice(able[fewest == fewest.min()]))]
