"""Pairs of points: reach, noise, and that a written value stays in its pair."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.marks.carriers.lattice import Lattice

TOLERANCES = st.integers(1, 10**9)
VALUES = st.integers(-(10**30), 10**30)
PHASES = st.integers(0, 2**32 - 1)


@given(tolerance=TOLERANCES, value=VALUES, phase=PHASES)
def test_no_value_moves_further_than_the_tolerance(tolerance: int, value: int, phase: int) -> None:
    lattice = Lattice.within(tolerance)
    low, high = lattice.pair(value, phase)
    assert high - low == lattice.step
    assert max(abs(value - low), abs(value - high)) <= tolerance
    assert (lattice.bit(low, phase), lattice.bit(high, phase)) == (0, 1)
    assert lattice.pair(low, phase) == lattice.pair(high, phase) == (low, high)


@given(tolerance=st.integers(1, 40), phase=PHASES)
def test_the_step_is_the_widest_that_keeps_the_tolerance(tolerance: int, phase: int) -> None:
    wider = Lattice(Lattice.within(tolerance).step + 1)
    moved = [max(abs(v - point) for point in wider.pair(v, phase)) for v in range(4 * tolerance + 8)]
    assert max(moved) > tolerance


@given(step=st.integers(1, 10**6), value=VALUES, phase=PHASES, noise=st.integers(-499, 499))
def test_noise_under_half_a_step_is_survived(step: int, value: int, phase: int, noise: int) -> None:
    lattice = Lattice(step)
    for bit, point in enumerate(lattice.pair(value, phase)):
        assert lattice.bit(point * 1000 + noise * step, phase, 1000) == bit


@pytest.mark.parametrize(("tolerance", "step"), [(1, 1), (2, 1), (3, 2), (5, 3), (10, 7), (100, 67)])
def test_steps(tolerance: int, step: int) -> None:
    assert Lattice.within(tolerance).step == step


def test_phase_moves_the_lattice() -> None:
    assert len({Lattice(3).pair(100, phase) for phase in range(6)}) > 1
    assert Lattice(3).pair(100, 2) == Lattice(3).pair(100, 8)
