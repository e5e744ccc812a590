"""Numbers moved within a tolerance: domain, rounding, noise, size."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.errors import InputError
from muniment.marks.carriers.dither import Dither

PHASES = st.integers(0, 2**32 - 1)


def test_whole_numbers() -> None:
    mark = Dither(Decimal(3))
    assert mark.forms("17", 5) == ("17", "19")
    assert (mark.read("17", 5), mark.read("19", 5), mark.read("18.9", 5), mark.read("16.1", 5)) == (0, 1, 1, 0)
    assert mark.read("1,017.0", 5) == mark.read("1017", 5) == 0
    assert mark.forms("17", 6) != mark.forms("17", 5)


def test_places_of_the_tolerance_are_the_unit() -> None:
    mark = Dither(Decimal("0.50"))
    first, second = mark.forms("12.50", 1) or ("", "")
    assert len(first) == len(second) == 5
    assert Decimal(second) - Decimal(first) == Decimal("0.33")
    assert mark.forms("12", 1) is None, "integers stay integers"
    assert mark.forms("12.5", 1) is None, "too few places"
    assert mark.forms("12.5000", 1) == (f"{first}00", f"{second}00")


@pytest.mark.parametrize("cell", ["0", "0.00", "-0", "007", "1e5", "NaN", "+5", ".5", "5.", "", "9" * 41, "１２"])
def test_no_place(cell: str) -> None:
    assert all(Dither(Decimal(1)).forms(cell, phase) is None for phase in range(4))


@pytest.mark.parametrize("cell", ["1", "2", "-1", "-2", "3"])
def test_nothing_becomes_zero_or_changes_sign(cell: str) -> None:
    for phase in range(200):
        for form in Dither(Decimal(7)).forms(cell, phase) or ():
            assert int(form) * int(cell) > 0


@given(value=st.decimals(1, 10**9, places=2), phase=PHASES, noise=st.decimals("-0.16", "0.16", places=4))
def test_rounding_and_noise_under_half_a_step(value: Decimal, phase: int, noise: Decimal) -> None:
    mark = Dither(Decimal("0.50"))
    for bit, form in enumerate(mark.forms(str(value), phase) or ()):
        assert mark.read(str(Decimal(form) + noise), phase) == bit
        assert mark.read(form.rstrip("0").rstrip("."), phase) == bit, "a spreadsheet drops trailing zeros"


def test_a_tenth_is_read_after_rounding_to_whole_numbers() -> None:
    mark = Dither(Decimal("10"))
    for bit, form in enumerate(mark.forms("1234.56", 9) or ()):
        assert mark.read(str(round(Decimal(form))), 9) == bit
        assert mark.read(str(Decimal(form) + Decimal("1.75")), 9) == bit


def test_large_numbers_are_exact() -> None:
    cell = "123456789012345678901234567890"
    first, second = Dither(Decimal(1)).forms(cell, 0) or ("", "")
    assert int(second) - int(first) == 1
    assert abs(int(first) - int(cell)) <= 1


def test_same() -> None:
    mark = Dither(Decimal(3))
    assert mark.same("17", "20")
    assert mark.same("17", "20.0")
    assert not mark.same("17", "21")
    assert not mark.same("0", "1"), "zero equals only zero"
    assert not mark.same("-1", "1")
    assert not mark.same("17", "about 17")
    assert mark.normal("17") == "17"


@pytest.mark.parametrize("tolerance", ["0", "-1", "NaN", "sNaN", "Infinity", "1E+12", "1E+9999", "1E-13"])
def test_tolerance(tolerance: str) -> None:
    with pytest.raises(InputError, match="tolerance"):
        Dither(Decimal(tolerance))
