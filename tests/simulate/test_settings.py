"""Settings that make no world are refused, and what a run draws for itself lies in its ranges."""

from __future__ import annotations

import numpy as np
import pytest

from muniment.errors import InputError
from muniment.simulate.settings import RANGES, Traits, WorldSettings


@pytest.mark.parametrize(
    ("field", "value"),
    [("seed", -1), ("accounts", 7), ("days", 13), ("explained", 0.96), ("explained", 0.1), ("imported", 1.5)],
)
def test_a_setting_out_of_range_is_refused(field: str, value: float) -> None:
    with pytest.raises(InputError, match=r"expected"):
        WorldSettings(**{field: value})


def test_a_start_that_is_no_date_is_refused() -> None:
    with pytest.raises(InputError, match="expected a date"):
        WorldSettings(start="1 January")


def test_a_world_too_large_for_memory_is_refused() -> None:
    with pytest.raises(InputError, match="account-days"):
        WorldSettings(accounts=10_000, days=260)


def test_days_are_counted_from_1970() -> None:
    assert WorldSettings(start="1970-01-02").first_day == 1


def test_traits_lie_in_their_ranges_and_differ_between_runs() -> None:
    drawn = [Traits.drawn(np.random.default_rng(seed)) for seed in range(20)]
    for name, (least, most) in RANGES.items():
        values = [getattr(one, name) for one in drawn]
        assert least <= min(values) < max(values) <= most
