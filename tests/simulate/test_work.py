"""Work on cases: what is read for a case is covered by it, cases are of the office's sorts, and they come to an end."""

from __future__ import annotations

import numpy as np
import pytest

from language.simulated_parts import chance, parts
from muniment.simulate.office import PROFILES
from muniment.simulate.work import TYPES, work

SEEDS = (1, 2, 3)
SORTS = {
    "tax": {"move", "tax return", "permit"},
    "counter": {"move", "relief", "permit", "enrolment"},
    "relief": {"move", "relief", "tax return"},
    "emergency": {"call", "ticket"},
    "permits": {"move", "permit"},
    "service": {"tax return", "ticket"},
    "schools": {"move", "relief", "enrolment"},
}


@pytest.mark.parametrize("seed", SEEDS)
def test_each_read_is_of_a_person_of_the_case_or_of_the_household_where_the_type_says_so(seed: int) -> None:
    one = parts(seed)
    drafts, home = one.drafts, one.population.household
    named: dict[int, set[int]] = {}
    for case, record in zip(drafts.of.tolist(), drafts.record.tolist(), strict=True):
        named.setdefault(case, set()).add(record)
    assert set(named) == set(range(len(drafts))) and max(map(len, named.values())) <= 5
    mates = 0
    for case, record in zip(one.touches.case.tolist(), one.touches.record.tolist(), strict=True):
        if record not in named[case]:
            assert TYPES[drafts.type[case]].household
            assert home[record] >= 0 and home[record] in {home[person] for person in named[case]}
            mates += 1
    assert 0 < mates < len(one.touches) / 2
    assert drafts.household.tolist() == [TYPES[kind].household for kind in drafts.type]


@pytest.mark.parametrize("seed", SEEDS)
def test_an_office_has_the_cases_of_its_sort(seed: int) -> None:
    one = parts(seed)
    assert set(SORTS) == {profile.name for profile in PROFILES}
    profile = one.offices.profile[one.offices.home[one.drafts.desk]]
    for sort in np.unique(profile).tolist():
        found = {TYPES[kind].name for kind in np.unique(one.drafts.type[profile == sort])}
        assert found <= SORTS[PROFILES[sort].name]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_case_is_of_one_desk_and_left_eighty_days_after_the_next_one_came(seed: int) -> None:
    one = parts(seed, days=160)
    first, last = np.full(len(one.drafts), 10**6), np.full(len(one.drafts), -1)
    np.minimum.at(first, one.touches.case, one.touches.day)
    np.maximum.at(last, one.touches.case, one.touches.day)
    worked = last >= 0
    assert worked.mean() > 0.99
    for desk in np.unique(one.drafts.desk).tolist():
        rows = np.flatnonzero(worked & (one.drafts.desk == desk))  # cases of a desk stand in the order of opening
        next_begun = np.minimum.accumulate(first[rows][::-1])[::-1][1:]
        assert (last[rows][:-1] - next_begun).max() <= 80
    lasted = (last - first)[worked & (first > 10)]
    assert np.median(lasted) >= 2 and lasted.max() > 40
    home = one.offices.home
    merged = one.offices.merged or (-1, -1)
    same = home[one.touches.account] == home[one.drafts.desk[one.touches.case]]
    assert (same | np.isin(home[one.touches.account], merged)).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_the_share_of_reads_that_come_again_is_the_published_one(seed: int) -> None:
    one = parts(seed, days=160)
    late = one.touches.day >= 90
    key = one.touches.account * (1 << 32) + one.touches.record
    order = np.lexsort((one.touches.day, key))
    again = np.zeros(len(key), bool)
    again[order[1:]] = np.diff(key[order]) == 0
    assert 0.58 < again[late].mean() < 0.80  # published: 0.63 to 0.77


def test_the_work_of_nobody_is_no_work() -> None:
    one, none = parts(), np.zeros(0, np.int64)
    touches, drafts = work(one.offices, one.population, one.traits, none, none, chance(1))
    assert len(touches) == len(drafts) == 0
