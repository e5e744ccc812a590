"""Two layouts of one day, and days that do not exist."""

from __future__ import annotations

import pytest

from muniment.marks.carriers.date_layout import DATE_LAYOUT


@pytest.mark.parametrize(
    ("cell", "zero", "one", "bit"),
    [
        ("19151111", "1915-11-11", "19151111", 1),
        ("2024-02-29", "2024-02-29", "20240229", 0),
        ("1991/1/2", "1991/01/02", "1991/1/2", 1),
        ("05/06/1990", "05/06/1990", "5/6/1990", 0),
        ("1/05/1990", "01/05/1990", "1/5/1990", None),
        ("80.1.2", "80.01.02", "80.1.2", 1),
        ("民國80年1月2日", "民國80年01月02日", "民國80年1月2日", 1),
        ("西元1991年01月02日", "西元1991年01月02日", "西元1991年1月2日", 0),
    ],
)
def test_place(cell: str, zero: str, one: str, bit: int | None) -> None:
    assert DATE_LAYOUT.forms(cell) == (zero, one)
    assert DATE_LAYOUT.read(cell) == bit


@pytest.mark.parametrize(
    "cell",
    [
        "1850-21-01",
        "2023-02-29",
        "20230229",
        "1991/11/12",
        "1991/1.2",
        "31/02/1990",
        "民國0年1月2日",
        "2024-W01-1",
        "2024W011",
        "0915-01-01",
        "1991-1-2",
        "today",
    ],
)
def test_no_place(cell: str) -> None:
    assert DATE_LAYOUT.forms(cell) is None
    assert DATE_LAYOUT.read(cell) is None
    assert DATE_LAYOUT.normal(cell) == cell
