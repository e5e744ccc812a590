"""Crowd: one record that many accounts read without a reason within a week. About the reading, never about the person.

Not an e-value and not an alarm about an account: a count above a floor, and the record only as bytes that the caller
has sealed for the data protection officer. There is no list of records and no order among them.

Rules
1. A record is told once in `AGAIN` days, whatever comes on top.
2. Findings of a day stand in the order of their sealed pointers, which is none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from muniment.watch.days import Explanation
from muniment.watch.signals import Shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.watch.days import Day
    from muniment.watch.signals import State

DAYS: Final = 7
FLOOR: Final = 5
"""Accounts from which on something is said: fewer are colleagues of one case that was not imported yet."""
AGAIN: Final = 30
_PAIR: Final = 32


@dataclass(frozen=True, slots=True, repr=False)
class CrowdFinding:
    """`count`: distinct accounts without a reason in the last days. `register`: code of the one that it was last read
    in. `pointer`: the sealed record, which nothing but the officer's key opens."""

    day: int
    count: int
    register: int
    pointer: bytes


class RecordCentred(Protocol):
    """What looks at records instead of units: no factors, only what was found."""

    @property
    def shapes(self) -> Mapping[str, Shape]:
        """Its arrays by name; each begins without a row."""
        ...

    def see(self, day: Day, state: State, seal: Callable[[bytes], bytes]) -> list[CrowdFinding]:
        """What one day adds; `state` is replaced by name, since it has a row a read of the last days."""
        ...


@dataclass(frozen=True, slots=True)
class Crowd:
    """`floor`: distinct accounts from which on a record is told."""

    floor: int = FLOOR

    @property
    def shapes(self) -> Mapping[str, Shape]:
        """`crowd_reads`: day, account, record of each unexplained read of the last days; `crowd_told`: day, record.

        Both begin without a row, and have one for each read (or record told), not for each unit.
        """
        return {"crowd_reads": Shape(3), "crowd_told": Shape(2)}

    def see(self, day: Day, state: State, seal: Callable[[bytes], bytes]) -> list[CrowdFinding]:
        """The records that pass the floor with this day.

        `seal` turns the ordinal (4 bytes, big-endian) into what only the officer opens; two seals of one record are to
        differ, so that findings cannot be counted by person.
        """
        chosen = day.explanation <= Explanation.SELF
        record = day.record[chosen]
        today = np.stack([np.full(len(record), day.day), day.account[day.owner[chosen]], record], axis=1)
        reads = state["crowd_reads"]
        reads = np.concatenate([reads[reads[:, 0] > day.day - DAYS], today.astype(np.float64)])
        told = state["crowd_told"]
        told = told[told[:, 0] > day.day - AGAIN]
        records, counts = _accounts(reads)
        passed = (counts >= self.floor) & np.isin(records, record) & ~np.isin(records, told[:, 1])
        new = np.stack([np.full(int(passed.sum()), float(day.day)), records[passed].astype(np.float64)], axis=1)
        state["crowd_reads"], state["crowd_told"] = reads, np.concatenate([told, new])
        register = dict(zip(record.tolist(), day.register[chosen].tolist(), strict=True))
        found = [
            CrowdFinding(day.day, count, register[one], seal(one.to_bytes(4, "big")))
            for one, count in zip(records[passed].tolist(), counts[passed].tolist(), strict=True)
        ]
        return sorted(found, key=lambda one: one.pointer)


def _accounts(reads: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Each record once, and how many accounts read it."""
    pairs = np.unique((reads[:, 2].astype(np.int64) << _PAIR - 1) | reads[:, 1].astype(np.int64))
    return np.unique(pairs >> _PAIR - 1, return_counts=True)
