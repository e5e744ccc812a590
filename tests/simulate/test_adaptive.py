"""The attacker's own plan: as many records a day as planned, on top of the work or in its place."""

from __future__ import annotations

import numpy as np
import pytest

from language.simulated import world
from muniment.errors import InputError
from muniment.simulate.adaptive import inject_plan

COUNTS = (3, 0, 7, 2, 1)


@pytest.mark.parametrize("in_place", [False, True])
def test_each_workday_has_its_count(in_place: bool) -> None:
    one = world(1)
    injected = inject_plan(one, 2, one.first_day + 60, COUNTS, 5, in_place=in_place)
    reads = injected.world.reads
    rows = injected.harvest == 0
    found = np.unique(injected.world.day_of(reads.moment[rows]), return_counts=True)[1]
    assert found.tolist() == [count for count in COUNTS if count]


def test_in_place_the_days_are_no_longer_than_before() -> None:
    one = world(1)
    injected = inject_plan(one, 2, one.first_day + 60, COUNTS, 5, in_place=True)

    def distinct(reads: object) -> int:
        mine = reads.account == 2
        return len(np.unique(np.stack((one.day_of(reads.moment[mine]), reads.record[mine])), axis=1).T)

    assert distinct(injected.world.reads) == distinct(one.reads)


def test_a_plan_that_cannot_be_is_refused() -> None:
    with pytest.raises(InputError, match="counts"):
        inject_plan(world(1), 2, world(1).first_day, [-1], 5)
