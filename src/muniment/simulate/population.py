"""The invented register: persons in households with relatives, businesses, the orders they stand in, and decoys.

Rules
1. A record is its ordinal, and an ordinal carries no order: neighbours by address, surname, number or birth are far
   apart. The orders are given apart, as ranks.
2. No case touches a decoy; a look-up by name comes upon one rarely.
3. Some records are made while the world runs. They have the highest numbers, in the order in which they were made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.simulate.groups import Groups

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.simulate.settings import Traits, WorldSettings

ORDERS: Final = ("number", "address", "surname", "birth")
PEOPLE: Final = 0
BUSINESSES: Final = 1
REGISTERS: Final = ("people", "businesses")
_BUSINESS_SHARE: Final = 0.12
_FRESH_SHARE: Final = 0.02
_HOUSEHOLD_SIZES: Final = (0.40, 0.30, 0.13, 0.12, 0.05)
_TOGETHER: Final = 0.45
"""Share of households whose members were numbered together."""
_TIES: Final = 0.6


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Population:
    """Records 0 to n - 1. Arrays by record have shape (n,).

    `household`: its number, -1 for businesses and decoys. `rank`: shape (n, 4), by `ORDERS`; `at`: shape (4, n), the
    record at each rank. `made`: day of the world on which the record was made, -1 before. `weight`: how often it is in
    a case, cumulated and normed to 1. `members`: households; `kin`: relatives of each record, declared ties and
    household together.
    """

    register: NDArray[np.int8]
    household: NDArray[np.int64]
    rank: NDArray[np.int64]
    at: NDArray[np.int64]
    made: NDArray[np.int64]
    weight: NDArray[np.float64]
    decoys: NDArray[np.int64]
    one: NDArray[np.int64]
    other: NDArray[np.int64]
    members: Groups
    kin: Groups

    def __len__(self) -> int:
        return len(self.register)

    def drawn(self, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Records as cases draw them: by popularity, never a decoy."""
        return np.minimum(np.searchsorted(self.weight, rng.random(n), side="right"), len(self) - 1)

    def beside(self, records: NDArray[np.int64], order: int, most: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """A record 1 to `most` ranks away from each, in one order."""
        step = rng.integers(1, most + 1, len(records)) * rng.choice((-1, 1), len(records))
        found: NDArray[np.int64] = self.at[order][(self.rank[records, order] + step) % len(self)]
        return found


def populate(settings: WorldSettings, traits: Traits, rng: np.random.Generator) -> Population:
    """The register of a run."""
    n = int(settings.accounts * traits.persons)
    people = int(n * (1 - _BUSINESS_SHARE))
    sizes = rng.choice(np.arange(1, 6), people, p=_HOUSEHOLD_SIZES)
    house = np.repeat(np.arange(len(sizes)), sizes)[:people]
    household = np.concatenate((house, np.full(n - people, -1)))
    ordinal = rng.permutation(n)
    alone = np.flatnonzero(np.bincount(house)[house] == 1)
    decoys = rng.choice(alone, max(3, int(traits.decoys * n)), replace=False)
    made = np.where(rng.random(n) < _FRESH_SHARE, rng.integers(0, settings.days, n), -1)
    made[decoys] = -1
    surname = _surnames(household, rng)
    keys = (_numbers(household, made, rng), np.arange(n), surname, _births(household, rng))
    orders = [np.lexsort((rng.random(n), key)) for key in keys]
    one, other = _family(household, orders[2], decoys, rng)
    weight = rng.lognormal(0.0, traits.popularity, n)
    weight[decoys] = 0.0
    household[decoys] = -1
    at = np.stack([ordinal[order] for order in orders])
    rank = np.empty((n, len(ORDERS)), np.int64)
    for column, records in enumerate(at):
        rank[records, column] = np.arange(n)
    back = np.argsort(ordinal)
    lived = household[back]
    cumulated = np.cumsum(weight[back])
    ends = ordinal[one], ordinal[other]
    return Population(
        register=np.where(back < people, PEOPLE, BUSINESSES).astype(np.int8),
        household=lived,
        rank=rank,
        at=at,
        made=made[back],
        weight=cumulated / cumulated[-1],
        decoys=np.sort(ordinal[decoys]),
        one=ends[0],
        other=ends[1],
        members=_members(lived, len(sizes)),
        kin=Groups.of(np.concatenate(ends), np.concatenate(ends[::-1]), n),
    )


def _members(household: NDArray[np.int64], households: int) -> Groups:
    inside = np.flatnonzero(household >= 0)
    return Groups.of(household[inside], inside, households)


def _surnames(household: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """A number of a surname for each, mostly that of the household; frequencies fall like 1 / rank."""
    n = len(household)
    names = 300 + n // 50
    heavy = np.cumsum(1.0 / np.arange(1, names + 1))
    drawn = np.searchsorted(heavy, rng.random(n) * heavy[-1])
    own = (rng.random(n) < 0.15) | (household < 0)
    place = rng.permutation(names)
    found: NDArray[np.int64] = place[np.where(own, drawn, drawn[np.maximum(household, 0)])]
    return found


def _births(household: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Days of birth: two adults of like age lead a household, children follow."""
    n = len(household)
    new = np.concatenate(([True], household[1:] != household[:-1])) | (household < 0)
    place = np.arange(n) - np.maximum.accumulate(np.where(new, np.arange(n), 0))
    head = rng.integers(20 * 365, 90 * 365, n)[np.maximum.accumulate(np.where(new, np.arange(n), 0))]
    partner = head + rng.normal(0, 3 * 365, n).astype(np.int64)
    child = np.maximum(head - rng.integers(22 * 365, 40 * 365, n), 0)
    age: NDArray[np.int64] = np.choose(np.minimum(place, 2), (head, partner, child))
    return np.negative(age)


def _numbers(household: NDArray[np.int64], made: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Sort keys of record numbers: many households were numbered together, what is made now comes last."""
    n = len(household)
    of_house = rng.random(n)[np.maximum(household, 0)]
    together = (rng.random(n) < _TOGETHER)[np.maximum(household, 0)] & (household >= 0)
    return np.where(made >= 0, 2.0 + made, np.where(together, of_house, rng.random(n)))


def _family(
    household: NDArray[np.int64], by_surname: NDArray[np.int64], decoys: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ties: each member to the one before in the household, and some to bearers of near surnames elsewhere."""
    inside = np.flatnonzero((household[1:] == household[:-1]) & (household[1:] >= 0)) + 1
    people = np.flatnonzero(household >= 0)
    far = people[rng.random(len(people)) < _TIES]
    rank = np.argsort(by_surname)
    to = by_surname[(rank[far] + rng.integers(1, 60, len(far))) % len(household)]
    one, other = np.concatenate((inside, far)), np.concatenate((inside - 1, to))
    good = (household[other] >= 0) & ~np.isin(one, decoys) & ~np.isin(other, decoys) & (one != other)
    return one[good], other[good]
