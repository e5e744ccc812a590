"""What a sample tells about the population it came from. For an extract of a register there is no need of it: there the
sizes of classes in the register are exact (`measures`).

    match_chance   a sample unique is met in the population: is it the same person?     no model, with its interval
    pitman         share of persons who are alone in the population                     model of class sizes
    copula         the same                                                             model of the joint columns
    tried          any of these on a register's own samples, against the truth          what the model is worth there
    calibrated     an estimate with the errors of such a trial put into its interval

Rules
1. The share of the population in the sample is given, never guessed. At 1 the sample is the population.
2. A modelled figure has the name of its model. Its interval by itself covers the error of sampling alone: models of
   uniqueness err by factors (1.6 to 8 on a register of 10 M), which only a trial shows.
3. Randomness is an argument; averages over all persons only, never a figure of one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from muniment.errors import InputError
from muniment.exposure.classes import classes
from muniment.exposure.copula import copula_uniques
from muniment.exposure.extract import Classes, Coded
from muniment.exposure.floor import FLOOR, Count, check_rows
from muniment.exposure.measures import significant
from muniment.exposure.pitman import pitman_uniques
from muniment.exposure.shares import Interval, Z

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_TRIALS: Final = 2


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure of a `model`: `told` is `None` where it rests on fewer sample uniques than the floor.

    fraction: of the population in the sample; uniques: persons alone in the sample.
    """

    model: str
    told: Interval | None
    fraction: float
    uniques: Count


@dataclass(frozen=True, slots=True)
class Trial:
    """What a model was worth on samples of a register, where the truth is known.

    error: mean of |estimate - truth| / truth; covered: share of samples whose interval held the truth; low, middle,
    high: the least, geometric mean and largest of estimate / truth, over `samples` samples.
    """

    model: str
    fraction: float
    samples: int
    error: float
    covered: float
    low: float
    middle: float
    high: float


class Model(Protocol):
    """A way to estimate a figure from a sample, and the figure itself where the population is known."""

    name: str

    def estimate(self, sample: Sequence[Coded], fraction: float, rng: np.random.Generator) -> Interval | None:
        """The figure with its interval; `None` where there is nothing to go by."""

    def truth(self, sample: Classes, population: NDArray[np.int64]) -> float:
        """The figure itself. population: persons there in each class of the sample, int64."""


# --- exact formulas ----------------------------------------------------------------------------------------------


def match_chance(of: Classes, fraction: float) -> Interval | None:
    """Chance that a person of the population who matches a sample unique is the one in the sample, with its interval.

    DIS (Skinner, Elliot 2002): f S1 / (f S1 + 2 (1 - f) S2) of S1 uniques and S2 pairs in a sample of share f. The
    interval is of 95 %: others who match the uniques number A = 2 (1 - f) / f S2 in the mean, and the variance of the
    difference is worked out from S2 and S3 (classes of three) under sampling person by person; it is solved for A as
    Wilson (1927) does, so that it has a width where there is no pair. `None` where there is no unique.
    """
    return _match_chance(_ones_twos_threes(of.sizes), fraction)


def true_match_chance(of: Classes, population: NDArray[np.int64]) -> float:
    """The same figure where the population is known: uniques by all in their classes there; 0 where there is none."""
    there = int(population[of.sizes == 1].sum())
    return of.uniques / there if there else 0.0


def _ones_twos_threes(sizes: NDArray[np.int64]) -> tuple[float, float, float]:
    return tuple(float((sizes == size).sum()) for size in (1, 2, 3))  # type: ignore[return-value]


def _match_chance(few: tuple[float, float, float], fraction: float, most_twos: float | None = None) -> Interval | None:
    """`most_twos`: pairs to reckon with for the low end, where the number itself is not told."""
    ones, twos, threes = few
    check_fraction(fraction)
    if not ones:
        return None
    each = 2 * (1 - fraction) / fraction
    spread = 6 * ((1 - fraction) / fraction) ** 2 * threes
    upper = _others(each * (twos if most_twos is None else most_twos), each, spread)[1]
    lower = _others(each * twos, each, spread)[0]
    return Interval(ones / (ones + each * twos), ones / (ones + upper), ones / (ones + lower))


def _others(mean: float, each: float, spread: float) -> tuple[float, float]:
    """The ends for A of (A - mean)^2 = Z^2 ((each + 1) A + spread), at least 0; both are the mean where f is 1."""
    if not each:
        return mean, mean
    half = Z * Z * (each + 1) / 2
    reach = math.sqrt(half * half + 2 * half * mean + Z * Z * spread)
    return max(0.0, mean + half - reach), mean + half + reach


def check_fraction(fraction: float) -> None:
    """`InputError` where it is no share above 0 and at most 1."""
    if not 0.0 < fraction <= 1.0:
        raise InputError(f"the sample is {fraction:g} of the population: expected a share above 0 and at most 1")


# --- models ------------------------------------------------------------------------------------------------------


class MatchChance:
    """`match_chance` as a model; needs no assumption beyond sampling person by person."""

    name = "match chance (Skinner, Elliot 2002)"

    def estimate(self, sample: Sequence[Coded], fraction: float, rng: np.random.Generator) -> Interval | None:
        """`match_chance` of the classes of the sample."""
        return match_chance(classes(sample), fraction)

    def truth(self, sample: Classes, population: NDArray[np.int64]) -> float:
        """`true_match_chance`."""
        return true_match_chance(sample, population)


