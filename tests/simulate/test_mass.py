"""Legal bulk: declared tasks keep to what was declared, some are not, large days come at the published rate."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from language.simulated_parts import chance, parts
from muniment.simulate.mass import UNDECLARED, Mass, mass
from muniment.simulate.settings import ODDITIES, ODDITY_NAMES

RUNS = 120
BULK = ODDITY_NAMES.index("bulk")


@lru_cache(maxsize=1)
def runs() -> list[Mass]:
    one = parts()
    return [mass(one.offices, one.population, 500_000, chance(run, 8)) for run in range(RUNS)]


@pytest.mark.parametrize("run", range(8))
def test_a_declared_task_is_done_by_its_account_in_its_time_and_within_its_number(run: int) -> None:
    found, one = runs()[run], parts()
    touches = found.touches
    jobs = len(found.account)
    assert 1 <= jobs <= 2 and set(touches.job.tolist()) >= set(range(jobs))
    for job in range(jobs):
        mine = touches.job == job
        assert set(touches.account[mine].tolist()) == {found.account[job]}
        assert (touches.day[mine] >= found.since[job]).all() and (touches.day[mine] < found.until[job]).all()
        assert 200 < len(np.unique(touches.record[mine])) <= found.most[job] <= 1_800
    assert (one.offices.counts[touches.account, touches.day] > 0).all()
    assert (touches.case == -1).all() and not np.isin(touches.record, one.population.decoys).any()


@pytest.mark.parametrize("run", range(8))
def test_bulk_comes_in_lists_of_one_day_and_one_task(run: int) -> None:
    touches = runs()[run].touches
    _, size = np.unique(touches.list, return_counts=True)
    assert touches.list.min() >= 0 and size.max() <= 25 and np.median(size) > 1
    of_list = np.unique(np.stack((touches.list, touches.account, touches.day, touches.job)), axis=1)
    assert of_list.shape[1] == len(size)


def test_about_a_third_of_worlds_has_a_task_that_nobody_declared() -> None:
    hidden = np.mean([((one.touches.job < 0) & (one.touches.oddity == 0)).any() for one in runs()])
    deviation = np.sqrt(UNDECLARED * (1 - UNDECLARED) / RUNS)
    assert abs(hidden - UNDECLARED) < 4 * deviation


def test_days_of_more_than_two_hundred_come_at_the_published_rate() -> None:
    accesses = np.sum([(one.touches.oddity == BULK).sum() for one in runs()])
    assert 1e6 * accesses / (RUNS * 500_000) == pytest.approx(ODDITIES["bulk"], rel=0.25)
