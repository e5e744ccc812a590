"""Volume: what counts, what the factor is worth, and who is let alone."""

from __future__ import annotations

import numpy as np
import pytest

from language.account_days import FIRST_DAY, a_day, empty_state, evidence, office_work, stepped, with_more
from muniment.watch.days import DayKind, Explanation
from muniment.watch.signals.ladder import LOG_CAP
from muniment.watch.signals.predictive import nb_log_pmf
from muniment.watch.signals.ratio import nb_log_ratio
from muniment.watch.signals.volume import Volume, counted

ALARM = np.log(2_000.0 * 9)


def test_work_without_a_reason_counts_in_full_explained_work_a_quarter_a_declared_job_nothing() -> None:
    reasons = [Explanation.NONE, Explanation.OTHERS, *[Explanation.ASSIGNED] * 9, *[Explanation.JOB] * 40]
    day = a_day(FIRST_DAY, [1] * len(reasons), np.arange(len(reasons)), explanation=reasons)
    assert counted(day).tolist() == [2 + 9 // 4]


@pytest.mark.parametrize("times", [2.0, 4.0])
@pytest.mark.parametrize(("mean", "size"), [(2.0, 0.4), (12.0, 1.5)])
def test_the_mean_of_the_factor_under_its_null_is_one(times: float, mean: float, size: float) -> None:
    counts = np.arange(20_000)
    ratio = nb_log_ratio(counts, np.array(mean), np.array(size), times)
    assert float(np.exp(nb_log_pmf(counts, mean, size) + ratio).sum()) == pytest.approx(1.0, abs=1e-6)


def test_ordinary_work_raises_nothing() -> None:
    signal = Volume()
    assert evidence(signal, office_work(3, 200), empty_state(signal), 4).max() < ALARM


def test_many_times_the_usual_work_is_seen_within_two_weeks() -> None:
    signal, state = Volume(), empty_state(Volume())
    evidence(signal, office_work(3, 60), state, 0)
    days = office_work(4, 10, start=FIRST_DAY + 60)
    after = evidence(signal, (with_more(day, [0] * 18, np.arange(18)) for day in days), state, 0)
    assert after[-1] > ALARM


def test_a_new_account_is_let_alone_for_two_weeks() -> None:
    signal, state = Volume(), empty_state(Volume())
    days = (a_day(FIRST_DAY + number, [0] * 90, np.arange(90)) for number in range(9))
    assert all(not step.log_e.any() for _, step in stepped(signal, days, state))


def test_a_declared_job_is_silent() -> None:
    signal, state = Volume(), empty_state(Volume())
    evidence(signal, office_work(3, 60), state, 0)
    days = office_work(4, 10, start=FIRST_DAY + 60)
    jobs = (with_more(day, [0] * 300, np.arange(300), explanation=Explanation.JOB) for day in days)
    assert evidence(signal, jobs, state, 0).max() < ALARM


def test_one_day_says_no_more_than_its_cap() -> None:
    signal, state = Volume(), empty_state(Volume())
    evidence(signal, office_work(3, 100), state, 0)
    for day, step in stepped(signal, [a_day(FIRST_DAY + 100, [2] * 5000, np.arange(5000))], state):
        assert step.log_e.max() == pytest.approx(LOG_CAP)
        assert step.records.tolist() == [5000]
        assert step.reads.all()
        assert len(step.reads) == len(day.record)


def test_a_holiday_and_a_day_without_any_account_are_no_trouble() -> None:
    signal, state = Volume(), empty_state(Volume())
    empty = a_day(FIRST_DAY, np.zeros(0, np.int32), np.zeros(0, np.uint32), office=np.zeros(1, np.int32))
    rest = a_day(FIRST_DAY + 1, [0], [5], kind=DayKind.REST)
    steps = [step for _, step in stepped(signal, [empty, rest], state)]
    assert steps[0].log_e.shape == (0, 1)
    assert np.isfinite(steps[1].log_e).all()
