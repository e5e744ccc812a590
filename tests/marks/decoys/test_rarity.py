"""Values drawn with `Rarity` are as rare as those of new records."""

from collections import Counter

import numpy as np
import pytest

from muniment.marks.decoys.coins import Coins
from muniment.marks.decoys.rarity import Rarity


def spread(counts, values):
    """Shares of the values that others share 0, 1-2, 3-9 and 10 times or more."""
    edges = np.array([counts[value] for value in values])
    return np.array([np.mean((edges >= low) & (edges < high)) for low, high in ((0, 1), (1, 3), (3, 10), (10, 10**9))])


@pytest.mark.parametrize("exponent", [0.6, 1.1])
def test_draws_are_as_rare_as_new_records(exponent):
    random = np.random.default_rng(2)
    weights = np.arange(1, 8_001) ** -exponent
    draw = lambda count: random.choice(8_000, count, p=weights / weights.sum()).tolist()  # noqa: E731
    sample, new = draw(8_000), draw(4_000)
    counts, rarity, coins = Counter(sample), Rarity(sample), Coins(b"k" * 32, "rarity")
    drawn = []
    for _ in range(4_000):
        if coins.chance(rarity.novel):
            drawn.append("new")
            continue
        value = coins.pick(sample)
        while not rarity.accept(value, coins):
            value = coins.pick(sample)
        drawn.append(value)
    honest, ours = spread(counts, new), spread(counts, drawn)
    naive = spread(counts, [coins.pick(sample) for _ in range(4_000)])
    assert np.abs(honest - ours).max() < 0.035
    assert np.abs(honest - naive).max() > 0.06, "without the correction the test would not fail"


def test_even_counts_are_thinned_too():
    sample = np.random.default_rng(1).integers(0, 900, 9_000).tolist()
    rarity = Rarity(sample)
    assert rarity._odds[5] > rarity._odds[10] > rarity._odds[15]


def test_empty_and_unseen_values():
    assert Rarity([None, None]).novel == 0
    rarity = Rarity(["a", "a", "b", None])
    assert rarity.is_new("c")
    assert not rarity.is_new("a")
    assert rarity.accept("c", Coins(b"k" * 32))
    assert rarity.novel == pytest.approx(1 / 3)
