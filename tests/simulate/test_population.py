"""The register: orders that ordinals do not betray, ties both ways, decoys nobody has, and a few popular records."""

from __future__ import annotations

import numpy as np
import pytest

from language.simulated_parts import chance, parts
from muniment.simulate.population import BUSINESSES, ORDERS, PEOPLE

SEEDS = (1, 2, 3)


@pytest.mark.parametrize("seed", SEEDS)
def test_an_order_is_a_permutation_and_ordinals_do_not_tell_it(seed: int) -> None:
    one = parts(seed).population
    n = len(one)
    ordinal = np.arange(n)
    for column in range(len(ORDERS)):
        assert np.array_equal(np.sort(one.at[column]), ordinal)
        assert np.array_equal(one.rank[one.at[column], column], ordinal)
        assert abs(np.corrcoef(ordinal, one.rank[:, column])[0, 1]) < 5 / np.sqrt(n)
    neighbours = np.abs(np.diff(one.at[ORDERS.index("address")]))
    assert np.median(neighbours) > n / 10


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_made_now_has_the_highest_numbers_in_the_order_of_making(seed: int) -> None:
    one = parts(seed).population
    made = one.made[one.at[ORDERS.index("number")]]
    fresh = np.flatnonzero(made >= 0)
    assert 0 < len(fresh) < 0.04 * len(one)
    assert fresh.tolist() == list(range(len(one) - len(fresh), len(one)))
    assert (np.diff(made[fresh]) >= 0).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_ties_go_both_ways_and_households_live_next_door(seed: int) -> None:
    one = parts(seed).population
    owner, member = one.kin.all(np.arange(len(one)))
    ties = set(zip(owner.tolist(), member.tolist(), strict=True))
    assert ties and {(b, a) for a, b in ties} == ties and all(a != b for a, b in ties)
    for house in chance(seed, 6).integers(0, int(one.household.max()) + 1, 50).tolist():
        _, mates = one.members.all(np.array([house]))
        assert sorted(mates.tolist()) == np.flatnonzero(one.household == house).tolist()
        if len(mates):
            ranks = one.rank[mates, ORDERS.index("address")]
            assert np.ptp(ranks) == len(mates) - 1


@pytest.mark.parametrize("seed", SEEDS)
def test_a_decoy_lives_nowhere_has_no_kin_and_is_in_no_case(seed: int) -> None:
    one = parts(seed).population
    assert len(one.decoys) >= 3 and (one.register[one.decoys] == PEOPLE).all()
    assert (one.household[one.decoys] == -1).all() and (one.made[one.decoys] == -1).all()
    assert one.kin.sizes(one.decoys).sum() == 0
    drawn = one.drawn(200_000, chance(seed, 6))
    assert not np.isin(drawn, one.decoys).any()
    assert (one.household[one.register == BUSINESSES] == -1).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_the_most_popular_are_as_popular_as_was_measured(seed: int) -> None:
    weight = np.sort(np.diff(parts(seed).population.weight, prepend=0.0))
    assert weight.sum() == pytest.approx(1.0)
    assert 0.03 < weight[-len(weight) // 100 :].sum() < 0.105


def test_a_record_beside_another_is_another_one_nearby() -> None:
    one = parts().population
    records = chance(1, 6).integers(0, len(one), 2_000)
    for order in range(len(ORDERS)):
        found = one.beside(records, order, 4, chance(1, 7))
        apart = np.abs(one.rank[found, order] - one.rank[records, order])
        apart = np.minimum(apart, len(one) - apart)
        assert set(apart.tolist()) == {1, 2, 3, 4}
