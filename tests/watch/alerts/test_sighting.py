"""Findings in words: what is kept, how it reads back, and what weighs what."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language.alerting import NAMES, WHERE, Codes, finding, sighting
from muniment.errors import InputError, IntegrityError
from muniment.watch.alerts import NamedStake, Sighting, Weights, sighted, sighted_crowd
from muniment.watch.alerts.sighting import PATTERNS

TEXTS = st.text(max_size=12)
STAKES = st.builds(NamedStake, TEXTS, st.lists(TEXTS, max_size=3).map(tuple), st.integers(0, 10**9), st.floats(0, 1e6))
SIGHTINGS = st.builds(
    Sighting, st.sampled_from(["account", "office", "record"]), TEXTS, st.sampled_from(PATTERNS),
    st.sampled_from(["guaranteed", "estimated"]), st.lists(st.tuples(TEXTS, st.floats(0, 1)), max_size=3).map(tuple),
    st.floats(-99, 99), st.integers(0, 40_000), st.integers(0, 40_000), st.integers(0, 2**62),
    st.lists(STAKES, max_size=3).map(tuple), TEXTS,
    st.lists(st.tuples(TEXTS, st.integers(0, 9)), max_size=2).map(tuple),
    st.integers(0, 99), st.binary(max_size=20),
)  # fmt: skip


@settings(max_examples=60)
@given(SIGHTINGS)
def test_it_reads_back_equal(one: Sighting) -> None:
    assert Sighting.from_json(json.loads(json.dumps(one.to_json()))) == one


def test_a_finding_in_words() -> None:
    one = sighted(finding(), Codes(), Weights({"residents": 2.0, "residents.address": 5.0, "dogs.name": 9.0}))
    assert one.pseudonym == NAMES.of("account", "account-4") and one.office == WHERE
    assert one.stakes == (NamedStake("residents", ("name", "address"), 30, 5.0), NamedStake("dogs", ("owner",), 7, 1.0))
    assert one.shares == (("budget", 0.6666666667), ("share", 0.3333333333))
    assert one.records == 37
    assert sighted(finding(), Codes()).stakes[0].weight == 1.0


@pytest.mark.parametrize(("log10", "kept"), [(float("inf"), 999.0), (float("-inf"), -999.0), (float("nan"), 0.0)])
def test_values_beyond_all_bounds_are_cut(log10: float, kept: float) -> None:
    assert sighted(finding(log10=log10), Codes()).log10 == kept


def test_a_record_that_many_read_has_no_name_and_a_sealed_pointer() -> None:
    one = sighted_crowd("residents", 9, 20_100, 20_106, b"sealed", 2.0)
    assert (one.unit, one.pseudonym, one.readers, one.records) == ("record", "", 9, 1)
    assert b"sealed" not in repr(one).encode() and "sealed" not in json.dumps(one.to_json())
    assert Sighting.from_json(one.to_json()).pointer == b"sealed"


def test_a_pattern_without_text_is_refused_before_anything_is_opened() -> None:
    with pytest.raises(InputError, match="expected one of budget, share"):
        sighting(pattern="guilt")


@pytest.mark.parametrize(
    "change",
    [{"unit": "person"}, {"kind": "sure"}, {"pattern": "guilt"}, {"stakes": [["residents"]]}, {"shares": 3},
     {"pointer": "§"}, {"day": "soon"}, {"day": None}],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_anything_else_in_the_journal_is_said(change: dict[str, object]) -> None:
    value = sighting().to_json() | change
    with pytest.raises(IntegrityError, match="not what muniment writes"):
        Sighting.from_json(value)
    del value["unit"]
    with pytest.raises(IntegrityError):
        Sighting.from_json(value)
