"""Offices: nobody works out of service, leave is covered by a colleague, and loads are those that were measured."""

from __future__ import annotations

import numpy as np
import pytest

from language.simulated_parts import chance, parts
from muniment.simulate.office import MEDIAN, NEVER, PROFILES, ROLES, wandering

SEEDS = (1, 2, 3, 4)


@pytest.mark.parametrize("seed", SEEDS)
def test_work_is_done_in_service_and_a_desk_that_is_left_is_taken_over(seed: int) -> None:
    one = parts(seed, days=100).offices
    day = np.arange(100)
    serving = (day >= one.since[:, None]) & (day < one.until[:, None])
    assert (one.counts[~serving] == 0).all() and one.counts[serving].any()
    assert one.counts.min() == 0 and one.counts.max() <= 240
    left = np.flatnonzero(one.until < NEVER)
    heirs = np.flatnonzero(one.since > 0)
    assert len(left) == len(heirs) >= 1
    assert sorted(one.desk[heirs].tolist()) == sorted(one.desk[left].tolist())
    for heir in heirs.tolist():
        assert one.home[heir] == one.home[one.desk[heir]]
    assert not one.dormant[np.setdiff1d(np.arange(len(one)), left)].any()


@pytest.mark.parametrize("seed", SEEDS)
def test_who_covers_is_a_colleague_at_work_and_who_is_covered_is_away(seed: int) -> None:
    one = parts(seed, days=100).offices
    account, day = np.nonzero(one.cover >= 0)
    assert len(account)
    assert (one.counts[account, day] > 0).all()
    for mate, when in zip(account.tolist(), day.tolist(), strict=True):
        desk = one.cover[mate, when]
        holders = np.flatnonzero(one.desk == desk)
        assert desk != one.desk[mate]
        assert (one.home[holders] == one.home[mate]).all()
        assert (one.counts[holders, when] == 0).any()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_merger_moves_the_smallest_office_on_its_day_and_nobody_else(seed: int) -> None:
    one, calm = parts(seed).offices, parts(seed, merger=False).offices
    everybody = np.arange(len(one))
    before, after = (one.office(everybody, np.full(len(one), day)) for day in (one.merge_day - 1, one.merge_day))
    assert one.merged is not None
    gone, into = one.merged
    assert gone != into and np.bincount(one.home)[gone] == np.bincount(one.home).min()
    assert np.array_equal(before, one.home) and gone not in after
    assert np.array_equal(after[one.home != gone], one.home[one.home != gone])
    assert (after[one.home == gone] == into).all()
    assert calm.merged is None and np.array_equal(calm.office(everybody, np.full(len(one), 39)), calm.home)


def test_loads_are_spread_as_in_the_log_that_was_measured() -> None:
    days = np.concatenate([one.counts[one.counts > 0] for one in (parts(seed, 24, 60).offices for seed in SEEDS)])
    median, high, top = np.percentile(days, [50, 90, 99])
    # measured: 12, 49 and 114 distinct records; these still have repeats among them
    assert 0.75 * MEDIAN * 0.8 < median < 1.3 * MEDIAN * 1.3
    assert 30 < high < 80 and 60 < top < 200


def test_weekends_are_quiet_in_offices_without_shifts_alone() -> None:
    usual, rota = [], []
    for seed in range(1, 9):
        one = parts(seed)
        weekday = (np.arange(40) + one.settings.first_day + 3) % 7
        works = one.offices.counts > 0
        shifts = np.array([profile.shifts for profile in PROFILES])[one.offices.profile][one.offices.home]
        usual.append(works[~shifts][:, weekday >= 5].mean() / works[~shifts][:, weekday < 5].mean())
        if shifts.any():
            rota.append(works[shifts][:, weekday >= 5].mean() / works[shifts][:, weekday < 5].mean())
    assert np.mean(usual) < 0.09
    assert rota and np.mean(rota) > 0.6
    assert sum(role.share for role in ROLES) == pytest.approx(1.0)


def test_habits_wander_as_much_a_month_as_they_should_and_come_back() -> None:
    walk = wandering(2_000, 30, 0.1, chance(1))
    assert walk[:, -1].std() == pytest.approx(0.1, rel=0.1)
    # variance in the long run: monthly^2 / 30 / (1 - (1 - 1/365)^2)
    longest = wandering(600, 1_500, 0.1, chance(2))[:, -1].std()
    assert longest == pytest.approx(0.1 / np.sqrt(30 * (1 - (1 - 1 / 365) ** 2)), rel=0.15)
