"""The score: how strongly the symbols of a leak speak for each candidate, as an e-value. Pure; evidence.md section 1.

At one address with bias p, read as y, a candidate with bit X gets, for a coalition of c and a noise share e,

    L(1 | 1) = 1 + (1-p) / (c p)        L(0 | 1) = 1 - 1/c
    L(0 | 0) = 1 + p / (c (1-p))        L(1 | 0) = 1 - 1/c         factor = (1-e) L + e

(Laarhoven 2014: the likelihood decoder against the interleaving attack is universal.) p L(1|y) + (1-p) L(0|y) = 1 for
either y, so the product over distinct addresses has expectation 1 for a candidate that played no part, whatever the
leaker did.

Rules
1. Each address enters once. Several readings enter as the mean of their factors (`share` = share of readings that are
   1); an uncertain alignment enters as w f + 1 - w.
2. Families (carrier and column) have noise shares of their own; a second term shares one noise over all of them; the
   two are averaged. Coalition sizes are averaged. Every weight is fixed here, none is fitted to a score.
3. `share` and `weight` may depend on the leak and the register, never on a bit.
4. Not computing the row-wise term for a weak candidate counts it as 0: that can only lower its e-value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from muniment.evidence import LN10, log_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

SCALE = 2.0**32


@dataclass(frozen=True, slots=True, repr=False)
class Symbols:
    """The symbols of one leak, one row an address (all arrays of length m).

    `record` (uint32) groups addresses of one record; `family` (uint16) is an index; `threshold` (uint32) is T with
    p = T / 2**32; `share` in [0, 1] is the mean reading; `weight` in [0, 1] is the trust in the alignment.
    """

    record: NDArray[np.uint32]
    family: NDArray[np.uint16]
    threshold: NDArray[np.uint32]
    share: NDArray[np.float64]
    weight: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.record)

    def take(self, chosen: NDArray[np.intp]) -> Symbols:
        """The symbols with these numbers, in this order."""
        return Symbols(*(getattr(self, name)[chosen] for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Mixture:
    """The alternatives that are averaged: (value, weight) pairs whose weights add up to 1, and three plain weights."""

    coalitions: tuple[tuple[int, float], ...]
    noises: tuple[tuple[float, float], ...]
    shared_noise: float
    """Weight of the term in which one noise share holds for all families."""
    rowwise: float
    """Weight of the row-wise term (whole rows taken from one copy or another)."""

    def to_json(self) -> dict[str, object]:
        """Plain lists and numbers, read back by `from_json`."""
        return {
            "coalitions": [list(pair) for pair in self.coalitions],
            "noises": [list(pair) for pair in self.noises],
            "shared_noise": self.shared_noise,
            "rowwise": self.rowwise,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> Mixture:
        """Read what `to_json` wrote; `KeyError`, `TypeError` or `ValueError` on anything else."""
        coalitions, noises = value["coalitions"], value["noises"]
        if not isinstance(coalitions, list) or not isinstance(noises, list):
            raise TypeError("expected lists of pairs")
        return cls(
            tuple((int(size), float(weight)) for size, weight in coalitions),
            tuple((float(noise), float(weight)) for noise, weight in noises),
            float(str(value["shared_noise"])),
            float(str(value["rowwise"])),
        )


_NOISES = {
    1: ((0.02, 0.4), (0.1, 0.15), (0.25, 0.1), (0.4, 0.2), (0.65, 0.05), (1.0, 0.1)),
    10: ((0.005, 0.5), (0.05, 0.1), (0.2, 0.1), (0.4, 0.18), (0.65, 0.04), (1.0, 0.08)),
}
MIXTURES: Mapping[int, Mixture] = {
    1: Mixture(((1, 0.9), (2, 0.05), (4, 0.05)), _NOISES[1], shared_noise=0.5, rowwise=0.1),
    10: Mixture(
        ((1, 0.12), (2, 0.42), (3, 0.12), (5, 0.1), (9, 0.12), (14, 0.12)), _NOISES[10], shared_noise=0.5, rowwise=0.6
    ),
}
"""The mixture of a register by its declared coalition size."""


def log10_e(symbols: Symbols, bits: NDArray[np.uint8], mixture: Mixture, rowwise_for: int = 64) -> NDArray[np.float64]:
    """log10 E of each candidate: bits has shape (n, m); the result has shape (n,).

    The row-wise term is computed for the `rowwise_for` candidates with the largest first term only (rule 4).
    """
    if not len(symbols):
        return np.zeros(len(bits))
    first: NDArray[np.float64] = interleaved(symbols, bits, mixture) + np.log1p(-mixture.rowwise)
    total: NDArray[np.float64] = first.copy()
    best = np.argsort(first)[::-1][:rowwise_for]
    if mixture.rowwise > 0:
        second = rowwise(symbols, bits[best], mixture) + np.log(mixture.rowwise)
        total[best] = np.logaddexp(first[best], second)
    return np.asarray(total / LN10, np.float64)


def interleaved(symbols: Symbols, bits: NDArray[np.uint8], mixture: Mixture) -> NDArray[np.float64]:
    """Natural log of the e-value against attacks that choose symbol by symbol, shape (n,)."""
    coalitions, coalition_weights = _pairs(mixture.coalitions)
    noises, noise_weights = _pairs(mixture.noises)
    counted = count_ones(symbols, bits)
    logs = np.empty((len(coalitions), len(bits)))
    for i, c in enumerate(coalitions):
        by_family = family_logs(counted, c, noises)
        own = log_mean(by_family, noise_weights).sum(axis=0)
        shared = log_mean(by_family.sum(axis=1), noise_weights)
        logs[i] = np.logaddexp(own + np.log1p(-mixture.shared_noise), shared + np.log(mixture.shared_noise))
    return log_mean(logs, coalition_weights)


@dataclass(frozen=True, slots=True, repr=False)
class Counted:
    """Classes of symbols with equal (family, T, share, weight): one of each, how many there are, and each candidate's
    ones among them (n, classes). All symbols of a class have the same two factors, so counts are all a sum needs.
    """

    classes: Symbols
    sizes: NDArray[np.float64]
    ones: NDArray[np.float64]


def count_ones(symbols: Symbols, bits: NDArray[np.uint8]) -> Counted:
    """Count the ones of each candidate (bits has shape (n, m)) in each class of equal symbols."""
    order = np.lexsort((symbols.weight, symbols.share, symbols.threshold, symbols.family))
    ordered = symbols.take(order)
    changed = np.zeros(len(symbols), bool)
    changed[0] = True
    for name in ("family", "threshold", "share", "weight"):
        values = getattr(ordered, name)
        changed[1:] |= values[1:] != values[:-1]
    starts = np.flatnonzero(changed)
    ones = np.add.reduceat(bits[:, order], starts, axis=1, dtype=np.int32).astype(np.float64)
    sizes = np.diff(np.append(starts, len(symbols))).astype(np.float64)
    return Counted(ordered.take(starts), sizes, ones)


def family_logs(counted: Counted, c: float, noises: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums of log factors for each noise share, family and candidate: shape (noises, families, n)."""
    families = np.unique(counted.classes.family)
    out = np.empty((len(noises), len(families), len(counted.ones)))
    for i, noise in enumerate(noises):
        zero, one = log_factors(counted.classes, c, noise)
        for j, family in enumerate(families):
            chosen = np.flatnonzero(counted.classes.family == family)
            gain = counted.ones[:, chosen] @ (one - zero)[chosen]
            out[i, j] = gain + counted.sizes[chosen] @ zero[chosen]
    return out


