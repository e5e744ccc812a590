"""Sections of a road."""

from __future__ import annotations

import pytest

from muniment.marks.carriers.address_numerals import ADDRESS_NUMERALS


@pytest.mark.parametrize(
    ("cell", "zero", "one", "bit"),
    [
        ("中山路二段12號", "中山路二段12號", "中山路2段12號", 0),
        ("忠孝東路10段", "忠孝東路十段", "忠孝東路10段", 1),
        ("臺灣大道２段", "臺灣大道二段", "臺灣大道2段", 1),
    ],
)
def test_place(cell: str, zero: str, one: str, bit: int | None) -> None:
    assert ADDRESS_NUMERALS.forms(cell) == (zero, one)
    assert ADDRESS_NUMERALS.read(cell) == bit


@pytest.mark.parametrize(
    "cell",
    [
        "大安段二小段",
        "三民路12號",
        "中山路02段",
        "中山路0段",
        "二段",
        "中山路十十段",
    ],
)
def test_no_place(cell: str) -> None:
    assert ADDRESS_NUMERALS.forms(cell) is None
    assert ADDRESS_NUMERALS.read(cell) is None
    assert ADDRESS_NUMERALS.normal(cell) == cell
