"""Local days, minutes and kinds of days, held against the standard library and against the wall."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.errors import InputError
from muniment.watch.context.calendar import (
    date_of,
    day_kinds,
    day_of,
    day_start,
    local_days,
    minutes,
    workdays_between,
)  # fmt: skip
from muniment.watch.context.tables import Calendar
from muniment.watch.days import DayKind

ZONES = (
    "UTC", "Asia/Taipei", "Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu",
    "America/New_York",
)  # fmt: skip
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 4_000_000_000_000)


@given(st.sampled_from(ZONES), st.lists(MOMENTS, max_size=20))
def test_days_and_minutes_are_those_of_the_clock_on_the_wall(zone: str, moments: list[int]) -> None:
    column = np.array(moments, np.int64)
    walls = [(EPOCH + timedelta(milliseconds=one)).astimezone(ZoneInfo(zone)) for one in moments]
    calendar = Calendar(zone)
    assert [date_of(day) for day in local_days(calendar, column).tolist()] == [
        wall.date().isoformat() for wall in walls
    ]
    assert minutes(calendar, column).tolist() == [wall.hour * 60 + wall.minute for wall in walls]


@given(st.sampled_from(ZONES), MOMENTS)
def test_a_day_begins_at_its_first_moment(zone: str, moment: int) -> None:
    calendar = Calendar(zone)
    day = int(local_days(calendar, np.array([moment]))[0])
    start = day_start(calendar, day)
    assert start <= moment < day_start(calendar, day + 1)
    assert local_days(calendar, np.array([start - 1, start])).tolist()[1] == day
    assert local_days(calendar, np.array([start - 1]))[0] < day


def test_a_day_without_a_midnight_begins_where_the_clocks_jump_to() -> None:
    calendar = Calendar("America/Sao_Paulo")
    start = day_start(calendar, day_of("2018-11-04"))
    assert minutes(calendar, np.array([start])).tolist() == [60]
    assert local_days(calendar, np.array([start - 1])).tolist() == [day_of("2018-11-03")]


def test_days_of_a_change_of_clocks_are_an_hour_shorter_or_longer() -> None:
    calendar = Calendar("Europe/Berlin")
    lengths = [
        day_start(calendar, day_of(d) + 1) - day_start(calendar, day_of(d)) for d in ("2025-03-30", "2025-10-26")
    ]
    assert [length / 3_600_000 for length in lengths] == [23, 25]


@given(st.sampled_from(ZONES), st.integers(-(2**63), 2**63 - 1))
def test_no_clock_jumps_out_of_the_calendar(zone: str, moment: int) -> None:
    calendar = Calendar(zone)
    column = np.array([moment, 0], np.int64)
    assert 0 <= minutes(calendar, column)[0] < 1440
    day = int(local_days(calendar, column)[0])
    assert isinstance(day_start(calendar, day), int)
    assert day_kinds(calendar, day, np.array([0, -1], np.int32)).shape == (2,)
    assert date_of(day)


def test_no_moments_have_no_days() -> None:
    none = np.zeros(0, np.int64)
    assert local_days(Calendar("Asia/Taipei"), none).tolist() == minutes(Calendar("Asia/Taipei"), none).tolist() == []
    assert day_kinds(Calendar(), 0, np.zeros(0, np.int32)).tolist() == []


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../etc/passwd", "Europe", "\0"])
def test_a_zone_that_nobody_knows_is_refused(zone: str) -> None:
    with pytest.raises(InputError, match="no time zone"):
        local_days(Calendar(zone), np.array([0]))


# --- kinds -----------------------------------------------------------------------------------------------------------

FRIDAY, SATURDAY = day_of("2025-10-10"), day_of("2025-10-11")
OFFICES = np.array([0, 1, 2, -1, 0], np.int32)


def kinds(calendar: Calendar, day: int) -> list[DayKind]:
    return [DayKind(one) for one in day_kinds(calendar, day, OFFICES).tolist()]


def test_weekends_and_holidays_are_rest_but_for_those_who_work_every_day() -> None:
    calendar = Calendar(holidays=frozenset({FRIDAY}), shifts=frozenset({1}))
    rest, work = DayKind.REST, DayKind.WORKDAY
    assert kinds(calendar, FRIDAY) == kinds(calendar, SATURDAY) == [rest, work, rest, rest, rest]
    assert kinds(calendar, FRIDAY - 1) == [work] * 5


def test_mass_work_goes_before_rest() -> None:
    calendar = Calendar(holidays=frozenset({FRIDAY}), busy=frozenset({FRIDAY}), shifts=frozenset({1}))
    assert kinds(calendar, FRIDAY) == [DayKind.BUSY] * 5


def test_what_holds_for_one_office_holds_for_no_other() -> None:
    thursday = FRIDAY - 1
    calendar = Calendar(
        own_holidays=frozenset({(thursday, 0)}), own_busy=frozenset({(thursday, 2)}),
        own_workdays=frozenset({(SATURDAY, 2)}),
    )  # fmt: skip
    rest, work, busy = DayKind.REST, DayKind.WORKDAY, DayKind.BUSY
    assert kinds(calendar, thursday) == [rest, work, busy, work, rest]
    assert kinds(calendar, SATURDAY) == [rest, rest, work, rest, rest]


def test_a_weekend_day_that_makes_up_for_another_is_worked() -> None:
    assert kinds(Calendar(workdays=frozenset({SATURDAY})), SATURDAY) == [DayKind.WORKDAY] * 5


def test_another_weekend() -> None:
    calendar = Calendar(weekend=frozenset({4}))
    assert kinds(calendar, FRIDAY)[0] is DayKind.REST
    assert kinds(calendar, SATURDAY)[0] is DayKind.WORKDAY


def test_workdays_between_two_days() -> None:
    calendar = Calendar(holidays=frozenset({FRIDAY}), shifts=frozenset({1}))
    monday = FRIDAY - 4
    assert workdays_between(calendar, monday, monday + 7) == 4
    assert workdays_between(calendar, monday, monday + 7, office=1) == 7
    assert workdays_between(calendar, monday, monday) == 0
