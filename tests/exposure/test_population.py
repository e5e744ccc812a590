"""Estimates for a population: formulas against simulation and enumeration, and trials on the made-up register."""

import math
from functools import cache
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from language import households
from muniment.errors import InputError
from muniment.exposure import pitman
from muniment.exposure.classes import classes
from muniment.exposure.extract import Classes, Coded
from muniment.exposure.floor import FLOOR, Count
from muniment.exposure.population import (
    COPULA,
    MATCH_CHANCE,
    MODELS,
    PITMAN,
    MatchChance,
    Trial,
    calibrated,
    estimated,
    match_chance,
    tried,
    true_match_chance,
)
from muniment.exposure.shares import Interval


def grouped(sizes: list[int]) -> Classes:
    ids = np.repeat(np.arange(len(sizes), dtype=np.uint32), sizes)
    return Classes(ids, np.array(sizes, np.int64))


@cache
def register(persons: int = 20_000) -> tuple[Coded, ...]:
    return households.extract(households.register(persons)).chosen(("sex", "birth_year", "town"))


@given(st.lists(st.integers(1, 5), min_size=1, max_size=40), st.floats(0.001, 1.0))
def test_the_match_chance_is_that_of_the_formula(sizes: list[int], fraction: float):
    ones, twos = sizes.count(1), sizes.count(2)
    told = match_chance(grouped(sizes), fraction)
    if not ones:
        assert told is None
        return
    assert told is not None
    assert told.value == pytest.approx(fraction * ones / (fraction * ones + 2 * (1 - fraction) * twos))
    assert 0 <= told.low <= told.value <= told.high <= 1


def test_a_sample_that_is_the_population_has_no_doubt():
    for told in (match_chance(grouped([1, 1, 2]), 1.0), pitman.pitman_uniques(np.array([1, 1, 2]), 1.0)):
        assert told is not None and told.low == told.value == told.high
    assert match_chance(grouped([1, 1, 2]), 1.0) == Interval(1.0, 1.0, 1.0)
    assert pitman.pitman_uniques(np.array([1, 1, 2]), 1.0) == Interval(0.5, 0.5, 0.5)


def test_no_pair_in_the_sample_is_no_certainty():
    told = match_chance(grouped([1] * 50), 0.1)
    assert told is not None and told.value == 1.0 and told.low < 0.5


@pytest.mark.parametrize("fraction", [0.1, 0.3, 0.7])
def test_others_and_their_variance_are_right_in_the_mean(fraction: float):
    """All samples of one class of four persons, each with its chance: what the two sides differ by is 0 in the mean,
    and its variance is what the interval is built on."""
    each, people = 2 * (1 - fraction) / fraction, 4
    mean = variance = told = 0.0
    for taken in product((0, 1), repeat=people):
        size = sum(taken)
        chance = fraction**size * (1 - fraction) ** (people - size)
        difference = (people - 1) * (size == 1) - each * (size == 2)
        mean += chance * difference
        variance += chance * difference**2
        told += chance * ((each + each**2) * (size == 2) + 6 * ((1 - fraction) / fraction) ** 2 * (size == 3))
    assert mean == pytest.approx(0.0, abs=1e-12)
    assert told == pytest.approx(variance)


def test_the_true_match_chance():
    assert true_match_chance(grouped([1, 1, 3]), np.array([1, 4, 9])) == pytest.approx(2 / 5)
    assert true_match_chance(grouped([3]), np.array([9])) == 0.0


def test_match_chance_on_samples_of_a_register():
    trial = tried(MATCH_CHANCE, register(), 0.1, 60, np.random.default_rng(2))
    assert trial.samples == 60 and trial.covered >= 0.9
    assert trial.error < 0.12 and abs(trial.middle - 1) < 0.05


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name.split()[0])
def test_models_are_deterministic_and_say_what_they_are(model):
    sample = register()
    first, second = (estimated(model, sample, 0.2, np.random.default_rng(3)) for _ in range(2))
    assert first == second and first.model == model.name and first.told is not None
    assert 0 <= first.told.low <= first.told.value <= first.told.high <= 1


def test_a_trial_is_put_into_the_estimate():
    trial = tried(PITMAN, register(), 0.2, 5, np.random.default_rng(3))
    assert 1 < trial.low <= trial.middle <= trial.high
    plain = estimated(PITMAN, register(), 0.2, np.random.default_rng(3))
    mended = estimated(PITMAN, register(), 0.2, np.random.default_rng(3), trial=trial)
    assert plain.told is not None and mended.told is not None
    assert mended.told.value == pytest.approx(plain.told.value / trial.middle, rel=1e-3)
    assert mended.told.high / mended.told.low > plain.told.high / plain.told.low
    with pytest.raises(InputError, match="a trial of Pitman"):
        estimated(COPULA, register(), 0.2, np.random.default_rng(3), trial=trial)


def test_calibration_stays_within_shares():
    trial = Trial("m", 0.1, 5, 0.1, 1.0, 0.0, 0.5, 2.0)
    told = calibrated(Interval(0.8, 0.7, 0.9), trial)
    assert told == Interval(1.0, 0.35, 1.0)


def test_few_uniques_and_few_pairs_are_not_told():
    def sample(ones: int, twos: int) -> list[Coded]:
        codes = np.concatenate([np.arange(ones), np.repeat(np.arange(ones, ones + twos), 2), np.full(20, ones + twos)])
        return [Coded("a", codes.astype(np.uint8), int(codes.max()) + 1)]

    rng = np.random.default_rng(1)
    hidden = estimated(MATCH_CHANCE, sample(FLOOR - 1, 30), 0.1, rng)
    assert hidden.told is None and hidden.uniques == Count.of(1)
    few = [estimated(MatchChance(), sample(40, twos), 0.1, rng) for twos in (1, 2, 4)]
    assert few[0] == few[1] == few[2] and few[0].told is not None and few[0].told.value == 1.0
    exact = match_chance(classes(sample(40, 4)), 0.1)
    assert exact is not None and few[0].told.low <= exact.low + 1e-3


def test_inputs_that_are_refused():
    rng = np.random.default_rng(1)
    for fraction in (0.0, -0.1, 1.1, math.nan):
        with pytest.raises(InputError, match="expected a share above 0 and at most 1"):
            match_chance(grouped([1, 2]), fraction)
        with pytest.raises(InputError, match="expected a share"):
            estimated(PITMAN, register(), fraction, rng)
    with pytest.raises(InputError, match="fewer than 10 rows"):
        estimated(PITMAN, [Coded("a", np.zeros(9, np.uint8), 1)], 0.1, rng)
    with pytest.raises(InputError, match="a trial of 1 samples"):
        tried(PITMAN, register(), 0.1, 1, rng)
    with pytest.raises(InputError, match="has nothing to go by"):
        tried(MATCH_CHANCE, [Coded("a", np.zeros(900, np.uint8), 1)], 0.1, 5, rng)
