"""A sum that rows of nothing do not change, which numpy's own is not."""

from __future__ import annotations

import numpy as np

from muniment.watch.signals.sums import total


def test_rows_of_nothing_change_no_bit() -> None:
    chance = np.random.default_rng(3)
    other = 0
    for _ in range(50):
        column = chance.uniform(0.0, 1.0, 301)
        longer = np.concatenate([column, np.zeros(700)])
        assert total(longer) == total(column)
        other += float(longer.sum()) != float(column.sum())
    assert other, "numpy's sum would pass this test too: it shows nothing"


def test_no_rows_sum_to_nothing() -> None:
    assert total(np.zeros(0)) == 0.0
