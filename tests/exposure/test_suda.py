"""Minimal sample uniques against brute force over all sets of columns and all rows; sdcMicro's small example."""

from collections import Counter
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language import households
from muniment.errors import InputError, LimitError
from muniment.exposure import suda as module
from muniment.exposure.classes import count_only
from muniment.exposure.extract import Coded, narrowed
from muniment.exposure.floor import FLOOR
from muniment.exposure.suda import contributions, found, suda, weight

TABLES = st.integers(1, 6).flatmap(
    lambda width: st.lists(st.lists(st.integers(0, 4), min_size=width, max_size=width), min_size=1, max_size=80)
)


def columns_of(rows: list[list[int]], sizes: tuple[int, ...] = (5, 70_000, 300)) -> list[Coded]:
    return [
        Coded("abcdefghi"[place], narrowed(np.array(values, np.int64), sizes[place % 3]), sizes[place % 3])
        for place, values in enumerate(zip(*rows, strict=True))
    ]


def by_definition(rows: list[list[int]], largest: int) -> tuple[dict[tuple[str, ...], int], list[int]]:
    width = len(rows[0])
    minimal: list[list[tuple[int, ...]]] = [[] for _ in rows]
    for size in range(1, largest + 1):
        for places in combinations(range(width), size):
            keys = Counter(tuple(row[place] for place in places) for row in rows)
            for number, row in enumerate(rows):
                alone = keys[tuple(row[place] for place in places)] == 1
                if alone and not any(set(less) < set(places) for less in minimal[number]):
                    minimal[number].append(places)
    by_set = Counter(tuple("abcdefghi"[place] for place in places) for sets in minimal for places in sets)
    fewest = Counter(min(map(len, sets)) for sets in minimal if sets)
    return dict(by_set), [fewest[size] for size in range(largest + 1)]


@settings(deadline=None, max_examples=300)
@given(TABLES, st.integers(1, 7))
def test_minimal_uniques_are_those_of_brute_force(rows: list[list[int]], largest: int):
    exact = found(columns_of(rows), largest)
    by_set, by_least = by_definition(rows, min(largest, len(rows[0])))
    assert exact.by_set == by_set
    assert exact.by_least.tolist() == by_least


@settings(deadline=None)
@given(TABLES.filter(lambda rows: len(rows) >= FLOOR))
def test_what_is_told(rows: list[list[int]]):
    columns = columns_of(rows)
    told, exact = suda(columns), found(columns)
    assert {one.columns for one in told.sets} == set(exact.by_set)
    assert all(one.rows.most >= exact.by_set[one.columns] and one.rows.hidden == (exact.by_set[one.columns] < FLOOR)
               for one in told.sets)  # fmt: skip
    steps = [len(rows), *(one.at_least for one in reversed(told.within) if not one.hidden)]
    assert all(a - b == 0 or a - b >= FLOOR or b == 0 for a, b in pairwise(steps))
    assert [one.share for one in told.contributions] == sorted((one.share for one in told.contributions), reverse=True)
    assert suda(columns) == told


def test_the_order_of_columns_changes_nothing():
    register = households.extract(households.register(2_000))
    told = suda(register.chosen(households.Q6))
    turned = suda(register.chosen(tuple(reversed(households.Q6))))
    assert turned.within == told.within
    assert {frozenset(one.columns): one.rows for one in turned.sets} == {
        frozenset(one.columns): one.rows for one in told.sets
    }


def test_contributions_of_the_example_of_sdcmicro():
    """Three rows, columns a, b, c: 50, 37.5 and 37.5 per cent."""
    exact = found(columns_of([[2, 0, 0], [1, 3, 4], [1, 0, 0]]))
    assert exact.by_set == {("a",): 1, ("b",): 1, ("c",): 1, ("a", "b"): 1, ("a", "c"): 1}
    scores = {key: rows * weight(len(key), 3, 3) for key, rows in exact.by_set.items()}
    assert contributions(scores, ("a", "b", "c")) == {"a": 0.5, "b": 0.375, "c": 0.375}


@pytest.mark.parametrize(
    ("size", "largest", "score"), [(1, 4, 6), (2, 4, 2), (3, 4, 1), (4, 4, 1), (1, 2, 6), (2, 2, 2)]
)
def test_the_score_of_a_minimal_unique_among_four_columns(size: int, largest: int, score: int):
    assert weight(size, 4, largest) == score


def test_persons_told_apart_are_the_uniques_of_all_columns():
    register = households.extract(households.register(20_000))
    columns = register.chosen(households.Q9)
    assert found(columns).by_least.sum() == count_only(columns).uniques


def test_rows_that_are_all_alike_and_rows_that_one_column_tells_apart():
    same = [Coded(name, np.zeros(40, np.uint8), 1) for name in "ab"]
    assert found(same).by_set == {} and suda(same).contributions[0].share == 0.0
    key = Coded("id", np.arange(40, dtype=np.uint8), 40)
    assert found([key, *same]).by_set == {("id",): 40}
    assert suda([key, *same]).contributions[0] == module.Contribution("id", 1.0)


def test_inputs_that_are_refused(monkeypatch: pytest.MonkeyPatch):
    one, other = Coded("a", np.zeros(20, np.uint8), 1), Coded("b", np.zeros(21, np.uint8), 1)
    nobody = Coded("a", np.zeros(0, np.uint8), 0)
    assert found([nobody]).by_set == {}
    for columns, largest, message in (
        ([], None, "fewer than 10 rows"),
        ([nobody], None, "fewer than 10 rows"),
        ([one], 0, "of 1 columns in sets of 0"),
        ([one, one], None, "same name"),
        ([one, other], None, "column 'b' has 21 rows: expected 20"),
    ):
        with pytest.raises(InputError, match=message):
            suda(columns, largest)
    wide = [Coded(f"c{number}", one.codes, 1) for number in range(400)]
    with pytest.raises(LimitError, match="10,667,000 sets of 400 columns over 20 rows"):
        suda(wide, 3)
    assert suda(wide, 1).sets == ()
    with pytest.raises(LimitError, match="sets of 400 columns"):
        suda(wide)
    monkeypatch.setattr(module, "BITS", 10)
    with pytest.raises(LimitError, match="times rows"):
        suda([one, Coded("b", one.codes, 1)])


@pytest.mark.soak
def test_a_million_persons_in_nine_columns():
    columns = households.extract(households.register(1_000_000)).chosen(households.Q9)
    assert found(columns).by_least.sum() == count_only(columns).uniques == 910_656
