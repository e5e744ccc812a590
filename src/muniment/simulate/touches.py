"""Touches: who came upon which record on which day and why, before there are clocks, cases or sequence numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from muniment.simulate.groups import first_of_each

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Touches:
    """n touches, shape (n,) each.

    `day`: of the world. `case`: row of the case that is worked on, -1 for none. `oddity`: code, see `settings`.
    `list`: touches with the same number that is not negative came in one list; `job`: number of a mass job, -1.
    """

    account: NDArray[np.int64]
    day: NDArray[np.int64]
    record: NDArray[np.int64]
    case: NDArray[np.int64]
    oddity: NDArray[np.int64]
    list: NDArray[np.int64]
    job: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.account)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Touches:
        """Some of them."""
        return Touches(*(getattr(self, one.name)[rows] for one in fields(self)))

    @classmethod
    def of(
        cls,
        account: NDArray[np.int64],
        day: NDArray[np.int64],
        record: NDArray[np.int64],
        case: NDArray[np.int64] | None = None,
        oddity: int = 0,
    ) -> Touches:
        """Touches outside lists and jobs."""
        none = np.full(len(account), -1, np.int64)
        return cls(account, day, record, none if case is None else case, np.full(len(account), oddity), none, none)

    @classmethod
    def joined(cls, parts: Sequence[Touches]) -> Touches:
        """Several, one behind another."""
        return cls(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(cls)))

    def distinct(self, records: int) -> Touches:
        """A record once per account and day, work on a case before all else; `records`: how many there are."""
        days = int(self.day.max(initial=0)) + 1
        key = (self.account * days + self.day) * records + self.record
        return self.take(first_of_each(key, np.where((self.case >= 0) | (self.job >= 0), 0.0, 1.0)))
