"""Which columns give the household away: planted keys are found, columns that only look alike are not."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.households import Columns, extract, register
from muniment.errors import InputError
from muniment.exposure.implied import implied, revealing
from muniment.exposure.relations import shared


@pytest.fixture(scope="module")
def people() -> Columns:
    """A register with a phone that a third of the persons share at home, a surname, and a date of moving in."""
    columns, rng = register(50_000), np.random.default_rng(3)
    home = columns.pop("hid")
    columns.pop("pid")
    own = rng.random(len(home)) < 0.15
    columns["surname"] = rng.integers(0, 300, home.max() + 1)[home]
    columns["moved"] = np.where(own, rng.integers(0, 3000, len(home)), rng.integers(0, 3000, home.max() + 1)[home])
    columns["contact"] = np.where(rng.random(len(home)) < 0.4, home, rng.integers(10**6, 10**9, len(home)))
    columns["home"] = home
    return columns


def shuffled(columns: Columns) -> Columns:
    rows = np.random.default_rng(1).permutation(len(columns["sex"]))
    return {name: values[rows] for name, values in columns.items()}


def test_planted_keys_are_found_without_being_told(people: Columns) -> None:
    table = extract(shuffled({name: values for name, values in people.items() if name != "home"}))
    found = {one.columns: one for one in implied(table)}
    assert {("contact",), ("town", "surname"), ("town", "moved")} <= set(found)
    assert all(one.way == "shared" for one in found.values())
    assert not any({"sex", "birth_day", "diag", "occ"} & set(columns) for columns in found)
    assert found["town", "moved"].ties(table).groups.rows == table.rows


def test_rows_in_household_order_are_found_once(people: Columns) -> None:
    names = ("sex", "birth_year", "rel", "town", "birthplace")
    found = implied(extract({name: people[name] for name in names}))
    assert [one.way for one in found if one.way != "shared"] in (["heads"], ["runs"])
    mixed = shuffled({name: people[name] for name in names})
    assert [one for one in implied(extract(mixed)) if one.way != "shared"] == []


def test_a_name_that_says_so_is_believed(people: Columns) -> None:
    table = extract(shuffled({"address_id": people["home"], "sex": people["sex"]}))
    assert [(one.columns, one.reason) for one in implied(table)] == [(("address_id",), "named as address")]


def test_a_register_without_ties_has_none() -> None:
    rng = np.random.default_rng(6)
    table = extract({f"c{size}": rng.integers(0, size, 20_000) for size in (2, 90, 365, 400, 8_000)})
    assert implied(table) == ()


def test_the_pair_that_reveals_the_household_is_named(people: Columns) -> None:
    table = extract(shuffled(people))
    names = [name for name in table.names if name != "home"]
    told = revealing(table, shared(table, ("home",)), names)
    assert ("village", "surname") in [one.columns for one in told]
    assert all(one.precision >= 0.5 and one.recall >= 0.5 for one in told)


@given(st.lists(st.tuples(*[st.integers(0, 3)] * 3), min_size=2, max_size=20))
def test_precision_and_recall_equal_brute_force(rows: list[tuple[int, int, int]]) -> None:
    table = extract(dict(zip(("home", "a", "b"), np.array(rows).T, strict=True)))
    ties = shared(table, ("home",))
    homes = {(x, y) for x, y in combinations(range(len(rows)), 2) if rows[x][0] == rows[y][0]}
    if not homes:
        with pytest.raises(InputError, match="joins no rows"):
            revealing(table, ties, floor=1)
        return
    told = {one.columns: one for one in revealing(table, ties, ("a", "b"), least=0.0, deepest=1, floor=1)}
    for place, name in ((1, "a"), (2, "b")):
        joined = {(x, y) for x, y in combinations(range(len(rows)), 2) if rows[x][place] == rows[y][place]}
        assert told[name,].recall == pytest.approx(len(joined & homes) / len(homes))
        assert told[name,].precision == pytest.approx(len(joined & homes) / len(joined) if joined else 0.0)


def test_few_rows_are_refused() -> None:
    table = extract({"a": np.arange(5)})
    with pytest.raises(InputError, match="fewer than 10"):
        implied(table)
    with pytest.raises(InputError, match="fewer than 10"):
        revealing(table, shared(table, ("a",)))
