"""Small codes whose expectations can be computed exactly: strategies for symbols, and every codeword there is."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from muniment.evidence import LN10
from muniment.marks.laws import arcsine, constant, half
from muniment.marks.read import STEPS
from muniment.trace.score import MIXTURES, Mixture, Symbols, log10_e

THRESHOLDS = sorted({*half().table, *arcsine(0.03).table[::7], *constant(0.02).table, *constant(0.05).table})
MIXTURE = st.sampled_from(sorted(MIXTURES)).map(MIXTURES.__getitem__)


def symbols_of(rows: list[tuple[int, int, int, float, float]]) -> Symbols:
    """Symbols from (record, family, T, share, weight)."""
    record, family, threshold, share, weight = zip(*rows, strict=True)
    return Symbols(
        np.array(record, np.uint32),
        np.array(family, np.uint16),
        np.array(threshold, np.uint32),
        np.array(share, np.float64),
        np.array(weight, np.float64),
    )


SYMBOL = st.tuples(
    st.integers(0, 3),
    st.integers(0, 2),
    st.sampled_from(THRESHOLDS),
    st.integers(0, STEPS).map(lambda step: step / STEPS),
    st.integers(1, STEPS).map(lambda step: step / STEPS),
)


def symbols(at_most: int) -> st.SearchStrategy[Symbols]:
    """One symbol or more, of any record, family, bias, share and weight."""
    return st.lists(SYMBOL, min_size=1, max_size=at_most).map(symbols_of)


def codewords(symbols: Symbols) -> tuple[np.ndarray, np.ndarray]:
    """Every codeword on these symbols, shape (2**m, m), and how probable each is."""
    m = len(symbols)
    bits = (np.arange(2**m)[:, None] >> np.arange(m) & 1).astype(np.uint8)
    p = symbols.threshold / 2.0**32
    return bits, np.where(bits, p, 1 - p).prod(axis=1)


def mean_e(symbols: Symbols, mixture: Mixture) -> float:
    """The exact expectation of E for somebody who took no part."""
    bits, probability = codewords(symbols)
    return float(np.exp(log10_e(symbols, bits, mixture, rowwise_for=len(bits)) * LN10) @ probability)
