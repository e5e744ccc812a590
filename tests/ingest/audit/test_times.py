"""Time stamps: UTC or refused."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.ingest.audit.times import epoch, instant, local_time, postgres_time

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("stamp", "zone", "utc"),
    [
        ("2026-11-24 09:28:45.880 UTC", None, "2026-11-24T09:28:45.880000"),
        ("2026-11-24 09:28:45.880 CET", BERLIN, "2026-11-24T08:28:45.880000"),
        ("2026-11-24 09:28:45.880 +08", None, "2026-11-24T01:28:45.880000"),
        ("2026-11-24 09:28:45.880 -0330", None, "2026-11-24T12:58:45.880000"),
        # the night on which the clock shows 02:30 twice: only the abbreviation tells which
        ("2026-10-25 02:30:00.000 CEST", BERLIN, "2026-10-25T00:30:00"),
        ("2026-10-25 02:30:00.000 CET", BERLIN, "2026-10-25T01:30:00"),
        ("2026-11-24 09:28:60.000 UTC", None, "2026-11-24T09:28:59"),
    ],
)
def test_stamps_of_postgresql(stamp: str, zone: tzinfo | None, utc: str) -> None:
    assert postgres_time(stamp, zone) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("stamp", "zone"),
    [
        ("2026-11-24 09:28:45.880 CET", None),  # whose CET?
        ("2026-11-24 09:28:45.880 CST", BERLIN),
        ("2026-07-24 09:28:45.880 CET", BERLIN),  # in summer the clock there says CEST
        ("2026-02-30 09:28:45.880 UTC", None),
        ("2026-11-24 09:28:45.880", None),
        ("２０２６-11-24 09:28:45.880 UTC", None),
        ("2026-11-24 09:28:45.880 +99", None),
        ("0001-01-01 00:00:00.000 +14", None),
    ],
)
def test_stamps_that_are_nobodys_time(stamp: str, zone: tzinfo | None) -> None:
    with pytest.raises(ValueError):
        postgres_time(stamp, zone)


def test_instants_need_a_zone() -> None:
    assert instant("2020-04-29T09:49:00.000Z") == datetime(2020, 4, 29, 9, 49, tzinfo=UTC)
    assert instant("2020-04-29T09:49:00.1234567+02:00") == datetime(2020, 4, 29, 7, 49, 0, 123456, tzinfo=UTC)
    for stamp in ("2020-04-29T09:49:00", "2020-04-29", "2020-04-29T25:00:00Z", "2020-04-29T09:49:00+24:00", ""):
        with pytest.raises(ValueError):
            instant(stamp)


def test_epochs() -> None:
    assert epoch(1_795_510_800_123, 1_000) == datetime(2026, 11, 24, 9, 0, 0, 123_000, tzinfo=UTC)
    assert epoch(86_400, 1) == datetime(1970, 1, 2, tzinfo=UTC)
    for number in (10**18, -(10**18)):
        with pytest.raises(ValueError):
            epoch(number, 1)


def test_layouts_take_the_zone_of_the_stamp_before_the_one_given() -> None:
    assert local_time("24.11.2026 09:00", "%d.%m.%Y %H:%M", BERLIN) == datetime(2026, 11, 24, 8, tzinfo=UTC)
    assert local_time("24.11.2026 09:00 +0800", "%d.%m.%Y %H:%M %z", BERLIN) == datetime(2026, 11, 24, 1, tzinfo=UTC)
    for stamp, zone in (("24.11.2026 09:00", None), ("24-11-2026", BERLIN)):
        with pytest.raises(ValueError):
            local_time(stamp, "%d.%m.%Y %H:%M", zone)


@given(st.text(max_size=40), st.sampled_from([None, BERLIN, UTC]))
def test_no_text_does_more_than_a_value_error(stamp: str, zone: tzinfo | None) -> None:
    for read in (lambda: postgres_time(stamp, zone), lambda: instant(stamp), lambda: local_time(stamp, "%Y", zone)):
        try:
            assert read().tzinfo is UTC
        except ValueError:
            continue
