"""Look-ups: as many as asked for, near to what is in work, hardly ever a decoy; oddities of the reader's own circle."""

from __future__ import annotations

import numpy as np
import pytest

from language.simulated_parts import Parts, chance, parts
from muniment.simulate.lookups import lookup_share, lookups, oddities
from muniment.simulate.population import ORDERS
from muniment.simulate.settings import ODDITIES, ODDITY_NAMES
from muniment.simulate.touches import Touches

SEEDS = (1, 2, 3)


def looked_up(one: Parts, seed: int) -> Touches:
    return lookups(one.offices, one.population, one.account, one.day, one.touches, chance(seed, 5))


@pytest.mark.parametrize("explained", [0.94, 0.60])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_share_is_as_asked_and_people_do_not_look_up_more_where_cases_are_missing(
    seed: int, explained: float
) -> None:
    one = parts(seed, explained=explained)
    counts = one.offices.counts
    share = lookup_share(one.settings, one.traits, one.offices, chance(seed, 4))
    assert share.shape == counts.shape and share.min() > 0 and share.max() <= 0.8
    expected = min(0.52 * (1 - explained), 0.04)
    assert (share * counts).sum() / counts.sum() == pytest.approx(expected, rel=0.1)
    means = share.mean(axis=1)
    assert means.max() > 2 * means.min()


@pytest.mark.parametrize("seed", SEEDS)
def test_look_ups_are_near_to_work_or_come_again(seed: int) -> None:
    one = parts(seed)
    found = looked_up(one, seed)
    assert np.array_equal(found.account, one.account) and np.array_equal(found.day, one.day)
    assert (found.case == -1).all() and found.record.min() >= 0 and found.record.max() < len(one.population)

    def near(record: np.ndarray) -> float:
        """Share of records that stand within four of one in work of the account, by surname or address, or are kin."""
        hits = np.zeros(len(record), bool)
        for account in range(len(one.offices)):
            mine = found.account == account
            work = np.unique(one.touches.record[one.touches.account == account])
            for order in (ORDERS.index("surname"), ORDERS.index("address")):
                ranks = np.sort(one.population.rank[work, order])
                rank = one.population.rank[record[mine], order]
                at = np.searchsorted(ranks, rank)
                left, right = ranks[np.maximum(at - 1, 0)], ranks[np.minimum(at, len(ranks) - 1)]
                hits[mine] |= np.minimum(np.abs(rank - left), np.abs(rank - right)) <= 4
        return float(hits.mean())

    anyone = chance(seed, 9).integers(0, len(one.population), len(found))
    assert near(found.record) > near(anyone) + 0.2
    distinct = len(np.unique(np.stack((found.account, found.record)), axis=1).T)
    assert distinct < 0.85 * len(found)


def test_hardly_anybody_looks_up_who_is_not_there() -> None:
    hits = expected = 0.0
    for seed in SEEDS:
        one = parts(seed)
        hits += np.isin(looked_up(one, seed).record, one.population.decoys).sum()
        expected += len(one.account) * len(one.population.decoys) / len(one.population)
    assert hits < max(0.6 * expected, 6)


@pytest.mark.parametrize("seed", SEEDS)
def test_oddities_come_at_the_published_rates_in_the_circle_of_the_reader(seed: int) -> None:
    one = parts(seed)
    population, person = one.population, one.offices.person
    found = oddities(one.offices, population, one.touches, 2_000_000, chance(seed, 5))
    for name in ("coworker", "vip", "old", "family", "neighbour"):
        rows = np.flatnonzero(found.oddity == ODDITY_NAMES.index(name))
        assert abs(len(rows) - 2 * ODDITIES[name]) < 5 * np.sqrt(2 * ODDITIES[name]) + 0.03 * len(rows), name
    assert not np.isin(found.record, population.decoys).any()
    assert (one.offices.counts[found.account, found.day] > 0).all()
    by_name = {name: found.take(found.oddity == code) for code, name in enumerate(ODDITY_NAMES)}
    assert np.isin(by_name["coworker"].record, person).all()
    assert len(np.unique(by_name["vip"].record)) <= 50
    assert np.isin(by_name["old"].record, one.touches.record).all()
    family = by_name["family"]
    for account, record in zip(family.account.tolist(), family.record.tolist(), strict=True):
        kin = population.kin.all(person[[account]])[1]
        assert record in kin if len(kin) else record == person[account]
    doors = population.rank[:, ORDERS.index("address")]
    apart = np.abs(doors[by_name["neighbour"].record] - doors[person[by_name["neighbour"].account]])
    assert np.minimum(apart, len(population) - apart).max() <= 12
