"""Closing a day: once a record, explained where it can be, against a loop that follows the rules."""

from __future__ import annotations

import numpy as np
import pytest

from language.folds import START, context, reads, stream
from muniment.watch.closing import close
from muniment.watch.context.index import ContextIndex
from muniment.watch.context.jobs import JobUse
from muniment.watch.context.tables import Calendar
from muniment.watch.days import Day, Explanation
from muniment.watch.memory import PairMemory, pairs
from muniment.watch.reads import Reads

ACCOUNTS = 6
NONE = np.zeros(0, np.int64)


def closed(some: Reads, *, memory: PairMemory | None = None, confirmed: np.ndarray = NONE, day: int = START) -> Day:
    index = ContextIndex(context(ACCOUNTS))
    return close(some, day, Calendar(), index, memory or PairMemory(), confirmed, JobUse())


@pytest.mark.parametrize("seed", range(4))
def test_each_record_counts_once_an_account_by_its_first_read(seed: int) -> None:
    some = stream(seed, days=1, most=60, persons=60)
    day = closed(some)
    told: dict[tuple[int, int], int] = {}
    for row in range(len(some)):
        told.setdefault((int(some.account[row]), int(some.record[row])), int(some.sequence[row]))
    made = dict(zip(zip(day.account[day.owner].tolist(), day.record.tolist(), strict=True), day.sequence.tolist(),
                    strict=True))  # fmt: skip
    assert made == told
    assert (np.diff(day.sequence)[np.diff(day.owner) == 0] >= 0).all(), "in the order of the ledger"
    assert day.total.sum() == len(some)


def test_records_of_own_cases_are_explained_and_others_are_in_work() -> None:
    day = closed(reads([(START + 0.5, 0, 6), (START + 0.5, 0, 7), (START + 0.5, 0, 999)]))
    assert day.explanation.tolist() == [Explanation.ASSIGNED, Explanation.OTHERS, Explanation.NONE]
    assert day.unexplained.tolist() == [False, True, True]


def test_a_read_that_was_justified_is_explained() -> None:
    some = reads([(START + 0.5, 0, 999), (START + 0.6, 0, 999), (START + 0.7, 0, 998)])
    day = closed(some, confirmed=np.array([2]))
    assert day.record.tolist() == [999, 998]
    assert day.explanation.tolist() == [Explanation.CONFIRMED, Explanation.NONE]
    assert day.sequence.tolist() == [2, 3], "the read kept is the one that is explained"


def test_first_is_asked_of_the_memory_which_stays_as_it_is() -> None:
    memory = PairMemory()
    some = reads([(START + 0.5, 0, 6), (START + 0.5, 0, 7)])
    memory.add(pairs(some.account[:1], some.record[:1]), START - 3)
    assert closed(some, memory=memory).first.tolist() == [False, True]
    assert len(memory) == 1


def test_a_day_without_reads_has_no_account_days() -> None:
    day = closed(Reads.none())
    assert (len(day), day.starts.tolist()) == (0, [0])
