"""The copula: columns that are not tied, that are tied by a known correlation, and columns of one value."""

import numpy as np
import pytest

from muniment.errors import LimitError
from muniment.exposure import copula
from muniment.exposure.extract import Coded


def test_the_copula_of_columns_that_are_not_tied_is_the_product_of_their_shares():
    rng = np.random.default_rng(6)
    shares = 1 / np.arange(1, 41)
    columns = [Coded(name, rng.choice(40, p=shares / shares.sum(), size=20_000).astype(np.uint8), 40) for name in "ab"]
    margins = [np.bincount(column.codes, minlength=40) / 20_000 for column in columns]
    cells = np.outer(*margins)
    people = 40_000
    expected = (cells * (1 - cells) ** (people - 1)).sum()
    told = copula.copula_uniques(columns, 0.5, np.random.default_rng(1))
    assert told is not None and told.value == pytest.approx(expected, rel=0.2)
    assert abs(copula.correlation(columns, margins)[0, 1]) < 0.02


def test_the_copula_sees_how_columns_hang_together():
    rng = np.random.default_rng(8)
    scores = rng.multivariate_normal([0, 0], [[1, 0.7], [0.7, 1]], 50_000)
    columns = [
        Coded(name, np.digitize(scores[:, place], np.linspace(-1.5, 1.5, cuts)).astype(np.uint8), cuts + 1)
        for place, (name, cuts) in enumerate((("a", 3), ("b", 12)))
    ]
    margins = [np.bincount(column.codes, minlength=column.size) / 50_000 for column in columns]
    assert copula.correlation(columns, margins)[0, 1] == pytest.approx(0.7, abs=0.08)
    drawn = copula.drawn(columns, 60_000, rng)
    assert [len(column) for column in drawn] == [60_000, 60_000]
    for column, margin in zip(drawn, margins, strict=True):
        assert np.bincount(column.codes, minlength=column.size) / 60_000 == pytest.approx(margin, abs=0.01)


def test_the_copula_of_columns_with_one_value_or_the_same_twice():
    one = Coded("one", np.zeros(200, np.uint8), 1)
    many = Coded("many", np.arange(200, dtype=np.uint8) % 50, 50)
    unseen = Coded("unseen", np.full(200, 3, np.uint8), 9)
    told = copula.copula_uniques([one, unseen, many, many], 0.5, np.random.default_rng(1))
    assert told is not None and 0 <= told.value < 0.5
    assert {int(code) for code in copula.drawn([unseen], 500, np.random.default_rng(1))[0].codes} == {3}
    assert copula.copula_uniques([Coded("a", np.zeros(0, np.uint8), 0)], 0.5, np.random.default_rng(1)) is None


def test_a_population_that_is_too_large_to_draw():
    with pytest.raises(LimitError, match="a population of 100,000,000 would be drawn"):
        copula.copula_uniques([Coded("a", np.zeros(100, np.uint8), 1)], 1e-6, np.random.default_rng(1))
