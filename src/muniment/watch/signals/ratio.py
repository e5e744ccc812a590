"""The ratio of two negative binomials of one size: what a count says for a mean that is so many times as high."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def nb_log_ratio(
    count: NDArray[np.int64], mean: NDArray[np.float64], size: NDArray[np.float64], times: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    """log of P(count | times x mean) / P(count | mean), both negative binomial of one size: grows with the count."""
    total = np.log(size + times * mean) - np.log(size + mean)
    ratio: NDArray[np.float64] = count * (np.log(times) - total) - size * total
    return ratio
