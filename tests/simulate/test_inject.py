"""Attackers read among the others: as many as they should, in order, with the truth beside them."""

from __future__ import annotations

import numpy as np
import pytest

from language.simulated import EXPLAINED_FROM, reasons, world
from muniment.errors import InputError
from muniment.simulate.attackers import ATTACKS, PATTERNS
from muniment.simulate.inject import Injected, Planned, inject, inject_many
from muniment.simulate.settings import ODDITY_NAMES
from muniment.simulate.staging import staged
from muniment.watch.reads import Reads

SEED = 11


def attacked(name: str, seed: int = SEED) -> Injected:
    one = world(1, accounts=60, days=260)
    plan = staged(one, [name], one.first_day + 90, seed)
    return inject_many(one, plan, seed)


@pytest.mark.parametrize("name", ATTACKS)
def test_each_attack_harvests_in_the_order_of_the_ledger(name: str) -> None:
    injected = attacked(name)
    reads, kind = injected.world.reads, ATTACKS[name]
    rows = np.flatnonzero(injected.harvest == 0)
    assert len(injected.harvest) == len(injected.world.oddity) == len(reads)
    assert (np.diff(reads.recorded) >= 0).all() and (np.diff(reads.sequence) >= 0).all()
    assert set(reads.account[rows]) <= set(injected.plan[0].accounts)
    lost = injected.lost(0)
    assert len(np.unique(reads.record[lost])) == len(lost) > 0
    assert np.array_equal(np.sort(lost), lost)
    days = len(np.unique(reads.account[rows] * 10_000 + injected.world.day_of(reads.moment[rows])))
    assert days <= kind.workdays * kind.accounts
    rate = kind.daily * (1.05 if kind.growing else 1.0)
    assert len(rows) / kind.accounts <= 1.4 * rate * kind.workdays + 5


@pytest.mark.parametrize("name", sorted(set(ATTACKS) - {"waking"}))
def test_honest_reads_stay_as_they_were(name: str) -> None:
    injected = attacked(name)
    honest = injected.world.reads.take(injected.harvest < 0)
    before = world(1, accounts=60, days=260).reads
    for column in ("moment", "account", "record", "device", "columns"):
        assert np.array_equal(getattr(honest, column), getattr(before, column)), column


def test_the_same_seed_injects_the_same_and_another_does_not() -> None:
    one, two, other = attacked("ten"), attacked("ten"), attacked("ten", SEED + 1)
    assert np.array_equal(one.world.reads.record, two.world.reads.record)
    assert not np.array_equal(one.lost(0), other.lost(0))


def test_expected_patterns_are_known_ones() -> None:
    for kind in ATTACKS.values():
        assert kind.expected_pattern and kind.expected_pattern <= set(PATTERNS)


def test_bulk_is_five_hundred_in_one_day() -> None:
    injected = attacked("bulk500")
    assert len(injected.lost(0)) == 500
    assert len(np.unique(injected.world.reads.sequence[injected.harvest == 0])) == 5


def test_records_in_work_are_in_open_cases_of_others() -> None:
    injected = attacked("in_work")
    found = reasons(injected.world)[injected.harvest == 0]
    assert (found == 1).mean() > 0.95


def test_half_hidden_is_half_hidden() -> None:
    injected = attacked("half_hidden")
    found = reasons(injected.world)[injected.harvest == 0]
    assert 0.45 < (found == 1).mean() < 0.75 and (found >= EXPLAINED_FROM).mean() < 0.1


def test_padding_explains_most_of_what_it_reads() -> None:
    injected = attacked("padding")
    found = reasons(injected.world)[injected.harvest == 0]
    assert (found >= EXPLAINED_FROM).mean() > 0.5 and 0.1 < (found == 2).mean() < 0.3
    assert len(injected.world.known) == len(injected.world.context.cases.case)
    assert injected.world.reads.case.max() < len(injected.world.spaces.case)


def test_copenhagen_walks_along_relatives_and_random_does_not() -> None:
    def steps(name: str) -> float:
        injected = attacked(name)
        kin = injected.world.population.kin
        records = injected.world.reads.record[injected.lost(0)].astype(np.int64)
        known = np.zeros(injected.world.persons, bool)
        hits = 0
        for record in records.tolist():
            hits += bool(known[record])
            known[kin.all(np.array([record]))[1]] = True
        return hits / len(records)

    assert steps("copenhagen") > 0.3 > 0.1 > steps("random7")


def test_enumeration_walks_along_one_order() -> None:
    injected = attacked("enumerate")
    ranks = injected.world.population.rank[injected.world.reads.record[injected.lost(0)]]
    near = (np.abs(np.diff(np.sort(ranks, axis=0), axis=0)) <= 3).mean(axis=0)
    assert near.max() > 0.9


def test_a_takeover_comes_at_night_from_a_device_never_seen() -> None:
    injected = attacked("takeover")
    rows = injected.harvest == 0
    reads = injected.world.reads
    device = np.unique(reads.device[rows])
    assert len(device) == 1 and device[0] == len(injected.world.spaces.device) - 1
    assert device[0] not in reads.device[~rows]


def test_a_dormant_account_was_silent_before_it_woke() -> None:
    injected = attacked("waking")
    reads, (account,) = injected.world.reads, injected.plan[0].accounts
    mine = reads.account == account
    woke = reads.moment[injected.harvest == 0].min()
    before = reads.moment[mine & (reads.moment < woke)]
    assert len(before) and woke - before.max() > 59 * 86_400_000
    assert (injected.harvest[mine & (reads.moment >= woke)] == 0).all()


def test_split_is_done_by_five_accounts_of_one_office() -> None:
    injected = attacked("split5")
    accounts = injected.plan[0].accounts
    assert len(accounts) == 5 and len(set(injected.world.office_of[list(accounts)])) == 1


def test_many_attacks_at_once_keep_apart() -> None:
    one = world(1, accounts=60, days=260)
    names = ["ten", "copenhagen", "padding", "enumerate", "takeover", "bulk500"]
    plan = staged(one, names, one.first_day + 90, 4)
    injected = inject_many(one, plan, 4)
    accounts = [account for planned in plan for account in planned.accounts]
    assert len(set(accounts)) == len(accounts)
    assert len({int(one.office_of[account]) for account in accounts}) == min(len(names), one.office_of.max() + 1)
    for number, planned in enumerate(plan):
        rows = injected.harvest == number
        assert rows.any() and set(injected.world.reads.account[rows]) == set(planned.accounts)


@pytest.mark.parametrize(("attack", "accounts", "day"), [("none", (0,), 0), ("ten", (999,), 0), ("ten", (0,), -5)])
def test_what_cannot_be_injected_is_refused(attack: str, accounts: tuple[int, ...], day: int) -> None:
    one = world(1, accounts=60, days=260)
    with pytest.raises(InputError):
        inject(one, attack, accounts, one.first_day + day, 1)


def test_an_attack_after_the_last_workday_harvests_nothing() -> None:
    one = world(1, accounts=60, days=260)
    gone = int(np.argmin(np.bincount(one.reads.account, minlength=60)))
    injected = inject(one, "ten", [gone], one.first_day + one.days - 1, 1)
    assert isinstance(injected.world.reads, Reads) and len(injected.lost(0)) <= 30


def test_an_unknown_attack_names_those_that_are_known() -> None:
    with pytest.raises(InputError, match="copenhagen"):
        _ = Planned("nothing", (0,), 0).kind


def test_names_of_oddities_are_unique() -> None:
    assert len(set(ODDITY_NAMES)) == len(ODDITY_NAMES)
