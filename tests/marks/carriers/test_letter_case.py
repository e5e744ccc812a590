"""Whole cells in one case."""

from __future__ import annotations

import pytest

from muniment.marks.carriers.letter_case import LETTER_CASE


@pytest.mark.parametrize(
    ("cell", "zero", "one", "bit"),
    [
        ("ab1 2cd", "ab1 2cd", "AB1 2CD", 0),
        ("RÜE 5", "rüe 5", "RÜE 5", 1),
    ],
)
def test_place(cell: str, zero: str, one: str, bit: int | None) -> None:
    assert LETTER_CASE.forms(cell) == (zero, one)
    assert LETTER_CASE.read(cell) == bit


@pytest.mark.parametrize(
    "cell",
    [
        "Stanley",
        "straße",
        "12",
        "NULL",
        "n/a",
        "ab中山",
        "ıstanbul",
    ],
)
def test_no_place(cell: str) -> None:
    assert LETTER_CASE.forms(cell) is None
    assert LETTER_CASE.read(cell) is None
    assert LETTER_CASE.normal(cell) == cell
