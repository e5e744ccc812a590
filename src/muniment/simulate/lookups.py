"""Look-ups: honest reads that no case of the reader explains, and the oddities that a privacy officer knows.

Rules
1. An honest look-up is not random: it goes to a namesake or a neighbour of somebody in work, to a relative, to a
   colleague's case, to records just made, or back to what was looked up before. Tests on order, kin and others' cases
   must live with that.
2. Each account has its own share of look-ups (Beta), which wanders; each day has its own rush.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.simulate.office import PROFILES, ROLES, wandering
from muniment.simulate.population import ORDERS
from muniment.simulate.settings import ODDITIES, ODDITY_NAMES
from muniment.simulate.touches import Touches

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.simulate.office import Offices
    from muniment.simulate.population import Population
    from muniment.simulate.settings import Traits, WorldSettings

_OF_UNEXPLAINED: Final = 0.52
"""Part of the unexplained reads that are look-ups; the rest comes from gaps in the records of cases."""
_MOST: Final = 0.04
"""Where less is explained, cases are missing in the records; people do not look up more."""
_AGAIN: Final = 0.35
_KINDS: Final = ("namesake", "address", "kin", "colleague", "fresh", "any")
_ODDS: Final = np.array((0.27, 0.12, 0.12, 0.22, 0.05, 0.22))
_ODDS_AT_INTAKE: Final = np.array((0.15, 0.10, 0.10, 0.15, 0.35, 0.15))


def lookup_share(
    settings: WorldSettings, traits: Traits, offices: Offices, rng: np.random.Generator
) -> NDArray[np.float64]:
    """The chance that a read is a look-up, shape (accounts, days)."""
    mean = min((1 - settings.explained) * _OF_UNEXPLAINED, _MOST)
    factor = np.array([PROFILES[one].lookups for one in offices.profile])[offices.home]
    mid = mean * factor * np.array([ROLES[one].lookups for one in offices.role])
    mid *= mean / mid.mean()
    own = rng.beta(mid * traits.alike, (1 - mid) * traits.alike)
    # very small shares are kept off 0: nobody never looks anything up
    own = np.maximum(own, 0.15 * mid)[:, None]
    n, days = offices.counts.shape
    share: NDArray[np.float64] = own * rng.gamma(3.0, 1 / 3.0, (n, days))
    if settings.drift:
        share *= np.exp(wandering(n, days, 2 * traits.wander, rng))
    # the accounts that read most do not decide how much is looked up
    share *= mean * offices.counts.sum() / (share * offices.counts).sum()
    return np.minimum(share, 0.8)


def lookups(
    offices: Offices, population: Population, account: NDArray[np.int64], day: NDArray[np.int64], case_work: Touches,
    rng: np.random.Generator,
) -> Touches:  # fmt: skip
    """The touches of some look-ups, given as (account, day) by account, then day. `case_work`: what is in work."""
    near = _near(case_work, account, day, account, len(offices))
    base = case_work.record[near]
    intake = np.array([one.intake for one in PROFILES])[offices.profile[offices.office(account, day)]]
    ladder = np.cumsum(np.where(intake[:, None], _ODDS_AT_INTAKE, _ODDS), axis=1)
    kind = np.minimum((rng.random(len(account))[:, None] > ladder).sum(axis=1), len(_KINDS) - 1)
    anyone = rng.integers(0, len(population), len(account))
    kin = population.kin.draw(base, rng)
    record = np.choose(
        kind,
        (
            population.beside(base, ORDERS.index("surname"), 4, rng),
            population.beside(base, ORDERS.index("address"), 4, rng),
            np.where(kin >= 0, kin, anyone),
            _colleagues(offices, case_work, account, day, rng),
            _fresh(population, day, rng),
            anyone,
        ),
    )
    return Touches.of(account, day, _avoiding(population, _again(account, record, rng), rng))


def _near(
    pool: Touches, account: NDArray[np.int64], day: NDArray[np.int64], whose: NDArray[np.int64], accounts: int
) -> NDArray[np.int64]:
    """For each (account, day) a row of `pool` of the account `whose` on that day or soon after."""
    order = np.lexsort((pool.day, pool.account))
    key = pool.account[order] * 4096 + pool.day[order]
    at = np.searchsorted(key, whose * 4096 + day)
    return order[np.minimum(at, len(order) - 1)]


def _colleagues(
    offices: Offices, case_work: Touches, account: NDArray[np.int64], day: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Records in work at another account: of the same office where each has cases of his own, else of any."""
    mate = rng.integers(0, len(offices), len(account))
    same = rng.permutation(len(offices))
    grouped = same[np.argsort(offices.home[same], kind="stable")]
    place = np.argsort(grouped)
    beside = grouped[(place[account] + 1) % len(grouped)]
    shared = np.array([one.shared > 0 for one in PROFILES])[offices.profile[offices.home[account]]]
    whose = np.where(~shared & (rng.random(len(account)) < 0.7), beside, mate)
    return case_work.record[_near(case_work, account, day, whose, len(offices))]


