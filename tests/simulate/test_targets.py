"""Whom attackers read, against the plain way: persons only, kin of those read before, others' work, a stretch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from language.simulated import world
from language.simulated_parts import chance
from muniment.simulate.population import PEOPLE
from muniment.simulate.targets import HALF_HIDDEN, Pick, Wish, anybody, half_hidden, in_work, relatives, stretch
from muniment.watch.context.tables import Context

HOUR = 3_600_000
ACCOUNT = 4


def wish(seed: int = 1, daily: int = 10, days: int = 20) -> Wish:
    return Wish(world(1, accounts=12, days=40), ACCOUNT, np.repeat(np.arange(8, 8 + days), daily), chance(seed))


def open_at_others(one: Wish, day: int) -> set[int]:
    """Records of cases that are open all of a working day and were never the account's or its office's."""
    cases, given, staff = one.world.context.cases, one.world.context.assignments, one.world.context.staff
    offices = set(staff.office[staff.account == one.account].tolist())
    columns = given.case, given.account, given.office
    mine = {
        case
        for case, account, office in zip(*(one.tolist() for one in columns), strict=True)
        if account == one.account or (account < 0 and office in offices)
    }
    begin = int(one.world.clock.start(day))
    return {
        record
        for row, record in zip(cases.of.tolist(), cases.record.tolist(), strict=True)
        if cases.case[row] not in mine and cases.office[row] not in offices
        if cases.opened[row] <= begin + 8 * HOUR and cases.closed[row] > begin + 20 * HOUR
    }


@pytest.mark.parametrize("pick", [anybody, relatives, stretch, half_hidden, in_work])
def test_one_record_for_each_entry_of_the_wish(pick: Pick) -> None:
    one = wish()
    found = pick(one)
    assert len(found) == len(one.day)
    assert len(np.unique(found)) > 0.95 * len(found)
    if pick is not in_work:
        assert found.min() >= 0 and found.max() < one.world.persons


@pytest.mark.parametrize("seed", range(4))
def test_relatives_are_followed(seed: int) -> None:
    one = wish(seed)
    population = one.world.population
    known: set[int] = set()
    followed = 0
    for record in relatives(one).tolist():
        followed += record in known
        known.update(population.kin.all(np.array([record]))[1].tolist())
        if population.household[record] >= 0:
            known.update(np.flatnonzero(population.household == population.household[record]).tolist())
    assert followed > 0.3 * len(one.day)


@pytest.mark.parametrize("seed", range(3))
def test_in_work_is_open_that_day_at_others(seed: int) -> None:
    one = wish(seed)
    found = in_work(one)
    for day in np.unique(one.day).tolist():
        assert set(found[one.day == day].tolist()) - {-1} <= open_at_others(one, day)
    assert (found >= 0).mean() > 0.9
    bare = Wish(replace(one.world, context=Context()), one.account, one.day, one.rng)
    assert set(in_work(bare).tolist()) == {-1}


def test_half_hidden_hides_four_of_seven() -> None:
    one = wish(3, daily=30)
    found = half_hidden(one)
    hidden = [record in open_at_others(one, day) for record, day in zip(found.tolist(), one.day.tolist(), strict=True)]
    by_chance = np.mean([record in open_at_others(one, 20) for record in anybody(wish(4)).tolist()])
    assert np.mean(hidden) == pytest.approx(HALF_HIDDEN + (1 - HALF_HIDDEN) * by_chance, abs=0.08)


@pytest.mark.parametrize("seed", range(4))
def test_a_stretch_walks_one_order_of_the_persons_that_were_there(seed: int) -> None:
    one = wish(seed)
    population = one.world.population
    found = stretch(one)
    assert (population.register[found] == PEOPLE).all() and (population.made[found] < 0).all()
    old = (population.register == PEOPLE) & (population.made < 0)
    steps = []
    for order in population.at:
        place = np.full(len(population), -1)
        place[order[old[order]]] = np.arange(old.sum())
        steps.append((np.diff(place[found]) % old.sum()).max())
    assert sorted(steps)[0] <= 3 < sorted(steps)[1]
