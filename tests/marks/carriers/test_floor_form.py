"""Floors behind a house number."""

from __future__ import annotations

import pytest

from muniment.marks.carriers.floor_form import FLOOR_FORM


@pytest.mark.parametrize(
    ("cell", "zero", "one", "bit"),
    [
        ("中山路12號3樓", "中山路12號3樓", "中山路12號3F", 0),
        ("12號3f", "12號3樓", "12號3F", 1),
        ("12號三樓", "12號3樓", "12號3F", None),
        ("12號十二樓之3", "12號12樓之3", "12號12F之3", None),
        ("f棟12號3樓", "f棟12號3樓", "f棟12號3F", 0),
    ],
)
def test_place(cell: str, zero: str, one: str, bit: int | None) -> None:
    assert FLOOR_FORM.forms(cell) == (zero, one)
    assert FLOOR_FORM.read(cell) == bit


@pytest.mark.parametrize(
    "cell",
    [
        "3樓",
        "12號地下1樓",
        "12號B1F",
        "12號3樓-5樓",
        "12號之35樓",
        "12號3樓2室",
        "12號頂樓",
        "12號3Fa",
        "12號十十樓",
    ],
)
def test_no_place(cell: str) -> None:
    assert FLOOR_FORM.forms(cell) is None
    assert FLOOR_FORM.read(cell) is None
    assert FLOOR_FORM.normal(cell) == cell
