"""Budgets of distinct persons against a notebook in which nothing is folded together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language.naive_budgets import DAY, HOUR, Notebook
from muniment.gate.policy import budgets as module
from muniment.gate.policy.budgets import NONE, Charge, LocalBudgets
from muniment.gate.policy.rules import GRANT, LIFETIME, WINDOWS, Rules

START = 1_790_000_000_000
WIDTHS = {name: length // 60 for name, length in WINDOWS.items()}


def rules(mode: str = "stop", rows: int | None = None, **persons: int) -> Rules:
    return Rules("clerk", "clerk", mode=mode, persons=persons, rows_per_statement=rows)  # type: ignore[arg-type]


def charge(
    budgets: LocalBudgets, now: int, rows: Sequence[Sequence[int]], anonymous: Sequence[int] | None = None,
    given: Rules | None = None, **more: Any,
) -> Charge:  # fmt: skip
    slots = max(map(len, rows), default=1)
    table = np.full((len(rows), slots), NONE, np.uint32)
    for number, row in enumerate(rows):
        table[number, : len(row)] = row
    nameless = np.array(anonymous if anonymous is not None else [0] * len(rows), np.int64)
    return budgets.charge("clerk", given or rules(), now, table, nameless, **more)


def column(*persons: int) -> list[list[int]]:
    return [[one] for one in persons]


@pytest.fixture(params=["loop", "arrays"])
def _path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both forms of the same rules."""
    monkeypatch.setattr(module, "FEW_CELLS", 10**9 if request.param == "loop" else -1)


# --- against the notebook --------------------------------------------------------------------------------------------

PERSON = st.integers(0, 12) | st.just(NONE)
STEP = st.sampled_from([0, 1, 999, 1_000, 59_000, 60_001, HOUR - 1, HOUR, 5 * HOUR, DAY, 29 * DAY, 30 * DAY, 31 * DAY])


@st.composite
def calls(draw: st.DrawFn) -> list[tuple[int, list[list[int]], list[int], bool]]:
    """(ms since the call before, rows, anonymous persons, free)."""
    slots = draw(st.integers(1, 3))
    row = st.lists(PERSON, min_size=slots, max_size=slots)
    found = []
    for _ in range(draw(st.integers(1, 8))):
        rows = draw(st.lists(row, max_size=5))
        anonymous = draw(st.lists(st.sampled_from([0, 0, 0, 1, 7]), min_size=len(rows), max_size=len(rows)))
        found.append((draw(STEP), rows, anonymous, draw(st.booleans())))
    return found


LIMITS = st.dictionaries(st.sampled_from([*WINDOWS, LIFETIME]), st.integers(0, 20))


@given(calls(), LIMITS, st.sampled_from([0, 1, 30, 45]), st.booleans(), st.none() | st.integers(0, 6))
def test_what_is_allowed_never_exceeds_the_notebook_and_is_the_largest_prefix_of_the_buckets(
    drawn: list[tuple[int, list[list[int]], list[int], bool]], limits: dict[str, int], days: int, few: bool,
    most: int | None,
) -> None:  # fmt: skip
    budgets, notebook, now = LocalBudgets(days), Notebook(days), START
    was = module.FEW_CELLS
    module.FEW_CELLS = 10**9 if few else -1  # type: ignore[misc]
    try:
        for step, rows, anonymous, free in drawn:
            now += step
            before = budgets.used("clerk", now)
            got = charge(budgets, now, rows, anonymous, rules(rows=most, **limits), free=free)
            notebook.receive(now, rows[: got.allowed], anonymous[: got.allowed], free)
            after = budgets.used("clerk", now)
            for window in (*WINDOWS, LIFETIME):
                exact = notebook.used(window, now)
                late = notebook.used(window, now) if window == LIFETIME else _wider(notebook, window, now)
                assert exact <= after[window] <= late
                if exact > limits.get(window, exact):
                    assert notebook.used(window, now - step) > limits[window] or not got.allowed
                assert after[window] <= max(limits.get(window, after[window]), before[window])
            assert (got.exceeded is None) == (got.allowed == len(rows))
    finally:
        module.FEW_CELLS = was  # type: ignore[misc]


