"""Validity, per candidate and without the union bound: the e-value of an innocent averages at most 1.

Every scenario scores >= 10**6 (key, candidate) pairs on codes of 3 to 12 symbols; the mean of E must lie in its 99.9 %
interval around 1, and P(E >= x) x <= 1 for x up to 10**4. The mutants - the defects that a referee found in earlier
designs - must each be caught by the very same two checks, so the test is known to be able to fail.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from language.worlds import FIRST_INNOCENT, INNOCENTS, SCENARIOS, Scored, World
from muniment.marks.laws import arcsine, half
from muniment.marks.read import concatenate, merge
from muniment.trace.examine import as_scored
from muniment.trace.score import MIXTURES, Mixture, Symbols, log10_e

KEYS = 260
Z_999 = 3.29
"""Two-sided normal quantile of 99.9 %."""


def draw(scenario: Callable[[World], Scored], keys: int = KEYS, seed: int = 5) -> np.ndarray:
    """E of every innocent under every key, shape (keys, innocents)."""
    rng = np.random.default_rng(seed)
    return np.stack([scenario(World(rng)).e_values() for _ in range(keys)])


def faults(e: np.ndarray) -> list[str]:
    """What the two checks say against a sample of e-values (keys are independent, candidates of one key are not)."""
    said = []
    by_key = e.mean(axis=1)
    half_width = Z_999 * by_key.std(ddof=1) / math.sqrt(len(by_key))
    if abs(by_key.mean() - 1) > half_width:
        said.append(f"mean {by_key.mean():.4f} lies outside 1 +- {half_width:.4f}")
    for x in (2, 5, 10, 30, 100, 300, 1_000, 10_000):
        share = (e >= x).mean(axis=1)
        slack = Z_999 * share.std(ddof=1) / math.sqrt(len(share))
        if (share.mean() - slack) * x > 1:
            said.append(f"P(E >= {x}) x = {share.mean() * x:.3f}")
    return said


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_an_innocents_evidence_averages_one(name: str) -> None:
    e = draw(SCENARIOS[name])
    assert e.size >= 10**6
    assert not faults(e)


def double_counted(world: World) -> Scored:
    """Mutant: readings of one address multiply instead of being averaged."""
    once = world.family(0, world.records(6), arcsine(0.03), 1)
    merged = as_scored(merge(once))
    twice = Symbols(*(np.concatenate([getattr(merged, name)] * 2) for name in Symbols.__slots__))
    bits = world.scored(once).bits
    return Scored(twice, np.concatenate([bits, bits], axis=1), MIXTURES[10])


def bias_off_by_a_tenth(world: World) -> Scored:
    """Mutant: the score uses a p that is not the probability of a 1."""
    scored = SCENARIOS["single"](world)
    p = scored.symbols.threshold.astype(np.float64) * 0.9
    return replace(scored, symbols=replace(scored.symbols, threshold=p.astype(np.uint32)))


def delivered_rows(world: World) -> Scored:
    """Mutant: rows left out are scored over the rows that a candidate received, where its bit is always 0."""
    scored = SCENARIOS["omissions"](world)
    return replace(scored, bits=np.zeros_like(scored.bits))


def law_of_the_release(world: World) -> Scored:
    """Mutant: bits are drawn under one law and scored under another."""
    records = world.records(8)
    readings = world.family(0, records, half(), 1)
    _, merged = readings, merge(readings)
    bits = world.codebook.bits(merged.addresses, merged.threshold, world.innocents)
    wrong, _ = world.codebook.biases(merged.addresses, arcsine(0.03))
    return Scored(replace(as_scored(merged), threshold=wrong), bits, MIXTURES[10])


@pytest.mark.parametrize("mutant", [double_counted, bias_off_by_a_tenth, delivered_rows, law_of_the_release])
def test_the_checks_catch_the_mutant(mutant: Callable[[World], Scored]) -> None:
    assert faults(draw(mutant))


def test_merging_gives_each_address_once_whatever_is_repeated() -> None:
    world = World(np.random.default_rng(3))
    once = world.family(0, world.records(40), arcsine(0.03), 1)
    alone = world.scored(once).e_values()
    again = world.scored(concatenate([once, once, once])).e_values()
    np.testing.assert_allclose(again, alone)


def rewritten(mixture: Mixture) -> float:
    """log10 E of the source from 60 good symbols beside 180 that were all rewritten to one form."""
    world = World(np.random.default_rng(8), innocents=0)
    good = world.family(0, world.records(60), arcsine(0.03), 1)
    flat = world.family(1, world.records(180), arcsine(0.03), 1)
    readings = concatenate([good, replace(flat, bit=np.zeros(180, np.uint8))])
    return _source(world, readings, mixture)


def _source(world: World, readings, mixture: Mixture) -> float:  # type: ignore[no-untyped-def]
    merged = merge(readings)
    bits = world.codebook.bits(merged.addresses, merged.threshold, [0])
    return float(log10_e(as_scored(merged), bits, mixture)[0])


def test_a_rewritten_family_costs_at_most_two_decades() -> None:
    world = World(np.random.default_rng(8), innocents=0)
    alone = _source(world, world.family(0, world.records(60), arcsine(0.03), 1), MIXTURES[10])
    assert rewritten(MIXTURES[10]) >= alone - 2


def test_the_check_catches_noise_shared_over_families() -> None:
    world = World(np.random.default_rng(8), innocents=0)
    alone = _source(world, world.family(0, world.records(60), arcsine(0.03), 1), MIXTURES[10])
    assert rewritten(replace(MIXTURES[10], shared_noise=1.0 - 1e-12, rowwise=1e-12)) < alone - 2


def test_innocents_are_not_colluders() -> None:
    assert INNOCENTS > 0 and FIRST_INNOCENT > 20
