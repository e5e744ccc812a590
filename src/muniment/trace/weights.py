"""Fellegi-Sunter weights (1969) with the frequency of each value, and the posterior of a pair.

Rules
1. A weight is log2(m/u) of a level. For equal cells u is the frequency of that very value in the register: a rare name
   tells more than a common one (Winkler 1988). m comes from the leak itself (EM), from a fixed start,
   never from a mark.
2. Columns depend on one another (town and postcode). What a column adds beside one that agrees already is scaled by
   the share of its entropy that is left, measured on the register (`dependence`).
3. A row may come from elsewhere: that hypothesis stands beside its records and takes what they leave.
4. A missing cell says nothing: weight 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from muniment.trace.blocking import SAMPLE, collision, combined
from muniment.trace.fields import REACH, Field, Hashes, Keys, Numbers
from muniment.trace.similarity import CLOSE, DIFFERENT, LEVELS, MISSING, PARTIAL, SAME

Levels = NDArray[np.uint8]

FIRST_M: Final = np.array([0.0, 0.86, 0.07, 0.03, 0.04])
"""Where the estimate of m starts, by level: a column that is right in six rows of seven."""
FIRST_U: Final = np.array([0.0, 0.0, 0.01, 0.03, 0.96])
"""u by level until it is measured; equal cells use the frequency of their value."""
PRIOR_ROWS: Final = 20.0
"""Rows that the start counts for, beside the rows of the leak."""
MOST_BITS: Final = 200.0
_RESOLUTION: Final = 4.5
"""Bits below the sample's finest collision rate at which an entropy is still measured well enough."""


@dataclass(frozen=True, slots=True, repr=False)
class Pairs:
    """Pairs of leak row and record, sorted by row, with their levels ([field, pair])."""

    rows: Hashes
    records: Hashes
    levels: Levels


@dataclass(frozen=True, slots=True, repr=False)
class Model:
    """The parameters of one alignment. `m` and `u` are [field, level]; `rarity` is -log2 of the value's frequency."""

    m: NDArray[np.float64]
    u: NDArray[np.float64]
    rarity: tuple[Numbers, ...]
    """For each field, one number for each leak row."""
    dependence: NDArray[np.float64]
    """[field, other]: the share of the field's information left when the other agrees."""
    register_rows: int


def first_model(fields: Sequence[Field], leak: Keys, register: Keys) -> Model:
    """Return the model before any pair was seen: frequencies and dependence from the register, m and u as fixed."""
    rarity = tuple(_rarity(field, leak, register, number) for number, field in enumerate(fields))
    shape = (len(fields), 1)
    return Model(np.tile(FIRST_M, shape), np.tile(FIRST_U, shape), rarity, _dependence(register), register.rows)


def _rarity(field: Field, leak: Keys, register: Keys, number: int) -> Numbers:
    """Return -log2 of the share of records that would agree with each leak row; values unknown count as one half."""
    asked, values = leak.strict[number], register.strict[number]
    mine, theirs = leak.numbers[number], register.numbers[number]
    if field.tolerance is not None and mine is not None and theirs is not None:
        reach = REACH * field.tolerance
        numbers, filled = np.sort(theirs[~np.isnan(theirs)]), np.where(np.isnan(mine), 0.0, mine)
        counts = np.searchsorted(numbers, filled + reach, "right") - np.searchsorted(numbers, filled - reach, "left")
        return _bits(counts, len(numbers))
    distinct, place = np.unique(asked, return_inverse=True)
    ordered = np.sort(values[values != 0])
    counts = np.searchsorted(ordered, distinct, "right") - np.searchsorted(ordered, distinct, "left")
    return _bits(counts, len(ordered))[place]


def _bits(counts: NDArray[np.int64], total: int) -> Numbers:
    shares: Numbers = np.maximum(counts, 0.5) / max(1, total)
    return -np.log2(shares)


