"""Which bias law for registers that must withstand ten colluders: arcsine with several cutoffs, or discrete.

For each law, P(at least one source is named) under each attack, with the score as released (coalition and noise
unknown), n = 1,000 candidates, a = 1e-6, first examination. No register is needed: symbols are drawn from the law.
Takes about two minutes. The choice is recorded in docs/adr/0002.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from measurement import Measurement
from muniment.evidence import log10_threshold
from muniment.marks.laws import ARCSINE_CUTOFF, Law, arcsine, discrete
from muniment.trace.score import MIXTURES, Symbols, log10_e

Bits: TypeAlias = np.ndarray[Any, np.dtype[np.uint8]]
SEED = 11
CANDIDATES, ALPHA = 1_000, 1e-6
LAWS = (
    arcsine(0.001),
    arcsine(0.01),
    arcsine(0.02),
    arcsine(0.025),
    arcsine(0.03),
    arcsine(0.05),
    discrete(8),
    discrete(10),
    discrete(14),
)
CASES = (
    # colluders, symbols, attack, share re-spelled at random, symbols a row, trials
    (1, 90, "mix", 0.0, 1, 200),
    (1, 500, "mix", 0.4, 1, 200),
    (2, 400, "majority", 0.0, 1, 60),
    (2, 200, "rows", 0.0, 4, 200),
    (3, 1_200, "minority", 0.0, 1, 60),
    (5, 3_500, "minority", 0.0, 1, 40),
    (5, 3_500, "ones", 0.0, 1, 40),
    (10, 13_000, "minority", 0.0, 1, 60),
    (10, 13_000, "mix", 0.0, 1, 20),
)


def attacked(rng: np.random.Generator, copies: Bits, attack: str, per_row: int) -> Bits:
    """What colluders write where their copies differ."""
    colluders, symbols = copies.shape
    ones = copies.sum(axis=0)
    if attack == "rows":
        rows = np.arange(symbols) // per_row
        return np.asarray(copies[rng.integers(0, colluders, rows[-1] + 1)[rows], np.arange(symbols)])
    if attack == "mix":
        return np.asarray(copies[rng.integers(0, colluders, symbols), np.arange(symbols)])
    if attack == "ones":
        return np.asarray(copies.max(axis=0))
    tied = rng.random(symbols) < 0.5
    majority = np.where(ones * 2 == colluders, tied, ones * 2 > colluders)
    same = (ones == 0) | (ones == colluders)
    return np.asarray(np.where(same, copies[0], majority if attack == "majority" else ~majority))


def named_share(law: Law, case: tuple[int, int, str, float, int, int]) -> float:
    """Share of trials in which at least one source passes the threshold."""
    colluders, symbols, attack, noise, per_row, trials = case
    rng = np.random.default_rng(SEED)
    threshold = log10_threshold(CANDIDATES, ALPHA)
    named = 0
    for _ in range(trials):
        biases = rng.choice(np.asarray(law.table, np.uint32), symbols)
        copies = (rng.random((colluders, symbols)) < biases / 2**32).astype(np.uint8)
        read = attacked(rng, copies, attack, per_row)
        read = np.where(rng.random(symbols) < noise, rng.random(symbols) < 0.5, read)
        record = (np.arange(symbols) // per_row).astype(np.uint32)
        found = Symbols(record, np.zeros(symbols, np.uint16), biases, read.astype(float), np.ones(symbols))
        named += bool(log10_e(found, copies, MIXTURES[10]).max() >= threshold)
    return named / trials


def main() -> list[Measurement]:
    """One line a case: the share named under the law in use, beside every other law."""
    chosen = arcsine(ARCSINE_CUTOFF).name
    lines = []
    for case in CASES:
        shares = {law.name: named_share(law, case) for law in LAWS}
        colluders, symbols, attack, noise, _, trials = case
        what = f"{colluders} source(s), {symbols:,} symbols, {attack}" + (f", {noise:.0%} re-spelled" if noise else "")
        others = ", ".join(f"{name} {share:.0%}" for name, share in shares.items() if name != chosen)
        wanted = ">= 95 %" if attack != "rows" else "(4 symbols a row; no target)"
        holds = shares[chosen] >= 0.95 or attack == "rows"
        lines.append(
            Measurement(f"law {chosen}: {what}", wanted, f"{shares[chosen]:.1%} of {trials} ({others})", holds)
        )
    return lines
