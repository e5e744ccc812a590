"""The floor: what may be told of a count of persons."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.errors import InputError
from muniment.exposure.floor import FLOOR, Count, check_rows


@given(st.integers(0, 10**10), st.integers(2, 100))
def test_a_count_below_the_floor_is_the_same_whatever_it_is(count: int, floor: int):
    told = Count.of(count, floor)
    assert told.hidden == (0 < count < floor)
    assert told.at_least <= count <= told.most
    if told.hidden:
        assert told == Count.of(1, floor)
        assert told.to_json() == f"<{floor}" and str(told) == f"fewer than {floor}"
        assert told.share(1_000) == floor / 1_000
    else:
        assert told.to_json() == count and str(told) == f"{count:,}"
        assert told.share(1_000) == count / 1_000


def test_a_share_of_none_is_none():
    assert Count.of(0).share(0) == 0.0
    assert Count.of(0).to_json() == 0


def test_a_count_of_numpy_is_a_plain_number():
    import numpy as np

    assert type(Count.of(np.int64(40)).to_json()) is int


def test_inputs_below_the_floor_are_refused_without_their_number():
    check_rows(FLOOR, "x.csv")
    for rows in range(FLOOR):
        with pytest.raises(InputError, match=r"^x.csv: fewer than 10 rows"):
            check_rows(rows, "x.csv")
