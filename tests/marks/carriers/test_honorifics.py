"""Titles at the start of a text."""

from __future__ import annotations

import pytest

from muniment.marks.carriers.honorifics import HONORIFICS


@pytest.mark.parametrize(
    ("cell", "zero", "one", "bit"),
    [
        ("Doctor Chen called", "Doctor Chen called", "Dr Chen called", 0),
        ("Dr. Chen", "Doctor Chen", "Dr Chen", 1),
        ("PROF LIN", "PROFESSOR LIN", "PROF LIN", 1),
    ],
)
def test_place(cell: str, zero: str, one: str, bit: int | None) -> None:
    assert HONORIFICS.forms(cell) == (zero, one)
    assert HONORIFICS.read(cell) == bit


@pytest.mark.parametrize(
    "cell",
    [
        "doctor was called",
        "Doctor",
        "Dr and Mrs Chen",
        "called Dr Chen",
        "General Hospital",
        "Drs Chen",
    ],
)
def test_no_place(cell: str) -> None:
    assert HONORIFICS.forms(cell) is None
    assert HONORIFICS.read(cell) is None
    assert HONORIFICS.normal(cell) == cell
