"""Classes cut by one column against brute force: what stays alike, who is alone now, who was left out."""

from collections import defaultdict
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from muniment.exposure.extract import Coded
from muniment.exposure.suda_kernels import Alike, Cutter, everybody

VALUES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.booleans()), min_size=1, max_size=150)


def coded(values: list[int]) -> Coded:
    return Coded("a", np.array(values, np.uint8), 4)


def bits(rows: list[int], of: int) -> np.ndarray:
    words = np.zeros((of + 63) // 64, np.uint64)
    for row in rows:
        words[row // 64] |= np.uint64(1 << row % 64)
    return words


def groups(alike: Alike) -> set[tuple[int, ...]]:
    rows, bounds = alike.rows.tolist(), alike.bounds.tolist()
    return {tuple(sorted(rows[one:other])) for one, other in pairwise(bounds)}


@settings(deadline=None)
@given(VALUES)
def test_two_cuts_leave_the_classes_of_both_columns(rows: list[tuple[int, int, bool]]):
    known = [number for number, (*_, out) in enumerate(rows) if out]
    words, least = bits(known, len(rows)), np.full(len(rows), 255, np.uint8)
    first = Cutter(coded([one for one, *_ in rows])).cut(everybody(len(rows)), words.copy(), least, 1)
    by_key = defaultdict(list)
    for number, (one, other, _) in enumerate(rows):
        by_key[one, other].append(number)
    cutter = Cutter(coded([other for _, other, _ in rows]))
    for _ in range(2):  # its counters are back at nothing after each cut
        told, made = words.copy(), words.copy()
        seen = least.copy()
        alone = cutter.tell(first, told, seen, 2)
        again = cutter.cut(first, made, least.copy(), 2)
        assert (told == made).all() and alone == int(np.bitwise_count(told).sum()) - len(known)
        kept = {key: [row for row in found if row not in known] for key, found in by_key.items()}
        ids = {row for group in groups(first) for row in group}
        assert groups(again) == {tuple(found) for found in kept.values() if len(found) > 1}
        singles = {found[0] for found in kept.values() if len(found) == 1} & ids
        assert {row for row in range(len(rows)) if seen[row] == 2} == {row for row in singles if least[row] > 2}


def test_nobody_is_left():
    cutter = Cutter(Coded("id", np.arange(70, dtype=np.uint8), 70))
    known = np.zeros(2, np.uint64)
    finer = cutter.cut(everybody(70), known, np.full(70, 255, np.uint8), 1)
    assert not len(finer.rows) and finer.bounds.tolist() == [0]
    assert int(np.bitwise_count(known).sum()) == 70