def _fresh(population: Population, day: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """A record made in the last days, or the newest there is."""
    made = np.flatnonzero(population.made >= 0)
    made = made[np.argsort(population.made[made], kind="stable")]
    newest = np.searchsorted(population.made[made], day, side="right")
    found: NDArray[np.int64] = made[np.maximum(newest - rng.geometric(0.12, len(day)), 0)]
    return found


def _again(account: NDArray[np.int64], record: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Some look-ups go back to what the account looked up a while before; rows by account, then day."""
    row = np.arange(len(account))
    begin = np.searchsorted(account, account)
    back = row - rng.geometric(0.15, len(row))
    return np.where((rng.random(len(row)) < _AGAIN) & (back >= begin), record[np.maximum(back, 0)], record)


def _avoiding(population: Population, record: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Nobody asks for a person who is not there: nine of ten look-ups that would come upon a decoy go elsewhere."""
    hit = np.isin(record, population.decoys) & (rng.random(len(record)) < 0.9)
    return np.where(hit, population.drawn(len(record), rng), record)


def oddities(
    offices: Offices, population: Population, case_work: Touches, total: int, rng: np.random.Generator
) -> Touches:
    """Reads of the reader's own circle, of the famous, and of old cases, at the published rates per `total` reads."""
    active = np.argwhere(offices.counts > 0)
    weight = rng.lognormal(0, 0.8, len(offices))[active[:, 0]]
    cumulated = np.cumsum(weight) / weight.sum()
    parts = []
    for name in ("coworker", "vip", "old", "family", "neighbour"):
        n = int(rng.poisson(ODDITIES[name] * total / 1e6))
        chosen = active[np.minimum(np.searchsorted(cumulated, rng.random(n)), len(active) - 1)]
        account, day = chosen[:, 0], chosen[:, 1]
        record = _odd(name, offices, population, case_work, account, day, rng)
        # a decoy is nobody's neighbour, and nobody's case
        real = ~np.isin(record, population.decoys)
        account, day, record = account[real], day[real], record[real]
        parts.append(Touches.of(account, day, record, oddity=ODDITY_NAMES.index(name)))
    return Touches.joined(parts)


def _odd(
    name: str, offices: Offices, population: Population, case_work: Touches, account: NDArray[np.int64],
    day: NDArray[np.int64], rng: np.random.Generator,
) -> NDArray[np.int64]:  # fmt: skip
    me = offices.person[account]
    if name == "coworker":
        return offices.person[rng.integers(0, len(offices), len(account))]
    if name == "vip":
        famous = np.argsort(np.diff(population.weight, prepend=0.0))[-50:]
        return famous[rng.integers(0, 50, len(account))]
    if name == "old":
        return case_work.record[_near(case_work, account, np.maximum(day - 150, 0), account, len(offices))]
    if name == "family":
        kin = population.kin.draw(me, rng)
        return np.where(kin >= 0, kin, me)
    return population.beside(me, ORDERS.index("address"), 12, rng)
