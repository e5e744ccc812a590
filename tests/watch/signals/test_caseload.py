"""Case load: records in others' work, cases of one's own making, and what is not seen without them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from language.account_days import FIRST_DAY, a_day, empty_state, evidence, office_work, with_more
from language.opened_cases import no_cases, opened_cases
from muniment.watch.context.tables import Assignments, Cases, Context
from muniment.watch.days import Day, Explanation
from muniment.watch.signals.caseload import ADDED, PADDING_DAYS, CaseloadSignal

ALARM = np.log(2_000.0 * 10)
NONE, NEVER = np.zeros(0, np.int32), np.zeros(0, np.int64)
NOBODYS = Assignments(NONE, NONE, NONE, NEVER, NEVER)
NO_CASES = no_cases()


def with_others(days: Iterator[Day], extra: int, account: int = 0) -> Iterator[Day]:
    for day in days:
        yield with_more(day, [account] * extra, 200_000 + np.arange(extra), explanation=Explanation.OTHERS)


def test_reads_of_records_in_others_work_are_found() -> None:
    signal = CaseloadSignal()
    state = empty_state(signal)
    context = Context(cases=NO_CASES, assignments=NOBODYS)
    before = evidence(signal, with_others(office_work(1, 100), 1), state, 0, context)
    assert before.max() < ALARM
    days = with_others(office_work(2, 20, start=FIRST_DAY + 100), 7)
    assert evidence(signal, days, state, 0, context).max() > ALARM


def test_without_assignments_others_work_is_nothing_and_without_cases_nothing_is() -> None:
    days = list(with_others(office_work(1, 3), 30))
    for context in (Context(cases=NO_CASES), Context()):
        signal = CaseloadSignal()
        for day in days:
            step = signal.step(day, context, empty_state(signal))
            assert (step.log_e[:, : len(ADDED)] == 0).all()
            assert not step.reads.any()
    assert (step.log_e == 0).all()


@pytest.mark.parametrize(
    ("opener", "age", "hour", "seen"),
    [
        (0, 0, 10, True),
        (0, 0, 8, False),  # opened only after the read
        (0, PADDING_DAYS - 1, 10, True),
        (0, PADDING_DAYS + 1, 10, False),
        (1, 0, 10, False),
        (-1, 0, 10, False),
    ],
)
def test_a_case_of_ones_own_making_is_a_recent_one_that_the_reader_opened(
    opener: int, age: int, hour: int, seen: bool
) -> None:
    cases = opened_cases(np.array([5, opener, 7]), FIRST_DAY - np.array([0, age, 0]), np.array([9, 10, 11]))
    signal = CaseloadSignal()
    day = a_day(FIRST_DAY, [0, 0], [10, 12], explanation=Explanation.ASSIGNED, minute=hour * 60)
    step = signal.step(day, Context(cases=cases), empty_state(signal))
    assert step.reads.tolist() == [seen, False]


def test_of_several_cases_the_newest_before_the_read_counts() -> None:
    cases = opened_cases(np.zeros(3, np.int32), FIRST_DAY + np.array([-300, -2, 5]), np.array([10, 10, 10]))
    signal = CaseloadSignal()
    step = signal.step(a_day(FIRST_DAY, [0], [10]), Context(cases=cases), empty_state(signal))
    assert step.reads.tolist() == [True]


def padded(days: Iterator[Day], extra: int, account: int) -> tuple[list[Day], Cases]:
    """Days on which an account also reads records over which it opened cases that morning."""
    made = [
        with_more(day, [account] * extra, 300_000 + i * extra + np.arange(extra), explanation=Explanation.ASSIGNED)
        for i, day in enumerate(days)
    ]
    days_of = np.repeat([day.day for day in made], extra)
    return made, opened_cases(np.full(len(days_of), account), days_of, 300_000 + np.arange(len(days_of)))


def test_a_clerk_who_begins_to_open_cases_in_order_to_read_is_found_an_intake_desk_is_not() -> None:
    signal = CaseloadSignal()
    state = empty_state(signal)
    quiet, cases = padded(office_work(1, 120), 2, account=3)
    assert evidence(signal, quiet, state, 3, Context(cases=cases)).max() < ALARM
    new, more = padded(office_work(2, 25, start=FIRST_DAY + 120), 9, account=5)
    assert evidence(signal, new, state, 5, Context(cases=more)).max() > ALARM


def test_a_day_without_accounts_is_no_trouble() -> None:
    signal = CaseloadSignal()
    empty = a_day(FIRST_DAY, np.zeros(0, np.int32), np.zeros(0, np.uint32))
    step = signal.step(empty, Context(cases=NO_CASES, assignments=NOBODYS), empty_state(signal))
    assert step.log_e.shape == (0, 2 * len(ADDED))
