"""Takeover: strange in several ways at once. One way alone is ordinary life."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from language.account_days import FIRST_DAY, a_day, empty_state, evidence, office_work, stepped, with_more
from muniment.watch.context.tables import Context
from muniment.watch.days import Day, Explanation
from muniment.watch.signals.takeover import DEVICES, OWN, Takeover

ALARM = np.log(2_000.0 * 9)
LATER = FIRST_DAY + 100


def settled() -> dict[str, np.ndarray]:
    signal, state = Takeover(), empty_state(Takeover())
    list(stepped(signal, office_work(5, 100), state))
    return state


def another(days: int, **columns: int) -> Iterator[Day]:
    """Days on which somebody reads ten records with account 0, beside its own work."""
    chance = np.random.default_rng(3)
    for day in office_work(6, days, start=LATER):
        yield with_more(day, [0] * 10, chance.integers(0, 100_000, 10), **columns)


STRANGE = {"device": 7, "minute": 150, "columns": 6}


def test_another_person_is_seen_within_five_days() -> None:
    assert evidence(Takeover(), another(5, **STRANGE), settled(), 0)[-1] > ALARM


@pytest.mark.parametrize("way", STRANGE)
def test_one_way_and_new_records_are_not_enough(way: str) -> None:
    assert evidence(Takeover(), another(10, **{way: STRANGE[way]}), settled(), 0).max() < ALARM


def test_a_new_computer_for_ones_own_work_is_let_alone() -> None:
    days = another(10, device=7, explanation=Explanation.ASSIGNED, first=False)
    assert evidence(Takeover(), days, settled(), 0).max() < np.log(500.0)


def test_an_unknown_device_is_no_device() -> None:
    known, unknown = (evidence(Takeover(), another(4, device=d, minute=150), settled(), 0)[-1] for d in (7, -1))
    assert unknown < known


def test_what_a_thief_reads_teaches_nothing() -> None:
    state = settled()
    habits = {name: state[name][0].copy() for name in ("device", "read")}
    list(stepped(Takeover(), another(10, **STRANGE), state))
    for name, before in habits.items():
        assert (state[name][0] == before).all()


def test_a_device_becomes_the_accounts_own_and_the_least_used_gives_way() -> None:
    signal, state = Takeover(), empty_state(Takeover())
    for number in range(20):
        device = number % 2 if number < 12 else number
        day = a_day(FIRST_DAY + number, [0] * 3, np.arange(3), device=device, first=False)
        list(stepped(signal, [day], state))
    assert {0.0, 1.0} <= set(state["device"][0].tolist())
    assert len(set(state["device"][0].tolist())) == DEVICES
    assert (state["device_days"][0] >= OWN).sum() == 2


def test_nothing_is_said_of_a_new_account() -> None:
    signal, state = Takeover(), empty_state(Takeover())
    for _, step in stepped(
        signal, (with_more(day, [0] * 9, np.arange(9), **STRANGE) for day in office_work(5, 19)), state
    ):
        assert not step.log_e.any()


def test_ordinary_work_raises_nothing() -> None:
    assert evidence(Takeover(), office_work(8, 200), empty_state(Takeover()), 2).max() < np.log(500.0)


def test_high_column_and_register_numbers_are_kept_apart() -> None:
    signal, state = Takeover(), settled()
    columns = np.uint64(1 << 63)
    odd = with_more(next(office_work(6, 1, start=LATER)), [0] * 3, [1, 2, 3], columns=columns)
    step = signal.step(odd, Context(), state)
    assert step.records[0] == 3
    again = a_day(LATER + 1, [0] * 3, [1, 2, 3], columns=columns, first=False, register=40)
    list(stepped(signal, [again], state))
    assert state["read"][0].tolist() == [1.0, float(2**31), 1.0, float(2**8)]
