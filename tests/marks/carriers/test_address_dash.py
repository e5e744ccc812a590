"""之 and the dash behind a door's number, and ranges."""

from __future__ import annotations

import pytest

from muniment.marks.carriers.address_dash import ADDRESS_DASH


@pytest.mark.parametrize(
    ("cell", "zero", "one", "bit"),
    [
        ("中山路12號之3", "中山路12號之3", "中山路12號-3", 0),
        ("中山路12-3號", "中山路12之3號", "中山路12-3號", 1),
        ("12號5樓之2", "12號5樓之2", "12號5樓-2", 0),
        ("12號5F-2", "12號5F之2", "12號5F-2", 1),
        ("12之3號5樓-2", "12之3號5樓之2", "12-3號5樓-2", None),
        ("1-2號", "1之2號", "1-2號", 1),
        ("１２之３號", "１２之３號", "１２-３號", 0),
    ],
)
def test_place(cell: str, zero: str, one: str, bit: int | None) -> None:
    assert ADDRESS_DASH.forms(cell) == (zero, one)
    assert ADDRESS_DASH.read(cell) == bit


@pytest.mark.parametrize(
    "cell",
    [
        "3-5號",
        "3之5號",
        "5樓-6樓12號",
        "12號-14",
        "12號之35樓",
        "12-3",
        "之路12號",
        "中-3號",
        "12號-14號",
    ],
)
def test_no_place(cell: str) -> None:
    assert ADDRESS_DASH.forms(cell) is None
    assert ADDRESS_DASH.read(cell) is None
    assert ADDRESS_DASH.normal(cell) == cell
