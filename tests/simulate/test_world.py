"""A world is in the ledger's order, the same for the same seed, and within the published ranges."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from language.simulated import AccountDays, world
from muniment.errors import InputError
from muniment.simulate.settings import ODDITIES, ODDITY_NAMES, WorldSettings
from muniment.simulate.world import simulate
from muniment.watch.reads import NOBODY

SEEDS = (1, 2, 3, 4)


def test_the_same_seed_gives_the_same_world_and_another_does_not() -> None:
    settings = WorldSettings(seed=9, accounts=10, days=40)
    np.random.seed(1)
    one = simulate(settings)
    np.random.seed(2)
    two, other = simulate(settings), simulate(WorldSettings(seed=10, accounts=10, days=40))
    for column in fields(one.reads):
        assert np.array_equal(getattr(one.reads, column.name), getattr(two.reads, column.name))
    assert np.array_equal(one.context.cases.record, two.context.cases.record)
    assert one.spaces.account.texts == two.spaces.account.texts
    assert not np.array_equal(one.reads.record[:100], other.reads.record[:100])


@pytest.mark.parametrize("seed", SEEDS)
def test_reads_stand_in_the_order_of_the_ledger(seed: int) -> None:
    reads = world(seed).reads
    assert (np.diff(reads.recorded) >= 0).all()
    assert (np.diff(reads.sequence) >= 0).all() and reads.sequence[0] == 1
    same = np.diff(reads.sequence) == 0
    assert same.any()
    assert (np.diff(reads.record.astype(np.int64))[same] > 0).all()
    for column in ("moment", "recorded", "account", "case", "device", "register", "columns"):
        assert (getattr(reads, column)[1:][same] == getattr(reads, column)[:-1][same]).all(), column


def test_imported_reads_come_later_than_they_happened() -> None:
    reads = world(5, accounts=24, days=40, imported=0.5).reads
    late = reads.recorded - reads.moment
    assert (late >= 0).all() and 0.1 < (late > 0).mean() < 0.9
    assert (np.diff(reads.recorded) >= 0).all() and (np.diff(reads.moment) < 0).any()


@pytest.mark.parametrize("seed", SEEDS)
def test_counts_repeats_and_popularity_are_near_what_was_published(seed: int) -> None:
    one = world(seed, accounts=40, days=260)
    days = AccountDays(one)
    usual = days.counts[days.counts <= 240]
    median, high, top = np.percentile(usual, [50, 90, 99])
    assert 7 <= median <= 18 and 24 <= high <= 65 and 45 <= top <= 150
    settled = days.day >= 90
    assert 0.60 <= 1 - days.first[settled].mean() <= 0.77
    per_record = np.sort(np.unique(days.record, return_counts=True)[1])
    assert 0.03 <= per_record[-len(per_record) // 100 :].sum() / per_record.sum() <= 0.10
    pairs = np.unique(np.stack((days.account, days.record)), axis=1)
    assert 1 <= np.median(np.unique(pairs[1], return_counts=True)[1]) <= 3


def test_accounts_differ_from_one_another() -> None:
    days = AccountDays(world(2, accounts=40, days=260))
    means = [np.mean(days.account == account) for account in range(40)]
    assert np.percentile(means, 90) > 4 * np.percentile(means, 10)


def test_oddities_come_at_the_published_rates() -> None:
    counts = sum(np.bincount(world(seed, accounts=40, days=260).oddity, minlength=7) for seed in SEEDS)
    for name in ("neighbour", "family"):
        rate = 1e6 * counts[ODDITY_NAMES.index(name)] / counts.sum()
        assert 0.4 * ODDITIES[name] < rate < 2.0 * ODDITIES[name], name


def test_a_merger_moves_accounts_and_their_cases_on_one_day() -> None:
    one = world(3)
    staff, given = one.context.staff, one.context.assignments
    twice = np.flatnonzero(np.bincount(staff.account) == 2)
    assert len(twice)
    for account in twice:
        first, second = np.flatnonzero(staff.account == account)
        assert staff.until[first] == staff.since[second]
        assert staff.office[first] != staff.office[second]
    assert len({int(staff.until[np.flatnonzero(staff.account == account)[0]]) for account in twice}) == 1
    assert (given.since < given.until).all()


def test_without_a_merger_nobody_changes_office() -> None:
    assert (np.bincount(world(3, merger=False).context.staff.account) == 1).all()


def test_a_surge_doubles_the_load_for_a_month() -> None:
    calm, surging = (AccountDays(world(6, surge=surge)) for surge in (False, True))
    month = [((one.day >= 100) & (one.day < 130)).sum() for one in (calm, surging)]
    before = [(one.day < 100).sum() for one in (calm, surging)]
    assert 1.5 < (month[1] / before[1]) / (month[0] / before[0]) < 2.3


def test_weekends_and_nights_are_quiet_but_not_empty() -> None:
    one = world(1, accounts=40, days=260)
    shifts = np.isin(one.office_of[one.reads.account], list(one.context.calendar.shifts))
    weekday = (one.day_of(one.reads.moment) + 3) % 7
    resting = (weekday >= 5)[~shifts].mean()
    assert 0 < resting < 0.09
    minute = (one.reads.moment - one.clock.start(one.clock.day(one.reads.moment))) / 60_000
    outside = ((minute < 7 * 60) | (minute >= 19 * 60))[~shifts].mean()
    assert 0.004 < outside < 0.22


def test_no_case_names_a_decoy_and_hardly_anybody_reads_one() -> None:
    one = world(1, accounts=40, days=260)
    assert not np.isin(one.context.cases.record, one.context.decoys).any()
    assert np.isin(one.reads.record, one.context.decoys).sum() <= 5


def test_codes_have_names_and_values_fit_together() -> None:
    one = world(1)
    reads, spaces, cases = one.reads, one.spaces, one.context.cases
    assert reads.account.min() >= 0 and reads.account.max() < len(spaces.account) == one.accounts
    assert reads.case.min() >= NOBODY and reads.case.max() < len(spaces.case)
    assert reads.device.max() < len(spaces.device)
    assert reads.record.max() < one.persons == len(one.context.orders.record)
    assert cases.of.max() < len(cases.case) == len(one.known)
    assert (cases.opened < cases.closed).all()
    assert (one.known > cases.opened).all()
    assert len(one.office_of) == one.accounts


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(InputError, match="IANA"):
        simulate(WorldSettings(accounts=8, days=14, zone="Nowhere/Else"))


@pytest.mark.parametrize("zone", ["UTC", "Asia/Taipei", "America/Sao_Paulo"])
def test_the_smallest_world_in_any_zone(zone: str) -> None:
    one = simulate(WorldSettings(accounts=8, days=14, zone=zone))
    assert len(one.reads) > 100
    assert set(np.unique(one.day_of(one.reads.moment))) <= set(range(one.first_day, one.first_day + 14))
