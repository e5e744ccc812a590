"""Unicity: the kernels against brute force on the same draws, and the bounds of the shares."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.households import coded
from muniment.errors import InputError
from muniment.exposure import household_kernels
from muniment.exposure.unicity import traces_of, unicity

events = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 4), st.integers(0, 2)), min_size=1, max_size=60)


@given(events, st.integers(0, 2**63))
def test_the_first_p_that_singles_out_equals_brute_force(rows: list[tuple[int, int, int]], seed: int) -> None:
    person, place, day = np.array(rows).T
    traces = traces_of(coded("person", person), (coded("place", place), coded("day", day)))
    held = [set(traces.points[first:last].tolist()) for first, last in pairwise(traces.starts)]
    points_of = [{row[1:] for row in rows if row[0] == who} for who in sorted(set(person.tolist()))]
    assert [len(one) for one in held] == [len(one) for one in points_of]
    chosen = np.arange(len(held))
    draws = household_kernels.drawn(traces.starts, traces.points, chosen, seed, 4)
    alone = household_kernels.first_alone(
        traces.starts, traces.points, traces.holders, traces.persons, chosen, draws
    )
    for who, known in enumerate(draws.tolist()):
        points = [point for point in known if point >= 0]
        assert len(set(points)) == len(points) == min(4, len(held[who])) and set(points) <= held[who]
        firsts = [p for p in range(1, len(points) + 1) if sum(set(points[:p]) <= other for other in held) == 1]
        assert alone[who] == min(firsts, default=0)


def test_every_set_of_points_is_as_likely() -> None:
    persons, points = np.repeat(np.arange(6000), 4), np.tile(np.arange(4), 6000)
    traces = traces_of(coded("person", persons), (coded("place", points),))
    draws = household_kernels.drawn(traces.starts, traces.points, np.arange(6000), 1, 2)
    times = np.unique(draws[:, 0] * 4 + draws[:, 1], return_counts=True)[1]
    assert len(times) == 12 and times.min() > 400 and times.max() < 600


def test_a_point_of_ones_own_singles_out_and_a_common_trace_does_not() -> None:
    persons = coded("person", np.repeat(np.arange(100), 3))
    own = unicity(persons, (coded("place", np.arange(300)),))
    assert [one.value for one in own.singled] == [1.0, 1.0, 1.0, 0.0] and own.singled[3].told is None
    common = unicity(persons, (coded("place", np.tile(np.arange(3), 100)),), most=3)
    assert [one.value for one in common.singled] == [0.0] * 3


def test_a_sample_is_stated_and_repeatable() -> None:
    rng = np.random.default_rng(4)
    persons, places = coded("person", rng.integers(0, 500, 5000)), coded("place", rng.integers(0, 60, 5000))
    told = unicity(persons, (places,), tried=200, seed=9)
    assert told == unicity(persons, (places,), tried=200, seed=9)
    assert (told.persons.at_least, told.tried.at_least) == (500, 200)
    whole = unicity(persons, (places,), seed=9)
    for part, all_of in zip(told.singled, whole.singled, strict=True):
        assert part.told is not None and part.told.low - 0.05 <= all_of.value <= part.told.high + 0.05


def test_events_of_nobody_are_left_out_and_few_persons_refused() -> None:
    persons = replace(coded("person", np.repeat(np.arange(21), 2)), null=0)
    places = coded("place", np.arange(42))
    assert unicity(persons, (places,), most=2).persons.at_least == 20
    with pytest.raises(InputError, match="fewer than 10"):
        unicity(coded("person", np.zeros(42, int)), (places,))
    with pytest.raises(InputError, match="at least 1 point"):
        unicity(persons, (places,), most=0)
    with pytest.raises(InputError, match="42 rows: expected 10"):
        traces_of(persons, (coded("place", np.arange(10)),))
