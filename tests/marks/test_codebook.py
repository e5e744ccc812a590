"""The codebook's layout: published vectors, independence of lanes, and one bit an address for ever."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.disclosure import canonical_key
from muniment.errors import LimitError
from muniment.marks.codebook import Addresses, Codebook
from muniment.marks.laws import arcsine, half, law_named

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "codebook.json").read_text())


def addresses(records: list[int], column: int = 3, carrier: int = 1) -> Addresses:
    return Addresses.of(np.array(records, np.uint64), column, carrier)


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: f"{case['register']}-{case['law']}")
def test_published_vectors(case: dict) -> None:
    codebook = Codebook(bytes.fromhex(case["mark_key"]), case["register"])
    records = codebook.records([canonical_key(key) for key in case["keys"]])
    assert [f"{record:016x}" for record in records.tolist()] == case["records"]
    where = Addresses.of(records, case["column"], case["carrier"])
    thresholds, phases = codebook.biases(where, law_named(case["law"]))
    assert thresholds.tolist() == case["thresholds"] and phases.tolist() == case["phases"]
    assert codebook.bits(where, thresholds, case["recipients"]).tolist() == case["bits"]


def test_the_same_recipient_has_the_same_bit_whoever_else_is_asked_for() -> None:
    codebook = Codebook(b"k" * 16, "r")
    where = addresses(list(range(500)))
    thresholds, _ = codebook.biases(where, half())
    alone = codebook.bits(where, thresholds, [6])
    among = codebook.bits(where, thresholds, [4, 9, 6, 7, 1_000_003])
    assert (alone[0] == among[2]).all()


def test_bits_are_one_as_often_as_their_bias_says() -> None:
    codebook = Codebook(b"k" * 16, "r")
    where = addresses(list(range(400)))
    thresholds, _ = codebook.biases(where, arcsine(0.03))
    bits = codebook.bits(where, thresholds, range(4_000))
    p = thresholds / 2**32
    z = (bits.mean(axis=0) - p) / np.sqrt(p * (1 - p) / 4_000)
    assert abs(z).max() < 4.5 and abs(z.mean()) < 0.25


@given(
    st.integers(0, 2**64 - 1),
    st.integers(0, 4095),
    st.integers(0, 255),
    st.integers(0, 2**42 - 1),
    st.sampled_from(["record", "column", "carrier", "register", "key"]),
)
def test_every_part_of_an_address_changes_it(record: int, column: int, carrier: int, recipient: int, part: str) -> None:
    records = [(record + i) % 2**64 for i in range(64)]
    key, register, other_column, other_carrier = b"k" * 16, "r", column, carrier
    other = Codebook(key if part != "key" else b"l" * 16, register if part != "register" else "s")
    if part == "column":
        other_column = (column + 1) % 4096
    if part == "carrier":
        other_carrier = (carrier + 1) % 256
    if part == "record":
        records_other = [(r + 64) % 2**64 for r in records]
    else:
        records_other = records
    first, second = addresses(records, column, carrier), addresses(records_other, other_column, other_carrier)
    thresholds = np.full(64, 2**31, np.uint32)
    here = Codebook(key, register).bits(first, thresholds, [recipient])
    there = other.bits(second, thresholds, [recipient])
    assert (here != there).any()


@pytest.mark.parametrize("number", [-1, 2**42])
def test_a_recipient_number_outside_the_layout_is_refused(number: int) -> None:
    with pytest.raises(LimitError):
        Codebook(b"k" * 16, "r").bits(addresses([1]), np.array([2**31], np.uint32), [number])
