"""Reservations: no ordinal twice, no gap for a register, no order of first use."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muniment import limits
from muniment.errors import LimitError
from muniment.ledger.ordinals.ranges import BULK, RANGE, Reserved


@settings(max_examples=40)
@given(counts=st.lists(st.integers(0, 2 * RANGE), max_size=12))
def test_no_ordinal_comes_twice_and_all_are_reserved(counts: list[int]) -> None:
    state, drawn = Reserved(), []
    for count in counts:
        ordinals, state = state.draw(count, os.urandom)
        assert len(ordinals) == count
        drawn += ordinals.tolist()
        assert not drawn or max(drawn) < state.reserved
    assert len(set(drawn)) == len(drawn)
    assert state.reserved - len(drawn) < RANGE


def test_a_register_gets_exactly_its_size_and_small_ones_go_on_in_their_range() -> None:
    few, state = Reserved().draw(3, os.urandom)
    many, state = state.draw(BULK, os.urandom)
    assert sorted(many.tolist()) == list(range(RANGE, RANGE + BULK))
    more, after = state.draw(RANGE - 3, os.urandom)
    assert sorted([*few.tolist(), *more.tolist()]) == list(range(RANGE))
    assert after.reserved == state.reserved == RANGE + BULK


def test_order_of_first_use_does_not_show() -> None:
    ordinals, _ = Reserved().draw(RANGE - 1, os.urandom)
    assert np.count_nonzero(np.diff(ordinals.astype(np.int64)) == 1) < 20


def test_the_last_ordinals_are_refused_and_nothing_is_reserved() -> None:
    state = Reserved(reserved=limits.LEDGER_ORDINALS - 10)
    for count in (1, BULK):
        with pytest.raises(LimitError, match="as many persons"):
            state.draw(count, os.urandom)
    assert "seed" not in repr(state)
