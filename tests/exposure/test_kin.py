"""What a relative's row says: brute force over all pairs, a trait that runs in families, and one that does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.households import coded, extract
from muniment.errors import InputError
from muniment.exposure.kin import background, beside, clustered_error, kin
from muniment.exposure.relations import shared

people = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 1), st.integers(0, 3)), min_size=2, max_size=25)


@given(people)
def test_it_equals_brute_force_over_all_pairs(rows: list[tuple[int, int, int]]) -> None:
    home, town, trait = np.array(rows).T
    table = extract({"home": home, "town": town, "trait": trait})
    told = kin(table.column("trait"), shared(table, ("home",)), background((table.column("town"),)), floor=1).every
    near, far = [], []
    for at, one in enumerate(rows):
        others = [other for place, other in enumerate(rows) if place != at]
        relatives = [other for other in others if other[0] == one[0]]
        strangers = [other for other in others if other[0] != one[0] and other[1] == one[1]]
        if relatives and strangers:
            near.append(np.mean([other[2] == one[2] for other in relatives]))
            far.append(np.mean([other[2] == one[2] for other in strangers]))
    assert told.persons.at_least == len(near)
    if near and 1 <= sum(near) <= len(near) - 1:
        assert told.relatives == pytest.approx(np.mean(near))
    if far and 1 <= sum(far) <= len(far) - 1:
        assert told.strangers == pytest.approx(np.mean(far))


def test_a_trait_that_runs_in_families_is_seen_and_one_of_the_place_is_not() -> None:
    rng = np.random.default_rng(5)
    home = np.repeat(np.arange(2000), 2)
    town = home % 10
    inherited, drawn, local = rng.integers(0, 30, 2000)[home], rng.integers(0, 30, 4000), town
    inherited = np.where(rng.random(4000) < 0.3, drawn, inherited)
    table = extract({"home": home, "town": town, "inherited": inherited, "drawn": drawn, "local": local})
    ties, within = shared(table, ("home",)), background((table.column("town"),))
    seen = kin(table.column("inherited"), ties, within)
    assert seen.every.inferred and seen.rare.inferred and seen.every.gain is not None
    assert seen.every.gain.value == pytest.approx(0.49 * 29 / 30, abs=0.03)
    assert not kin(table.column("drawn"), ties, within).every.inferred
    assert not kin(table.column("local"), ties, within).every.inferred
    assert kin(table.column("local"), ties).every.inferred  # against everybody, the place is inferred


def test_persons_without_a_value_neither_tell_nor_are_told() -> None:
    home = np.repeat(np.arange(30), 2)
    column = replace(coded("trait", np.tile([0, 1], 30)), null=0)
    told = kin(column, shared(extract({"home": home}), ("home",)))
    assert (str(told.every.persons), told.every.relatives, told.every.inferred) == ("0", None, False)


def test_the_value_beside_is_that_of_the_next_relative() -> None:
    table = extract({"home": np.array([1, 2, 1, 1, 3]), "trait": np.array([5, 6, 7, 8, 9])})
    near = beside(table.column("trait"), shared(table, ("home",)))
    assert near.codes.tolist() == [2, near.null, 3, 0, near.null]
    assert (near.null, near.size) == (5, 6)


def test_other_rows_are_refused() -> None:
    table = extract({"home": np.arange(20)})
    with pytest.raises(InputError, match="same rows"):
        kin(coded("trait", np.arange(15)), shared(table, ("home",)))
    with pytest.raises(InputError, match="15 rows"):
        beside(coded("trait", np.arange(15)), shared(table, ("home",)))
    assert clustered_error(np.empty(0), np.empty(0, np.uint32)) == 0.0
