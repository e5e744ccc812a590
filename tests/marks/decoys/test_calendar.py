"""Dates of decoys: plausible families that are no copies of real ones, and stamps of a working office."""

from collections import Counter, defaultdict
from datetime import date

import pytest

from language.decoy_registers import demo_decoys, demo_habits, demo_table
from muniment.marks.decoys.calendar import Calendar
from muniment.marks.decoys.coins import Coins
from muniment.marks.decoys.dates import read_date


@pytest.fixture(scope="module")
def drawn():
    """Old rows, new days and new cells of the units of three and more."""
    calendar, coins = Calendar(demo_habits()), Coins(b"c" * 32)
    units = [rows for rows in demo_habits().units if len(rows) >= 3][:300]
    return [(rows, *calendar.draw(rows, coins)) for rows in units]


def test_no_family_is_a_copy_of_the_one_that_lent_its_form(drawn):
    days = demo_habits().days
    same = sum(
        all(new[at] - new[0] == days[row] - days[rows[0]] for at, row in enumerate(rows)) for rows, new, _ in drawn
    )
    assert same <= len(drawn) * 0.01


def test_births_and_stamps_keep_their_order_and_layout(drawn):
    last = max(read_date(cell).day for cell in demo_table()["registered_at"])
    for rows, _, cells in drawn:
        for row, new in zip(rows, cells, strict=True):
            born, stamp = read_date(new["birth_date"]), read_date(new["registered_at"])
            assert stamp.day <= last
            assert born is None or born.day <= stamp.day
            assert (born is None) == (demo_table()["birth_date"][row] is None)
            assert stamp.text[10] == " "


def test_stamps_fall_on_working_days_and_are_shared_as_before(drawn):
    for rows, _, cells in drawn:
        old = [demo_table()["registered_at"][row] for row in rows]
        new = [cell["registered_at"] for cell in cells]
        assert all(date.fromisoformat(stamp[:10]).weekday() < 5 for stamp in new)
        assert [old.index(stamp) for stamp in old] == [new.index(stamp) for stamp in new]


def test_a_child_registered_after_birth_still_is(drawn):
    seen = 0
    for rows, _, cells in drawn:
        for row, new in zip(rows, cells, strict=True):
            born, stamp = read_date(demo_table()["birth_date"][row]), read_date(demo_table()["registered_at"][row])
            if born is not None and stamp.day - born.day < 35:
                seen += 1
                assert read_date(new["registered_at"]).day - read_date(new["birth_date"]).day == stamp.day - born.day
    assert seen > 30


def test_new_year_births_heap_as_they_did():
    def share(table):
        days = Counter((cell or "")[5:] for cell in table["birth_date"])
        return days["01-01"] / table.rows

    assert share(demo_table()) * 0.4 < share(demo_decoys()) < share(demo_table()) * 2.5
    assert share(demo_table()) > 3 / 365


def test_parents_are_older_than_children(drawn):
    gaps = defaultdict(list)
    for rows, new, _ in drawn:
        for row, day in zip(rows[2:], new[2:], strict=True):
            old = demo_habits().days[row] - demo_habits().days[rows[0]]
            if old > 17 * 365:
                gaps["child"].append(day - new[0])
    assert sum(gap > 16 * 365 for gap in gaps["child"]) > 0.97 * len(gaps["child"])
