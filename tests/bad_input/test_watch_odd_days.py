"""Days as no office has them: nothing known of a read, a gap of a year, a clock that goes back, all renamed at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from language.account_days import FIRST_DAY, a_day, empty_state, evidence, office_work, stepped
from muniment.watch.context.tables import Context, Family, Orders, Staff
from muniment.watch.signals import Signal
from muniment.watch.signals.burst import Burst
from muniment.watch.signals.coverage import Coverage
from muniment.watch.signals.pursuit import Pursuit
from muniment.watch.signals.split import Split
from muniment.watch.signals.takeover import Takeover
from muniment.watch.signals.volume import Volume
from muniment.watch.signals.waking import Waking

ALL: tuple[Callable[[], Signal], ...] = (Volume, Burst, Takeover, Waking, Coverage, Pursuit, Split)
ONE = np.arange(0, 100_000, 2, dtype=np.uint32)
EVERYTHING = Context(
    staff=Staff(*(np.zeros(0, np.int32),) * 3, *(np.zeros(0, np.int64),) * 2),
    family=Family(ONE, ONE + 1),
    orders=Orders(ONE, ONE[:, None].astype(np.int64), np.zeros(len(ONE), np.int64)),
)
UNKNOWN = {"device": -1, "register": -1, "case": -1, "minute": 0, "columns": 0}


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize("context", [Context(), EVERYTHING], ids=["nothing", "everything"])
def test_every_factor_is_a_number_and_every_answer_has_its_shape(make: Callable[[], Signal], context: Context) -> None:
    signal = make()
    state = empty_state(signal)
    nobody = np.zeros(0, np.int32)
    days = [
        a_day(FIRST_DAY, [3], [2**32 - 1], office=-1, **UNKNOWN),
        *office_work(1, 5, start=FIRST_DAY + 1),
        a_day(FIRST_DAY + 6, nobody, nobody, office=np.zeros(1, np.int32)),
        *office_work(2, 5, start=FIRST_DAY + 400),
        *office_work(3, 2, start=FIRST_DAY + 100),
        a_day(FIRST_DAY + 401, [0] * 3000, np.arange(3000), sequence=np.ones(3000), minute=1439),
    ]
    for day, step in stepped(signal, days, state, context):
        assert step.log_e.shape == (len(step.unit), signal.about.bets)
        assert np.isfinite(step.log_e).all()
        assert (np.diff(step.unit) > 0).all()
        assert step.unit.dtype == step.records.dtype == np.int64
        assert step.reads.shape == day.record.shape
        assert step.records.sum() == step.reads.sum()
    assert all(np.isfinite(rows).all() for rows in state.values())


@pytest.mark.parametrize("make", ALL)
def test_the_same_days_give_the_same_state_bit_for_bit(make: Callable[[], Signal]) -> None:
    twice = []
    for _ in range(2):
        signal = make()
        state = empty_state(signal)
        after = evidence(signal, office_work(4, 40), state, 0, EVERYTHING)
        twice.append((after.tobytes(), {name: rows.tobytes() for name, rows in state.items()}))
    assert twice[0] == twice[1]


@pytest.mark.parametrize("make", ALL)
def test_an_office_that_is_renamed_on_one_day_or_away_for_a_year_is_no_harvest(make: Callable[[], Signal]) -> None:
    signal = make()
    state = empty_state(signal)
    before = evidence(signal, office_work(4, 100), state, 0, EVERYTHING)
    renamed = evidence(signal, office_work(5, 60, start=FIRST_DAY + 100, office=1), state, 0, EVERYTHING)
    back = evidence(signal, office_work(6, 60, start=FIRST_DAY + 525, office=1), state, 0, EVERYTHING)
    assert max(part.max() for part in (before, renamed, back) if len(part)) < np.log(2_000.0)
