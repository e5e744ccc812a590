"""Declared budgets: an account's own goes before its office's, and both before the default."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from muniment.watch.signals.declared import A_DAY, Budget, Budgets

BUDGET = st.builds(Budget, st.floats(0.01, 50), st.none() | st.floats(0.01, 1))
DECLARED = st.builds(
    Budgets, BUDGET, st.dictionaries(st.integers(-1, 3), BUDGET), st.dictionaries(st.integers(-1, 5), BUDGET)
)
PAIRS = st.lists(st.tuples(st.integers(-1, 5), st.integers(-1, 3)), max_size=15)


@given(DECLARED, PAIRS)
def test_many_at_once_are_as_one_by_one(budgets: Budgets, pairs: list[tuple[int, int]]) -> None:
    accounts, offices = np.array(pairs, np.int32).reshape(-1, 2).T
    for (account, office), a_day, share in zip(
        pairs, budgets.a_day(accounts, offices), budgets.share(accounts, offices), strict=True
    ):
        if account in budgets.accounts:
            expected = budgets.accounts[account]
        elif office in budgets.offices:
            expected = budgets.offices[office]
        else:
            expected = budgets.default
        assert budgets.of(account, office) == expected
        assert a_day == expected.a_day
        assert share == (1.0 if expected.share is None else expected.share)


def test_where_nothing_is_declared_a_year_of_workdays_yields_396_records() -> None:
    assert Budgets().of(7, -1) == Budget(A_DAY, None)
    assert round(A_DAY * 220) == 396
    assert A_DAY <= 2  # the target: at most two records an account-workday to an attacker who knows everything


def test_an_accounts_own_budget_replaces_its_offices_share_too() -> None:
    budgets = Budgets(offices={2: Budget(5.0, 0.3)}, accounts={1: Budget(9.0)})
    both = np.array([1, 4], np.int32), np.array([2, 2], np.int32)
    assert budgets.a_day(*both).tolist() == [9.0, 5.0] and budgets.share(*both).tolist() == [1.0, 0.3]
