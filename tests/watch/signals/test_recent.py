"""The last records of a unit, against a plain list."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from muniment.watch.signals.recent import EMPTY, entries, remember

DAYS = st.lists(st.dictionaries(st.integers(0, 3), st.lists(st.integers(0, 2**32 - 1), max_size=9)), max_size=6)


@settings(max_examples=80, deadline=None)
@given(DAYS)
def test_the_last_ones_are_kept_oldest_first(days: list[dict[int, list[int]]]) -> None:
    recent = np.full((4, 5), EMPTY)
    naive: dict[int, list[int]] = {unit: [] for unit in range(4)}
    for day in days:
        units = np.array(sorted(day), np.int64)
        owner = np.repeat(np.arange(len(units)), [len(day[unit]) for unit in sorted(day)])
        record = np.array([one for unit in sorted(day) for one in day[unit]], np.uint32)
        remember(recent, units, owner, record)
        for unit, records in day.items():
            naive[unit] = (naive[unit] + records)[-5:]
    owner, record = entries(recent, np.arange(4))
    assert [record[owner == unit].tolist() for unit in range(4)] == [naive[unit] for unit in range(4)]
