"""Variants that mean the same in an address of Taiwan."""

from __future__ import annotations

import pytest

from muniment.marks.carriers.hanzi_variants import HANZI_VARIANTS


@pytest.mark.parametrize(
    ("cell", "zero", "one", "bit"),
    [
        ("臺北市", "臺北市", "台北市", 0),
        ("台東縣", "臺東縣", "台東縣", 1),
        ("臺中市台灣大道", "臺中市臺灣大道", "台中市台灣大道", None),
        ("恒春鎮", "恆春鎮", "恒春鎮", 1),
    ],
)
def test_place(cell: str, zero: str, one: str, bit: int | None) -> None:
    assert HANZI_VARIANTS.forms(cell) == (zero, one)
    assert HANZI_VARIANTS.read(cell) == bit


@pytest.mark.parametrize(
    "cell",
    [
        "高雄市",
        "Taipei",
        "永豊村",
        "公舘里",
        "12号",
    ],
)
def test_no_place(cell: str) -> None:
    assert HANZI_VARIANTS.forms(cell) is None
    assert HANZI_VARIANTS.read(cell) is None
    assert HANZI_VARIANTS.normal(cell) == cell
