"""Sums over the rows of a state that come out the same however many rows of nothing follow.

A state has a row for each account that is known by name. Whether an account that has not read yet is known already
depends on how many reads come at a time; numpy sums by pairs, and pairs depend on how many numbers there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def total(column: NDArray[np.float64]) -> float:
    """The sum of a column, shape (rows,), added in the order of its rows."""
    return float(np.cumsum(column)[-1]) if len(column) else 0.0
