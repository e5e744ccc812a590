"""Budgets suggested by what was done: by office, with room, never below the default."""

from __future__ import annotations

import numpy as np

from language.folds import START, fold, reads, watch
from muniment.watch.signals.declared import A_DAY
from muniment.watch.suggest import DAYS, ROOM, budgets, suggested

OFFICES = np.array([0, 0, 1, 1], np.int32)


def test_an_office_gets_room_above_its_median_and_who_needs_more_a_budget_of_its_own() -> None:
    worked = np.array([[50, 100], [100, 400], [30, 3], [5, 500]], np.float32)
    found = suggested(worked, OFFICES)
    assert (found[0].median, found[0].a_day) == (3.0, 3.0 * ROOM)
    assert found[0].accounts == ((1, 4.0, 4.0 * ROOM),)
    assert found[1].a_day == A_DAY, "an account of five days says nothing yet, and 0.1 a day is below the default"
    assert budgets(found).of(1, 0).a_day == 6.0 and budgets(found).of(0, 0).a_day == 4.5


def test_an_office_nobody_worked_in_long_enough_has_none() -> None:
    assert not suggested(np.array([[DAYS - 1, 9]] * 4, np.float32), OFFICES)


def test_a_watch_counts_what_it_needs() -> None:
    made = watch(4)
    fold(made, reads([(START + day + n / 100, 0, 1_000 + 10 * day + n) for day in range(30) for n in range(3)]))
    assert made.worked[0].tolist() == [30.0, 90.0]
    assert made.worked[1].tolist() == [0.0, 0.0]
    assert suggested(made.worked, OFFICES)[0].median == 3.0
