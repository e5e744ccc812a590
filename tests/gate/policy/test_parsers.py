"""Parsers of gate.toml by themselves: whatever TOML can hold, each returns a value or raises `ValueError`."""

from __future__ import annotations

import contextlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.gate.policy import parsers
from muniment.gate.policy.table import KEYS

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(date(2026, 1, 1))
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)


@given(st.sampled_from(KEYS), VALUES)
def test_a_value_or_a_value_error(key: object, value: object) -> None:
    with contextlib.suppress(ValueError):
        key.parse(value)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ("08:00-18:00", ((480, 1_080),)),
        ("00:00-24:00", ((0, 1_440),)),
        ("22:00-06:00", ((1_320, 1_440), (0, 360))),
        ("22:00-00:00", ((1_320, 1_440),)),
        ("24:00-06:00", ((0, 360),)),
    ],
)
def test_spans(span: str, expected: tuple[tuple[int, int], ...]) -> None:
    found = parsers.hours({"days": ["sun"], "spans": [span]})
    assert found is not None and found.spans == expected and found.days == {6}


def test_none_lifts_and_zero_forbids() -> None:
    assert parsers.persons({"day": "none", "hour": 0}) == {"day": None, "hour": 0}
    assert parsers.limit("none") is None
