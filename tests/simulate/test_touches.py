"""Touches: a record counts once per account and day, and work on a case goes before all else."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from muniment.simulate.touches import Touches

RECORDS = 7
ROWS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, RECORDS - 1), *[st.integers(-1, 1)] * 2),
    min_size=1, max_size=40,
)  # fmt: skip


def touches(rows: list[tuple[int, ...]]) -> Touches:
    account, day, record, case, job = np.array(rows, np.int64).T
    none = np.zeros(len(rows), np.int64)
    return Touches(account, day, record, case, none, none - 1, job)


@given(ROWS)
def test_each_record_is_left_once_an_account_and_day(rows: list[tuple[int, ...]]) -> None:
    found = touches(rows).distinct(RECORDS)
    keys = list(zip(found.account.tolist(), found.day.tolist(), found.record.tolist(), strict=True))
    assert len(set(keys)) == len(keys) and set(keys) == {row[:3] for row in rows}


@given(ROWS)
def test_what_has_a_reason_is_kept_before_what_has_none(rows: list[tuple[int, ...]]) -> None:
    found = touches(rows).distinct(RECORDS)
    for account, day, record, case, job in zip(
        found.account, found.day, found.record, found.case, found.job, strict=True
    ):
        alike = [row for row in rows if row[:3] == (account, day, record)]
        assert (case >= 0 or job >= 0) == any(row[3] >= 0 or row[4] >= 0 for row in alike)
        assert (account, day, record, case, job) in rows


def test_joined_and_taken_apart_again_all_columns_are_the_same() -> None:
    one, other = touches([(0, 1, 2, -1, 0), (2, 3, 4, 1, -1)]), touches([(1, 1, 1, 0, 1)])
    whole = Touches.joined([one, other])
    assert len(whole) == 3
    for column in fields(Touches):
        assert getattr(whole.take(np.array([2])), column.name).tolist() == getattr(other, column.name).tolist()
        assert getattr(whole.take(whole.account != 1), column.name).tolist() == getattr(one, column.name).tolist()


def test_outside_cases_lists_and_jobs_all_are_none() -> None:
    found = Touches.of(np.array([1, 1]), np.array([0, 2]), np.array([5, 6]), oddity=3)
    assert found.case.tolist() == found.list.tolist() == found.job.tolist() == [-1, -1]
    assert found.oddity.tolist() == [3, 3]
