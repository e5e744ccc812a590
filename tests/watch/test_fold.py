"""The fold: any batching, any restart, the same findings; and what clocks and late reads do to it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language.folds import START, Counting, Pooled, context, fold, reads, stream, watch
from muniment.watch.fold import Crowding, FoldRules, Watch
from muniment.watch.signals.crowd import Crowd

ACCOUNTS = 6


def signals() -> tuple[object, ...]:
    return (Counting(), Pooled())


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 5), st.lists(st.integers(1, 900), max_size=12))
def test_pieces_of_any_size_give_the_same_findings(seed: int, cuts: list[int]) -> None:
    whole = fold(watch(ACCOUNTS, *signals()), stream(seed))
    assert whole, "a stream without findings would show nothing"
    assert fold(watch(ACCOUNTS, *signals()), stream(seed), cuts) == whole


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 5), st.integers(5, 700))
def test_a_restart_changes_nothing(seed: int, cut: int) -> None:
    all_reads = stream(seed)
    whole = fold(watch(ACCOUNTS, *signals()), all_reads)
    before = watch(ACCOUNTS, *signals())
    head = all_reads.take(all_reads.sequence <= cut)
    found = before.take(head)
    state = {name: array.copy() for name, array in before.state().items()}
    after = Watch.restore(signals(), before.rules, state)  # type: ignore[arg-type]
    after.use(context(ACCOUNTS))
    after.recall(head.take(head.moment >= after.recall_since))
    found += after.take(all_reads.take(all_reads.sequence > cut))
    found += after.finish()
    assert found == whole


def test_bulk_is_found_while_the_day_lasts() -> None:
    made = watch(2)
    found = made.take(reads([(START + 0.4, 0, 1_000 + n) for n in range(60)]))
    assert [(one.code, one.kind, one.sequence > 0) for one in found] == [(0, "estimated", True)]
    assert found[0].sequence < 30
    assert found[0].records == found[0].sequence, "every read was unexplained and new"


def test_evidence_that_passed_is_not_counted_again() -> None:
    made = watch(2)
    found = made.take(reads([(START + 0.4 + n / 1_000, 0, 1_000 + n) for n in range(60)]))
    found += made.finish()
    assert len(found) == 1
    later = made.take(reads([(START + 5.4, 0, 1_000)], first=61))
    assert not later, "the next day begins from nothing"


def test_reads_in_own_cases_are_no_evidence() -> None:
    made = watch(2)
    own = [(START + day + n / 100, 0, 2 * n) for day in range(10) for n in range(30, 60)]
    assert not fold(made, reads(own))
    assert made.tally.total("account_days") == 10


def test_a_record_read_again_is_no_first_read() -> None:
    again = [(START + day + 0.5, 0, 1_000 + n) for day in range(40) for n in range(2)]
    fresh = [(START + day + 0.5, 0, 1_000 + 2 * day + n) for day in range(40) for n in range(2)]
    assert not fold(watch(2), reads(again))
    assert fold(watch(2), reads(fresh))


def test_the_office_is_judged_by_all_its_accounts() -> None:
    rows = [(START + day + account / 100 + n / 1e4, account, 10_000 * account + 100 * day + n + 1_000)
            for day in range(3) for account in (0, 2, 4) for n in range(12)]  # fmt: skip
    found = fold(watch(ACCOUNTS, Pooled()), reads(rows))
    assert {(one.unit, one.code, one.pattern) for one in found} == {("office", 0, "pooled")}


def test_late_reads_are_counted_and_not_judged() -> None:
    made = watch(2)
    made.take(reads([(START + 0.5, 0, 1), (START + 9.5, 1, 3)]))
    late = reads([(START + 1 + n / 100, 0, 2_000 + n) for n in range(60)], first=3, recorded=[START + 9.6] * 60)
    assert not made.take(late)
    assert made.tally.late == 60


def test_a_clock_that_jumped_ahead_is_put_back() -> None:
    made = watch(2)
    made.take(reads([(START + 0.5, 0, 1), (START + 400.5, 1, 3)]))
    found = made.take(reads([(START + 1 + n / 100, 0, 2_000 + n) for n in range(60)], first=3))
    assert made.tally.rewound == 1
    assert found, "what was read after the jump is judged all the same"
    assert made.tally.late == 0


def test_a_moment_after_its_recording_is_taken_as_recorded() -> None:
    made = watch(2)
    made.take(reads([(START + 10_000.0, 0, 1), (START + 0.6, 0, 2)], recorded=[START + 0.5, START + 0.6]))
    assert (made.tally.ahead, made.tally.rewound) == (1, 0)
    assert made.closed < START


def test_a_gap_of_a_year_closes_what_was_open_and_no_more() -> None:
    made = watch(2)
    rows = [(START + 0.5, 0, 1), (START + 365.5, 0, 1)]
    fold(made, reads(rows))
    assert made.tally.total("account_days") == 2
    assert fold(watch(2), reads([*rows, *[(START + 365.6, 0, 900 + n) for n in range(40)]])), "and it watches again"


@pytest.mark.parametrize("lag", [0, 86_400_000, 3 * 86_400_000])
def test_a_day_is_closed_when_the_lag_is_over(lag: int) -> None:
    made = Watch((Counting(),), FoldRules(0.01, lag), watch(2).spaces)  # type: ignore[arg-type]
    days = 1 + lag // 86_400_000
    made.take(reads([(START + 0.5, 0, 1), (START + days - 0.01, 0, 2)]))
    assert made.tally.total("account_days") == 0
    made.take(reads([(START + days + 0.01, 0, 2)], first=3))
    assert made.tally.total("account_days") == 1


def test_accounts_without_office_are_counted() -> None:
    made = watch(2)
    made.spaces.account.code("stranger")
    fold(made, reads([(START + 0.5, 2, n) for n in range(3)]))
    assert made.tally.unnamed == 3


def test_state_is_small() -> None:
    made = watch(500, *signals())
    made.take(stream(1, accounts=500, days=3))
    state = made.state()
    kept = sum(array.nbytes for name, array in state.items() if name not in ("told",))
    assert kept / 500 <= 2_048
    assert all(np.isfinite(array).all() or (array == -np.inf).any() for array in state.values())


def test_records_that_many_read_are_told_by_count_and_sealed_pointer() -> None:
    crowd = Crowding(Crowd(floor=4), seal=lambda day, one: one[::-1])
    made = Watch((Counting(),), FoldRules(0.0001), watch(6).spaces, crowd)  # type: ignore[arg-type]
    made.use(context(6))
    fold(made, reads([(START + 0.5 + n / 100, n, 999) for n in range(4)] + [(START + 0.6, 5, 7)]))
    assert [(one.count, one.pointer) for one in made.crowds] == [(4, (999).to_bytes(4, "little"))]
    assert "crowd/crowd_reads" in made.state()
