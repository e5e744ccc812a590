"""The attacker who knows method and thresholds: a plan of so many records for each of his workdays, put into a world.

What plan is best for him is not decided here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.errors import InputError
from muniment.simulate.attackers import ATTACKS
from muniment.simulate.inject import Injected, Planned, dressed, merge
from muniment.simulate.settings import generator
from muniment.simulate.targets import Wish, anybody

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.simulate.world import World

_ADAPTIVE: Final = 1_000
"""Number of the generator of adaptive plans."""


def inject_plan(
    world: World, account: int, start_day: int, counts: Sequence[int], seed: int, *, in_place: bool = False
) -> Injected:
    """`counts[i]` records without any reason on the account's i-th workday from `start_day` (local day) on.

    `in_place`: as many of the account's own records of that day are left out, those without a case first, so that the
    day is no longer than before; else the harvest comes on top. Days that the world does not have are not harvested.
    Raises `InputError` for an account or a count that cannot be.
    """
    if not 0 <= account < world.accounts or any(count < 0 for count in counts):
        raise InputError(f"plan: expected an account of 0 to {world.accounts - 1} and counts of 0 or more")
    rng = generator(seed, _ADAPTIVE)
    mine = np.flatnonzero(world.reads.account == account)
    day_of = world.clock.day(world.reads.moment[mine])
    days = np.unique(day_of)
    days = days[days >= start_day - world.first_day][: len(counts)]
    wanted = np.asarray(counts[: len(days)], np.int64)
    day = np.repeat(days, wanted)
    haul = dressed(world, account, day, anybody(Wish(world, account, day, rng)), rng)
    dropped = np.zeros(len(world.reads), bool)
    if in_place:
        for one, count in zip(days.tolist(), wanted.tolist(), strict=True):
            dropped[_left_out(world, mine[day_of == one], count, rng)] = True
    return merge(world, [(0, haul)], dropped, [Planned(ATTACKS["random7"], (account,), start_day, len(counts))])


def _left_out(world: World, rows: NDArray[np.int64], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """All reads of up to `count` records of a day, first those that name no case."""
    records, begin = np.unique(world.reads.record[rows], return_index=True)
    named = world.reads.case[rows[begin]] >= 0
    order = np.lexsort((rng.random(len(records)), named))
    return rows[np.isin(world.reads.record[rows], records[order[:count]])]
