"""The memory of pairs against a dictionary."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from muniment.watch.days import MEMORY_DAYS
from muniment.watch.memory import PairMemory, pairs

days_of_pairs = st.lists(st.tuples(st.integers(0, 60), st.lists(st.integers(0, 12), max_size=6)), max_size=12)


@given(days_of_pairs)
def test_it_knows_what_a_dictionary_knows(steps: list[tuple[int, list[int]]]) -> None:
    memory, told, day = PairMemory(), dict[int, int](), 0
    for gap, some in steps:
        day += gap
        asked = np.arange(13, dtype=np.uint64)
        known = [pair in told and told[pair] >= day - MEMORY_DAYS for pair in range(13)]
        assert memory.known(asked, day).tolist() == known
        memory.add(np.unique(np.array(some, np.uint64)), day)
        told |= dict.fromkeys(some, day)


def test_old_pairs_are_swept() -> None:
    memory = PairMemory()
    for day in range(0, 1_000, 10):
        memory.add(np.array([day], np.uint64), day)
    assert len(memory) <= (MEMORY_DAYS + 30) // 10 + 1


def test_a_pair_is_one_number_and_accounts_lie_together() -> None:
    account, record = np.array([0, 0, 1], np.int32), np.array([5, 2**32 - 1, 0], np.uint32)
    made = pairs(account, record)
    assert (np.diff(made.astype(object)) > 0).all()
    assert len(set(made.tolist())) == 3
