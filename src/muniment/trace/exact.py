"""Rows that equal one record in every compared column: found by one hash, weighed by what chance would do.

Many columns of few values make a row unique in the register that is still a stranger's. How often a stranger meets a
value combination that exactly one record has is read off the register itself, as Good and Turing (1953) do for species:
a record taken out of it would meet such a combination if exactly two records have it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from muniment.trace.blocking import mixed
from muniment.trace.fields import Field, Hashes, Keys

_SHARES: Final = (0.05, 0.95)
"""Bounds of the estimated share of leak rows that are from this register."""


@dataclass(frozen=True, slots=True, repr=False)
class Exact:
    """Per leak row: `record` is the one record equal in all, or -1; `matches` counts the equal records."""

    record: Hashes
    matches: Hashes
    weight: float
    """P(the row is that record's | it equals exactly one), for all rows alike."""
    share: float
    """Estimated share of leak rows that are from this register."""


def match_exactly(fields: Sequence[Field], leak: Keys, register: Keys) -> Exact:
    """Join both sides on all fields without a tolerance; a cell missing on both sides counts as equal."""
    numbers = [number for number, field in enumerate(fields) if field.tolerance is None]
    none = np.full(leak.rows, -1, np.int64)
    if not numbers or not register.rows:
        return Exact(none, np.zeros(leak.rows, np.int64), 0.0, 0.5)
    mine = _key([leak.strict[number] for number in numbers])
    theirs = _key([register.strict[number] for number in numbers])
    order = np.argsort(theirs, kind="stable")
    ordered = theirs[order]
    distinct, place = np.unique(mine, return_inverse=True)
    start = np.searchsorted(ordered, distinct, "left")
    count = (np.searchsorted(ordered, distinct, "right") - start)[place]
    count[mine == 0] = 0
    found = order[np.minimum(start, len(order) - 1)][place]
    return Exact(np.where(count == 1, found, none), count, *_weight_and_share(ordered, count))


def _key(keys: Sequence[Hashes]) -> Hashes:
    """Return one key for a row in which missing cells are a value like others; 0 where all are missing."""
    total: NDArray[np.uint64] = np.zeros(len(keys[0]), np.uint64)
    some = np.zeros(len(keys[0]), bool)
    for key in keys:
        total = mixed(total, key)
        some |= key != 0
    return np.where(some, (total | np.uint64(1)).view(np.int64), 0)


def _weight_and_share(ordered: Hashes, count: Hashes) -> tuple[float, float]:
    sizes = np.diff(np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1], True]))
    single = float((sizes == 1).sum()) / len(ordered)
    paired = 2.0 * float((sizes == 2).sum()) / len(ordered)
    hits = float((count > 0).mean()) if len(count) else 0.0
    share = float(np.clip((hits - (1 - single)) / max(single, 1e-9), *_SHARES))
    return share * single / max(share * single + (1 - share) * paired, 1e-300), share
