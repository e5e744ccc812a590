"""Who attacks: accounts that work before and after, each once, of one office where the attack wants it."""

from __future__ import annotations

import numpy as np
import pytest

from language.simulated import world
from muniment.errors import InputError
from muniment.simulate.staging import FEWEST_DAYS, staged
from muniment.simulate.world import World

DAY = 30


def small() -> World:
    return world(2, accounts=24, days=60)


@pytest.mark.parametrize("seed", range(6))
def test_each_attack_has_accounts_of_its_own_that_work_enough(seed: int) -> None:
    one = small()
    names = ["ten", "takeover", "split5", "fifty"]
    plan = staged(one, names, one.first_day + DAY, seed)
    assert [planned.attack for planned in plan] == names
    assert [len(planned.accounts) for planned in plan] == [1, 1, 5, 1]
    chosen = [account for planned in plan for account in planned.accounts]
    assert len(set(chosen)) == len(chosen)
    day = one.day_of(one.reads.moment) - one.first_day
    for account in chosen:
        active = np.unique(day[one.reads.account == account])
        assert (active >= DAY).sum() >= FEWEST_DAYS and (active < DAY).sum() >= FEWEST_DAYS
    assert all(len(set(one.office_of[list(planned.accounts)].tolist())) == 1 for planned in plan)


@pytest.mark.parametrize("seed", range(6))
def test_no_office_twice_while_there_are_others(seed: int) -> None:
    one = small()
    offices = len(np.unique(one.office_of))
    plan = staged(one, ["ten"] * offices, one.first_day + DAY, seed)
    assert len({int(one.office_of[planned.accounts[0]]) for planned in plan}) == offices


def test_the_same_seed_draws_the_same_and_others_differ() -> None:
    one = small()
    draws = [staged(one, ["ten", "three"], one.first_day + DAY, seed) for seed in (1, 1, 2, 3, 4)]
    assert draws[0] == draws[1] and len(set(draws)) > 2


@pytest.mark.parametrize(
    ("names", "day", "said"),
    [
        (["nothing"], DAY, "attack 'nothing'"),
        (["singer", "singer", "singer"], DAY, "accounts are left: expected 12"),
        (["split5"] * 5, DAY, "no office has 5 accounts left"),
        (["ten"], 58, "no office has 1 accounts left"),
    ],
)
def test_what_cannot_be_staged_is_refused(names: list[str], day: int, said: str) -> None:
    one = small()
    with pytest.raises(InputError, match=said):
        staged(one, names, one.first_day + day, 1)
