"""Similarity against the definitions and published values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.disclosure import Kind
from muniment.trace.similarity import CLOSE, DIFFERENT, MISSING, PARTIAL, SAME, distance, jaro_winkler, level, one_edit


@pytest.mark.parametrize(("one", "other", "edits"), [
    ("kitten", "sitting", 3), ("ca", "abc", 3), ("abcd", "acbd", 1), ("", "ab", 2), ("same", "same", 0), ("a", "b", 1),
])
def test_distance(one: str, other: str, edits: int) -> None:
    assert distance(one, other, 9) == distance(other, one, 9) == edits
    assert distance(one, other, 1) == min(edits, 2)


@pytest.mark.parametrize(
    ("one", "other", "value"),
    [("MARTHA", "MARHTA", 0.9611), ("DWAYNE", "DUANE", 0.84), ("DIXON", "DICKSONX", 0.8133)],
)
def test_winklers_own_examples(one: str, other: str, value: float) -> None:
    assert jaro_winkler(one, other) == pytest.approx(value, abs=5e-5)
    assert jaro_winkler("abc", "xyz") == 0


@given(st.text("abc", max_size=7), st.text("abc", max_size=7))
def test_one_edit_is_distance_of_at_most_one(one: str, other: str) -> None:
    assert one_edit(one, other) == (distance(one, other, 9) <= 1)


@pytest.mark.parametrize(("kind", "one", "other", "wanted"), [
    (Kind.NAME, "smith", "smith", SAME), (Kind.NAME, "smith", "smtih", CLOSE), (Kind.NAME, "j", "john", PARTIAL),
    (Kind.NAME, "smith", "okafor", DIFFERENT), (Kind.NAME, "", "okafor", MISSING),
    (Kind.NAME, "王小明", "王曉明", CLOSE), (Kind.NAME, "ella dixon", "ella hepworth dixon", CLOSE),
    (Kind.NAME, "w l wyllie", "william lionel wyllie", PARTIAL),
    (Kind.DATE, "19700314", "19701403", CLOSE), (Kind.DATE, "19700314", "19700329", CLOSE),
    (Kind.DATE, "19700314", "19701129", PARTIAL), (Kind.DATE, "19700314", "19820314", PARTIAL),
    (Kind.DATE, "19700314", "19551129", DIFFERENT), (Kind.CODE, "5304218", "5304281", CLOSE),
    (Kind.CODE, "sw1a2hr", "sw1a1ea", PARTIAL), (Kind.CODE, "5304218", "9911776", DIFFERENT),
])
def test_levels(kind: Kind, one: str, other: str, wanted: int) -> None:
    assert level(one, other, kind) == level(other, one, kind) == wanted
