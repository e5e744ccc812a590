"""Unit designators, and the case style that U has lost."""

from __future__ import annotations

import pytest

from muniment.marks.carriers.unit_layout import UNIT_LAYOUT


@pytest.mark.parametrize(
    ("cell", "zero", "one", "bit"),
    [
        ("unit 3/12 smith st", "unit 3/12 smith st", "u3/12 smith st", 0),
        ("Unit 3/12 Smith St", "Unit 3/12 Smith St", "U3/12 Smith St", 0),
        ("U3/12 SMITH ST", "UNIT 3/12 SMITH ST", "U3/12 SMITH ST", 1),
        ("u3 Smith St", "unit 3 Smith St", "u3 Smith St", 1),
        ("apt 16 the village", "apartment 16 the village", "apt 16 the village", 1),
        ("Smith St Ste #4", "Smith St Suite #4", "Smith St Ste #4", 1),
        ("Suite B, 5 High St", "Suite B, 5 High St", "Ste B, 5 High St", 0),
    ],
)
def test_place(cell: str, zero: str, one: str, bit: int | None) -> None:
    assert UNIT_LAYOUT.forms(cell) == (zero, one)
    assert UNIT_LAYOUT.read(cell) == bit


@pytest.mark.parametrize(
    "cell",
    [
        "unit 3",
        "U3",
        "UNIT 3 Smith St",
        "flat 3 12",
        "apt pc",
        "floor 3 smith st",
        "miami FL 33101",
        "the apt 1st",
        "united 3 smith",
    ],
)
def test_no_place(cell: str) -> None:
    assert UNIT_LAYOUT.forms(cell) is None
    assert UNIT_LAYOUT.read(cell) is None
    assert UNIT_LAYOUT.normal(cell) == cell
