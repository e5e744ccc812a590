"""The last word that ends a street's name, and the words that only look like one."""

from __future__ import annotations

import pytest

from muniment.marks.carriers.street_type import STREET_TYPE


@pytest.mark.parametrize(
    ("cell", "zero", "one", "bit"),
    [
        ("stanley street", "stanley street", "stanley st", 0),
        ("Stanley St.", "Stanley Street", "Stanley St", 1),
        ("BRITTEN-JONES DR", "BRITTEN-JONES DRIVE", "BRITTEN-JONES DR", 1),
        ("12 St Johns Road", "12 St Johns Road", "12 St Johns Rd", 0),
        ("smith st, north ryde", "smith street, north ryde", "smith st, north ryde", 1),
        ("12 Smith Street Apt 4", "12 Smith Street Apt 4", "12 Smith St Apt 4", 0),
        ("avenue road", "avenue road", "avenue rd", 0),
        ("smtih strt st", "smtih strt street", "smtih strt st", 1),
        ("Smith St North", "Smith Street North", "Smith St North", 1),
        ("42nd st", "42nd street", "42nd st", 1),
    ],
)
def test_place(cell: str, zero: str, one: str, bit: int | None) -> None:
    assert STREET_TYPE.forms(cell) == (zero, one)
    assert STREET_TYPE.read(cell) == bit


@pytest.mark.parametrize(
    "cell",
    [
        "12 st johns",
        "the close",
        "The Terrace",
        "street",
        "12 street",
        "smith street medical centre",
        "Smith sTREET",
        "joan of arc",
        "hartford ct 06510",
        "12 Oak Way, Hartford CT",
        "smith av",
        "台北市中山路 1號",
        "",
    ],
)
def test_no_place(cell: str) -> None:
    assert STREET_TYPE.forms(cell) is None
    assert STREET_TYPE.read(cell) is None
    assert STREET_TYPE.normal(cell) == cell
