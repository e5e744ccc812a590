"""Postcodes and runs of digits."""

from __future__ import annotations

import pytest

from muniment.marks.carriers.code_spacing import CODE_SPACING


@pytest.mark.parametrize(
    ("cell", "zero", "one", "bit"),
    [
        ("AB1 2CD", "AB12CD", "AB1 2CD", 1),
        ("tq138df", "tq138df", "tq13 8df", 0),
        ("5304218", "5304218", "530 4218", 0),
        ("1234 5678 9012", "123456789012", "1234 5678 9012", 1),
    ],
)
def test_place(cell: str, zero: str, one: str, bit: int | None) -> None:
    assert CODE_SPACING.forms(cell) == (zero, one)
    assert CODE_SPACING.read(cell) == bit


@pytest.mark.parametrize(
    "cell",
    [
        "53 04218",
        "A123456789",
        "4223",
        "Ab1 2Cd",
        "12345678901234",
        "AB12  CD",
        "123 456 7",
    ],
)
def test_no_place(cell: str) -> None:
    assert CODE_SPACING.forms(cell) is None
    assert CODE_SPACING.read(cell) is None
    assert CODE_SPACING.normal(cell) == cell
