"""A sketch never misses a file cut out of a leak, and lets leaks of different persons be."""

from __future__ import annotations

import numpy as np
import pytest

from muniment.ledger.sketch import BUCKETS, may_share, pack, sketch, unpack

KEY = b"k" * 32
RNG = np.random.default_rng(20261124)
PEOPLE = RNG.integers(0, 2**64, 80_000, np.uint64)


def test_order_and_repetition_do_not_matter() -> None:
    first = sketch(KEY, PEOPLE[:100])
    assert np.array_equal(first, sketch(KEY, np.repeat(PEOPLE[:100][::-1], 3)))
    assert first.shape == (BUCKETS,)
    assert 95 <= first.sum() <= 100
    assert not np.array_equal(first, sketch(b"o" * 32, PEOPLE[:100]))


@pytest.mark.parametrize("whole", [10, 1_000, 30_000, 80_000])
@pytest.mark.parametrize("part", [1, 2, 8, 60])
def test_a_file_cut_out_of_a_leak_is_always_found(whole: int, part: int) -> None:
    leak = sketch(KEY, PEOPLE[:whole])
    for start in range(0, min(whole, 300), 60):
        assert may_share(leak, sketch(KEY, PEOPLE[:whole][start : start + part])) or start >= whole


@pytest.mark.parametrize(("size", "shared"), [(60, 3), (1_000, 20), (20_000, 500)])
def test_a_small_share_in_common_is_found(size: int, shared: int) -> None:
    first, second = PEOPLE[:size], PEOPLE[size - shared : 2 * size - shared]
    assert may_share(sketch(KEY, first), sketch(KEY, second))


def test_disjoint_leaks_are_seldom_taken_for_one() -> None:
    for size, at_most in ((60, 2), (1_000, 2), (5_000, 2)):
        parts = [sketch(KEY, RNG.integers(0, 2**64, size, np.uint64)) for _ in range(16)]
        wrong = sum(may_share(parts[i], parts[i + 1]) for i in range(15))
        assert wrong <= at_most, size


def test_a_sketch_too_full_to_tell_counts_as_shared() -> None:
    full = np.ones(BUCKETS, np.bool_)
    assert may_share(full, sketch(KEY, PEOPLE[:10]))
    assert not may_share(np.zeros(BUCKETS, np.bool_), full)


def test_pack_round_trip_and_size() -> None:
    for size in (0, 1, 30_000):
        hit = sketch(KEY, PEOPLE[:size])
        assert np.array_equal(unpack(pack(hit)), hit)
        assert len(pack(hit)) <= 44_000
    assert len(pack(sketch(KEY, PEOPLE[:30_000]))) < 30_000
