"""Breaking the glass: for whom, for how long, for how many, and again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from language.policies import Declaring, Said, rules
from muniment.gate.policy.breakglass import Grant, Grants
from muniment.gate.policy.budgets import LocalBudgets
from muniment.gate.policy.rules import Glass, Hours
from muniment.gate.policy.statements import Refusal, permit

NOW = 1_790_000_000_000
MINUTE = 60_000
ALLOWED = rules(
    break_glass=Glass(3, 10), persons={"day": 1}, rows_per_statement=2, statements_per_minute=1,
    hours=Hours(frozenset(), ()), require=frozenset(("case",)), read_only=True,
)  # fmt: skip


def begun(grants: Grants, now: int = NOW, reason: str = "unconscious patient in room 4") -> Grant:
    grant = grants.begin(ALLOWED, reason, now)
    assert isinstance(grant, Grant)
    return grant


def test_only_whom_the_policy_allows() -> None:
    told = Grants().begin(rules(), "unconscious patient", NOW)
    assert isinstance(told, Refusal) and told.sqlstate == "42501"


@pytest.mark.parametrize("reason", ["", "   ", "x", "aaaaaaaaaaaaaaa", "a b c d"])
def test_a_reason_says_something(reason: str) -> None:
    grants = Grants()
    assert isinstance(grants.begin(ALLOWED, reason, NOW), Refusal) and grants.active("clerk", NOW) is None


def test_it_ends_by_itself() -> None:
    grants = Grants()
    begun(grants)
    assert grants.active("clerk", NOW + 10 * MINUTE - 1) is not None
    assert grants.active("clerk", NOW + 10 * MINUTE) is None
    assert grants.active("clerk", NOW - 1) is None
    assert grants.active("other", NOW) is None


def test_again_within_its_time_gives_no_more_persons_and_no_more_time() -> None:
    grants = Grants()
    first = begun(grants)
    grants.spent("clerk", 2)
    again = begun(grants, NOW + 5 * MINUTE, "another unconscious patient")
    assert (again.left, again.until, again.reason) == (1, first.until, first.reason)
    grants.spent("clerk", 2)
    assert begun(grants, NOW + 9 * MINUTE).left == 0
    assert begun(grants, NOW + 10 * MINUTE).left == 3


def test_another_account_of_the_same_person_draws_on_the_same_grant() -> None:
    grants = Grants()
    begun(grants)
    grants.spent("clerk", 3)
    second = grants.begin(replace(ALLOWED, account="second"), "unconscious patient", NOW)
    assert isinstance(second, Grant) and second.left == 0


def test_it_lets_by_so_many_new_persons_over_several_statements_and_the_case_load_for_nothing() -> None:
    grants, budgets = Grants(), LocalBudgets()
    anonymous = np.zeros(4, np.int64)
    known = np.arange(4, dtype=np.uint32).reshape(-1, 1)
    budgets.charge("clerk", rules(), NOW, known, anonymous)
    grant = begun(grants)
    charge = budgets.charge("clerk", grants.rules(grant, ALLOWED), NOW, known + 2, anonymous)
    assert (charge.allowed, charge.new_persons) == (4, 2)
    grants.spent("clerk", charge.new_persons)
    left = grants.active("clerk", NOW)
    assert left is not None and left.left == 1
    charge = budgets.charge("clerk", grants.rules(left, ALLOWED), NOW, known + 4, anonymous)
    assert (charge.allowed, charge.new_persons) == (3, 1)
    assert charge.exceeded is not None and charge.exceeded.window == "grant"


def test_it_opens_hours_and_labels_but_neither_writing_nor_copy() -> None:
    grants = Grants()
    opened = grants.rules(begun(grants), ALLOWED)
    assert permit(Said(), None, ALLOWED, Declaring(), NOW) is not None
    assert permit(Said(), None, opened, Declaring(), NOW) is None
    assert permit(Said("insert", writes=True), None, opened, Declaring(), NOW) is not None
    assert permit(Said("copy-out"), None, opened, Declaring(), NOW) is not None
    assert opened.mode == "stop" and opened.statements_per_minute is None
