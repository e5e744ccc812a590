"""Coverage: who works through the register in an order, and who only looks as if."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language.account_days import FIRST_DAY, a_day, empty_state, evidence, office_work, stepped, with_more
from muniment.watch.context.tables import DAY_MS, Context, Orders
from muniment.watch.days import Explanation
from muniment.watch.signals.coverage import BESIDE, Coverage, neighbours, ranked

ALARM = np.log(2_000.0 * 9)
PERSONS = 100_000


def a_register(orders: int = 4, born: int = 0) -> Context:
    chance = np.random.default_rng(8)
    ranks = [np.arange(PERSONS), *(chance.permutation(PERSONS) for _ in range(orders - 1))]
    record = np.arange(PERSONS, dtype=np.uint32)
    return Context(orders=Orders(record, np.stack(ranks, axis=1), np.full(PERSONS, born, np.int64)))


def harvested(context: Context, column: int, *, days: int = 6, **columns: int) -> float:
    """Evidence after some days of twenty neighbours in one order, after a quiet season."""
    signal = Coverage()
    state = empty_state(signal)
    evidence(signal, office_work(5, 60), state, 0, context)
    assert context.orders is not None
    sorted_records = np.argsort(context.orders.rank[:, column])
    later = enumerate(office_work(6, days, start=FIRST_DAY + 60))
    walk = (with_more(day, [0] * 20, sorted_records[5000 + 20 * k + np.arange(20)], **columns) for k, day in later)
    return float(evidence(signal, walk, state, 0, context)[-1])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(-1, 6), st.integers(0, 40)), max_size=40, unique_by=lambda e: e[::2]
    )
)
def test_neighbours_are_those_that_a_plain_search_finds(found: list[tuple[int, int, int]]) -> None:
    owner, time, rank = (np.array([one[at] for one in found], np.int64) for at in range(3))
    naive = [
        any(o == other[0] and t > other[1] and abs(r - other[2]) <= BESIDE for other in found) for o, t, r in found
    ]
    assert neighbours(owner, time, rank).tolist() == naive


@pytest.mark.parametrize("column", range(4))
def test_an_enumeration_is_seen_within_six_days_in_each_order(column: int) -> None:
    assert harvested(a_register(), column) > ALARM


def test_one_order_or_a_register_of_more_orders_will_do() -> None:
    assert harvested(a_register(1), 0) > ALARM
    assert harvested(a_register(6), 0) > ALARM


def test_records_just_made_stand_side_by_side_by_right() -> None:
    young = a_register(born=(FIRST_DAY + 50) * DAY_MS)
    assert harvested(young, 0) < np.log(100.0)


def test_explained_reads_are_no_harvest() -> None:
    assert harvested(a_register(), 0, explanation=Explanation.ASSIGNED) < np.log(100.0)


def test_ordinary_work_and_records_without_a_place_raise_nothing() -> None:
    orders = a_register().orders
    assert orders is not None
    half = Orders(orders.record[::2], orders.rank[::2], orders.born[::2])
    for context in (a_register(), Context(orders=half), Context()):
        signal = Coverage()
        assert evidence(signal, office_work(7, 200), empty_state(signal), 3, context).max() < ALARM


def test_who_always_reads_lists_of_namesakes_is_let_alone() -> None:
    signal = Coverage()
    state, context = empty_state(signal), a_register()
    days = enumerate(office_work(5, 150))
    lists = (with_more(day, [0] * 6, 7919 * k % 90_000 + np.arange(6)) for k, day in days)
    after = evidence(signal, lists, state, 0, context)
    assert after[-1] < after.max()
    assert after[-1] < ALARM


def test_work_that_no_longer_comes_back_to_its_records() -> None:
    signal = Coverage()
    state = empty_state(signal)
    for number in range(60):
        list(stepped(signal, [a_day(FIRST_DAY + number, [0] * 10, np.arange(10), first=np.arange(10) < 3)], state))
    usual, fresh = (
        next(signal.step(day, Context(), {k: v.copy() for k, v in state.items()}).log_e[0, -1] for day in [day])
        for day in (a_day(FIRST_DAY + 60, [0] * 10, np.arange(10), first=np.arange(10) < many) for many in (3, 10))
    )
    assert usual < 0.0 < fresh


def test_ranks_of_records_that_no_order_knows() -> None:
    orders = Orders(np.array([3, 9], np.uint32), np.array([[0], [1]]), np.array([5, 0]))
    rank, born = ranked(orders, np.array([9, 4, 3], np.uint32))
    assert rank[:, 0].tolist() == [1, -1, 0]
    assert born.tolist() == [0, 0, 5]
    none = Orders(np.zeros(0, np.uint32), np.zeros((0, 2), np.int64), np.zeros(0, np.int64))
    assert ranked(none, np.array([1], np.uint32))[0].tolist() == [[-1, -1]]


def test_state_stays_small() -> None:
    assert sum(one.width for one in Coverage().about.shapes.values()) <= 50