def _wider(notebook: Notebook, window: str, now: int) -> int:
    """Persons counted in the window and the bucket before it: more than that is never counted."""
    length = WINDOWS[window] + WIDTHS[window]
    return sum(number for time, number in notebook.charges[window] if time > now - length)


@given(calls(), LIMITS, st.sampled_from([0, 1, 30]), st.sampled_from(["stop", "warn", "throttle"]), st.booleans())
def test_loop_and_arrays_charge_alike(
    drawn: list[tuple[int, list[list[int]], list[int], bool]], limits: dict[str, int], days: int, mode: str, log: bool
) -> None:
    given = replace(rules(mode, 4, **limits), unattributed="log" if log else "charge")
    loop, arrays, now = LocalBudgets(days), LocalBudgets(days), START
    was = module.FEW_CELLS
    try:
        for step, rows, anonymous, free in drawn:
            now += step
            module.FEW_CELLS = 10**9  # type: ignore[misc]
            one = charge(loop, now, rows, anonymous, given, free=free)
            module.FEW_CELLS = -1  # type: ignore[misc]
            assert charge(arrays, now, rows, anonymous, given, free=free) == one
            assert loop.used("clerk", now) == arrays.used("clerk", now)
    finally:
        module.FEW_CELLS = was  # type: ignore[misc]


@given(calls(), LIMITS, st.sampled_from([0, 1, 30, 45]), st.integers(1, 9))
def test_a_replay_of_the_ledger_gives_what_was_charged(
    drawn: list[tuple[int, list[list[int]], list[int], bool]], limits: dict[str, int], days: int, at_once: int
) -> None:
    live, again, now = LocalBudgets(days), LocalBudgets(days), START
    recorded = []
    for step, rows, anonymous, free in drawn:
        now += step
        got = charge(live, now, rows, anonymous, rules(**limits), free=free)
        persons = {one for row in rows[: got.allowed] for one in row} - {NONE}
        nameless = sum(anonymous[: got.allowed]) + got.undiscounted
        # As the ledger holds it: one disclosure a register, and one of those that nobody could be named for.
        halves = [sorted(one for one in persons if one % 2 == odd) for odd in (0, 1)]
        recorded += [(now, np.array(half, np.uint32), 0) for half in halves if half]
        recorded += [(now, np.array([], np.uint32), nameless)] if nameless else []
    was = module.REPLAY_PERSONS
    module.REPLAY_PERSONS = at_once  # type: ignore[misc]
    try:
        again.restore("clerk", recorded)
    finally:
        module.REPLAY_PERSONS = was  # type: ignore[misc]
    for later in (0, 1, 60_000, HOUR, 7 * HOUR, DAY, 29 * DAY, 31 * DAY):
        assert again.used("clerk", now + later) == live.used("clerk", now + later)
        everybody = column(*range(13))
        assert charge(again, now + later, everybody, given=rules()) == charge(live, now + later, everybody)


# --- what each rule means --------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_path")
def test_the_case_load_costs_nothing_and_a_new_person_does() -> None:
    budgets = LocalBudgets()
    limited = rules(day=2)
    assert charge(budgets, START, column(1, 2), given=limited) == Charge(2, new_persons=2)
    assert charge(budgets, START + HOUR, column(2, 1, 1, 2), given=limited) == Charge(4)
    stopped = charge(budgets, START + HOUR, column(2, 3, 1), given=limited)
    assert (stopped.allowed, stopped.new_persons) == (1, 0)
    assert stopped.exceeded is not None and stopped.exceeded.window == "day" and stopped.exceeded.used == 2


@pytest.mark.usefixtures("_path")
def test_a_person_that_did_not_pass_leaves_no_trace() -> None:
    budgets = LocalBudgets()
    assert charge(budgets, START, column(1, 2, 3), given=rules(day=1)).allowed == 1
    assert charge(budgets, START, column(2), given=rules(day=1)).allowed == 0
    assert budgets.used("clerk", START) == {"minute": 1, "hour": 1, "day": 1, "month": 1, LIFETIME: 1}


