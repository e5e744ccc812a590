"""Marks that are rows: a row left out, the order of two rows, a decoy held. Arrays in, arrays out.

Rules
1. Addresses have column number 0. Which addresses there are depends on the register alone, never on what was delivered:
   a row left out counts as left out, a decoy not held as not held; a row missing from a leak is an erasure.
2. Pairs of rows are disjoint and formed from record addresses alone, so that a new record in the register
   disturbs the pair it falls on and no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from muniment.marks.codebook import Addresses, Codebook
from muniment.marks.plan import StructuralFamily

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, repr=False)
class Pairs:
    """Disjoint pairs of records: row numbers of the first and second, and the record part of each pair's address."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    record: NDArray[np.uint64]


def pair_up(codebook: Codebook, family: StructuralFamily, records: NDArray[np.uint64]) -> Pairs:
    """Pair the records of a whole register: two whose keyed phases are alone under their common prefix.

    In the binary trie of the phases these are the two leaves of one parent. So the pairs follow from the records alone,
    whatever their number; a new record parts at most one pair. Some 70 % of the records are paired.
    """
    _, phase = codebook.biases(Addresses.of(records, 0, family.number), family.law)
    order = np.argsort(phase, kind="stable")
    ascending = phase[order]
    # The bits below the common prefix of neighbours: fewer than on either side means nobody else shares the prefix.
    below = np.frexp((ascending[1:] ^ ascending[:-1]).astype(np.float64))[1]
    around = np.pad(below, 1, constant_values=33)
    opens = np.flatnonzero((below < around[:-2]) & (below < around[2:]) & (below > 0))
    first, second = order[opens], order[opens + 1]
    messages = [b"pair" + a + b for a, b in zip(_bytes(records[first]), _bytes(records[second]), strict=True)]
    return Pairs(first, second, codebook.records(messages))


def _bytes(records: NDArray[np.uint64]) -> list[bytes]:
    data = records.astype(">u8").tobytes()
    return [data[i : i + 8] for i in range(0, len(data), 8)]


def row_bits(
    codebook: Codebook, family: StructuralFamily, records: NDArray[np.uint64], recipients: Sequence[int]
) -> NDArray[np.uint8]:
    """The bits of structural addresses for these recipients, shape (recipients, records)."""
    addresses = Addresses.of(records, 0, family.number)
    thresholds, _ = codebook.biases(addresses, family.law)
    return codebook.bits(addresses, thresholds, recipients)


def ordered(rows: NDArray[np.int64], pairs: Pairs, bits: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The rows of one copy in the order that shows `bits` (1: the second row of a pair comes first).

    `rows` are register row numbers in the order in which they would be written; only pairs with both rows take part.
    """
    if not len(rows):
        return rows
    place = np.full(int(max(rows.max(), pairs.first.max(initial=0), pairs.second.max(initial=0))) + 1, -1, np.int64)
    place[rows] = np.arange(len(rows))
    first, second = place[pairs.first], place[pairs.second]
    both = (first >= 0) & (second >= 0)
    first, second, wanted = first[both], second[both], bits[both].astype(bool)
    swap = (first > second) != wanted
    out = rows.copy()
    out[first[swap]], out[second[swap]] = rows[second[swap]], rows[first[swap]]
    return out


def read_order(place: NDArray[np.int64], pairs: Pairs) -> tuple[NDArray[np.intp], NDArray[np.uint8]]:
    """Which pairs a leak shows, and their bits; `place[row]` is a register row's place in the leak, or -1."""
    first, second = place[pairs.first], place[pairs.second]
    seen = np.flatnonzero((first >= 0) & (second >= 0))
    return seen, (first[seen] > second[seen]).astype(np.uint8)
