"""The examination: score every candidate's codeword on the symbols of a leak and decide who is named.

Steps
1. Screen: every candidate on at most `SCREEN_SYMBOLS` addresses, taken in the keyed order of their phases.
2. Score: the full product for those above `SCREEN_FLOOR` (not computing an E names nobody; n stays the full count).
3. Threshold: n k (k+1) / alpha, with n the codewords of all groups together.
4. Veto: a recipient that the register itself, read as a leak, would name or nearly name is not named.

Rule: nothing about a candidate that is not named leaves this module but counts in a histogram without names, and not
even those below 20 addresses or 20 candidates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from muniment.disclosure import Recipient
from muniment.evidence import log10_threshold
from muniment.marks.codebook import Codebook
from muniment.marks.read import MergedSymbols
from muniment.trace.score import FamilyShare, Mixture, Symbols, by_family, log10_e
from muniment.trace.verdict import Histogram

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCREEN_SYMBOLS = 20_000
"""Addresses on which all are scored: ten colluders are named from 13,000, and 20,000 x 10,000 bits take seconds."""
SCREEN_FLOOR = 2.0
"""log10 E on the screen from which the full product is computed."""
HISTOGRAM_MINIMUM = 20
"""Addresses, and candidates, below which no histogram is shown: it would show single persons."""
VETO_MARGIN = 2.0
"""Decades below the threshold at which the register itself, read as a leak, keeps a recipient from being named.

Noise can lift a stolen table above the register that it was taken from; over 4,000 such leaks by 1.5 decades at most.
"""
_CHUNK_BITS = 2**26
"""Bits held in memory at once."""
_EDGES = (-1000.0, -100.0, -30.0, -10.0, -5.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0, 1000.0)


@dataclass(frozen=True, slots=True, repr=False)
class Group:
    """The codewords of one register under one mark key, and the symbols read under it.

    `on_register` holds the same addresses as read from the register itself; `opened[number]` are the numbers
    (`Addresses.numbers`) of addresses whose bits a sealed bundle has opened for that recipient: they read as erased.
    """

    register: str
    mark_key: str
    codebook: Codebook
    candidates: tuple[Recipient, ...]
    symbols: MergedSymbols
    on_register: MergedSymbols
    mixture: Mixture
    opened: Mapping[int, NDArray[np.uint64]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, repr=False)
class Finding:
    """A named candidate: its e-value, how the evidence splits, and its codeword on the symbols it was scored on."""

    group: Group
    recipient: Recipient
    log10_e: float
    shares: tuple[FamilyShare, ...]
    symbols: MergedSymbols
    codeword: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Examination:
    """The outcome: the named in order of evidence, the number of codewords scored, the threshold, the histogram."""

    findings: tuple[Finding, ...]
    candidates: int
    log10_threshold: float
    histogram: Histogram | None


def examine(groups: Sequence[Group], alpha: float, number: int) -> Examination:
    """Score all groups together; `number` is which examination of this leak it is (from 1).

    Raises:
        InputError: there is no candidate at all, or alpha is not between 0 and 1.
    """
    count = sum(len(group.candidates) for group in groups)
    threshold = log10_threshold(count, alpha, number)
    findings: list[Finding] = []
    others: list[float] = []
    for group in groups:
        evidence = _evidence(group)
        for position, recipient in enumerate(group.candidates):
            finding = _finding(group, recipient, threshold) if evidence[position] >= threshold else None
            if finding:
                findings.append(finding)
            else:
                others.append(float(evidence[position]))
    findings.sort(key=lambda finding: (-finding.log10_e, finding.recipient.number))
    addresses = max((len(group.symbols) for group in groups), default=0)
    return Examination(tuple(findings), count, threshold, _histogram(others, addresses))


def _evidence(group: Group) -> NDArray[np.float64]:
    """log10 E of each candidate: on the screen, and in full for those above the floor."""
    if not len(group.symbols):
        return np.zeros(len(group.candidates))
    numbers = [recipient.number for recipient in group.candidates]
    screen = group.symbols
    if len(screen) > SCREEN_SYMBOLS:
        # Sorted again by address: the row-wise term wants the symbols of a record beside each other.
        screen = screen.take(np.sort(np.argsort(screen.phase, kind="stable")[:SCREEN_SYMBOLS]))
    evidence = _score(group, screen, numbers)
    above = np.flatnonzero(evidence >= SCREEN_FLOOR).tolist() if len(screen) < len(group.symbols) else []
    for position in above:
        evidence[position] = _score(group, group.symbols, [numbers[position]])[0]
    for position, number in enumerate(numbers):
        if number in group.opened:
            evidence[position] = _score(group, _without(group.symbols, group.opened[number]), [number])[0]
    return evidence


def _score(group: Group, symbols: MergedSymbols, numbers: Sequence[int]) -> NDArray[np.float64]:
    """log10 E of these recipients on these symbols, some at a time."""
    plain = as_scored(symbols)
    step = max(4, _CHUNK_BITS // max(1, len(symbols)) // 4 * 4)
    parts = []
    for start in range(0, len(numbers), step):
        bits = group.codebook.bits(symbols.addresses, symbols.threshold, numbers[start : start + step])
        parts.append(log10_e(plain, bits, group.mixture))
    return np.concatenate(parts) if parts else np.zeros(0)


def as_scored(symbols: MergedSymbols) -> Symbols:
    """What the score sees of symbols: records numbered from 0, no address."""
    _, record = np.unique(symbols.addresses.record, return_inverse=True)
    return Symbols(record.astype(np.uint32), symbols.family, symbols.threshold, symbols.share, symbols.weight)


def _finding(group: Group, recipient: Recipient, threshold: float) -> Finding | None:
    """The finding about a candidate over the threshold, or `None` where the register itself would name it."""
    closed = group.opened.get(recipient.number, np.zeros(0, np.uint64))
    veto = _without(group.on_register, closed)
    if len(veto) and _score(group, veto, [recipient.number])[0] >= threshold - VETO_MARGIN:
        return None
    symbols = _without(group.symbols, closed)
    codeword = group.codebook.bits(symbols.addresses, symbols.threshold, [recipient.number])[0]
    plain = as_scored(symbols)
    value = float(log10_e(plain, codeword[None], group.mixture)[0])
    return Finding(group, recipient, value, tuple(by_family(plain, codeword, group.mixture)), symbols, codeword)


def _without(symbols: MergedSymbols, opened: NDArray[np.uint64]) -> MergedSymbols:
    """The symbols whose addresses were not opened."""
    if not len(opened):
        return symbols
    return symbols.take(np.flatnonzero(~np.isin(symbols.addresses.numbers, opened)))


def _histogram(values: Sequence[float], addresses: int) -> Histogram | None:
    """Counts without names, the outermost bins open."""
    if addresses < HISTOGRAM_MINIMUM or len(values) < HISTOGRAM_MINIMUM:
        return None
    counts, _ = np.histogram(np.clip(values, _EDGES[0], _EDGES[-1]), bins=_EDGES)
    return Histogram(_EDGES, tuple(int(count) for count in counts))
