"""The self-audit: exact intervals, one line a cell, and a word that chance alone seldom makes worse than it is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from muniment.errors import InputError
from muniment.watch.audit import Seen, audit, interval, seen_by
from muniment.watch.tally import Tally

PROMISED = {"estimated": 0.001}


@given(st.integers(0, 60), st.integers(1, 200_000))
def test_the_interval_is_that_of_clopper_and_pearson(alerts: int, days: int) -> None:
    alerts = min(alerts, days)
    bounds = binomtest(alerts, days).proportion_ci(0.95, method="exact")
    assert interval(alerts, days) == pytest.approx((bounds.low, bounds.high), rel=1e-6, abs=1e-12)


def test_no_days_say_nothing_and_more_alerts_than_days_are_bounded() -> None:
    assert interval(0, 0) == (0.0, 1.0)
    assert interval(3, 1)[1] == 1.0


def test_lines_are_all_then_offices_then_months_then_both() -> None:
    seen = [Seen(office, month, "estimated", 1_000, 1) for office in (2, 1) for month in ("2026-01", "2026-02")]
    lines = audit(seen, PROMISED)
    months = (None, "2026-01", "2026-02")
    cells = [(None, None), (1, None), (2, None), *((office, month) for office in (None, 1, 2) for month in months[1:])]
    assert [(line.office, line.month) for line in lines] == cells
    assert [line.account_days for line in lines] == [4_000, 2_000, 2_000, 2_000, 2_000, 1_000, 1_000, 1_000, 1_000]
    assert sum(line.alerts for line in lines) == 16
    assert lines[0].seen == pytest.approx(0.001)


def test_each_kind_is_held_to_its_own_promise() -> None:
    seen = [Seen(1, "2026-01", "estimated", 50_000, 80), Seen(1, "2026-01", "guaranteed", 50_000, 1)]
    lines = audit(seen, {"guaranteed": 0.0005, "estimated": 0.0005})
    assert {line.kind: line.verdict for line in lines} == {"guaranteed": "kept", "estimated": "exceeded"}


@pytest.mark.parametrize(
    ("days", "alerts", "word"),
    [
        (200_000, 140, "kept"),
        (200_000, 190, "not refuted"),
        (200_000, 300, "exceeded"),
        (500, 0, "too few days"),
        (500, 1, "too few days"),
        (500, 20, "exceeded"),
    ],
)
def test_the_word_of_a_cell(days: int, alerts: int, word: str) -> None:
    assert audit([Seen(1, "2026-01", "estimated", days, alerts)], PROMISED)[0].verdict == word


def test_chance_alone_seldom_says_exceeded() -> None:
    random = np.random.default_rng(5)
    cried = 0
    for _ in range(100):
        alerts = random.binomial(1_500, 0.001, (5, 6))
        seen = [Seen(i, f"2026-0{j + 1}", "estimated", 1_500, int(alerts[i, j])) for i in range(5) for j in range(6)]
        cried += any(line.verdict == "exceeded" for line in audit(seen, PROMISED))
    assert cried <= 10, f"{cried} of 100 honest installations were told that a promise was broken"


def test_a_rate_kept_in_all_but_broken_in_one_office_is_seen_there() -> None:
    seen = [Seen(office, "2026-01", "estimated", 20_000, 60 if office == 3 else 4) for office in range(8)]
    broken = [line.office for line in audit(seen, PROMISED) if line.verdict == "exceeded" and line.month is None]
    assert broken == [3]


def test_a_cell_without_days_has_no_line() -> None:
    assert audit([Seen(1, "2026-01", "estimated", 0, 0)], PROMISED) == ()


@pytest.mark.parametrize("seen", [Seen(1, "2026-01", "estimated", -1, 0), Seen(1, "2026-01", "estimated", 1, -2)])
def test_counts_below_nothing_are_refused(seen: Seen) -> None:
    with pytest.raises(InputError, match="counts of 0 or more"):
        audit([seen], PROMISED)


@pytest.mark.parametrize("rate", [0.0, 1.0, -0.5])
def test_a_promise_is_a_rate(rate: float) -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        audit([], {"estimated": rate})


def test_what_a_watch_counted_is_what_is_audited() -> None:
    tally = Tally()
    tally.months.update({(1, "2026-01", "account_days"): 900, (1, "2026-01", "estimated"): 2})
    tally.months[-1, "2026-02", "guaranteed"] += 1
    assert seen_by(tally) == (
        Seen(-1, "2026-02", "guaranteed", 0, 1),
        Seen(-1, "2026-02", "estimated", 0, 0),
        Seen(1, "2026-01", "guaranteed", 900, 0),
        Seen(1, "2026-01", "estimated", 900, 2),
    )
