"""How strong a verdict could have been: the chance that a sole source would be named from these symbols.

Simulated with fresh codewords on the biases at hand, never with a candidate's: the figure belongs to the leak and the
threshold, and says what "no source named" is worth.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from muniment.evidence import LN10, log_mean
from muniment.trace.score import SCALE, Mixture, Symbols, log_factors
from muniment.trace.verdict import Power

TRIALS = 200
_LADDER = (20, 30, 40, 50, 60, 80, 100, 130, 170, 220, 300, 400, 550, 750, 1_000, 1_500, 2_500, 5_000, 10_000)
_ENOUGH = 2_000
"""More symbols than this are not simulated: a sample of them already says 1."""


def power_of(symbols: Symbols, noise: float, threshold: float, mixture: Mixture, seed: int) -> Power:
    """P(a sole source is named) with these symbols, and how many like them it takes for 95 %.

    `noise` is the share of symbols thought to be re-spelled at random. `symbols_for_95` is 0 where no rung suffices.
    """
    rng = np.random.default_rng(seed)
    if not len(symbols):
        return Power(0, noise, 0.0, 0)
    sample = symbols if len(symbols) <= _ENOUGH else symbols.take(rng.choice(len(symbols), _ENOUGH, replace=False))
    probability = _named_share(sample, noise, threshold, mixture, rng, TRIALS)
    return Power(len(symbols), noise, probability, symbols_for(0.95, symbols, noise, threshold, mixture, rng))


def symbols_for(
    wanted: float, symbols: Symbols, noise: float, threshold: float, mixture: Mixture, rng: np.random.Generator
) -> int:
    """The smallest rung of a ladder at which a sole source is named with probability `wanted`; 0 for none."""
    for size in _LADDER:
        drawn = symbols.take(rng.integers(0, len(symbols), size))
        if _named_share(drawn, noise, threshold, mixture, rng, TRIALS // 2) >= wanted:
            return size
    return 0


def _named_share(
    symbols: Symbols, noise: float, threshold: float, mixture: Mixture, rng: np.random.Generator, trials: int
) -> float:
    """Share of simulated sources whose own symbols, with noise, pass the threshold.

    Only the terms for one colluder, read symbol by symbol, are computed: the rest of the mixture can only add to them.
    """
    bits = rng.random((trials, len(symbols))) < symbols.threshold / SCALE
    seen = np.where(rng.random(bits.shape) < noise, rng.random(bits.shape) < 0.5, bits)
    families = np.unique(symbols.family)
    weights = np.array([weight for _, weight in mixture.noises])
    logs = np.empty((len(weights), len(families), trials))
    for i, (share, _) in enumerate(mixture.noises):
        factors = [log_factors(replace(symbols, share=np.full(len(symbols), y)), 1.0, share) for y in (0.0, 1.0)]
        of_cell = np.where(
            seen, np.where(bits, factors[1][1], factors[1][0]), np.where(bits, factors[0][1], factors[0][0])
        )
        for j, family in enumerate(families):
            logs[i, j] = of_cell[:, symbols.family == family].sum(axis=1)
    own = log_mean(logs, weights).sum(axis=0) + np.log1p(-mixture.shared_noise)
    shared = log_mean(logs.sum(axis=1), weights) + np.log(mixture.shared_noise)
    alone = dict(mixture.coalitions)[1] * (1 - mixture.rowwise)
    return float(np.mean((np.logaddexp(own, shared) + np.log(alone)) / LN10 >= threshold))
