"""The verbal scale: which phrase stands beside a log10 likelihood ratio.

Source: ENFSI Guideline for Evaluative Reporting in Forensic Science, version 3.0 (2015), verbal equivalents. Secondary
texts draw the upper bands differently, so every report prints this table with its edition.

The phrase is read at log10 (E/n), never at log10 E: n candidates were looked at to find one (evidence.md section 2).
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple


class Band(NamedTuple):
    """One row of the scale: ratios from `low` (included) to `high` (not included), and the key of its phrase."""

    low: float
    high: float
    key: str


BANDS: Final = (
    Band(2.0, 10.0, "weak"),
    Band(10.0, 100.0, "moderate"),
    Band(100.0, 1_000.0, "moderately_strong"),
    Band(1_000.0, 10_000.0, "strong"),
    Band(10_000.0, 1_000_000.0, "very_strong"),
    Band(1_000_000.0, math.inf, "extremely_strong"),
)


def log10_e_over_n(log10_e: float, candidates: int) -> float:
    """The log10 of E divided by the number of candidates: the figure a phrase is read at."""
    return log10_e - math.log10(candidates)


def phrase_key(log10_ratio: float) -> str:
    """Return the key of the phrase for a log10 ratio (`below` under a ratio of 2)."""
    found = "below"
    for band in BANDS:
        if log10_ratio >= math.log10(band.low):
            found = band.key
    return found
