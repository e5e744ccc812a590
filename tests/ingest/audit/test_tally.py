"""Counts, faults and open questions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from language.audit_logs import READING
from muniment.disclosure import Outcome, Party
from muniment.errors import InputError
from muniment.ingest.audit.tally import FAULTS_KEPT, Fault, Policy, Question, Tally, left_open


def test_strict_ends_at_the_first_fault_with_its_line() -> None:
    with pytest.raises(InputError, match=r"a\.log: line 7: no JSON") as raised:
        Tally("a.log", Policy.STRICT).refuse(7, "no JSON")
    assert raised.value.hint


def test_skip_counts_faults_and_keeps_the_first() -> None:
    tally = Tally("a.log", Policy.SKIP)
    for line in range(1, FAULTS_KEPT + 11):
        tally.refuse(line, "no JSON", 2)
    summary = tally.summary("JSON")
    assert summary.lost_lines == 2 * (FAULTS_KEPT + 10)
    assert summary.reasons == (("no JSON", FAULTS_KEPT + 10),)
    assert len(summary.faults) == FAULTS_KEPT and summary.faults[0] == Fault(1, "no JSON", 2)


def test_a_count_only_reading_leaves_the_persons_open() -> None:
    assert left_open(replace(READING, keys=None, rows=None, columns=None)) == (
        Question.WHO_RECEIVED, Question.OVERLAP, Question.RECEIVED, Question.ROWS, Question.COLUMNS, Question.CASE,
    )  # fmt: skip
    assert left_open(replace(READING, case="C-1")) == ()
    assert left_open(replace(READING, case="C-1", exact=False)) == (Question.GIVEN,)


def test_a_refusal_leaves_nothing_open_about_records() -> None:
    refused = replace(READING, outcome=Outcome.REFUSED, keys=None, rows=None, party=Party("", "clerk"), purpose="")
    assert left_open(refused) == (Question.RECIPIENT, Question.PURPOSE, Question.CASE)


def test_the_summary_says_what_a_log_can_no_longer_answer() -> None:
    tally = Tally("a.log", Policy.SKIP)
    for keys in (None, None, (("1",),)):
        tally.count(replace(READING, keys=keys))
    summary = tally.summary("CSV")
    assert (summary.readings, summary.keyed, summary.counted) == (3, 1, 2)
    assert dict(summary.unanswered) == {
        Question.WHO_RECEIVED: 2, Question.OVERLAP: 2, Question.RECEIVED: 2, Question.CASE: 3,
    }  # fmt: skip
    assert not summary.count_only
    lost = Tally("a.log", Policy.SKIP)
    assert not lost.summary("CSV").count_only
    lost.count(replace(READING, keys=None))
    assert lost.summary("CSV").count_only