@pytest.mark.usefixtures("_path")
def test_one_person_in_several_slots_and_rows_counts_once() -> None:
    budgets = LocalBudgets()
    got = charge(budgets, START, [[5, 5], [5, NONE], [NONE, 6], [6, 5]], given=rules(day=2))
    assert got == Charge(4, new_persons=2)


@pytest.mark.usefixtures("_path")
def test_a_row_of_many_persons_passes_whole_or_not_at_all() -> None:
    got = charge(LocalBudgets(), START, [[1], [2, 3, 4]], given=rules(hour=3))
    assert got.allowed == 1 and got.exceeded is not None and got.exceeded.used == 1


@pytest.mark.usefixtures("_path")
def test_anonymous_persons_count_each_time_anew() -> None:
    budgets = LocalBudgets()
    assert charge(budgets, START, [[]], [3], rules(hour=5)).allowed == 1
    assert charge(budgets, START, [[], []], [2, 1], rules(hour=5)).allowed == 1
    assert budgets.used("clerk", START)[LIFETIME] == 5


@pytest.mark.usefixtures("_path")
def test_what_is_not_free_charges_the_case_load_and_says_how_much_of_it() -> None:
    budgets = LocalBudgets()
    charge(budgets, START, column(1, 2))
    got = charge(budgets, START, column(1, 3, 1, 2), given=rules(day=4), free=False)
    assert (got.allowed, got.undiscounted, got.new_persons) == (3, 1, 2)


@pytest.mark.usefixtures("_path")
def test_budgets_come_back_when_their_bucket_is_over_not_before() -> None:
    budgets = LocalBudgets(0)
    charge(budgets, START, column(1, 2), given=rules(minute=2))
    told = charge(budgets, START + 30_000, column(3), given=rules(minute=2)).exceeded
    assert told is not None and START + 60_000 < told.resets_ms <= START + 61_000
    assert charge(budgets, told.resets_ms - 1, column(3), given=rules(minute=2)).allowed == 0
    assert charge(budgets, told.resets_ms, column(3), given=rules(minute=2)).allowed == 1


@pytest.mark.usefixtures("_path")
def test_a_lifetime_budget_never_comes_back() -> None:
    budgets = LocalBudgets()
    charge(budgets, START, column(1, 2))
    told = charge(budgets, START + 1_000 * DAY, column(3), given=rules(lifetime=2)).exceeded
    assert told is not None and (told.window, told.used, told.resets_ms) == (LIFETIME, 2, 0)
    assert charge(budgets, START + 1_000 * DAY, column(2), given=rules(lifetime=2)).allowed == 1


@pytest.mark.usefixtures("_path")
@pytest.mark.parametrize("mode", ["observe", "warn", "throttle"])
def test_milder_modes_let_all_pass_and_tell_all_the_same(mode: str) -> None:
    got = charge(LocalBudgets(), START, column(1, 2, 3, 4), given=rules(mode, day=1))
    assert got.allowed == 4 and got.exceeded is not None and got.exceeded.used == 1
    assert got.wait == (3.0 if mode == "throttle" else 0.0)


@pytest.mark.usefixtures("_path")
def test_rows_of_a_statement_are_counted_over_its_calls() -> None:
    budgets = LocalBudgets()
    got = charge(budgets, START, column(1, 1, 1), given=rules(rows=4), before=2)
    assert got.allowed == 2 and got.exceeded is not None
    assert (got.exceeded.window, got.exceeded.used) == ("rows", 4)


@pytest.mark.usefixtures("_path")
def test_a_grant_limits_one_call_whatever_was_used_before() -> None:
    budgets = LocalBudgets()
    charge(budgets, START, column(*range(100)))
    got = charge(budgets, START, column(5, 100, 101, 102), given=rules(**{GRANT: 2}))
    assert got.allowed == 3 and got.new_persons == 2 and got.exceeded is not None and got.exceeded.window == GRANT


@pytest.mark.usefixtures("_path")
def test_the_longest_of_several_budgets_is_told() -> None:
    told = charge(LocalBudgets(), START, column(1, 2), given=rules(minute=1, day=1, lifetime=1)).exceeded
    assert told is not None and told.window == LIFETIME


