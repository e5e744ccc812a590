"""Extracts: columns by name, narrow codes, and no value in a repr."""

import numpy as np
import pytest

from muniment.errors import InputError
from muniment.exposure.extract import Classes, Coded, Extract, narrowed

SEX = Coded("sex", np.array([0, 1, 0], np.uint8), 2, labels=("f", "m"))
TOWN = Coded("town", np.array([5, 300, 5], np.uint16), 301)
BOTH = Extract((SEX, TOWN), 3)


def test_columns_by_name_in_the_order_asked_for():
    assert BOTH.names == ("sex", "town")
    assert BOTH.column("town") is TOWN
    assert BOTH.chosen(["town", "sex"]) == (TOWN, SEX)
    assert len(TOWN) == 3


def test_a_column_that_is_not_there_lists_those_that_are():
    with pytest.raises(InputError, match=r"there is no column 'zz'; the columns are sex, town"):
        BOTH.chosen(["sex", "zz"])


def test_uniques_are_rows_alone_in_their_class():
    classes = Classes(np.array([0, 1, 0], np.uint32), np.array([2, 1]))
    assert (classes.rows, classes.uniques) == (3, 1)


@pytest.mark.parametrize(("size", "kind"), [
    (1, np.uint8), (256, np.uint8), (257, np.uint16), (65_536, np.uint16), (65_537, np.uint32),
])
def test_codes_are_as_narrow_as_can_be(size: int, kind: type):
    codes = np.array([0, size - 1], np.int64)
    narrow = narrowed(codes, size)
    assert narrow.dtype == kind and narrow.tolist() == codes.tolist()


def test_no_value_stands_in_a_repr():
    for value in (SEX, BOTH, Classes(np.zeros(1, np.uint32), np.ones(1, np.int64))):
        assert repr(value).startswith("<") and "labels" not in repr(value)
