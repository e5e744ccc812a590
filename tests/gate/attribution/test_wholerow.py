"""Whole rows as PostgreSQL writes them."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.gate.attribution.wholerow import values_of

VALUES = st.lists(st.none() | st.binary(max_size=12), min_size=1, max_size=5)
SPECIAL = frozenset(b'"\\(), \t\n\r\v\f')


def text_of(values: list[bytes | None]) -> bytes:
    """`record_out`."""
    shown = []
    for value in values:
        if value is None:
            shown.append(b"")
        elif not value or SPECIAL & set(value):
            shown.append(b'"' + value.replace(b"\\", b"\\\\").replace(b'"', b'""') + b'"')
        else:
            shown.append(value)
    return b"(" + b",".join(shown) + b")"


def binary_of(values: list[bytes | None]) -> bytes:
    """`record_send`."""
    parts = [struct.pack(">Ii", 25, -1 if one is None else len(one)) + (one or b"") for one in values]
    return struct.pack(">i", len(values)) + b"".join(parts)


@given(VALUES)
def test_both_formats_bring_the_values(values: list[bytes | None]) -> None:
    assert values_of(binary_of(values), 1, len(values)) == values
    if values != [None]:
        assert values_of(text_of(values), 0, len(values)) == values


def test_example() -> None:
    assert values_of(rb'(7,"a ""b"" c",,"",x\\y)', 0, 5) is None
    assert values_of(rb'(7,"a ""b"" c",,"",x)', 0, 5) == [b"7", b'a "b" c', None, b"", b"x"]
    assert values_of(rb'("a\\b",(,)', 0, 2) is None


@pytest.mark.parametrize("cell", [b"", b"(", b"()x", b"(7", b'("7)', b'("7"x,8)', b"(7,8)(9,1)", b"7,8", b"(7,8),"])
def test_what_is_no_row(cell: bytes) -> None:
    assert values_of(cell, 0, 2) is None


@given(st.binary(max_size=60), st.integers(0, 1))
def test_anything_is_read_or_not(cell: bytes, format: int) -> None:
    found = values_of(cell, format, 2)
    assert found is None or len(found) == 2


def test_other_width_and_short_binary() -> None:
    assert values_of(b"(1,2)", 0, 3) is None
    assert values_of(binary_of([b"1", b"2"])[:-1], 1, 2) is None
    assert values_of(binary_of([b"1", b"2"]) + b"x", 1, 2) is None
    assert values_of(struct.pack(">i", -1), 1, 0) is None
