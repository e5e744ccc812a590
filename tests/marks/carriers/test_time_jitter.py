"""Time stamps moved within a tolerance: the day, the zone and the layout stay."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.errors import InputError
from muniment.marks.carriers.time_jitter import TimeJitter

MARK = TimeJitter(Decimal(30))


def test_only_the_time_moves() -> None:
    day, zone = "2024-05-01 ", ".5+08:00"
    assert MARK.forms(f"{day}12:34:56{zone}", 5) == (f"{day}12:34:45{zone}", f"{day}12:35:05{zone}")
    assert MARK.read(f"{day}12:34:45{zone}", 5) == 0
    assert MARK.read("1 May 2024, 12:35:05", 5) == 1, "the layout of the date does not matter"


@given(moment=st.datetimes(), phase=st.integers(0, 2**32 - 1), noise=st.integers(-9, 9))
def test_the_day_stays_and_noise_is_survived(moment: object, phase: int, noise: int) -> None:
    cell = str(moment)[:19]
    for bit, form in enumerate(MARK.forms(cell, phase) or ()):
        assert form[:11] == cell[:11]
        assert MARK.same(cell, form)
        second = int(form[11:13]) * 3600 + int(form[14:16]) * 60 + int(form[17:19]) + noise
        if 0 <= second < 86_400:
            moved = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
            assert MARK.read(f"{form[:11]}{moved}", phase) == bit


@pytest.mark.parametrize(
    "cell",
    [
        "2024-05-01 12:34",
        "2024-05-01",
        "2023-02-29 12:00:00",
        "2024-05-01 24:00:00",
        "2024-05-01 23:59:60",
        "2024-05-01 12:34:56 PM",
        "12:34:56",
        "",
    ],
)
def test_no_place(cell: str) -> None:
    assert MARK.forms(cell) is None


def test_midnight_is_never_crossed() -> None:
    lost = sum(MARK.forms("2024-05-01 23:59:59", phase) is None for phase in range(40))
    assert 0 < lost < 40
    assert MARK.read("2024-05-01 01:00:00 PM") is None


def test_same() -> None:
    assert MARK.same("2024-05-01T12:00:00Z", "2024-05-01T12:00:30Z")
    assert not MARK.same("2024-05-01T12:00:00Z", "2024-05-01T12:00:31Z")
    assert not MARK.same("2024-05-01T12:00:00Z", "2024-05-02T12:00:00Z")
    assert not MARK.same("2024-05-01T12:00:00Z", "2024-05-01T12:00:00")


@pytest.mark.parametrize("tolerance", ["0", "0.5", "1.5", "-1", "NaN", "Infinity", "43201"])
def test_tolerance(tolerance: str) -> None:
    with pytest.raises(InputError, match="whole number of seconds"):
        TimeJitter(Decimal(tolerance))
