"""Levels and codes: there and back, and nothing else is read."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muniment.errors import IntegrityError
from muniment.ledger.segments import hybrid

WIDTHS = st.sampled_from([1, 8, 16, 24, 32])


@given(st.data(), WIDTHS)
@settings(max_examples=100)
def test_there_and_back(data: st.DataObject, width: int) -> None:
    element = st.integers(0, 2**width - 1)
    runs = st.lists(st.tuples(element, st.integers(1, 700)), max_size=8)
    long = [value for value, times in data.draw(runs) for _ in range(times)]
    values = np.array(data.draw(st.one_of(st.just(long), st.lists(element, max_size=100))), np.uint32)
    assert hybrid.decode(hybrid.encode(values, width), len(values), width).tolist() == values.tolist()


def test_the_shorter_form_is_taken() -> None:
    assert hybrid.encode(np.zeros(1_000_000, np.uint32), 1) == bytes([0x80, 0x89, 0x7A, 0])
    assert hybrid.encode(np.array([0, 1] * 8, np.uint32), 1) == bytes([0x05, 0xAA, 0xAA])
    assert hybrid.encode(np.array([3, 3, 3, 258], np.uint32), 16) == bytes([6, 3, 0, 2, 2, 1])
    assert hybrid.encode(np.zeros(0, np.uint32), 8) == b""


@pytest.mark.parametrize(("top", "width"), [(0, 8), (255, 8), (256, 16), (65_535, 16), (65_536, 24), (2**32 - 1, 32)])
def test_codes_take_whole_bytes(top: int, width: int) -> None:
    assert hybrid.byte_width(top) == width


@pytest.mark.parametrize(
    ("data", "count"),
    [
        (b"", 1),
        (b"\x00\x00", 1),  # a run of nothing
        (b"\x04\x00", 1),  # a run too long
        (b"\x02", 1),  # no value
        (b"\x02\x02", 1),  # a value that is no level
        (b"\x02\x00\x00", 1),  # something behind
        (b"\x05\xff", 9),  # a packed run cut short
        (b"\x05\xff\xff", 8),  # a packed run of eight values too many
    ],
)
def test_malformed_levels_are_refused(data: bytes, count: int) -> None:
    with pytest.raises(IntegrityError):
        hybrid.decode(data, count, 1)


@given(st.binary(max_size=60), st.integers(0, 300), WIDTHS)
@settings(max_examples=150)
def test_noise_is_refused_or_fills_the_count(noise: bytes, count: int, width: int) -> None:
    with contextlib.suppress(IntegrityError):
        assert len(hybrid.decode(noise, count, width)) == count
