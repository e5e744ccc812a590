"""Blame against brute force; what is named cannot be taken apart."""

from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language import households
from muniment.errors import InputError
from muniment.exposure.blame import ValueBlame, by_value, contributions, interactions, left_out
from muniment.exposure.classes import classes
from muniment.exposure.extract import Classes, Coded, Extract
from muniment.exposure.floor import FLOOR, Count
from muniment.exposure.sweep import Sweep, sweep, weight


def coded(name: str, values: list[int]) -> Coded:
    return households.coded(name, np.array(values, np.int64))


def register(persons: int, names: tuple[str, ...] = households.Q6) -> Extract:
    return households.extract(households.register(persons), names)


def below(columns: list[Coded], k: int) -> int:
    rows = list(zip(*(column.codes.tolist() for column in columns), strict=True))
    return sum(rows.count(row) < k for row in rows)


COLUMNS = st.integers(FLOOR, 40).flatmap(
    lambda rows: st.lists(st.lists(st.integers(0, 6), min_size=rows, max_size=rows), min_size=1, max_size=4)
)


@settings(deadline=None)
@given(COLUMNS, st.integers(2, 5))
def test_left_out_is_what_brute_force_says_up_to_the_floor(values: list[list[int]], k: int):
    columns = [coded(f"c{number}", column) for number, column in enumerate(values)]
    told = left_out(columns, k=k)
    assert sorted(one.columns for one in told) == sorted((column.name,) for column in columns)
    assert [one.added for one in told] == sorted((one.added for one in told), reverse=True)
    for one in told:
        others = [column for column in columns if column.name not in one.columns]
        exact = below(others, k) if others else 0
        assert exact <= one.after.most <= one.before.most
        assert one.before.most - below(columns, k) < FLOOR and one.after.most - exact < 2 * FLOOR
        assert one.added == 0 or one.added >= FLOOR or one.after.hidden or one.before.hidden


def test_a_column_that_tells_everybody_apart_is_to_blame():
    columns = [coded("key", list(range(50))), coded("sex", [0, 1] * 25), coded("none", [0] * 50)]
    told = left_out(columns)
    assert told[0].columns == ("key",) and told[0].added == 50 and told[0].after == Count.of(0)
    assert [one.added for one in told[1:]] == [0, 0]


def test_what_was_told_already_is_told_alike():
    columns = [coded("key", [*range(15), *[20] * 20]), coded("few", [0, 0, 0, *[1] * 32])]
    for before in (Count.of(15), Count.of(17), Count.of(35)):
        told = left_out(columns, before=before)
        assert all(one.before == before for one in told)
        few = Count.of(15) if before == Count.of(35) else before
        assert {one.columns[0]: one.after for one in told} == {"few": few, "key": Count.of(0)}
    with pytest.raises(InputError, match="not those of these columns at k = 2"):
        left_out(columns, before=Count.of(12))


# --- contributions ---------------------------------------------------------------------------------------------


def test_contributions_are_shapley_values_where_all_sets_are_swept():
    swept = sweep(register(4_000, ("sex", "birth_year", "town", "marital")), size=4)
    told = {frozenset(): 0} | {frozenset(one.names): weight(one.uniques) for one in swept.sets}
    for one in contributions(swept):
        steps = []
        for order in permutations(swept.names):
            place = order.index(one.columns[0])
            steps.append(told[frozenset(order[: place + 1])] - told[frozenset(order[:place])])
        assert one.persons == pytest.approx(np.mean(steps))
    assert sum(one.persons for one in contributions(swept)) == pytest.approx(told[frozenset(swept.names)])


def test_interactions_are_what_pairs_add_together():
    swept = sweep(register(4_000, ("birth_year", "town", "edu")), size=2)
    told = {frozenset(one.names): weight(one.uniques) for one in swept.sets}
    for one in interactions(swept):
        first, second = (told[frozenset({name})] for name in one.columns)
        assert one.persons == pytest.approx(told[frozenset(one.columns)] - first - second)
    assert len(interactions(swept)) == 3 and interactions(swept, 1) == interactions(swept)[:1]
    assert interactions(sweep(register(400), size=1)) == ()


