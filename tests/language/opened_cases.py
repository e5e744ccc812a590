"""Cases as tests of signals write them: who opened one over which record, and when."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from muniment.watch.context.tables import DAY_MS, NO_END, Cases


def opened_cases(opener: ArrayLike, day: ArrayLike, record: ArrayLike) -> Cases:
    """One case a record, opened by somebody at 9 o'clock (UTC) of a day."""
    records = np.asarray(record, np.uint32)
    n = len(records)
    return Cases(
        case=np.arange(n, dtype=np.int32),
        type=np.zeros(n, np.int32),
        opened=np.asarray(day, np.int64) * DAY_MS + 9 * 3_600_000,
        closed=np.full(n, NO_END),
        opener=np.broadcast_to(np.asarray(opener, np.int32), (n,)),
        office=np.zeros(n, np.int32),
        household=np.zeros(n, np.bool_),
        of=np.arange(n),
        record=records,
    )


def no_cases() -> Cases:
    """A table of cases that was given, and is empty."""
    return opened_cases([], [], [])
