"""The clock agrees with the zone through changes of the hour; working minutes stay within a day and its habits."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.simulated_parts import chance, parts
from muniment.errors import InputError
from muniment.simulate.clock import Clock, minutes
from muniment.simulate.office import PROFILES
from muniment.simulate.settings import WorldSettings

DAYS = 40
CLOCKS = {
    (zone, start): Clock.of(WorldSettings(accounts=8, days=DAYS, zone=zone, start=start))
    for zone, start in (
        ("Europe/Berlin", "2025-03-10"),
        ("Europe/Berlin", "2025-10-10"),
        ("America/Sao_Paulo", "2018-10-20"),  # the clock is put forward at midnight: a day without its first hour
        ("Asia/Taipei", "2025-01-01"),
    )
}


@given(st.sampled_from(sorted(CLOCKS)), st.integers(0, DAYS - 1), st.integers(0, 1_439))
def test_moments_are_those_of_the_zone(which: tuple[str, str], day: int, minute: int) -> None:
    zone, start = which
    local = datetime.fromisoformat(start) + timedelta(days=day, minutes=minute)
    clock = CLOCKS[which]
    moment = clock.moment(np.array([day]), np.array([float(minute)]))
    assert moment.tolist() == [local.replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000]
    skipped = datetime.fromtimestamp(float(moment[0]) / 1000, ZoneInfo(zone)).replace(tzinfo=None) != local
    assert clock.day(moment).tolist() == [day] or skipped


@pytest.mark.parametrize("which", sorted(CLOCKS))
def test_days_begin_where_the_day_before_ends(which: tuple[str, str]) -> None:
    clock, day = CLOCKS[which], np.arange(DAYS + 2)
    begin = clock.start(day)
    assert clock.day(begin).tolist() == day.tolist()
    assert clock.day(begin - 1).tolist() == (day - 1).tolist()
    assert set(np.diff(begin) // 3_600_000) <= {23, 24, 25}
    assert clock.start(10**6) == begin[-1] and clock.start(-5) == begin[0]


def test_a_zone_that_is_not_known_is_named() -> None:
    with pytest.raises(InputError, match=r"zone 'Moon/Base': expected an IANA name"):
        Clock.of(WorldSettings(accounts=8, days=14, zone="Moon/Base"))


def test_a_case_is_worked_on_together() -> None:
    one = parts()
    touches = one.touches
    minute = minutes(one.offices, touches, chance(1, 5))
    assert len(minute) == len(touches) and minute.min() >= 0 and minute.max() < 1_439
    _, visit, size = np.unique(
        np.stack((touches.account, touches.day, touches.case)), axis=1, return_inverse=True, return_counts=True
    )
    least, most = np.full(len(size), np.inf), np.zeros(len(size))
    np.minimum.at(least, visit.ravel(), minute)
    np.maximum.at(most, visit.ravel(), minute)
    assert (size > 1).sum() > 100
    assert np.median((most - least)[size > 1]) < 60  # by chance, two minutes of a working day are 160 apart


def test_hours_of_offices_without_shifts_are_within_what_was_measured() -> None:
    outside = []
    for seed in range(1, 5):
        one = parts(seed)
        minute = minutes(one.offices, one.touches, chance(seed, 5))
        usual = ~np.array([profile.shifts for profile in PROFILES])[one.offices.profile]
        chosen = usual[one.offices.home[one.touches.account]]
        outside.append(((minute < 7 * 60) | (minute >= 19 * 60))[chosen].mean())
    assert 0.008 < np.mean(outside) < 0.22
