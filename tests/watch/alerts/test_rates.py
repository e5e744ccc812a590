"""What a rate of alerts means for innocent accounts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.errors import InputError
from muniment.watch.alerts import Seen, share_bound, share_flagged


def test_one_in_a_thousand_flags_a_fifth_in_a_year() -> None:
    assert share_flagged(0.001) == pytest.approx(0.198, abs=0.001)
    assert share_flagged(0.0) == 0.0 and share_flagged(1.0) == 1.0 and share_flagged(0.5, 0) == 0.0
    assert share_bound(0.0005) == pytest.approx(0.11) and share_bound(0.1) == 1.0


@given(st.floats(0, 1), st.integers(0, 3_000))
def test_the_bound_is_never_below_the_estimate(rate: float, days: int) -> None:
    assert share_flagged(rate, days) <= share_bound(rate, days) + 1e-9


def test_the_bound_holds_for_a_detector_that_is_as_bad_as_it_may_be() -> None:
    # Factors 0 or 2, half each: mean exactly 1, the heaviest bet there is. R = (R + 1) e, alert at R >= 1 / rate.
    rng, rate, days, accounts = np.random.default_rng(5), 0.01, 60, 20_000
    value, flagged = np.zeros(accounts), np.zeros(accounts, bool)
    for _ in range(days):
        value = (value + 1) * 2 * rng.integers(0, 2, accounts)
        flagged |= value >= 1 / rate
    assert flagged.mean() > 0.1
    assert flagged.mean() <= share_bound(rate, days)


@pytest.mark.parametrize(("rate", "days"), [(-0.1, 1), (1.1, 1), (0.1, -1), (float("nan"), 1)])
def test_no_rate_at_all(rate: float, days: int) -> None:
    for share in (share_flagged, share_bound):
        with pytest.raises(InputError, match="expected a rate from 0 to 1"):
            share(rate, days)


def test_a_rate_that_was_seen() -> None:
    assert Seen(3, 4_000).rate == pytest.approx(0.00075) and Seen(0, 0).rate == 0.0
