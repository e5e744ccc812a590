"""Context as frozen columns: staff, cases, assignments, households, family, calendar, declared bulk jobs, orders.

Rules
1. Each table is optional. A table that was never given is `None`, not empty: without assignments, "nobody is assigned"
   and "nobody told us" are different things, and watch says which harvests it cannot see (`Context.missing`).
2. Persons are ordinals of the ledger, never keys or names. Accounts, offices, cases and types are codes of `Names`.
3. Times are ms since 1970, UTC; what has no end ends at `NO_END`. Intervals contain their start, not their end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

NO_END: Final = 2**62
"""The end of what has none."""
DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Staff:
    """Who works where: one row a stay of an account in an office. Shape (n,) each; several stays may follow."""

    account: NDArray[np.int32]
    office: NDArray[np.int32]
    role: NDArray[np.int32]
    since: NDArray[np.int64]
    until: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Cases:
    """Cases, one row each, and the persons they cover, one row a pair.

    `household` says whether the type of the case covers the household of its persons too. `opener`: the account that
    opened it, `NOBODY` where unknown. `of` is the row of the case that covers `record`, shape (pairs,).
    """

    case: NDArray[np.int32]
    type: NDArray[np.int32]
    opened: NDArray[np.int64]
    closed: NDArray[np.int64]
    opener: NDArray[np.int32]
    office: NDArray[np.int32]
    household: NDArray[np.bool_]
    of: NDArray[np.int64]
    record: NDArray[np.uint32]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Assignments:
    """Who works on which case: an account, or (account `NOBODY`) everybody of an office."""

    case: NDArray[np.int32]
    account: NDArray[np.int32]
    office: NDArray[np.int32]
    since: NDArray[np.int64]
    until: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Households:
    """Which records live together: one row a record and the number of its household."""

    record: NDArray[np.uint32]
    household: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Family:
    """Declared ties between two records, in no direction."""

    one: NDArray[np.uint32]
    other: NDArray[np.uint32]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Jobs:
    """Bulk work that was declared beforehand: an account, a time, and how many records it may read at most.

    `case` (or `NOBODY`): the reads must name it.
    """

    account: NDArray[np.int32]
    case: NDArray[np.int32]
    since: NDArray[np.int64]
    until: NDArray[np.int64]
    most: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Orders:
    """Where a record stands in several orders (number, address, surname, date of birth), for enumeration alone.

    `record` ascending, shape (n,); `rank` shape (n, orders), int64, -1 where a record has no place. `born`: when the
    record was made, 0 where unknown, so that fresh ones at the intake desk are left out.
    """

    record: NDArray[np.uint32]
    rank: NDArray[np.int64]
    born: NDArray[np.int64]
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Calendar:
    """Workdays of an office. Days are local days since 1970-01-01 (which was a Thursday, weekday 3).

    `zone` is an IANA name. `holidays`: days nobody works; `shifts`: offices (codes) that work every day. `busy`: days
    of declared mass work, such as an election or the end of the school year. `workdays`: days of a weekend that are
    worked to make up for another. `own_...`: pairs of day and office (code), what holds for that office alone.
    """

    zone: str = "UTC"
    holidays: frozenset[int] = frozenset()
    busy: frozenset[int] = frozenset()
    shifts: frozenset[int] = frozenset()
    weekend: frozenset[int] = frozenset({5, 6})
    workdays: frozenset[int] = frozenset()
    own_holidays: frozenset[tuple[int, int]] = frozenset()
    own_busy: frozenset[tuple[int, int]] = frozenset()
    own_workdays: frozenset[tuple[int, int]] = frozenset()


@dataclass(frozen=True, slots=True, repr=False)
class Context:
    """All of it, as it stood at one time. `decoys`: ordinals of decoy records, ascending."""

    staff: Staff | None = None
    cases: Cases | None = None
    assignments: Assignments | None = None
    households: Households | None = None
    family: Family | None = None
    jobs: Jobs | None = None
    orders: Orders | None = None
    calendar: Calendar = field(default_factory=Calendar)
    decoys: NDArray[np.uint32] = field(default_factory=lambda: np.zeros(0, np.uint32))

    @property
    def missing(self) -> tuple[str, ...]:
        """The tables that were never given, by name, in the order above."""
        names = ("staff", "cases", "assignments", "households", "family", "jobs", "orders")
        return tuple(name for name in names if getattr(self, name) is None)
