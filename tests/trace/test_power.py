from dataclasses import replace

import numpy as np
import pytest

from language.codes import symbols_of
from muniment.evidence import log10_threshold
from muniment.trace.power import power_of, symbols_for
from muniment.trace.score import MIXTURES

THRESHOLD = log10_threshold(1_000, 1e-6)
HALVES = symbols_of([(i, i % 2, 2**31, 0.0, 1.0) for i in range(120)])


def power(symbols: int, noise: float = 0.0, threshold: float = THRESHOLD):  # type: ignore[no-untyped-def]
    return power_of(HALVES.take(np.arange(symbols)), noise, threshold, MIXTURES[1], seed=1)


def test_forty_symbols_of_bias_one_half_name_a_sole_source() -> None:
    assert power(40).probability >= 0.95
    assert power(20).probability < 0.05


def test_noise_and_a_higher_threshold_take_power_away() -> None:
    assert power(40, noise=0.4).probability < power(40).probability
    assert power(40, threshold=THRESHOLD + 6).probability < 0.5


def test_no_symbol_has_no_power() -> None:
    none = power(0)
    assert (none.symbols, none.probability, none.symbols_for_95) == (0, 0.0, 0)


def test_the_figure_belongs_to_the_symbols_not_to_what_they_showed() -> None:
    shown = replace(HALVES, share=np.ones(120))
    assert power_of(shown, 0.0, THRESHOLD, MIXTURES[1], seed=1) == power(120)


def test_the_same_seed_gives_the_same_figure() -> None:
    assert power(37) == power(37)


@pytest.mark.parametrize(("wanted", "found"), [(THRESHOLD, 40), (1e6, 0)])
def test_the_number_needed_is_a_rung_or_none(wanted: float, found: int) -> None:
    needed = symbols_for(0.95, HALVES, 0.0, wanted, MIXTURES[1], np.random.default_rng(1))
    assert needed == found or (found and 30 <= needed <= 50)
