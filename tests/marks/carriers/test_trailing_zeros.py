"""Decimals kept as text."""

from __future__ import annotations

import pytest

from muniment.marks.carriers.trailing_zeros import TRAILING_ZEROS


@pytest.mark.parametrize(
    ("cell", "zero", "one", "bit"),
    [
        ("12.5", "12.5", "12.50", 0),
        ("-0.10", "-0.1", "-0.10", 1),
        ("12.00", "12.0", "12.00", 1),
    ],
)
def test_place(cell: str, zero: str, one: str, bit: int | None) -> None:
    assert TRAILING_ZEROS.forms(cell) == (zero, one)
    assert TRAILING_ZEROS.read(cell) == bit


@pytest.mark.parametrize(
    "cell",
    [
        "12",
        "12.500",
        "007.5",
        ".5",
        "5.",
        "1e5",
        "1.2.3",
        "12,50",
    ],
)
def test_no_place(cell: str) -> None:
    assert TRAILING_ZEROS.forms(cell) is None
    assert TRAILING_ZEROS.read(cell) is None
    assert TRAILING_ZEROS.normal(cell) == cell
