"""Reads under declared bulk work: the first distinct records, over days, restarts and versions of the table."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from language.contexts import DAY, NOBODY, World
from muniment.watch.context.index import ContextIndex
from muniment.watch.context.jobs import JobUse
from muniment.watch.days import Explanation

Read = tuple[int, int, int, int]
"""Account, record, case, moment."""


def under(jobs: list[tuple[int, int, int, int, int]], reads: list[Read], used: JobUse | None = None) -> list[bool]:
    """Which reads a job explains."""
    account, record, case, moment = (np.array([read[i] for read in reads], np.int64) for i in range(4))
    nobody = np.full(len(reads), NOBODY, np.int32)
    found = ContextIndex(World(jobs=jobs).context()).explain(
        account.astype(np.int32), nobody, record.astype(np.uint32), case.astype(np.int32), moment, 0, used
    )
    return (found == Explanation.JOB).tolist()


def test_a_job_explains_its_account_in_its_time() -> None:
    job = [(1, NOBODY, DAY, 2 * DAY, 10)]
    reads = [
        (1, 5, NOBODY, DAY),
        (1, 5, NOBODY, 2 * DAY),
        (1, 5, NOBODY, DAY - 1),
        (2, 5, NOBODY, DAY),
        (-1, 5, -1, DAY),
    ]
    assert under(job, reads) == [True, False, False, False, False]


def test_a_job_of_a_case_explains_reads_that_name_it() -> None:
    assert under([(1, 4, 0, DAY, 10)], [(1, 5, 4, 1), (1, 6, NOBODY, 1), (1, 7, 3, 1)]) == [True, False, False]


def test_the_first_distinct_records_alone() -> None:
    reads = [(1, record, NOBODY, 1) for record in (8, 3, 8, 9, 3, 1)]
    assert under([(1, NOBODY, 0, DAY, 2)], reads) == [True, True, True, False, True, False]


def test_a_job_goes_on_from_call_to_call() -> None:
    used, job = JobUse(), [(1, NOBODY, 0, 9 * DAY, 3)]
    assert under(job, [(1, 8, NOBODY, 1), (1, 3, NOBODY, 2)], used) == [True, True]
    assert under(job, [(1, 8, NOBODY, DAY), (1, 4, NOBODY, DAY), (1, 5, NOBODY, DAY)], used) == [True, True, False]
    pairs, moments = used.state()
    again = JobUse(pairs.copy(), moments.copy())
    assert under(job, [(1, 6, NOBODY, 2 * DAY), (1, 3, NOBODY, 2 * DAY)], again) == [False, True]


def test_a_later_job_of_the_account_begins_anew() -> None:
    used = JobUse()
    assert under([(1, NOBODY, 0, DAY, 1)], [(1, 8, NOBODY, 1), (1, 9, NOBODY, 2)], used) == [True, False]
    assert under([(1, NOBODY, DAY, 2 * DAY, 1)], [(1, 9, NOBODY, DAY), (1, 7, NOBODY, DAY)], used) == [True, False]


def test_records_of_an_earlier_job_use_up_a_later_one_too() -> None:
    used = JobUse()
    under([(1, NOBODY, 0, DAY, 9)], [(1, record, NOBODY, 1) for record in range(5)], used)
    later = [(1, NOBODY, DAY, 2 * DAY, 2)]
    assert [under(later, [(1, record, NOBODY, DAY)], used) for record in range(4)] == [[True], [True], [False], [False]]


def test_what_is_forgotten_counts_no_more() -> None:
    used = JobUse()
    under([(1, NOBODY, 0, DAY, 5)], [(1, 8, NOBODY, 1), (1, 9, NOBODY, 7)], used)
    used.forget(7)
    assert len(used) == 1
    assert "9" not in repr(used)


@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 6), st.just(NOBODY), st.integers(0, 9)), max_size=20),
    st.integers(1, 4), st.integers(0, 20),
)  # fmt: skip
def test_reads_in_parts_use_a_job_as_all_at_once(reads: list[Read], most: int, cut: int) -> None:
    jobs, used = [(0, NOBODY, 2, 8, most), (1, NOBODY, 0, 5, most)], JobUse()
    parts = under(jobs, reads[:cut], used) + under(jobs, reads[cut:], used)
    assert parts == under(jobs, reads)
