"""Packed integers: what goes in comes out, at every width, whole and one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muniment.ledger.index.bits import GROUP, distinct, pack, padded, pick, unpack, width_of


@pytest.mark.parametrize("width", range(1, 65))
def test_every_width_comes_back(width: int) -> None:
    values = np.random.default_rng(width).integers(0, 2**width, 3 * GROUP, dtype=np.uint64)
    packed = pack(values, width)
    assert len(packed) == 3 * GROUP * width // 8
    assert np.array_equal(unpack(packed, width), values)
    words = np.frombuffer(packed, "<u8")
    places = np.array([0, 191, 64, 63, 100, 100])
    assert np.array_equal(pick(lambda at: words[at], places, width), values[places])


@settings(max_examples=50)
@given(st.lists(st.integers(0, 2**64 - 1), max_size=200))
def test_any_values_come_back(values: list[int]) -> None:
    width = width_of(max(values, default=0))
    array = padded(np.array(values, np.uint64), GROUP)
    assert unpack(pack(array, width), width)[: len(values)].tolist() == values
    assert distinct(array[: len(values)]).tolist() == sorted(set(values))


def test_width_of_is_enough_and_no_more() -> None:
    assert [width_of(most) for most in (0, 1, 2, 3, 4, 255, 256)] == [1, 1, 2, 2, 3, 8, 9]
