"""Loops over households against plain Python: members, fingerprints, joint classes, unions and traces of events."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muniment.errors import LimitError
from muniment.exposure import household_kernels as loops
from muniment.exposure import kernels

people = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3)), min_size=1, max_size=60)


def gathered(rows: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray, list[tuple[int, ...]]]:
    """Starts and members as the kernel has them, and the members of each household in plain Python."""
    numbers = {home: number for number, home in enumerate(dict.fromkeys(home for home, _ in rows))}
    homes = np.array([numbers[home] for home, _ in rows], np.uint32)
    members = defaultdict(list)
    for home, (_, own) in zip(homes.tolist(), rows, strict=True):
        members[home].append(own)
    plain = [tuple(sorted(members[home])) for home in range(len(numbers))]
    sizes = np.array([len(one) for one in plain], np.int64)
    return *loops.gathered(homes, sizes, np.array([own for _, own in rows], np.uint32)), plain


@settings(deadline=None)
@given(people)
def test_households_are_alike_where_their_members_are(rows: list[tuple[int, int]]) -> None:
    starts, members, plain = gathered(rows)
    assert [tuple(members[one:other].tolist()) for one, other in pairwise(starts.tolist())] == plain
    ids, sizes = loops.matched(starts, members)
    alike = Counter(plain)
    assert sizes[ids].tolist() == [alike[one] for one in plain]
    assert len(sizes) == len(alike)
    joint = Counter((own, home) for home in plain for own in home)
    told = loops.persons_told(starts, members, ids, sizes)
    assert told[0] == len(joint)
    assert {size: count for size, count in enumerate(told.tolist()) if size and count} == Counter(
        joint[own, home] for home in plain for own in home
    )


def test_large_households_are_sorted_and_large_classes_are_told_at_255() -> None:
    own = np.random.default_rng(1).integers(0, 2, 700).tolist()
    starts, members, plain = gathered([(row % 2, one) for row, one in enumerate(own)])
    assert max(map(len, plain)) > loops.SMALL
    assert members.tolist() == [*plain[0], *plain[1]]
    starts, members, _ = gathered([(home, 0) for home in range(300)])
    told = loops.persons_told(starts, members, *loops.matched(starts, members))
    assert told[0] == 1 and told[255] == 300 and told.sum() == 301


def test_a_collision_of_fingerprints_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    starts, members, _ = gathered([(0, 0), (1, 1), (2, 0)])
    with pytest.raises(LimitError, match="collide under every key"):
        loops.matched(starts, members, keys=())
    numbered = kernels.numbered
    shown: list[int] = []

    def collided(prints: np.ndarray, cells: int) -> tuple[np.ndarray, np.ndarray]:
        shown.append(cells)
        return numbered(np.zeros_like(prints) if len(shown) == 1 else prints, cells)

    monkeypatch.setattr(kernels, "numbered", collided)
    ids, sizes = loops.matched(starts, members)
    assert len(shown) == 2
    assert sizes[ids].tolist() == [2, 1, 2]


@settings(deadline=None)
@given(st.integers(1, 30).flatmap(
    lambda rows: st.tuples(st.just(rows), st.lists(st.tuples(*[st.integers(0, rows - 1)] * 2), max_size=40))
))  # fmt: skip
def test_ties_join_across_any_number_of_steps(given_ties: tuple[int, list[tuple[int, int]]]) -> None:
    rows, ties = given_ties
    least = list(range(rows))
    for _ in range(rows):
        for one, other in ties:
            least[one] = least[other] = min(least[one], least[other])
    first, second = (np.array([tie[side] for tie in ties], np.int64) for side in (0, 1))
    assert loops.components(rows, first, second).tolist() == least


@settings(deadline=None)
@given(
    st.lists(st.sets(st.integers(0, 7), max_size=6), min_size=1, max_size=12), st.integers(0, 2**32), st.integers(1, 7)
)
def test_points_are_drawn_once_each_and_single_out_as_in_plain_python(
    traces: list[set[int]], seed: int, most: int
) -> None:
    starts = np.cumsum([0, *map(len, traces)])
    points = np.array([point for trace in traces for point in sorted(trace)], np.uint32)
    having = [[person for person, trace in enumerate(traces) if point in trace] for point in range(8)]
    holders = np.cumsum([0, *map(len, having)])
    persons = np.array([person for each in having for person in each], np.uint32)
    chosen = np.flatnonzero(np.diff(starts))
    draws = loops.drawn(starts, points, chosen, seed, most)
    alone = loops.first_alone(starts, points, holders, persons, chosen, draws)
    for person, drawn, told in zip(chosen.tolist(), draws.tolist(), alone.tolist(), strict=True):
        known = [point for point in drawn if point >= 0]
        assert len(set(known)) == len(known) == min(most, len(traces[person])) and set(known) <= traces[person]
        assert drawn == known + [-1] * (most - len(known))
        like = [sum(set(known[:many]) <= trace for trace in traces) for many in range(1, len(known) + 1)]
        assert told == (like.index(1) + 1 if 1 in like else 0)
