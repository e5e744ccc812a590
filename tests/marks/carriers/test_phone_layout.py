"""Each layout of the table in the module, and what is in none."""

from __future__ import annotations

import pytest

from muniment.marks.carriers.phone_layout import PHONE_LAYOUT


@pytest.mark.parametrize(
    ("cell", "zero", "one", "bit"),
    [
        ("(02)2345-6789", "(02)2345-6789", "02-2345-6789", 0),
        ("02-23456789", "(02)23456789", "02-23456789", 1),
        ("02 9999 9999", "(02) 9999 9999", "02 9999 9999", 1),
        ("(049) 234-5678", "(049) 234-5678", "049 234-5678", 0),
        ("(555) 123-4567", "(555) 123-4567", "555-123-4567", 0),
        ("555-123-4567", "(555) 123-4567", "555-123-4567", 1),
        ("0912-345-678", "0912-345-678", "0912345678", 0),
        ("0912345678", "0912-345-678", "0912345678", 1),
        ("0412 345 678", "0412 345 678", "0412-345-678", 0),
        ("0412-345-678", "0412 345 678", "0412-345-678", 1),
        ("+886 2 2345 6789", "+886 2 2345 6789", "+886-2-2345-6789", 0),
        ("01632 960983", "(01632) 960983", "01632 960983", 1),
        ("(02)2345-6789#12", "(02)2345-6789#12", "02-2345-6789#12", 0),
    ],
)
def test_place(cell: str, zero: str, one: str, bit: int | None) -> None:
    assert PHONE_LAYOUT.forms(cell) == (zero, one)
    assert PHONE_LAYOUT.read(cell) == bit


@pytest.mark.parametrize(
    "cell",
    [
        "0412345678",
        "2345-6789",
        "0912-345678",
        "+886 2-2345 6789",
        "+886912345678",
        "n/a",
        "(02)2345-6789\n",
        "",
    ],
)
def test_no_place(cell: str) -> None:
    assert PHONE_LAYOUT.forms(cell) is None
    assert PHONE_LAYOUT.read(cell) is None
    assert PHONE_LAYOUT.normal(cell) == cell
