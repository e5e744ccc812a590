"""Open days: what each disclosure makes of the day so far, against a loop that follows the rules."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from language.folds import START, context, reads, stream
from muniment.watch.context.index import ContextIndex
from muniment.watch.days import Explanation, Prefix
from muniment.watch.memory import PairMemory, pairs
from muniment.watch.opening import OpenDays
from muniment.watch.reads import Reads

ACCOUNTS = 6
NEVER = np.full(ACCOUNTS, -1, np.int64)


def prefix(days: OpenDays, some: Reads, *, memory: PairMemory | None = None, day: int = START) -> Prefix:
    made = context(ACCOUNTS)
    return days.prefix(some, day, made, ContextIndex(made), memory or PairMemory(), NEVER)


@pytest.mark.parametrize("seed", range(4))
def test_counts_follow_the_ledger(seed: int) -> None:
    some = stream(seed, days=1, most=60, persons=300)
    so_far = prefix(OpenDays(), some)
    index, seen = ContextIndex(context(ACCOUNTS)), set[tuple[int, int]]()
    office, _ = index.offices(some.account, some.moment)
    why = index.explain(some.account, office, some.record, some.case, some.moment, START * 86_400_000)
    reads_of, fresh_of = Counter[int](), Counter[int]()
    told = {}
    for row in range(len(some)):
        account, pair = int(some.account[row]), (int(some.account[row]), int(some.record[row]))
        if pair not in seen:
            reads_of[account] += 1
            fresh_of[account] += bool(why[row] <= Explanation.SELF)
        seen.add(pair)
        told[int(some.sequence[row])] = (account, reads_of[account], fresh_of[account])
    made = zip(so_far.account.tolist(), so_far.reads.tolist(), so_far.fresh.tolist(), strict=True)
    assert dict(zip(so_far.sequence.tolist(), made, strict=True)) == told


def test_what_was_read_on_days_before_is_not_fresh() -> None:
    memory, days = PairMemory(), OpenDays()
    memory.add(pairs(np.zeros(1, np.int32), np.array([900], np.uint32)), START - 10)
    prefix(days, reads([(START - 0.5, 0, 901)]), day=START - 1)
    so_far = prefix(days, reads([(START + 0.5, 0, n) for n in (900, 901, 902)], first=2), memory=memory)
    assert so_far.fresh.tolist() == [0, 0, 1]
    assert so_far.given.tolist() == [0, 0, 1]


def test_decoys_and_idle_days_are_told() -> None:
    from dataclasses import replace

    made = replace(context(ACCOUNTS), decoys=np.array([901], np.uint32))
    last = np.array([START - 40, -1, -1, -1, -1, -1])
    some = reads([(START + 0.5, 0, 900), (START + 0.5, 0, 901), (START + 0.5, 1, 5)])
    so_far = OpenDays().prefix(some, START, made, ContextIndex(made), PairMemory(), last)
    assert so_far.decoys.tolist() == [0, 1, 0]
    assert so_far.idle.tolist() == [40, 40, -1]


def test_what_is_remembered_is_not_counted_again() -> None:
    days = OpenDays()
    days.take(START).remember(reads([(START + 0.5, 0, 900)]))
    so_far = prefix(days, reads([(START + 0.6, 0, 900), (START + 0.6, 0, 901)], first=2))
    assert so_far.reads.tolist() == [0, 1]
    assert len(days.pop(START)) == 3
    assert days.days == ()
