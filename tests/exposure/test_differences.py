"""Counts taken together: differences, trackers and small systems, against brute force over the rationals."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muniment.errors import InputError, LimitError
from muniment.exposure.differences import tell
from muniment.exposure.floor import Count


def _set(*parts: range | int) -> np.ndarray:
    return np.array([p for part in parts for p in (part if isinstance(part, range) else [part])], np.uint32)


def test_counts_of_many_persons_apart_are_safe() -> None:
    found = tell([_set(range(0, 20)), _set(range(20, 50)), _set(range(0, 50))])
    assert found.safe and found.settled and found.exposed == Count(0)


def test_a_difference_of_one_person_is_told() -> None:
    found = tell([_set(range(0, 50)), _set(range(1, 50))])
    assert (found.pairs, found.exposed, found.safe) == (1, Count(1, hidden=True), False)


def test_a_tracker_of_four_counts_is_found_although_no_pair_is_nested() -> None:
    """A + B, B + C, C + A tell of A (20 persons); with a count of A and one person more, that person is told."""
    a, b, c = range(0, 20), range(20, 40), range(40, 60)
    pairs = [_set(a, b), _set(b, c), _set(c, a)]
    assert tell(pairs).safe
    found = tell([*pairs, _set(a, 99)])
    assert found.pairs == 0 and not found.safe and found.exposed == Count(1, hidden=True)


def test_overlapping_counts_of_few_alone_are_safe() -> None:
    found = tell([_set(range(0, 12)), _set(range(6, 18))])
    assert found.safe


def test_nobody_tells_nothing_and_the_same_count_twice_is_one() -> None:
    assert tell([]).safe
    assert tell([_set(), _set(range(10)), _set(range(10))]).counts == 1
    assert not tell([_set(range(9))]).safe


def test_too_many_counts_and_persons_twice_are_refused() -> None:
    with pytest.raises(LimitError, match="65 counts"):
        tell([_set(range(n, n + 20)) for n in range(65)])
    with pytest.raises(InputError, match="twice"):
        tell([_set(range(10), 3)])


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(1, 2**6 - 1), min_size=1, max_size=5), st.lists(st.integers(1, 4), min_size=6, max_size=6))
def test_equals_brute_force(chosen: list[int], sizes: list[int]) -> None:
    """Six groups of 1 to 4 persons, floor 4: some weighting over fewer persons exists, or does not."""
    starts = np.concatenate(([0], np.cumsum(sizes)))
    counts = [_set(*(range(starts[g], starts[g + 1]) for g in range(6) if mask >> g & 1)) for mask in chosen]
    found = tell(counts, floor=4)
    matrix = [[Fraction(mask >> g & 1) for g in range(6)] for mask in chosen]
    assert found.settled
    assert (found.exposed.at_least > 0) == _tells(matrix, sizes, 4)


def _tells(matrix: list[list[Fraction]], sizes: list[int], floor: int) -> bool:
    """A vector of the row space on groups of fewer persons exists iff the other columns have a smaller rank."""
    whole = _rank(matrix)
    for count in range(1, 7):
        for few in combinations(range(6), count):
            if sum(sizes[g] for g in few) < floor:
                rest = [[row[g] for g in range(6) if g not in few] for row in matrix]
                if _rank(rest) < whole:
                    return True
    return False


def _rank(matrix: list[list[Fraction]]) -> int:
    rows, rank = [list(row) for row in matrix], 0
    for column in range(len(rows[0]) if rows else 0):
        pivot = next((r for r in range(rank, len(rows)) if rows[r][column]), None)
        if pivot is None:
            continue
        rows[rank], rows[pivot] = rows[pivot], rows[rank]
        for r in range(rank + 1, len(rows)):
            factor = rows[r][column] / rows[rank][column]
            rows[r] = [x - factor * y for x, y in zip(rows[r], rows[rank], strict=True)]
        rank += 1
    return rank
