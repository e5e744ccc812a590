"""Bias laws: how the probability p of a 1 is drawn for an address. A law is a table of integers T, p = T / 2**32.

The codebook chooses uniformly from the table, so a table is a discrete distribution with equal weights. Which law a
register has follows from the coalition size that it declares, once and for all (ADR 0002 holds the measurements).

- `half`: p = 1/2. Most power against one leaker, none against a minority vote of three.
- `arcsine-T`: quantiles of the arcsine density cut off at t (Tardos 2003).
- `discrete-C`: Gauss-Legendre points for coalitions up to C (Nuida et al. 2009), weights rounded to 1/64.
- `constant-Q`: p = Q for structural carriers (a row left out, a decoy held).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from muniment.errors import InputError

TABLE_SIZE = 64
"""Entries of a table: enough quantiles that a finer table gains no power, few enough to score by counting."""
COALITIONS = (1, 10)
"""Coalition sizes that a register may declare."""
ARCSINE_CUTOFF = 0.025
"""The cutoff for coalitions up to 10: the largest at which ten colluders by minority are still traced (ADR 0002)."""
_SCALE = 2**32


@dataclass(frozen=True, slots=True)
class Law:
    """A named table of thresholds; its name is what the ledger logs and what the address belongs to."""

    name: str
    table: tuple[int, ...]

    @property
    def biases(self) -> tuple[float, ...]:
        """The probabilities in the table."""
        return tuple(threshold / _SCALE for threshold in self.table)


def _table(biases: np.ndarray) -> tuple[int, ...]:
    """Round probabilities to thresholds strictly between 0 and 2**32."""
    return tuple(int(t) for t in np.clip(np.rint(biases * _SCALE), 1, _SCALE - 1))


def half() -> Law:
    """p = 1/2 at every address."""
    return Law("half", (_SCALE // 2,))


def arcsine(cutoff: float) -> Law:
    """Quantile midpoints of the density 1 / (pi sqrt(p (1-p))) on [cutoff, 1 - cutoff]."""
    edge = np.arcsin(np.sqrt(cutoff))
    middle = (np.arange(TABLE_SIZE) + 0.5) / TABLE_SIZE
    return Law(f"arcsine-{cutoff:g}", _table(np.sin(edge + middle * (np.pi / 2 - 2 * edge)) ** 2))


def discrete(coalition: int) -> Law:
    """Gauss-Legendre points on (0, 1) for coalitions up to `coalition`, each as often as its weight asks.

    Nuida, Fujitsu, Hagiwara et al. 2009: the points are the roots of the Legendre polynomial of degree
    ceil(coalition / 2), mapped to (0, 1), with weights proportional to w / sqrt(p (1-p)).
    """
    nodes, weights = np.polynomial.legendre.leggauss(-(-coalition // 2))
    points = (nodes + 1) / 2
    share = weights / np.sqrt(points * (1 - points))
    share /= share.sum()
    counts = np.maximum(1, np.rint(share * TABLE_SIZE).astype(int))
    counts[len(counts) // 2] += TABLE_SIZE - counts.sum()
    return Law(f"discrete-{coalition}", _table(np.repeat(points, counts)))


def constant(probability: float) -> Law:
    """The same probability at every address, for structural carriers."""
    return Law(f"constant-{probability:g}", _table(np.array([probability])))


def law_named(name: str) -> Law:
    """The law of that name; `InputError` where no such law exists (a register written by a later version)."""
    family, _, parameter = name.partition("-")
    makers: dict[str, Callable[[float], Law]] = {
        "arcsine": arcsine,
        "constant": constant,
        "discrete": lambda value: discrete(int(value)),
    }
    if family == "half" and not parameter:
        return half()
    if family not in makers or not parameter.replace(".", "", 1).replace("e-", "", 1).isdigit():
        raise InputError(f"unknown bias law {name!r}: expected half, arcsine-T, discrete-C or constant-Q")
    return makers[family](float(parameter))


def law_for(coalition: int) -> Law:
    """The law of a register's cell carriers, by its declared coalition size (1 or 10)."""
    if coalition not in COALITIONS:
        hint = "muniment register add ... --coalition 10"
        raise InputError(f"coalition size {coalition}: expected 1 or 10", hint=hint)
    return half() if coalition == 1 else arcsine(ARCSINE_CUTOFF)
