"""Saint, Mount and Fort where a place name starts, and nowhere else."""

from __future__ import annotations

import pytest

from muniment.marks.carriers.address_words import ADDRESS_WORDS


@pytest.mark.parametrize(
    ("cell", "zero", "one", "bit"),
    [
        ("st kilda road", "saint kilda road", "st kilda road", 1),
        ("St. Kilda", "Saint Kilda", "St Kilda", 1),
        ("12 Mount Pleasant Rd", "12 Mount Pleasant Rd", "12 Mt Pleasant Rd", 0),
        ("U3/12 ST GEORGES TCE", "U3/12 SAINT GEORGES TCE", "U3/12 ST GEORGES TCE", 1),
        ("Ft Denison", "Fort Denison", "Ft Denison", 1),
    ],
)
def test_place(cell: str, zero: str, one: str, bit: int | None) -> None:
    assert ADDRESS_WORDS.forms(cell) == (zero, one)
    assert ADDRESS_WORDS.read(cell) == bit


@pytest.mark.parametrize(
    "cell",
    [
        "mount street",
        "Smith St North",
        "5th st apt",
        "6 ft wide",
        "100 st nw",
        "saint",
        "north st",
        "Mount 7",
        "st and sons",
    ],
)
def test_no_place(cell: str) -> None:
    assert ADDRESS_WORDS.forms(cell) is None
    assert ADDRESS_WORDS.read(cell) is None
    assert ADDRESS_WORDS.normal(cell) == cell
