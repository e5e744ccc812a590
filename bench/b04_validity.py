"""Claim: innocent recipients are named at most as often as alpha says, whatever was leaked; and E has mean 1 at most.

A trial is one leak of 20-60 symbols in two families, examined against 30 innocent recipients at a = 1e-1, 1e-2 and
1e-3. Codebook, merging and score are the real ones, with many mark keys; records and readings are drawn.
Each of 200 leaks is examined against 50 groups of innocents: given the leak, their codewords are
independent. All row-wise
terms are computed (the product leaves most of them out, which names fewer).

The bound is loose, so most rates are near 0. The mean of E is what can fail: it is measured on codes of 8 symbols over
a million (key, innocent) pairs; four faults must show in it (two of them on 4 symbols, where the tail is lighter).

Takes about three minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import norm

from measurement import Measurement
from muniment.disclosure import Recipient
from muniment.evidence import log10_threshold
from muniment.marks.baseline import Baseline, State
from muniment.marks.codebook import Addresses, Codebook
from muniment.marks.laws import Law, constant, half, law_for
from muniment.marks.read import MergedSymbols, Readings, concatenate, merge
from muniment.trace.examine import Group, as_scored, examine
from muniment.trace.score import MIXTURES, Symbols, log10_e
from trials import Random, rate, trials

SEED = 40_404
INNOCENTS, GROUPS, LEAKS = 30, 50, 200
"""Innocents of one examination; examinations of one leak; leaks of one kind."""
ALPHAS = (1e-1, 1e-2, 1e-3)
FIRST = 100
"""Recipients below this number may have a part in a leak; from it on nobody has."""
LEAKS_A_KEY = 20
PAIRS = 1_000_000
CARRIER = 21
Bits = np.ndarray


@dataclass(slots=True)
class Case:
    """One mark key, records with a mark in each of two columns, and the law of their biases."""

    random: Random
    records: np.ndarray
    law: Law
    codebook: Codebook

    @classmethod
    def drawn(cls, random: Random, symbols: int, codebook: Codebook | None = None) -> Case:
        """A case for coalitions of ten; with a mark key of its own where no codebook is given."""
        records = random.integers(0, 2**63, -(-symbols // 2), dtype=np.uint64)
        return cls(random, records, law_for(10), codebook or Codebook(random.bytes(16), "persons"))

    def addresses(self, column: int) -> Addresses:
        """The addresses of one of the two columns."""
        return Addresses.of(self.records, column, CARRIER)

    def copies(self, recipients: range) -> Bits:
        """The bits of recipients, shape (columns, recipients, records)."""
        both = [self.addresses(column) for column in (1, 2)]
        return np.array([self.codebook.bits(a, self.codebook.biases(a, self.law)[0], recipients) for a in both])

    def read(self, bits: Bits) -> MergedSymbols:
        """The symbols of a leak that shows these bits, shape (columns, records); 255 shows nothing."""
        parts = []
        for family, shown in enumerate(bits):
            addresses = self.addresses(family + 1)
            number = np.full(len(shown), family, np.uint16)
            biases = self.codebook.biases(addresses, self.law)
            parts.append(Readings(addresses, number, *biases, shown.astype(np.uint8), np.ones(len(shown))))
        return merge(concatenate(parts))

    def evidence(self, symbols: MergedSymbols, recipients: range) -> np.ndarray:
        """log10 E of recipients; 0 where nothing was read."""
        if not len(symbols):
            return np.zeros(len(recipients))
        bits = self.codebook.bits(symbols.addresses, symbols.threshold, recipients)
        return log10_e(as_scored(symbols), bits, MIXTURES[10], rowwise_for=len(bits))


# --- the leaks -------------------------------------------------------------------------------------------------------


def unmarked(case: Case) -> Bits:
    """The register as it stood before any mark: each column mostly in one form."""
    return case.random.random((2, len(case.records))) < case.random.random((2, 1))


def other_key(case: Case) -> Bits:
    """The copy of a recipient of another office, or of a mark key that is no longer in the ring."""
    other = replace(case, codebook=Codebook(case.random.bytes(16), "persons"))
    return other.copies(range(FIRST, FIRST + 1))[:, 0]


def other_source(case: Case) -> Bits:
    """The same persons in a register of somebody else: half of the cells as here, the others in its own one form."""
    mine = case.random.random((2, len(case.records))) < 0.5
    return np.where(mine, unmarked(case), case.random.integers(0, 2, (2, 1)))


def renumbered(case: Case) -> Bits:
    """The copy of a candidate, read after the register has given its records other keys."""
    before = replace(case, records=case.random.integers(0, 2**63, len(case.records), dtype=np.uint64))
    return before.copies(range(FIRST, FIRST + 1))[:, 0]


def one_category(case: Case) -> Bits:
    """A leaker keeps the rows of its copy that show one form in the first column."""
    bits = case.copies(range(1))[:, 0]
    case.records = case.records[bits[0] == 1]
    return bits[:, bits[0] == 1]


def twenty_copies(case: Case) -> Bits:
    """An adversary with 20 copies writes what frames others best: whatever its own copies show least or most."""
    copies = case.copies(range(20)).astype(float)
    ones = copies.mean(axis=1)
    lot = case.random.random(ones.shape)
    ways = (lot < ones, ones > 0.5, np.where((ones > 0) & (ones < 1), ones < 0.5, ones), ones > 0, ones == 1)
    chosen: Bits = ways[int(case.random.integers(len(ways)))]
    return chosen


KINDS: dict[str, Callable[[Case], Bits]] = {
    "unmarked register": unmarked, "other mark key": other_key, "same persons from another source": other_source,
    "renumbered keys": renumbered, "rows of one category": one_category, "an adversary with 20 copies": twenty_copies,
}  # fmt: skip


def main() -> list[Measurement]:
    """Naming rates of every kind of leak, marks written back, the mean of E, and the faults."""
    random = np.random.default_rng(SEED)
    leaks = trials(LEAKS)
    found = []
    for name, leak in KINDS.items():
        most = np.array([_most(case, leak) for case in _cases(random, leaks)])
        found += [_naming(name, (most >= _threshold(alpha)).ravel(), alpha) for alpha in ALPHAS]
    found += written_back(random, "half or all of the cells, none or 20 % re-spelled", leaks * GROUPS,
                          lambda number: ((1.0, 0.5)[number % 2], (0.0, 0.2)[number // 2 % 2]), (20, 60))
    found += written_back(random, "70 % of the cells, 10 % re-spelled, 60-120 symbols", leaks * GROUPS,
                          lambda number: (0.7, 0.1), (60, 120))
    found += [mean_of(name, random, make, True) for name, make in SHORT.items()]
    return found + [mean_of(name, random, make, False) for name, make in FAULTS.items()]


def _cases(random: Random, count: int, symbols: tuple[int, int] = (20, 60)) -> Iterator[Case]:
    """Cases with so many symbols; some share a mark key, but no record."""
    for number in range(count):
        if number % LEAKS_A_KEY == 0:
            codebook = Codebook(random.bytes(16), "persons")
        yield Case.drawn(random, int(random.integers(symbols[0], symbols[1] + 1)), codebook)


def _most(case: Case, leak: Callable[[Case], Bits]) -> np.ndarray:
    """The largest log10 E of each group of innocents, shape (GROUPS,)."""
    innocents = range(FIRST, FIRST + GROUPS * INNOCENTS)
    evidence = case.evidence(case.read(leak(case)), innocents)
    most: np.ndarray = evidence.reshape(GROUPS, INNOCENTS).max(axis=1)
    return most


def _threshold(alpha: float) -> float:
    return log10_threshold(INNOCENTS, alpha)


def _naming(name: str, named: np.ndarray, alpha: float) -> Measurement:
    hits, count = int(named.sum()), len(named)
    return Measurement(
        f"{name}, a = {alpha:g}: leaks that name an innocent", f"<= {100 * alpha:g} % of >= 10,000 leaks",
        rate(hits, count), hits <= alpha * count,
    )  # fmt: skip


# --- marks written back into the register ----------------------------------------------------------------------------


def written_back(
    random: Random, how: str, count: int, drawn: Callable[[int], tuple[float, float]], symbols: tuple[int, int]
) -> list[Measurement]:
    """A clerk's copy came back into the register, whose table was then stolen: the clerk had no part in it.

    `drawn` gives the share of cells that were written back and the share of stolen ones that were re-spelled. What
    changed in form only since the baseline reads as erased, and whom the register itself would name is not named.
    """
    named = {alpha: np.zeros(count, bool) for alpha in ALPHAS}
    clerk = range(FIRST, FIRST + 1)
    people = tuple(Recipient(number, f"recipient {number}") for number in range(FIRST, FIRST + INNOCENTS))
    for number, case in enumerate(_cases(random, count, symbols)):
        share, noise = drawn(number)
        before = unmarked(case).astype(np.uint8)
        now = np.where(random.random(before.shape) < share, case.copies(clerk)[:, 0], before)
        stolen = np.where(random.random(now.shape) < noise, random.integers(0, 2, now.shape), now)
        changed = np.array([_form_only(case, old, new) for old, new in zip(before, now, strict=True)])
        leaked = case.read(np.where(changed, 255, stolen))
        evidence = case.evidence(leaked, clerk)[0]
        within_reach = [alpha for alpha in ALPHAS if evidence >= _threshold(alpha)]
        if not within_reach:
            continue  # below every threshold: no examination could name the clerk
        own = case.read(np.where(changed, 255, now))
        group = Group("persons", "mark", case.codebook, people, leaked, own, MIXTURES[10])
        for alpha in within_reach:
            findings = examine([group], alpha, 1).findings
            named[alpha][number] = any(finding.recipient.number == FIRST for finding in findings)
    name = f"marks written back into the register ({how})"
    return [_naming(name, hits, alpha) for alpha, hits in named.items()]


def _form_only(case: Case, before: Bits, now: Bits) -> np.ndarray:
    """Which cells the baseline says were changed in form only; a digest stands for each form."""
    order = np.argsort(case.records)
    digest = before[order].astype(np.uint32)[:, None] + 1
    baseline = Baseline((1,), case.records[order], digest, np.ones_like(digest))
    states = baseline.states(case.records, 1, now.astype(np.uint32) + 1, np.ones(len(now), np.uint32))
    form_only: np.ndarray = states == State.FORM_ONLY
    return form_only


# --- the mean of E ---------------------------------------------------------------------------------------------------

Scored = tuple[Symbols, Bits]


def _short(law: Law, symbols: int = 8) -> Callable[[Random, int], Scored]:
    """The copy of one recipient, and the bits of others, at a few addresses of one law."""

    def make(random: Random, innocents: int) -> Scored:
        case = replace(Case.drawn(random, symbols), law=law)
        read = case.read(case.copies(range(1))[:, 0])
        bits = case.codebook.bits(read.addresses, read.threshold, range(FIRST, FIRST + innocents))
        return as_scored(read), bits

    return make


def _doubled(random: Random, innocents: int) -> Scored:
    """Fault: each address is counted twice, as where a person stands in the leak twice."""
    symbols, bits = _short(law_for(10), 4)(random, innocents)
    twice = np.tile(np.arange(len(symbols)), 2)
    return symbols.take(twice), bits[:, twice]


def _biased(random: Random, innocents: int) -> Scored:
    """Fault: p is off by 10 %."""
    symbols, bits = _short(law_for(10))(random, innocents)
    return replace(symbols, threshold=(symbols.threshold * 0.9).astype(np.uint32)), bits


def _other_law(random: Random, innocents: int) -> Scored:
    """Fault: copies were written under one law and are scored under another, as if each release chose its own."""
    symbols, bits = _short(half(), 4)(random, innocents)
    return replace(symbols, threshold=random.choice(law_for(10).table, len(symbols)).astype(np.uint32)), bits


def _delivered(random: Random, innocents: int) -> Scored:
    """Fault: rows left out are scored over the rows that a candidate received: none of them was left out for it."""
    symbols, bits = _short(constant(0.2))(random, innocents)
    return replace(symbols, share=np.zeros(len(symbols))), np.zeros_like(bits)


SHORT = {"coalition 1": _short(half()), "coalition 10": _short(law_for(10))}
FAULTS = {
    "addresses counted twice": _doubled, "p off by 10 %": _biased, "law of another release": _other_law,
    "only delivered rows scored": _delivered,
}  # fmt: skip


def mean_of(name: str, random: Random, make: Callable[[Random, int], Scored], sound: bool) -> Measurement:
    """The mean of E over a million pairs with its 99.9 % interval: at most 1, or, for a fault, above."""
    innocents = 4_000
    means = []
    for _ in range(trials(PAIRS // innocents)):
        symbols, bits = make(random, innocents)
        # Few symbols make few codewords: each is scored once and counts as often as it came.
        _, first, counts = np.unique(np.packbits(bits, axis=1), axis=0, return_index=True, return_counts=True)
        values = 10.0 ** log10_e(symbols, bits[first], MIXTURES[10], rowwise_for=len(first))
        means.append(float((values * counts).sum() / innocents))
    mean, error = float(np.mean(means)), float(np.std(means, ddof=1) / np.sqrt(len(means))) * float(norm.ppf(0.9995))
    measured = f"{mean:.4f} +- {error:.4f} over {len(means) * innocents:,} pairs"
    if sound:
        return Measurement(f"mean of E of innocents, {name}", "1 inside the 99.9 % interval, or above it", measured,
                           mean - error <= 1.0)
    return Measurement(f"fault: {name}", "the 99.9 % interval lies above 1", measured, mean - error > 1.0)


if __name__ == "__main__":
    for measurement in main():
        print(measurement)
