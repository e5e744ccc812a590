"""Texts that a person types."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from muniment.cli.arguments import columns, day, moment, pairs, public_key, zone
from muniment.errors import InputError


@pytest.mark.parametrize(
    ("typed", "names"),
    [("a", ("a",)), ("a, b", ("a", "b")), ('"a,b",c', ("a,b", "c")), ("姓名,電話", ("姓名", "電話"))],
)
def test_columns(typed: str, names: tuple[str, ...]) -> None:
    assert columns(typed) == names


@pytest.mark.parametrize("typed", ["", ",", "a,", " "])
def test_no_columns(typed: str) -> None:
    with pytest.raises(InputError, match="expected column names"):
        columns(typed)


def test_pairs_part_at_the_last_sign() -> None:
    assert pairs("--map", ["a=b=c", "電話=phone"]) == {"a=b": "c", "電話": "phone"}
    assert pairs("--map", None) == {}


@pytest.mark.parametrize("typed", [["a"], ["=b"], ["a="], ["a=b", "a=c"]])
def test_no_pairs(typed: list[str]) -> None:
    with pytest.raises(InputError, match="--map"):
        pairs("--map", typed)


def test_a_date_alone_is_the_end_of_its_day() -> None:
    assert moment("2026-03-01") - datetime(2026, 3, 1).astimezone() == timedelta(days=1)
    assert moment("2026-03-01", start=True) == datetime(2026, 3, 1).astimezone()
    assert moment("2026-03-01T10:00+08:00", start=True) == moment("2026-03-01T10:00+08:00")
    assert moment("2026-03-01T10:00+08:00") == datetime.fromisoformat("2026-03-01T02:00+00:00")
    assert moment("2026-03-01T10:00").tzinfo is not None


@pytest.mark.parametrize("typed", ["today", "", "2026-13-01", "9999-12-31"])
def test_no_moment(typed: str) -> None:
    with pytest.raises(InputError, match="expected a date"):
        moment(typed)


def test_day() -> None:
    assert day("--expires", "2026-02-28") == date(2026, 2, 28)
    with pytest.raises(InputError, match="--expires"):
        day("--expires", "2026-02-30")


def test_public_key() -> None:
    assert public_key("ab" * 32) == b"\xab" * 32
    for typed in ("ab", "zz" * 32, ""):
        with pytest.raises(InputError, match="64 hexadecimal digits"):
            public_key(typed)


@pytest.mark.parametrize(
    ("typed", "hours"), [("+08:00", 8), ("-05:00", -5), ("+0530", 5.5), ("Asia/Taipei", 8), ("UTC", 0)]
)
def test_zones(typed: str, hours: float) -> None:
    assert datetime(2026, 3, 1, tzinfo=zone(typed)).utcoffset() == timedelta(hours=hours)


@pytest.mark.parametrize("typed", ["", "+", "+99:00", "8", "Asia", "../etc/passwd", "/etc/passwd", "No/Land", "a\0b"])
def test_no_zone(typed: str) -> None:
    with pytest.raises(InputError, match="--zone"):
        zone(typed)
