"""Packed integers: what goes in comes out, nothing else is read, and the bytes are those of the format."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muniment.errors import IntegrityError
from muniment.ledger.segments import bits

WIDE = st.integers(-(2**63), 2**63 - 1)
NARROW = st.integers(0, 2**32 - 1)


def _steps(element: st.SearchStrategy[int]) -> st.SearchStrategy[list[int]]:
    """Columns with long stretches of one width, and lengths around the ends of blocks."""
    stretch = st.tuples(element, st.sampled_from([1, 31, 32, 33, 127, 128, 129]))
    return st.lists(stretch, max_size=6).map(lambda parts: [value for value, times in parts for _ in range(times)])


@given(st.one_of(st.lists(WIDE, max_size=300), _steps(WIDE)))
@settings(max_examples=60)
def test_int64_there_and_back(values: list[int]) -> None:
    column = np.array(values, np.int64)
    assert bits.decode(bits.encode(column), len(values), np.int64).tolist() == values


@given(st.one_of(st.lists(NARROW, max_size=300), _steps(NARROW), st.lists(NARROW, max_size=300).map(sorted)))
@settings(max_examples=60)
def test_uint32_there_and_back(values: list[int]) -> None:
    column = np.array(values, np.uint32)
    back = bits.decode(bits.encode(column), len(values), np.uint32)
    assert back.tolist() == values
    assert back.dtype == np.uint32


@pytest.mark.parametrize("width", range(64))
def test_every_width_across_windows(width: int) -> None:
    rng = np.random.default_rng(width)
    rising = np.cumsum(rng.integers(0, 1 << width, bits.BLOCK * 3 + 1, dtype=np.uint64)).view(np.int64)
    assert np.array_equal(bits.decode(bits.encode(rising), len(rising), np.int64), rising)


def test_a_long_column_is_the_same_in_windows_and_blocks() -> None:
    values = np.random.default_rng(3).integers(0, 2**32, bits.BLOCK * 2_048 * 2 + 77).astype(np.uint32)
    assert np.array_equal(bits.decode(bits.encode(values), len(values), np.uint32), values)


@given(st.lists(st.one_of(_steps(NARROW), st.tuples(NARROW, st.integers(1, 400)).map(lambda p: [p[0]] * p[1]))))
@settings(max_examples=60)
def test_several_columns_are_unpacked_as_each_alone(columns: list[list[int]]) -> None:
    for kind in (np.uint32, np.int64):
        streams = [bits.encode(np.array(column, kind)) for column in columns]  # type: ignore[arg-type]
        found = bits.decode_all(streams, list(map(len, columns)), kind)
        assert found.tolist() == [value for column in columns for value in column]
        assert found.dtype == kind


def test_several_long_columns_across_windows() -> None:
    rng = np.random.default_rng(5)
    lengths = [bits.BLOCK * 2_048 + 3, 1, bits.BLOCK * 1_000, 0, bits.BLOCK * 3_000 + 129, 70]
    columns = [rng.integers(0, 2**40, length) for length in lengths]
    assert np.array_equal(bits.decode_all(list(map(bits.encode, columns)), lengths, np.int64), np.concatenate(columns))


def test_a_number_beyond_64_bits_is_refused() -> None:
    whole = bits.encode(np.array([0, 2**63 - 1, 0]))
    head = whole[: whole.index(bits.varint(bits.zigzag(1 - 2**63)))]
    with pytest.raises(IntegrityError, match="too long"):
        bits.decode(head + bits.varint(2**69) + bytes(4), 3, np.int64)


def test_the_worked_examples_of_the_format() -> None:
    """Encodings.md, examples 1 and 2: 1..5 and 7, 5, 3, 1, 2, 3, 4, 5 (there with blocks of 8; heads differ only)."""
    assert bits.encode(np.arange(1, 6)) == bytes([0x80, 1, 4, 5, 2, 2, 0, 0, 0, 0])
    second = bits.encode(np.array([7, 5, 3, 1, 2, 3, 4, 5]))
    # least difference -2 -> 3; differences above it 0 0 0 3 3 3 3 in two bits each
    assert second == bytes([0x80, 1, 4, 8, 14, 3, 2, 0, 0, 0, 0b11_00_00_00, 0b00_11_11_11, 0, 0, 0, 0, 0, 0])


@given(st.integers(0, 2**64 - 1))
def test_varints_and_zigzag(value: int) -> None:
    assert bits.read_varint(b"x" + bits.varint(value) + b"y", 1) == (value, 1 + len(bits.varint(value)))
    signed = value - 2**63
    assert bits.unzigzag(bits.zigzag(signed)) == signed


@given(st.data())
@settings(max_examples=150)
def test_other_bytes_are_refused_or_are_some_column(data: st.DataObject) -> None:
    values = np.array(data.draw(st.lists(NARROW, min_size=2, max_size=200)), np.uint32)
    whole = bits.encode(values)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(IntegrityError):
        bits.decode(whole[:cut], len(values), np.uint32)
    with pytest.raises(IntegrityError):
        bits.decode(whole + b"\0", len(values), np.uint32)
    with pytest.raises(IntegrityError):
        bits.decode(whole, len(values) + 1, np.uint32)
    altered = bytearray(whole)
    altered[cut] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(IntegrityError):
        assert len(bits.decode(bytes(altered), len(values), np.uint32)) == len(values)


@given(st.binary(max_size=200), st.integers(0, 1_000))
@settings(max_examples=150)
def test_noise_is_refused(noise: bytes, count: int) -> None:
    with contextlib.suppress(IntegrityError):
        assert len(bits.decode(noise, count, np.int64)) == count