def test_columns_that_say_the_same_add_less_than_nothing_together():
    rng = np.random.default_rng(4)
    town = rng.permutation(np.r_[np.arange(60), np.repeat(np.arange(60, 80), 5)])
    swept = sweep(households.extract({"town": town, "again": town}))
    assert interactions(swept)[0].persons == -60
    assert [one.persons for one in contributions(swept)] == [30, 30]


def test_blame_of_a_sweep_is_worked_out_from_what_was_told():
    swept = sweep(register(4_000), size=3)
    again = Sweep(swept.names, swept.rows, swept.size, 0, swept.sets)
    assert contributions(again) == contributions(swept) and interactions(again) == interactions(swept)


# --- by value --------------------------------------------------------------------------------------------------

BY_VALUE = st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=FLOOR, max_size=120)


def found_of(pairs: list[tuple[int, bool]]) -> Classes:
    """Rows at risk are alone, the others are one class."""
    small = np.array([alone for _, alone in pairs])
    ids = np.where(small, np.cumsum(small), 0).astype(np.uint32)
    sizes = np.ones(int(small.sum()) + 1, np.int64)
    sizes[0] = max(2, int((~small).sum()))
    return Classes(ids, sizes)


@settings(deadline=None, max_examples=300)
@given(BY_VALUE, st.integers(1, 8))
def test_named_values_and_the_rest_are_none_or_many(pairs: list[tuple[int, bool]], count: int):
    column = coded("town", [value for value, _ in pairs])
    named = by_value(column, found_of(pairs), count=count)
    assert len(named) <= count
    rows, small = len(pairs), sum(alone for _, alone in pairs)
    for one in named:
        persons = sum(str(value) == one.value for value, _ in pairs)
        at_risk = sum(alone for value, alone in pairs if str(value) == one.value)
        assert one.persons == Count.of(persons) and not one.persons.hidden
        assert one.at_risk.at_least in (at_risk, persons) and at_risk >= FLOOR
        assert one.persons.at_least - one.at_risk.at_least == 0 or persons - at_risk >= FLOOR
    for total, told in ((rows, "persons"), (small, "at_risk")):
        rest = total - sum(getattr(one, told).at_least for one in named)
        exact = all(one.at_risk.at_least < one.persons.at_least or told == "persons" for one in named)
        assert not named or not exact or rest == 0 or rest >= FLOOR


def test_values_of_a_register():
    columns = register(20_000).columns
    found = classes(columns)
    named = by_value(columns[2], found)
    assert len(named) == 10 and all(isinstance(one, ValueBlame) and one.value is not None for one in named)
    assert [weight(one.at_risk) for one in named] == sorted((weight(one.at_risk) for one in named), reverse=True)
    assert all(0 < one.share <= 1 for one in named)
    assert by_value(columns[2], found, k=5) != named


def test_null_is_a_value_that_is_named():
    codes = np.array([0] * 20 + [1] * 20, np.uint8)
    column = Coded("town", codes, 2, null=1, labels=("Taipei", None))
    found = Classes(np.arange(40, dtype=np.uint32), np.ones(40, np.int64))
    assert {one.value for one in by_value(column, found)} == {"Taipei", None}


# --- refused ---------------------------------------------------------------------------------------------------


def test_refused_inputs():
    column = coded("a", [0, 1] * 10)
    found = classes([column])
    with pytest.raises(InputError, match="k = 1"):
        left_out([column], k=1)
    with pytest.raises(InputError, match="fewer than 10 rows"):
        left_out([coded("a", [1, 2])])
    with pytest.raises(InputError, match="no column"):
        left_out([])
    with pytest.raises(InputError, match="without its labels"):
        by_value(Coded("a", column.codes, 2), found)
    with pytest.raises(InputError, match="has 4 rows: expected the 20"):
        by_value(coded("b", [1, 2, 3, 4]), found)


def test_sets_of_the_sweep_cover_all_pairs():
    swept = sweep(register(400), size=2)
    assert {frozenset(one.columns) for one in interactions(swept, 100)} == set(
        map(frozenset, combinations(swept.names, 2))
    )
