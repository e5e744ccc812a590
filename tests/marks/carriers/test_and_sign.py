"""The joint between two names."""

from __future__ import annotations

import pytest

from muniment.marks.carriers.and_sign import AND_SIGN


@pytest.mark.parametrize(
    ("cell", "zero", "one", "bit"),
    [
        ("Smith and Sons", "Smith and Sons", "Smith & Sons", 0),
        ("SMITH & SONS", "SMITH AND SONS", "SMITH & SONS", 1),
        ("upson & downs", "upson and downs", "upson & downs", 1),
        ("Ann & Bob and Co", "Ann and Bob and Co", "Ann & Bob & Co", None),
    ],
)
def test_place(cell: str, zero: str, one: str, bit: int | None) -> None:
    assert AND_SIGN.forms(cell) == (zero, one)
    assert AND_SIGN.read(cell) == bit


@pytest.mark.parametrize(
    "cell",
    [
        "3 and 5",
        "R&D",
        "Smith AND Sons",
        "and Smith",
        "Smith and",
        "Anderson",
        "a & b",
    ],
)
def test_no_place(cell: str) -> None:
    assert AND_SIGN.forms(cell) is None
    assert AND_SIGN.read(cell) is None
    assert AND_SIGN.normal(cell) == cell
