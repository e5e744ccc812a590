"""The verbal scale at its edges."""

from __future__ import annotations

import itertools
import math

import pytest

from muniment.messages import LANGUAGES, text
from muniment.trace.scale import BANDS, log10_e_over_n, phrase_key


@pytest.mark.parametrize(
    ("ratio", "key"),
    [
        (1.99, "below"),
        (2, "weak"),
        (10, "moderate"),
        (99, "moderate"),
        (100, "moderately_strong"),
        (1_000, "strong"),
        (9_999, "strong"),
        (10_000, "very_strong"),
        (999_999, "very_strong"),
        (1_000_000, "extremely_strong"),
        (1e300, "extremely_strong"),
    ],
)
def test_phrase(ratio: float, key: str) -> None:
    assert phrase_key(math.log10(ratio)) == key


def test_bands_leave_no_gap_and_have_a_phrase() -> None:
    assert all(first.high == second.low for first, second in itertools.pairwise(BANDS))
    for lang in LANGUAGES:
        assert len({text(f"phrase.{band.key}", lang) for band in BANDS}) == len(BANDS)


def test_the_phrase_is_read_after_division_by_n() -> None:
    assert log10_e_over_n(9.0, 1_000) == pytest.approx(6.0)
