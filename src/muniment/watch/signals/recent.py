"""The last records that a unit came to fresh: a short row of ordinals each, oldest first, `EMPTY` in front."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

EMPTY: Final = -1.0
"""No record: no ordinal is negative."""


def entries(recent: NDArray[np.float64], units: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    """What is remembered of some units: for each record its place in `units`, and its ordinal; oldest first."""
    rows = recent[units]
    owner, column = np.nonzero(rows >= 0.0)
    return owner, rows[owner, column].astype(np.uint32)


def remember(
    recent: NDArray[np.float64], units: NDArray[np.int64], owner: NDArray[np.int64], record: NDArray[np.uint32]
) -> None:
    """Put a day's records behind what is remembered, in place. `owner`: the place in `units`, ascending; by time."""
    width = recent.shape[1]
    before, old = entries(recent, units)
    owners = np.concatenate([before, owner])
    order = np.argsort(owners, kind="stable")
    owners, records = owners[order], np.concatenate([old, record])[order]
    ends = np.searchsorted(owners, np.arange(len(units)), side="right")
    place = width - (ends[owners] - np.arange(len(owners)))
    rows = np.full((len(units), width), EMPTY)
    last = place >= 0
    rows[owners[last], place[last]] = records[last]
    recent[units] = rows
