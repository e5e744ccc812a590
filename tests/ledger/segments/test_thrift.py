"""The compact protocol: there and back, and closed."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muniment.errors import IntegrityError
from muniment.ledger.segments import thrift
from muniment.ledger.segments.thrift import Byte, Long

LEAVES = st.one_of(
    st.booleans(),
    st.integers(-(2**31), 2**31 - 1),
    st.integers(-(2**63), 2**63 - 1).map(Long),
    st.integers(-128, 127).map(Byte),
    st.binary(max_size=40),
)
LISTS = st.one_of(
    st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=40),
    st.lists(st.binary(max_size=5), min_size=1, max_size=20),
)
STRUCTS: st.SearchStrategy[dict[int, Any]] = st.recursive(
    st.dictionaries(st.integers(1, 300), st.one_of(LEAVES, LISTS), max_size=6),
    lambda inner: st.dictionaries(
        st.integers(1, 40), st.one_of(inner, st.lists(inner, min_size=1, max_size=3)), max_size=4
    ),
    max_leaves=6,
)


@given(STRUCTS)
@settings(max_examples=100)
def test_there_and_back(struct: dict[int, Any]) -> None:
    data = thrift.encode(struct)
    assert thrift.decode(data + b"more") == (struct, len(data))


def test_bytes_as_the_protocol_says() -> None:
    struct = {1: 5, 2: True, 20: Long(-1), 21: b"ab", 22: [1, 2], 23: {1: Byte(-2)}}
    assert thrift.encode(struct).hex(" ") == "15 0a 11 06 28 01 18 02 61 62 19 25 02 04 1c 13 fe 00 00"


@given(STRUCTS, st.data())
@settings(max_examples=100)
def test_cut_short_is_refused(struct: dict[int, Any], data: st.DataObject) -> None:
    whole = thrift.encode(struct)
    with pytest.raises(IntegrityError):
        thrift.decode(whole[: data.draw(st.integers(0, len(whole) - 1))])


@given(st.binary(max_size=100))
@settings(max_examples=300)
def test_noise_raises_nothing_else(noise: bytes) -> None:
    with contextlib.suppress(IntegrityError):
        thrift.decode(noise)


@pytest.mark.parametrize(
    "data",
    [
        b"\x1c" * 1_000,  # structs without end
        b"\x19" + b"\x19" * 1_000,  # lists without end
        b"\x17" + bytes(9),  # a double
        b"\x19\xf8\xff\xff\xff\xff\x0f",  # a list of 4 G strings
        b"\x18\xff\xff\xff\xff\x0f",  # a string of 4 GB
        b"\x05\x01\x02\x00",  # a field with a number below the one before
    ],
)
def test_what_is_not_expected_is_refused(data: bytes) -> None:
    with pytest.raises(IntegrityError):
        thrift.decode(data)
