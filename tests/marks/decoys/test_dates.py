"""Dates are read and written back in their own layout, for any day."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.marks.decoys.dates import read_date

LAYOUTS = {
    "iso": lambda d: f"{d.year:04}-{d.month:02}-{d.day:02}",
    "plain": lambda d: f"{d.year:04}{d.month:02}{d.day:02}",
    "strokes": lambda d: f"{d.year:04}/{d.month:02}/{d.day:02}",
    "day first": lambda d: f"{d.day:02}/{d.month:02}/{d.year:04}",
    "republic": lambda d: f"民國{d.year - 1911}年{d.month}月{d.day}日",
    "stamp": lambda d: f"{d.year:04}-{d.month:02}-{d.day:02} 08:15:00",
}
DAYS = st.dates(date(1912, 1, 1), date(2050, 12, 31))


@pytest.mark.parametrize("layout", LAYOUTS)
@given(first=DAYS, second=DAYS)
def test_another_day_is_written_in_the_same_layout(layout, first, second):
    written = read_date(LAYOUTS[layout](first))
    assert written is not None
    assert written.day == first.toordinal()
    assert written.at(second.toordinal()) == LAYOUTS[layout](second)


def test_days_that_are_not_padded_stay_so():
    assert read_date("1987/3/5").at(date(1990, 7, 9).toordinal()) == "1990/7/9"
    assert read_date("民國76年3月5日").at(date(1990, 11, 29).toordinal()) == "民國79年11月29日"


def test_the_time_of_day_is_apart():
    written = read_date("2026-05-01T08:15:00+08:00")
    assert written.rest == "T08:15:00+08:00"
    assert written.at(written.day + 1, "T09:00:00+08:00") == "2026-05-02T09:00:00+08:00"


@pytest.mark.parametrize("text", [None, "", "yesterday", "2026-13-01", "19621399", "12", "0000-00-00"])
def test_what_is_no_date_is_not_read(text):
    assert read_date(text) is None
