"""What a value that is no column of a table is charged for."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.gate.attribution.weights import weight, weights

COUNT, SUM, AVERAGE, TEXT, JSON, BOOL, DATE, FLOAT = 20, 20, 1700, 25, 114, 16, 1082, 701


@pytest.mark.parametrize(
    ("type_oid", "format", "cell", "persons"),
    [
        (COUNT, 0, b"1200", 1),
        (COUNT, 0, b"1234567890123456789", 10),
        (COUNT, 1, struct.pack(">q", 12), 1),
        (COUNT, 1, struct.pack(">q", 10**18), 10),
        (AVERAGE, 0, b"43.25", 1),
        (AVERAGE, 1, b"\0" * 8, 1),
        (AVERAGE, 1, b"\0" * 408, 400),
        (FLOAT, 1, struct.pack(">d", 1.5), 9),
        (BOOL, 0, b"t", 1),
        (DATE, 0, b"2024-01-01", 1),
        (TEXT, 0, b"", 0),
        (TEXT, 0, b"Lin", 2),
        (JSON, 0, b"[1, 2, 3]", 5),
    ],
)
def test_one_value(type_oid: int, format: int, cell: bytes, persons: int) -> None:
    assert weight(type_oid, format, cell, 2.0) == persons


@given(st.lists(st.integers(0, 10**6), max_size=200), st.sampled_from([",", " ", "}{"]))
def test_list_of_numbers_costs_each_of_them(numbers: list[int], between: str) -> None:
    assert weight(TEXT, 0, between.join(map(str, numbers)).encode(), 2.0) >= len(numbers)


def test_rows_cost_one_at_least() -> None:
    found = weights([(TEXT, 0, [None, b"", b"abcd"]), (COUNT, 0, [None, None, b"1"])], 3, 2.0)
    assert found.tolist() == [1, 1, 3]
