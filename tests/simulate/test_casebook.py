"""The casebook: times that fit, exports at night, nobody assigned to what was never entered, and gaps as asked for."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from language.simulated_parts import chance, parts
from muniment.simulate.casebook import GRACE_MS, Casebook, enter
from muniment.simulate.clock import minutes
from muniment.simulate.office import PROFILES
from muniment.watch.context.tables import NO_END
from muniment.watch.reads import NOBODY

SEEDS = (1, 2, 3)


@lru_cache(maxsize=12)
def book(seed: int, explained: float = 0.94) -> tuple[Casebook, np.ndarray]:
    """The casebook of a small world, and the moment of each touch."""
    one = parts(seed, explained=explained)
    moment = one.clock.moment(one.touches.day, minutes(one.offices, one.touches, chance(seed, 5)))
    touches, drafts = one.touches, one.drafts
    return enter(one.settings, one.traits, one.offices, drafts, touches, moment, one.clock, chance(seed, 6)), moment


@pytest.mark.parametrize("seed", SEEDS)
def test_cases_begin_before_they_end_and_are_exported_the_night_after(seed: int) -> None:
    one, (found, _) = parts(seed), book(seed)
    cases = found.cases
    assert (cases.opened < cases.closed).all() and (found.known > cases.opened).all()
    during = (cases.opened >= one.clock.hours[0]) & (cases.opened < one.clock.start(one.settings.days))
    delay = found.known - cases.opened
    assert (delay[during] <= 28 * 3_600_000).all()
    minute = (found.known - one.clock.start(one.clock.day(found.known))) / 60_000
    assert set(minute[during]) == {180.0}


@pytest.mark.parametrize("seed", SEEDS)
def test_covers_are_those_of_the_drafts_that_were_entered(seed: int) -> None:
    one, (found, _) = parts(seed), book(seed)
    cases = found.cases
    entered = set(zip(cases.case[cases.of].tolist(), cases.record.tolist(), strict=True))
    drafted = set(zip(one.drafts.of.tolist(), one.drafts.record.tolist(), strict=True))
    assert entered == {pair for pair in drafted if pair[0] in set(cases.case.tolist())}
    assert cases.type.tolist() == one.drafts.type[cases.case].tolist()
    worked_on = set(one.touches.case.tolist())
    assert set(found.assignments.case.tolist()) >= set(cases.case.tolist()) & worked_on
    assert set(found.assignments.case.tolist()) <= set(cases.case.tolist())


@pytest.mark.parametrize("seed", SEEDS)
def test_offices_that_share_work_are_assigned_as_a_whole_the_others_by_account(seed: int) -> None:
    one, (found, _) = parts(seed), book(seed)
    given = found.assignments
    assert (given.since < given.until).all()
    home = one.offices.home[one.drafts.desk[given.case]]
    shared = np.array([profile.shared > 0 for profile in PROFILES])[one.offices.profile[home]]
    assert np.array_equal(shared, given.account == NOBODY)
    assert np.array_equal(shared, given.office != NOBODY)
    assert one.offices.merged is not None
    gone, at = one.offices.merged[0], one.clock.start(one.offices.merge_day)
    assert (given.until[given.office == gone] <= at).all()


@pytest.mark.parametrize("share", [0.94, 0.84, 0.60])
def test_so_many_cases_are_missing_that_the_asked_share_is_explained_and_no_less(share: float) -> None:
    one, (found, moment) = parts(2, explained=share), book(2, share)
    row = np.full(len(one.drafts), -1)
    row[found.cases.case] = np.arange(len(found.cases.case))
    at = row[one.touches.case]
    opened, closed = found.cases.opened[at], found.cases.closed[at]
    hasty = (found.cases.opener[at] == one.touches.account) & (one.clock.day(opened) == one.touches.day)
    explained = (at >= 0) & (moment >= opened - GRACE_MS) & (moment < closed) & ~hasty
    # a little less by a case of its own: what another case covers by chance makes it up
    assert share - 0.035 * (1 - share) - 0.005 < explained.mean() < share + 0.005


def test_figures_of_care() -> None:
    found = [book(seed)[0].cases for seed in SEEDS]
    assert 0.09 < np.mean(np.concatenate([cases.closed == NO_END for cases in found])) < 0.15
    unopened = np.mean(np.concatenate([cases.opener == NOBODY for cases in found]))
    assert 0.45 < unopened < 0.55
