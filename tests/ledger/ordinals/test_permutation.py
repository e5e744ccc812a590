"""The keyed permutation: every number once, undone by its inverse, and uniform."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muniment.ledger.ordinals.permutation import MOST, Permutation

KEY = bytes(range(16))


@settings(max_examples=60)
@given(n=st.integers(1, 3_000), key=st.binary(min_size=16, max_size=16))
def test_every_number_comes_once_and_is_found_back(n: int, key: bytes) -> None:
    permutation = Permutation(key, n)
    images = permutation.forward(np.arange(n))
    assert sorted(images.tolist()) == list(range(n))
    assert (permutation.inverse(images) == np.arange(n)).all()


@pytest.mark.parametrize("n", [65_537, 200_000, 2**20])
def test_larger_ranges_over_more_than_one_pass(n: int) -> None:
    images = Permutation(KEY, n).forward(np.arange(n))
    assert np.bincount(images, minlength=n).tolist() == [1] * n


def test_the_whole_space_of_32_bits_can_be_permuted() -> None:
    ends = np.array([0, 1, MOST - 1])
    permutation = Permutation(KEY, MOST)
    assert (permutation.inverse(permutation.forward(ends)) == ends).all()


def test_keys_and_sizes_give_unrelated_orders() -> None:
    orders = [
        Permutation(bytes([key]) * 16, n).forward(np.arange(1_000)) for key, n in [(0, 1_000), (1, 1_000), (0, 1_001)]
    ]
    for i, j in [(0, 1), (0, 2), (1, 2)]:
        assert np.count_nonzero(orders[i] == orders[j]) < 20


def test_first_images_are_uniform_over_keys() -> None:
    """Chi-square of the image of 0 among 16 over 4,000 keys: 15 degrees of freedom, 99.999 % below 50."""
    images = [int(Permutation(number.to_bytes(16, "big"), 16).forward(np.zeros(1, int))[0]) for number in range(4_000)]
    counts = np.bincount(images, minlength=16)
    assert float(((counts - 250) ** 2 / 250).sum()) < 50


def test_neighbours_do_not_stay_neighbours() -> None:
    images = Permutation(KEY, 100_000).forward(np.arange(100_000)).astype(np.int64)
    assert np.count_nonzero(np.abs(np.diff(images)) == 1) < 20
    assert abs(float(np.corrcoef(images, np.arange(100_000))[0, 1])) < 0.02


def test_numbers_outside_are_refused() -> None:
    for n in (0, MOST + 1):
        with pytest.raises(ValueError, match="permutation of 1 to"):
            Permutation(KEY, n)
    for number in (-1, 10):
        with pytest.raises(ValueError, match="from 0 to 9"):
            Permutation(KEY, 10).forward(np.array([number]))
    assert repr(Permutation(KEY, 10)) == "Permutation(n=10)"
    assert len(Permutation(KEY, 10)) == 10
