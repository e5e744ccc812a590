"""Half and full width of the digits of an address."""

from __future__ import annotations

import pytest

from muniment.marks.carriers.digit_width import DIGIT_WIDTH


@pytest.mark.parametrize(
    ("cell", "zero", "one", "bit"),
    [
        ("中山路12號", "中山路12號", "中山路１２號", 0),
        ("中山路１２號", "中山路12號", "中山路１２號", 1),
        ("２段１2號３樓", "２段12號３樓", "２段１２號３樓", None),
    ],
)
def test_place(cell: str, zero: str, one: str, bit: int | None) -> None:
    assert DIGIT_WIDTH.forms(cell) == (zero, one)
    assert DIGIT_WIDTH.read(cell) == bit


@pytest.mark.parametrize(
    "cell",
    [
        "中山路",
        "12",
        "12 smith st",
        "2段3樓",
        "１２",
    ],
)
def test_no_place(cell: str) -> None:
    assert DIGIT_WIDTH.forms(cell) is None
    assert DIGIT_WIDTH.read(cell) is None
    assert DIGIT_WIDTH.normal(cell) == cell
