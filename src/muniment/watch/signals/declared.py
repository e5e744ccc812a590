"""Budgets that the owner declares: how many unexplained first reads an account may have. By design, not learned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

A_DAY: Final = 1.8
"""Unexplained first reads that an account may have per active day where nothing else is declared, on average: what it
bounds is what an insider who knows everything may take, 396 records in 220 workdays and what it takes to notice."""


@dataclass(frozen=True, slots=True)
class Budget:
    """`a_day`: unexplained first reads per active day, on average. `share`: of first reads, on average, or `None`."""

    a_day: float = A_DAY
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Budgets:
    """The default, and what was declared for offices by code. Roles are resolved into `accounts`."""

    default: Budget = Budget()
    offices: Mapping[int, Budget] = field(default_factory=dict)
    accounts: Mapping[int, Budget] = field(default_factory=dict)

    def of(self, account: int, office: int) -> Budget:
        """The budget of one account: its own, else its office's, else the default."""
        return self.accounts.get(account, self.offices.get(office, self.default))

    def a_day(self, accounts: NDArray[np.int32], offices: NDArray[np.int32]) -> NDArray[np.float64]:
        """`Budget.a_day` of many, shape (m,)."""
        pairs = zip(accounts.tolist(), offices.tolist(), strict=True)
        return np.array([self.of(*pair).a_day for pair in pairs], np.float64)

    def share(self, accounts: NDArray[np.int32], offices: NDArray[np.int32]) -> NDArray[np.float64]:
        """`Budget.share` of many, 1 where none was declared: a budget that nobody can pass. Shape (m,)."""
        pairs = zip(accounts.tolist(), offices.tolist(), strict=True)
        return np.array([1.0 if (one := self.of(*pair).share) is None else one for pair in pairs], np.float64)
