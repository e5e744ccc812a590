"""How often a stranger reaches a weight: measured on records compared with all others but themselves.

Weights add up as if columns were independent. Where they are not (a full name beside its surname), they promise too
much. So some records of the register take part as rows that are not in the register: their best weight shows what
chance does here, with these columns and gaps. A row's weight is never above one minus the local share of such strangers
(target and decoy as in Elias and Gygi 2007; local false discovery rate of Efron 2001, made monotone).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from muniment.trace.fields import Numbers

STRANGERS: Final = 1_000
"""Records that play strangers: the share of strangers is known to about one in a thousand."""


def stranger_share(best: Numbers, strangers: Numbers) -> Numbers:
    """Return, for each row's best weight, the estimated share of strangers among rows with about this weight.

    `best` and `strangers` are weights in bits, with a floor value where a row had no candidate at all.
    """
    if not len(best) or not len(strangers):
        return np.zeros(len(best))
    each = foreign_share(best, strangers) * len(best) / len(strangers)
    values = np.r_[best, strangers]
    order = np.lexsort((np.r_[np.ones(len(best)), np.zeros(len(strangers))], -values))
    stranger = (order >= len(best)).astype(np.float64)
    share = rising(stranger, np.where(stranger > 0, each, 1.0))
    result = np.empty(len(values))
    result[order] = np.minimum(1.0, share / np.maximum(1.0 - share, 1e-12))
    return result[:len(best)]


def foreign_share(best: Numbers, strangers: Numbers) -> float:
    """Return the estimated share of strangers among all rows: from the weights up to the strangers' median.

    Storey (2002). At most 1, and never nothing: at least one row's worth.
    """
    if not len(best) or not len(strangers):
        return 1.0
    middle = float(np.median(strangers))
    below = float((best <= middle).mean()) / float((strangers <= middle).mean())
    return min(1.0, max(below, 1.0 / len(best)))


def rising(values: Numbers, weights: Numbers) -> Numbers:
    """Return the non-decreasing sequence nearest to `values` in weighted squares (pool adjacent violators)."""
    level: list[float] = []
    mass: list[float] = []
    size: list[int] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        level.append(value)
        mass.append(weight)
        size.append(1)
        while len(level) > 1 and level[-2] >= level[-1]:
            total = mass[-2] + mass[-1]
            level[-2] = (level[-2] * mass[-2] + level[-1] * mass[-1]) / total
            mass[-2], size[-2] = total, size[-2] + size[-1]
            del level[-1], mass[-1], size[-1]
    return np.repeat(np.array(level), np.array(size, np.int64))
