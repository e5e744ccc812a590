"""Households as joint keys: the published table to the printed digit, and brute force on small tables."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.households import coded, extract, register
from muniment.errors import InputError, LimitError
from muniment.exposure import household_kernels
from muniment.exposure.classes import classes
from muniment.exposure.extract import Extract
from muniment.exposure.household import Household, household
from muniment.exposure.relations import shared

PUBLISHED = [
    # columns, then in percent: alone, with the household, persons in a unique household, unique households
    (("sex", "birth_year", "town"), "alone_share", "0.54"),
    (("sex", "birth_year", "town"), "joint_share", "79.8"),
    (("sex", "band", "town"), "alone_share", "0.05"),
    (("sex", "band", "town"), "in_unique_share", "62.3"),
    (("sex", "town"), "unique_share", "0.5"),
    (("sex", "birth_year"), "joint_share", "53.1"),
]


@pytest.fixture(scope="module")
def million() -> Extract:
    columns = register(1_000_000)
    columns["band"] = columns["birth_year"] // 5
    return extract(columns, ("sex", "birth_year", "band", "town", "hid"))


@pytest.mark.parametrize(("columns", "figure", "printed"), PUBLISHED)
def test_the_published_table_holds_to_the_printed_digit(
    million: Extract, columns: tuple[str, ...], figure: str, printed: str
) -> None:
    told = household(million.chosen(columns), shared(million, ("hid",)))
    digits = len(printed.partition(".")[2])
    assert f"{100 * getattr(told, figure):.{digits}f}" == printed


def test_the_order_of_rows_does_not_matter(million: Extract) -> None:
    columns = {column.name: column.codes for column in million.columns}
    rows = np.random.default_rng(1).permutation(million.rows)
    shuffled = extract({name: codes[rows] for name, codes in columns.items()})
    names = ("sex", "birth_year", "town")
    assert household(shuffled.chosen(names), shared(shuffled, ("hid",))) == household(
        million.chosen(names), shared(million, ("hid",))
    )


tables = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2), st.integers(0, 1)), min_size=1, max_size=40)


@given(tables)
def test_it_equals_brute_force(rows: list[tuple[int, int, int]]) -> None:
    told = _told(rows, floor=1)
    members: dict[int, list[tuple[int, int]]] = {}
    for home, *own in rows:
        members.setdefault(home, []).append((own[0], own[1]))
    kind = {home: tuple(sorted(own)) for home, own in members.items()}
    kinds = Counter(kind.values())
    joint = Counter((tuple(own), kind[home]) for home, *own in rows)
    alone = Counter(tuple(own) for _, *own in rows)
    assert told.alone.at_least == sum(size == 1 for size in alone.values())
    assert told.joint.at_least == sum(size == 1 for size in joint.values())
    assert told.joint_classes.at_least == len(joint)
    assert told.in_unique.at_least == sum(kinds[kind[home]] == 1 for home, *_ in rows)
    assert told.unique_households.at_least == sum(size == 1 for size in kinds.values())
    assert [count.at_least for _, count in told.below] == [
        sum(size for size in joint.values() if size < below) for below in (11, 5)
    ]


@given(tables.filter(lambda rows: len(rows) >= 10))
def test_no_count_from_one_to_below_the_floor_can_be_worked_out(rows: list[tuple[int, int, int]]) -> None:
    told = _told(rows, floor=10)
    chain = [told.joint, told.below[1][1], told.below[0][1]]
    counts = [one.at_least for one in chain if not one.hidden] + [told.rows]
    assert all(one == 0 or one >= 10 for one in counts)
    assert all(low == 0 or high - low == 0 or high - low >= 10 for low, high in pairwise(counts))


def _told(rows: list[tuple[int, int, int]], floor: int) -> Household:
    home, first, second = np.array(rows).T
    table = extract({"home": home, "first": first, "second": second})
    return household(table.chosen(("first", "second")), shared(table, ("home",)), floor)


def test_one_household_of_all_and_a_household_of_each() -> None:
    people = np.arange(500)
    table = extract({"all": np.zeros(500, int), "each": people, "value": people // 2})
    assert household(table.chosen(("value",)), shared(table, ("all",))).joint.at_least == 0
    told = household(table.chosen(("value",)), shared(table, ("each",)))
    assert (told.alone.at_least, told.joint.at_least, told.households.at_least) == (0, 0, 500)


def test_two_alike_in_a_household_of_its_own_kind_are_not_told_apart() -> None:
    table = extract({"home": np.repeat(np.arange(20), 2), "value": np.repeat(np.arange(20), 2)})
    told = household(table.chosen(("value",)), shared(table, ("home",)))
    assert (told.joint.at_least, told.in_unique.at_least) == (0, 40)


def test_a_collision_is_found_and_another_key_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    starts, members = np.array([0, 1, 2]), np.array([0, 1], np.uint32)
    honest = household_kernels.kernels.compiled

    def forced(function: object) -> object:
        if function is not household_kernels._fingerprint:
            return honest(function)  # type: ignore[arg-type]

        def collide(starts: object, members: object, key: int, prints: np.ndarray) -> None:
            prints[:] = [7, 7 if int(key) == 1 else 8]

        return collide

    monkeypatch.setattr(household_kernels.kernels, "compiled", forced)
    ids, sizes = household_kernels.matched(starts, members, keys=(1, 2))
    assert ids[0] != ids[1] and sizes.tolist() == [1, 1]
    with pytest.raises(LimitError, match="collide"):
        household_kernels.matched(starts, members, keys=(1,))


def test_few_rows_no_columns_and_other_rows_are_refused() -> None:
    few = extract({"home": np.arange(9), "value": np.arange(9)})
    with pytest.raises(InputError, match="fewer than 10"):
        household(few.chosen(("value",)), shared(few, ("home",)))
    table = extract({"home": np.arange(30)})
    with pytest.raises(InputError, match="no column"):
        household((), shared(table, ("home",)))
    with pytest.raises(InputError, match="30 rows: expected the 20"):
        household((coded("value", np.arange(20)),), shared(table, ("home",)))
    assert classes(table.columns).uniques == 30
