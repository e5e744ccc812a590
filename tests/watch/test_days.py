"""Account-days against the plain way: who owns which read, what counts, what is a harvest's stuff."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.account_days import FIRST_DAY, a_day, so_far
from muniment.watch.days import Explanation

READS = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from(Explanation), st.booleans(), st.booleans()), min_size=1, max_size=30
)


@given(READS)
def test_owners_and_counts_are_those_of_a_loop(reads: list[tuple[int, Explanation, bool, bool]]) -> None:
    reads = sorted(reads, key=lambda read: read[0])
    account, explanation, first, chosen = (list(column) for column in zip(*reads, strict=True))
    day = a_day(FIRST_DAY, account, np.arange(len(reads)), explanation=explanation, first=first)
    assert len(day) == len(set(account))
    assert day.account[day.owner].tolist() == account
    count = day.count(np.array(chosen))
    assert count.dtype == np.int64
    assert count.tolist() == [
        sum(take for who, take in zip(account, chosen, strict=True) if who == one) for one in day.account.tolist()
    ]


@given(READS)
def test_fresh_is_a_first_read_without_reason(reads: list[tuple[int, Explanation, bool, bool]]) -> None:
    reads = sorted(reads, key=lambda read: read[0])
    account, explanation, first, _ = (list(column) for column in zip(*reads, strict=True))
    day = a_day(FIRST_DAY, account, np.arange(len(reads)), explanation=explanation, first=first)
    reasons = {Explanation.OPEN, Explanation.OFFICE, Explanation.ASSIGNED, Explanation.JOB, Explanation.CONFIRMED}
    assert day.unexplained.tolist() == [one not in reasons for one in explanation]
    assert day.fresh.tolist() == [new and one not in reasons for one, new in zip(explanation, first, strict=True)]


def test_reasons_are_ordered_from_none_to_confirmed_by_a_human() -> None:
    order = ["NONE", "OTHERS", "SELF", "OPEN", "OFFICE", "ASSIGNED", "JOB", "CONFIRMED"]
    assert [one.name for one in sorted(Explanation)] == order


def test_an_account_day_without_reads_counts_none_and_nothing_is_printed() -> None:
    day = a_day(FIRST_DAY, [3, 5], [4_711, 4_712])
    assert day.count(np.zeros(2, bool)).tolist() == [0, 0]
    assert "4711" not in repr(day) and "4711" not in repr(so_far(FIRST_DAY, 4_711, [1, 2]))
    with pytest.raises(AttributeError):
        day.day = 1  # type: ignore[misc]


def test_a_prefix_is_as_long_as_its_disclosures() -> None:
    assert len(so_far(FIRST_DAY, 1, [1, 4, 9])) == 3
