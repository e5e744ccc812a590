"""Ordinals before a word of an address."""

from __future__ import annotations

import pytest

from muniment.marks.carriers.ordinals import ORDINAL_WORDS


@pytest.mark.parametrize(
    ("cell", "zero", "one", "bit"),
    [
        ("First Avenue", "First Avenue", "1st Avenue", 0),
        ("1ST AVENUE", "FIRST AVENUE", "1ST AVENUE", 1),
        ("2nd hse lhs", "second hse lhs", "2nd hse lhs", 1),
        ("12 Third St.", "12 Third St.", "12 3rd St.", 0),
    ],
)
def test_place(cell: str, zero: str, one: str, bit: int | None) -> None:
    assert ORDINAL_WORDS.forms(cell) == (zero, one)
    assert ORDINAL_WORDS.read(cell) == bit


@pytest.mark.parametrize(
    "cell",
    [
        "twenty first street",
        "first",
        "1ST Avenue",
        "first a",
        "21st street",
        "first and last",
        "first unit 3",
    ],
)
def test_no_place(cell: str) -> None:
    assert ORDINAL_WORDS.forms(cell) is None
    assert ORDINAL_WORDS.read(cell) is None
    assert ORDINAL_WORDS.normal(cell) == cell