class Uniqueness:
    """Share of persons who are alone in the population, by one of the models of class sizes or joint columns."""

    def __init__(
        self, name: str, uniques: Callable[[Sequence[Coded], float, np.random.Generator], Interval | None]
    ) -> None:
        """`uniques`: the share from sample columns, the sampling fraction and a generator."""
        self.name = name
        self._uniques = uniques

    def estimate(self, sample: Sequence[Coded], fraction: float, rng: np.random.Generator) -> Interval | None:
        """The share with its interval of sampling; `None` where the sample has no unique."""
        check_fraction(fraction)
        return self._uniques(sample, fraction, rng)

    def truth(self, sample: Classes, population: NDArray[np.int64]) -> float:
        """Of the sample's persons those who are alone in the population: unbiased for the share of all."""
        return float(sample.sizes[population == 1].sum() / sample.rows) if sample.rows else 0.0


def _pitman(sample: Sequence[Coded], fraction: float, rng: np.random.Generator) -> Interval | None:
    return pitman_uniques(classes(sample).sizes, fraction)


MATCH_CHANCE: Final = MatchChance()
PITMAN: Final = Uniqueness("Pitman (Hoshino 2001)", _pitman)
COPULA: Final = Uniqueness("Gaussian copula (Rocher, Hendrickx, de Montjoye 2019)", copula_uniques)
MODELS: Final[tuple[Model, ...]] = (MATCH_CHANCE, PITMAN, COPULA)


# --- trials on a register ----------------------------------------------------------------------------------------


def tried(
    model: Model, register: Sequence[Coded], fraction: float, samples: int, rng: np.random.Generator
) -> Trial:
    """The model on random samples of a register, person by person, against the truth there.

    Raises `InputError` for fewer than two samples, no share, and where no sample has what the model goes by.
    """
    check_fraction(fraction)
    if samples < LEAST_TRIALS:
        raise InputError(f"a trial of {samples} samples: expected at least {LEAST_TRIALS}")
    population = classes(register)
    pairs = [pair for _ in range(samples) if (pair := _one_trial(model, register, population, fraction, rng))]
    if len(pairs) < LEAST_TRIALS:
        raise InputError(
            f"{model.name} has nothing to go by in samples of {fraction:g} of this register: too few are alone there",
            hint="more columns, a larger share, or the exact measures of the register",
        )
    ratios = np.array([told.value / truth for told, truth in pairs])
    held = [told.low <= truth <= told.high for told, truth in pairs]
    logs = np.log(np.maximum(ratios, np.finfo(float).tiny))
    return Trial(
        model=model.name,
        fraction=fraction,
        samples=len(pairs),
        error=significant(float(np.abs(ratios - 1).mean())),
        covered=sum(held) / len(held),
        low=significant(float(ratios.min())),
        middle=significant(float(np.exp(logs.mean()))),
        high=significant(float(ratios.max())),
    )


def _one_trial(
    model: Model, register: Sequence[Coded], population: Classes, fraction: float, rng: np.random.Generator
) -> tuple[Interval, float] | None:
    rows = np.flatnonzero(rng.random(population.rows) < fraction)
    if not len(rows):
        return None
    sample = [_rows_of(column, rows) for column in register]
    of = classes(sample)
    first = np.empty(len(of.sizes), np.int64)
    first[of.ids] = rows
    told = model.estimate(sample, fraction, rng)
    truth = model.truth(of, population.sizes[population.ids[first]])
    return (told, truth) if told and truth else None


def _rows_of(column: Coded, rows: NDArray[Any]) -> Coded:
    return Coded(column.name, column.codes[rows], column.size, column.null, column.ordered)


def calibrated(told: Interval, trial: Trial) -> Interval:
    """An estimate divided by what the model came to in a trial; the ends by its worst there, within 0 to 1."""
    middle, high, low = (max(ratio, np.finfo(float).tiny) for ratio in (trial.middle, trial.high, trial.low))
    value = min(told.value / middle, 1.0)
    return Interval(value, min(told.low / high, value), max(min(told.high / low, 1.0), value))


# --- what may leave ----------------------------------------------------------------------------------------------


def estimated(
    model: Model, sample: Sequence[Coded], fraction: float, rng: np.random.Generator, *,
    trial: Trial | None = None, floor: int = FLOOR, what: str = "the sample",
) -> Estimate:  # fmt: skip
    """The figure of one model as it may leave, calibrated where a trial is given.

    Raises `InputError` for fewer rows than the floor, no share, or a trial of another model or share.
    """
    check_fraction(fraction)
    rows = len(sample[0]) if sample else 0
    check_rows(rows, what, floor)
    if trial is not None and (trial.model, trial.fraction) != (model.name, fraction):
        raise InputError(f"a trial of {trial.model} at {trial.fraction:g}: expected {model.name} at {fraction:g}")
    of = classes(sample)
    safe = isinstance(model, MatchChance)
    told = _safe_match_chance(of, fraction, floor) if safe else model.estimate(sample, fraction, rng)
    if told is not None and trial is not None:
        told = calibrated(told, trial)
    if told is None or of.uniques < floor:
        return Estimate(model.name, None, fraction, Count.of(of.uniques, floor))
    rounded = Interval(*(significant(number) for number in (told.value, told.low, told.high)))
    return Estimate(model.name, rounded, fraction, Count.of(of.uniques, floor))


def _safe_match_chance(of: Classes, fraction: float, floor: int) -> Interval | None:
    """Pairs and threes of fewer persons than the floor are taken for none, and for the floor at the low end."""
    ones, twos, threes = _ones_twos_threes(of.sizes)
    threes = floor / 3 if 0 < threes * 3 < floor else threes
    if 0 < twos * 2 < floor:
        return _match_chance((ones, 0.0, threes), fraction, most_twos=floor / 2)
    return _match_chance((ones, twos, threes), fraction)
