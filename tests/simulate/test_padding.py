"""Padding: cases of the attacker's own that cover what he reads, some opened in haste, and borrowed ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from language.simulated import world
from language.simulated_parts import chance
from muniment.simulate.inject import Haul, dressed
from muniment.simulate.padding import pad
from muniment.simulate.world import World
from muniment.watch.context.tables import Context

ACCOUNT = 3


def small() -> World:
    return world(1, accounts=12, days=40)


def haul(days: int = 20, daily: int = 12) -> Haul:
    one = small()
    day = np.repeat(np.arange(10, 10 + days), daily)
    record = chance(1).choice(one.persons, len(day), replace=False)
    return dressed(one, ACCOUNT, day, record, chance(2))


def test_what_a_new_case_names_was_opened_by_the_reader_a_day_before_or_the_same_day() -> None:
    before, plain = small(), haul()
    after, named = pad(before, plain, chance(3))
    cases, given = after.context.cases, after.context.assignments
    old = len(before.spaces.case)
    row = {case: place for place, case in enumerate(cases.case.tolist())}
    covers = set(zip(cases.of.tolist(), cases.record.tolist(), strict=True))
    assigned = set(zip(given.case.tolist(), given.account.tolist(), strict=True))
    moment = after.clock.moment(named.day, named.minute)
    hasty = 0
    own = np.flatnonzero(named.case >= old)
    for one in own.tolist():
        case = int(named.case[one])
        assert (row[case], int(named.record[one])) in covers and (case, ACCOUNT) in assigned
        assert cases.opener[row[case]] == ACCOUNT
        assert cases.opened[row[case]] <= moment[one] < cases.closed[row[case]]
        apart = named.day[one] - after.clock.day(cases.opened[row[case]])
        assert apart in (0, 1)
        hasty += apart == 0
    assert hasty / len(plain.record) == pytest.approx(0.2, abs=0.08)
    assert 1 - len(own) / len(plain.record) == pytest.approx(0.2, abs=0.08)
    assert np.isin(named.case[named.case < old], before.context.cases.case).all()


def test_a_new_case_covers_eight_persons_at_most_and_the_old_ones_stay() -> None:
    before = small()
    after, named = pad(before, haul(daily=30), chance(3))
    old, cases = before.context.cases, after.context.cases
    n = len(old.case)
    sizes = np.bincount(cases.of, minlength=len(cases.case))[n:]
    assert sizes.min() >= 1 and sizes.max() == 8
    assert np.array_equal(cases.case[:n], old.case) and np.array_equal(cases.record[: len(old.record)], old.record)
    assert len(after.known) == len(cases.case) and len(after.spaces.case) == named.case.max() + 1
    assert len(set(after.spaces.case.texts)) == len(after.spaces.case)
    assert (after.known[n:] > cases.opened[n:]).all()


def test_a_world_without_cases_and_a_haul_without_records_stay_as_they_are() -> None:
    bare, full = replace(small(), context=Context()), small()
    one, nothing = haul(), haul(0)
    assert pad(bare, one, chance(3)) == (bare, one)
    assert pad(full, nothing, chance(3)) == (full, nothing)
