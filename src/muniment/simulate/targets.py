"""Whom an attacker reads: anybody, relatives, people in work at others, a stretch of an order, one person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from muniment.simulate.population import ORDERS, PEOPLE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.simulate.world import World

HALF_HIDDEN: Final = 4 / 7


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Wish:
    """What one account wants: `day`: of the world, one entry a record, ascending, shape (n,)."""

    world: World
    account: int
    day: NDArray[np.int64]
    rng: np.random.Generator


Pick: TypeAlias = Callable[[Wish], "NDArray[np.int64]"]
"""The records for a wish, shape (n,), mostly distinct; -1 where there is none to be had."""


def anybody(wish: Wish) -> NDArray[np.int64]:
    """Persons at random: an attacker does not know which ones are decoys."""
    people = np.flatnonzero(wish.world.population.register == PEOPLE)
    return wish.rng.choice(people, len(wish.day), replace=len(wish.day) > len(people))


def relatives(wish: Wish) -> NDArray[np.int64]:
    """As in Copenhagen: some at random, and after each a few of the relatives, on the same day or the next."""
    seeds = anybody(wish)
    n, kin = len(seeds), wish.world.population.kin
    members = wish.world.population.members
    lives = wish.world.population.household[seeds]
    _, near = kin.all(seeds)
    owner, _ = kin.all(seeds)
    home, mates = members.all(np.maximum(lives, 0))
    mates = np.where(lives[home] >= 0, mates, -1)
    # a seed, then who belongs to it: half of them are followed
    followed = wish.rng.random(n) < 0.5
    who = np.concatenate((np.arange(n), owner, home))
    record = np.concatenate((seeds, near, mates))
    place = np.concatenate((np.zeros(n), 1 + wish.rng.random(len(owner)), 1 + wish.rng.random(len(home))))
    keep = ((place == 0) | followed[who]) & (record >= 0)
    order = np.lexsort((place[keep], who[keep]))
    walk = record[keep][order]
    _, begin = np.unique(walk, return_index=True)
    found: NDArray[np.int64] = walk[np.sort(begin)][:n]
    return found


def in_work(wish: Wish) -> NDArray[np.int64]:
    """Persons of cases that are open that day, and neither the account's nor its office's."""
    cases = wish.world.context.cases
    if cases is None:
        return np.full(len(wish.day), -1)
    others = ~_own(wish.world, wish.account)
    record = np.full(len(wish.day), -1, np.int64)
    seen = np.zeros(wish.world.persons, bool)
    for day in np.unique(wish.day).tolist():
        at = int(wish.world.clock.start(day)) + 8 * 3_600_000
        open_ = others & (cases.opened <= at) & (cases.closed > at + 12 * 3_600_000)
        pool = np.unique(cases.record[open_[cases.of]])
        pool = pool[~seen[pool]]
        rows = np.flatnonzero(wish.day == day)[: len(pool)]
        record[rows] = wish.rng.choice(pool, len(rows), replace=False)
        seen[record[rows]] = True
    return record


def _own(world: World, account: int) -> NDArray[np.bool_]:
    """Which cases were ever assigned to the account or to an office of its, shape (cases,)."""
    cases, given, staff = world.context.cases, world.context.assignments, world.context.staff
    if cases is None or given is None or staff is None:
        return np.zeros(0 if cases is None else len(cases.case), bool)
    offices = staff.office[staff.account == account]
    mine = (given.account == account) | ((given.account < 0) & np.isin(given.office, offices))
    return np.isin(cases.case, given.case[mine]) | np.isin(cases.office, offices)


def half_hidden(wish: Wish) -> NDArray[np.int64]:
    """Four of seven in work at others, three anybody."""
    hidden = wish.rng.random(len(wish.day)) < HALF_HIDDEN
    record = anybody(wish)
    record[hidden] = in_work(Wish(wish.world, wish.account, wish.day[hidden], wish.rng))
    return record


def stretch(wish: Wish) -> NDArray[np.int64]:
    """A walk along one order, drawn, with small gaps; records that were there before the world began."""
    population = wish.world.population
    order = population.at[int(wish.rng.integers(len(ORDERS)))]
    order = order[(population.register[order] == PEOPLE) & (population.made[order] < 0)]
    steps = np.cumsum(1 + (wish.rng.random(len(wish.day)) < 0.2) * wish.rng.integers(1, 3, len(wish.day)))
    start = int(wish.rng.integers(len(order)))
    found: NDArray[np.int64] = order[(start + steps) % len(order)]
    return found