def _dependence(register: Keys) -> NDArray[np.float64]:
    stride = max(1, register.rows // SAMPLE)
    samples = [key[::stride] for key in register.strict]
    bits = [-np.log2(collision(sample)) for sample in samples]
    finest = 2 * np.log2(max(2, len(samples[0]))) - _RESOLUTION
    left = np.ones((len(samples), len(samples)))
    for one in range(len(samples)):
        for other in range(one):
            joint = -np.log2(collision(combined([samples[one], samples[other]])))
            if joint < finest:
                left[one, other] = np.clip((joint - bits[other]) / max(bits[one], 0.1), 0.0, 1.0)
    return left


def compare(fields: Sequence[Field], leak: Keys, register: Keys, rows: Hashes, records: Hashes) -> Levels:
    """Return the level of each pair in each field ([field, pair]) as far as hashes show it."""
    levels = np.empty((len(fields), len(rows)), np.uint8)
    for number, field in enumerate(fields):
        mine, theirs = leak.numbers[number], register.numbers[number]
        if field.tolerance is not None and mine is not None and theirs is not None:
            levels[number] = _number_levels(np.abs(mine[rows] - theirs[records]), field.tolerance)
            continue
        a, b = leak.strict[number][rows], register.strict[number][records]
        levels[number] = np.where(a == b, SAME, DIFFERENT)
        if leak.loose and register.loose:
            levels[number][(a != b) & (leak.loose[number][rows] == register.loose[number][records])] = CLOSE
        levels[number][(a == 0) | (b == 0)] = MISSING
    return levels


def _number_levels(gap: Numbers, tolerance: float) -> Levels:
    reach = REACH * tolerance * (1 + 1e-9)
    with np.errstate(invalid="ignore"):
        levels = np.select([np.isnan(gap), gap <= reach, gap <= 3 * reach], [MISSING, SAME, CLOSE], DIFFERENT)
    return levels.astype(np.uint8)


def mark_swapped(levels: Levels, sides: tuple[Keys, Keys], rows: Hashes, records: Hashes, first: int,
                 other: int) -> None:
    """Raise two fields to `CLOSE` in place where each holds what the other side has in the other (names swapped)."""
    leak, register = sides
    crossed = (leak.strict[first][rows] == register.strict[other][records]) & (leak.strict[first][rows] != 0)
    crossed &= (leak.strict[other][rows] == register.strict[first][records]) & (leak.strict[other][rows] != 0)
    for number in (first, other):
        levels[number][crossed & (levels[number] != SAME)] = CLOSE


def bits_of(model: Model, levels: Levels, rows: Hashes) -> Numbers:
    """Return the weight of each pair: log2 of P(levels | same person) / P(levels | another person)."""
    total = np.zeros(len(rows))
    table = np.log2(np.maximum(model.m, 1e-6) / np.maximum(model.u, 1e-6))
    # Less agreement never weighs more, and none never speaks for a pair, however few were counted.
    table[:, PARTIAL] = np.minimum(table[:, PARTIAL], table[:, CLOSE])
    table[:, DIFFERENT] = np.minimum(np.minimum(table[:, DIFFERENT], table[:, PARTIAL]), 0.0)
    for number in range(len(levels)):
        level = levels[number]
        same = level == SAME
        gain = np.log2(model.m[number, SAME]) + model.rarity[number][rows]
        left = np.ones(len(rows))
        for other in range(number):
            if model.dependence[number, other] < 1.0:
                left[levels[other] == SAME] = np.minimum(left, model.dependence[number, other])[levels[other] == SAME]
        weight = np.where(same, np.where(gain > 0, gain * left, gain), table[number][level])
        total += np.where(level == MISSING, 0.0, weight)
    return np.clip(total, -MOST_BITS, MOST_BITS)


def posterior(bits: Numbers, rows: Hashes, register_rows: int, prior_odds: float = 1.0) -> Numbers:
    """Return P(the record is the row's | levels) of each pair; `rows` is sorted. What is left is "from elsewhere".

    Prior: the row is from this register, any of its N records, or from elsewhere, with `prior_odds` to one.
    """
    if not len(rows):
        return np.zeros(0)
    starts = np.flatnonzero(np.r_[True, rows[1:] != rows[:-1]])
    odds = np.exp2(bits) * (prior_odds / max(1, register_rows))
    totals = np.add.reduceat(odds, starts) + 1.0
    return odds / np.repeat(totals, np.diff(np.r_[starts, len(rows)]))


def learned(model: Model, levels: Levels, share: Numbers, exact: NDArray[np.float64]) -> Model:
    """Return the model with m from pairs, weighted by their posterior, and from rows equal in all (`exact`)."""
    m = np.zeros_like(model.m)
    for number in range(len(levels)):
        counts = np.bincount(levels[number], weights=share, minlength=LEVELS) + PRIOR_ROWS * FIRST_M
        counts[SAME] += exact[number]
        counts[MISSING] = 0.0
        m[number] = counts / counts.sum()
    return Model(m, model.u, model.rarity, model.dependence, model.register_rows)


def with_u(model: Model, random_levels: Levels) -> Model:
    """Return the model with u measured on pairs of which nearly all are of different persons."""
    u = model.u.copy()
    for number in range(len(random_levels)):
        counts = np.bincount(random_levels[number], minlength=LEVELS).astype(np.float64) + 2 * FIRST_U
        total = counts[[SAME, CLOSE, PARTIAL, DIFFERENT]].sum()
        u[number, [CLOSE, PARTIAL, DIFFERENT]] = counts[[CLOSE, PARTIAL, DIFFERENT]] / max(total, 1.0)
    return Model(model.m, u, model.rarity, model.dependence, model.register_rows)
