"""Joins of columns give what dictionaries and loops give, for any key and any time."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from muniment.watch.context.joins import Lists, Spans

FAR = 2**62
KEYS = st.integers(-2, 4)
TIMES = st.integers(-4, 8) | st.sampled_from([-FAR, FAR, np.iinfo(np.int64).min, np.iinfo(np.int64).max])
PAIRS = st.lists(st.tuples(KEYS, st.integers(0, 99)), max_size=25)
ROWS = st.lists(st.tuples(KEYS, TIMES, TIMES), max_size=20)


def columns(rows: list[tuple[int, ...]], width: int) -> list[np.ndarray]:
    return list(np.array(rows, np.int64).reshape(-1, width).T)


@given(PAIRS, st.lists(st.integers(-5, 9), max_size=12))
def test_all_values_of_a_key_in_the_order_in_which_they_were_given(
    pairs: list[tuple[int, int]], asked: list[int]
) -> None:
    lists = Lists(*columns(pairs, 2))
    plain = [[value for key, value in pairs if key == one] for one in asked]
    owner, values = lists.of(np.array(asked, np.int64))
    assert owner.tolist() == [place for place, found in enumerate(plain) for _ in found]
    assert values.tolist() == [value for found in plain for value in found]
    assert lists.count(np.array(asked, np.int64)).tolist() == [len(found) for found in plain]


@given(ROWS, st.lists(st.tuples(st.integers(-4, 6), TIMES), max_size=15))
@example([(0, 0, 2), (0, 2, 4), (1, 3, 1)], [(0, 2), (0, 4), (1, 2), (0, -1)])
def test_a_span_holds_its_begin_and_not_its_end(
    rows: list[tuple[int, int, int]], asked: list[tuple[int, int]]
) -> None:
    spans = Spans(*columns(rows, 3))
    plain = [any(one == key and since <= moment < until for one, since, until in rows) for key, moment in asked]
    assert spans.hold(*columns(asked, 2)).tolist() == plain


def test_spans_that_overlap_or_touch_are_one() -> None:
    rows = [(1, 0, 5), (1, 5, 7), (1, 2, 3), (1, 9, 10), (2, 0, 5), (2, 9, 4)]
    assert repr(Spans(*columns(rows, 3))) == "Spans(2 keys, 3 intervals)"


def test_what_they_hold_is_not_printed() -> None:
    lists = Lists(np.array([77_777, 77_777, 3]), np.array([88_888, 1, 2]))
    assert repr(lists) == "Lists(2 keys, 3 values)"