@pytest.mark.usefixtures("_path")
def test_time_that_runs_backwards_gives_no_budget_back() -> None:
    budgets = LocalBudgets()
    charge(budgets, START, column(1, 2), given=rules(minute=2))
    assert charge(budgets, START - 10 * DAY, column(3), given=rules(minute=2)).allowed == 0


@pytest.mark.usefixtures("_path")
def test_a_negative_number_of_persons_is_refused() -> None:
    budgets = LocalBudgets()
    with pytest.raises(ValueError):
        charge(budgets, START, [[1], [2]], [0, -5])


def test_slow_reading_for_a_year_is_charged_once_a_person() -> None:
    """Some seven new persons a workday, and the whole case-load read again every day."""
    budgets = LocalBudgets()
    for day in range(365):
        known = column(*range(7 * day, 7 * day + 7))
        charge(budgets, START + day * DAY, known)
        charge(budgets, START + day * DAY, known)
    used = budgets.used("clerk", START + 365 * DAY)
    assert used[LIFETIME] == 7 * 365 and 7 * 30 <= used["month"] <= 7 * 31


def test_ten_thousand_persons_over_two_spans_are_counted_exactly() -> None:
    """Past the dictionary, past the array's first span, in rows of two."""
    budgets = LocalBudgets()
    random = np.random.default_rng(7)
    everybody = random.permutation(300_000)[:160_000].astype(np.uint32)
    for start in range(0, len(everybody), 4_000):
        rows = everybody[start : start + 4_000].reshape(-1, 2)
        got = budgets.charge("clerk", rules(), START + start, rows, np.zeros(len(rows), np.int64))
        assert got.new_persons == 4_000
    again = budgets.charge("clerk", rules(), START + DAY, everybody.reshape(-1, 1), np.zeros(len(everybody), np.int64))
    assert again.new_persons == 0 and budgets.used("clerk", START)[LIFETIME] == len(everybody)


def test_accounts_do_not_share_what_is_not_theirs() -> None:
    budgets = LocalBudgets()
    charge(budgets, START, column(1, 2))
    assert budgets.used("other", START)["day"] == 0 and not budgets.knows("other") and budgets.knows("clerk")


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 3 * DAY), st.integers(0, 40)), max_size=60))
def test_a_minute_never_holds_more_persons_than_its_budget(reads: list[tuple[int, int]]) -> None:
    """Any schedule of single reads: in no exact minute do more than the limit of new persons pass."""
    budgets, passed = LocalBudgets(), []
    known: set[int] = set()
    for time, person in sorted(reads):
        if charge(budgets, START + time, column(person), given=rules(minute=3)).allowed and person not in known:
            passed.append(time)
            known.add(person)
    assert all(sum(time - 60_000 < one <= time for one in passed) <= 3 for time in passed)


# --- budgets that are overdrawn already ------------------------------------------------------------------------------


@pytest.mark.usefixtures("_path")
def test_the_case_load_passes_even_where_the_budget_is_overdrawn() -> None:
    """A limit that was lowered, or overdrawn in a milder mode, shuts nobody out of the own case-load."""
    budgets = LocalBudgets()
    charge(budgets, START, column(1, 2, 3, 4, 5))
    got = charge(budgets, START, column(1, 2, 6, 3), given=rules(day=2))
    assert got.allowed == 2 and got.exceeded is not None and got.exceeded.used == 5
    assert charge(budgets, START, column(5, 4), given=rules(day=0)).allowed == 2


@pytest.mark.usefixtures("_path")
def test_where_unattributed_rows_are_only_logged_they_leave_and_are_counted() -> None:
    budgets, logged = LocalBudgets(), replace(rules(day=4), unattributed="log")
    assert charge(budgets, START, [[], [], []], [3, 3, 3], logged).allowed == 3
    assert budgets.used("clerk", START)["day"] == 9
    got = charge(budgets, START, [[], [1], []], [1, 0, 1], logged)
    assert got.allowed == 1 and got.exceeded is not None and got.exceeded.used == 10