def log_factors(symbols: Symbols, c: float, noise: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Logarithms of the factors of symbols for a candidate's bit 0 and bit 1 (each of shape (m,))."""
    p = symbols.threshold / SCALE
    share, weight = symbols.share, symbols.weight
    one = share * (1 + (1 - p) / (c * p)) + (1 - share) * (1 - 1 / c)
    zero = share * (1 - 1 / c) + (1 - share) * (1 + p / (c * (1 - p)))
    blend = [weight * ((1 - noise) * factor + noise) + 1 - weight for factor in (zero, one)]
    return np.log(blend[0]), np.log(blend[1])


def rowwise(symbols: Symbols, bits: NDArray[np.uint8], mixture: Mixture) -> NDArray[np.float64]:
    """Natural log of the e-value against mixtures of whole rows: per record (1/c) prod f + 1 - 1/c, shape (n,).

    A family that shows one form only says nothing about rows: its noise share is taken as 1, from the leak alone.
    """
    symbols, bits = _without_flat_families(symbols, bits)
    if not len(symbols):
        return np.zeros(len(bits))
    order = np.argsort(symbols.record, kind="stable")
    symbols, bits = symbols.take(order), bits[:, order]
    starts = np.flatnonzero(np.r_[True, symbols.record[1:] != symbols.record[:-1]])
    coalitions, coalition_weights = _pairs(mixture.coalitions)
    noises, noise_weights = _pairs(mixture.noises)
    logs = np.empty((len(coalitions), len(noises), len(bits)))
    for j, noise in enumerate(noises):
        zero, one = log_factors(symbols, 1.0, noise)
        rows = np.exp(np.add.reduceat(np.where(bits, one, zero), starts, axis=1))
        for i, c in enumerate(coalitions):
            logs[i, j] = np.log(rows / c + (1 - 1 / c)).sum(axis=1)
    return log_mean(log_mean(logs, noise_weights, axis=1), coalition_weights)


FLAT_SIGMAS = 6.0
"""A family is flat where its ones lie this many standard deviations from what unmixed copies show."""


def _without_flat_families(symbols: Symbols, bits: NDArray[np.uint8]) -> tuple[Symbols, NDArray[np.uint8]]:
    """Leave out families that were rewritten to one form, judged from readings and biases alone."""
    keep = np.ones(len(symbols), bool)
    p = symbols.threshold / SCALE
    for family in np.unique(symbols.family):
        chosen = symbols.family == family
        ones, expected = symbols.share[chosen].sum(), p[chosen].sum()
        spread = np.sqrt((p[chosen] * (1 - p[chosen])).sum())
        if abs(ones - expected) > FLAT_SIGMAS * spread:
            keep[chosen] = False
    return (symbols, bits) if keep.all() else (symbols.take(np.flatnonzero(keep)), bits[:, keep])


def _pairs(pairs: tuple[tuple[float, float], ...]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values and weights of a mixture as arrays."""
    values, weights = zip(*pairs, strict=True)
    return np.array(values, float), np.array(weights, float)


@dataclass(frozen=True, slots=True)
class FamilyShare:
    """The part of one candidate's log10 E that a family brings; family -1 is what averaging over alternatives costs."""

    family: int
    symbols: int
    agreeing: int
    log10_e: float


def by_family(symbols: Symbols, bits: NDArray[np.uint8], mixture: Mixture) -> list[FamilyShare]:
    """Split one candidate's log10 E by family, under the coalition size that explains the leak best; bits is (m,).

    The parts add up to `log10_e`; the last one (family -1) is the rest: the price of not knowing coalition and noise,
    or the gain where whole rows explain the leak better.
    """
    total = float(log10_e(symbols, bits[None], mixture)[0])
    if not len(symbols):
        return [FamilyShare(-1, 0, 0, total)]
    noises, noise_weights = _pairs(mixture.noises)
    coalitions, coalition_weights = _pairs(mixture.coalitions)
    counted = count_ones(symbols, bits[None])
    own = [log_mean(family_logs(counted, c, noises), noise_weights)[:, 0] for c in coalitions]
    best = max(range(len(own)), key=lambda i: own[i].sum() + np.log(coalition_weights[i]))
    shares = []
    for position, family in enumerate(np.unique(symbols.family)):
        chosen = symbols.family == family
        agreeing = int(((symbols.share[chosen] >= 0.5) == bits[chosen]).sum())
        shares.append(FamilyShare(int(family), int(chosen.sum()), agreeing, float(own[best][position] / LN10)))
    rest = total - sum(share.log10_e for share in shares)
    return [*shares, FamilyShare(-1, 0, 0, rest)]
