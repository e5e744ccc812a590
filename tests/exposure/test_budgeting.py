"""Spent privacy budget: exact sums, coalitions, refusals."""

from __future__ import annotations

from decimal import Decimal

import pytest

from muniment.errors import InputError, IntegrityError
from muniment.exposure.budgeting import Budget, Spend, afford, loss, total

TENTH = Spend("A", "persons", Decimal("0.1"), purpose="statistics")


def test_a_budget_of_one_affords_ten_tenths_and_not_an_eleventh() -> None:
    budget = Budget()
    for _ in range(10):
        budget = afford(budget, TENTH, Decimal(1), Decimal(0))
    assert (budget.epsilon, budget.answers) == (1, 10)
    with pytest.raises(InputError, match=r"would have spent epsilon 1\.1"):
        afford(budget, TENTH, Decimal(1), Decimal(0))


def test_who_pools_pools_what_was_spent_on_one_register() -> None:
    others = [("B", "persons", "0.2"), ("A", "staff", "5"), ("C", "persons", "7")]
    spends = [TENTH, *(Spend(recipient, register, Decimal(epsilon)) for recipient, register, epsilon in others)]
    assert total(spends, ["A", "B"], "persons") == Budget(Decimal("0.3"), Decimal(0), 2)


def test_entries_come_back_and_nothing_else_is_taken() -> None:
    spend = Spend("A", "persons", loss("0.000000000000000001"), loss("0.00000001", "delta"), "gauss", "why")
    assert Spend.from_body(spend.to_body()) == spend
    for bad in ({}, spend.to_body() | {"epsilon": "-1"}, spend.to_body() | {"epsilon": 0.1}):
        with pytest.raises(IntegrityError):
            Spend.from_body(bad)


@pytest.mark.parametrize("value", ["", "x", "-0.1", "NaN", "Infinity", "1e9", "1e-31", 0.1, None, True])
def test_losses_that_are_none_are_refused(value: object) -> None:
    with pytest.raises(InputError, match="epsilon"):
        loss(value)  # type: ignore[arg-type]


def test_an_answer_without_loss_and_a_delta_over_budget_are_refused() -> None:
    with pytest.raises(InputError, match="without any loss"):
        afford(Budget(), Spend("A", "persons", Decimal(0)), Decimal(1), Decimal(1))
    with pytest.raises(InputError, match="delta"):
        afford(Budget(), Spend("A", "persons", Decimal(1), Decimal("0.1")), Decimal(1), Decimal(0))
