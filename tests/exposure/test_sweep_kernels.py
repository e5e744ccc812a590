"""Loops of the sweep against plain Python: counted within blocks, split into smaller ones, moved along."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from muniment.exposure.sweep_kernels import CLEARED_A_ROW, counted, moved, split

SIZE = 3
blocks = st.lists(st.lists(st.tuples(st.integers(0, 4), st.integers(0, SIZE - 1)), max_size=8), max_size=20)
Blocks = list[list[tuple[int, int]]]


def arrays(found: Blocks) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows = [row for block in found for row in block]
    bounds = np.cumsum([0, *map(len, found)]).astype(np.uint32)
    return bounds, np.array([row[0] for row in rows], np.uint16), np.array([row[1] for row in rows], np.uint8)


@settings(deadline=None)
@given(blocks)
def test_classes_and_rows_alone_are_counted_within_each_block(found: Blocks) -> None:
    bounds, prefix, codes = arrays(found)
    both = Counter((number, row) for number, block in enumerate(found) for row in block)
    second = Counter((number, row[1]) for number, block in enumerate(found) for row in block)
    assert counted(bounds, prefix, codes, SIZE, 5 * SIZE) == (len(both), list(both.values()).count(1))
    assert counted(bounds, prefix, codes, 0, SIZE) == (len(second), list(second.values()).count(1))


def test_marks_of_many_blocks_do_not_run_into_one_another() -> None:
    rng = np.random.default_rng(1)
    found = [[(int(one), int(other)) for one, other in rng.integers(0, 2, (6, 2))] for _ in range(700)]
    bounds, prefix, codes = arrays(found)
    sizes = Counter((number, row) for number, block in enumerate(found) for row in block)
    wanted = len(sizes), list(sizes.values()).count(1)
    few, many = 9, 1_000 + CLEARED_A_ROW * len(codes)  # all counters are cleared, or those that were touched
    assert counted(bounds, prefix, codes, 3, few) == counted(bounds, prefix, codes, 3, many) == wanted


@settings(deadline=None)
@given(blocks)
def test_a_split_has_the_rows_that_are_not_alone_in_order(found: Blocks) -> None:
    bounds, key, other = arrays(found)
    wanted: list[list[int]] = []
    for begin, end in pairwise(bounds.tolist()):
        alike: dict[int, list[int]] = {}
        for row in range(begin, end):
            alike.setdefault(int(key[row]), []).append(row)
        wanted += [rows for rows in alike.values() if len(rows) > 1]
    stay = [row for rows in wanted for row in rows]
    places, within = split(bounds, key, 5, len(wanted), len(stay))
    assert within.tolist() == np.cumsum([0, *map(len, wanted)]).tolist()
    assert moved(np.arange(len(key), dtype=np.uint32), places, len(stay)).tolist() == stay
    told = moved(other, places, len(stay))
    assert told.dtype == other.dtype and told.tolist() == other[stay].tolist()
    assert set(places.tolist()) <= set(range(len(stay) + 1))
