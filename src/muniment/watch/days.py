"""An account-day: what one account read on one local day, explained. The unit in which watch counts and steps.

Rules
1. A record counts once a day: the row kept is its first, or the first that is explained where one is.
2. `first` says that the account did not read the record within `MEMORY_DAYS` before this day.
3. Only active account-days are rows: an account that read nothing has no day, and its detectors stand still.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MEMORY_DAYS: Final = 90
"""Days for which a record stays known to an account: the longest that a case is commonly worked on."""


class Explanation(IntEnum):
    """Why an account may have read a record; what is above `SELF` counts as explained."""

    NONE = 0
    OTHERS = 1
    """No reason of its own, but the record is in an open case of somebody else: in work, not in this account's."""
    SELF = 2
    """Only by a case that the reader opened the same day."""
    OPEN = 3
    """By an open case, where assignments were never given: the weakest that still explains."""
    OFFICE = 4
    """By an open case that is assigned to the account's office."""
    ASSIGNED = 5
    """By an open case that is assigned to the account."""
    JOB = 6
    """By a bulk job declared beforehand."""
    CONFIRMED = 7
    """A challenge was answered, and a human found the answer good."""


class DayKind(IntEnum):
    """What a day is for an office: counts are compared within one kind."""

    WORKDAY = 0
    REST = 1
    """Weekend or holiday."""
    BUSY = 2
    """Declared mass work."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Day:
    """One local day of all active accounts. m account-days, ascending by account; n reads, by account, then sequence.

    `account`, `office`, `role`: int32 codes, shape (m,), office and role `NOBODY` where unknown. `kind`: `DayKind`,
    shape (m,). `starts`: shape (m + 1,): reads of account-day i are rows `starts[i]:starts[i + 1]` of what follows.
    `record`, `moment`, `sequence`, `case`, `device`, `register`, `columns` as in `reads.Reads`, shape (n,).
    `explanation`: `Explanation` as uint8. `first`: see the rules. `total`: disclosed records with repeats, shape (m,).
    `minute`: local minute of the day, int16, shape (n,).
    """

    day: int
    account: NDArray[np.int32]
    office: NDArray[np.int32]
    role: NDArray[np.int32]
    kind: NDArray[np.uint8]
    total: NDArray[np.int64]
    starts: NDArray[np.int64]
    record: NDArray[np.uint32]
    moment: NDArray[np.int64]
    sequence: NDArray[np.int64]
    minute: NDArray[np.int16]
    case: NDArray[np.int32]
    device: NDArray[np.int32]
    register: NDArray[np.int32]
    columns: NDArray[np.uint64]
    explanation: NDArray[np.uint8]
    first: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.account)

    @property
    def owner(self) -> NDArray[np.int64]:
        """The account-day (0 to m - 1) of each read, shape (n,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))

    def count(self, chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
        """How many of the chosen reads (shape (n,)) each account-day has, shape (m,)."""
        return np.bincount(self.owner[chosen], minlength=len(self)).astype(np.int64)

    @property
    def unexplained(self) -> NDArray[np.bool_]:
        """Which reads have no reason, shape (n,)."""
        return self.explanation <= Explanation.SELF

    @property
    def fresh(self) -> NDArray[np.bool_]:
        """Unexplained first reads, shape (n,): what a harvest consists of."""
        return self.unexplained & self.first


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Prefix:
    """An open day as of each of d disclosures of it, in the order of the ledger; shape (d,) each.

    `reads` and `fresh` count the account's distinct records of this day, and those that are unexplained first reads,
    up to and with this disclosure (a record counts by its first read of the day). `decoys`: decoys among them. `idle`:
    days since the account was last active, -1 if it never was. `minute`: local minute of the day. `given`:
    records of this disclosure that count in `fresh` for the first time.
    """

    day: int
    sequence: NDArray[np.int64]
    account: NDArray[np.int32]
    office: NDArray[np.int32]
    role: NDArray[np.int32]
    kind: NDArray[np.uint8]
    reads: NDArray[np.int64]
    fresh: NDArray[np.int64]
    given: NDArray[np.int64]
    decoys: NDArray[np.int64]
    idle: NDArray[np.int64]
    minute: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.sequence)
