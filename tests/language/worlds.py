"""Small worlds for statistics: a codebook, addresses, colluders' copies, a leak - and innocents to score on it.

Each scenario returns what an examination would score. The real codebook, the real merge and the real score are used;
only records and readings are drawn at random.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from muniment.marks.codebook import Addresses, Codebook
from muniment.marks.laws import Law, arcsine, constant, half
from muniment.marks.read import Readings, concatenate, merge, read_rows
from muniment.trace.examine import as_scored
from muniment.trace.score import MIXTURES, Mixture, Symbols, log10_e

INNOCENTS = 4_000
FIRST_INNOCENT = 100
"""Recipients below are colluders; numbers from here on took no part."""


@dataclass(frozen=True)
class Scored:
    """Symbols of a leak and the bits of the innocents at them."""

    symbols: Symbols
    bits: np.ndarray
    mixture: Mixture

    def e_values(self) -> np.ndarray:
        # Equal codewords have equal evidence, and few symbols make few codewords: each is scored once.
        # Every term for each: leaving the row-wise one out for the weak lowers the mean, and would hide a fault.
        codewords, which = np.unique(self.bits, axis=0, return_inverse=True)
        return (10 ** log10_e(self.symbols, codewords, self.mixture, rowwise_for=len(codewords)))[which.reshape(-1)]


class World:
    """One mark key, one register, and the readings of a leak made by colluders."""

    def __init__(self, rng: np.random.Generator, innocents: int = INNOCENTS) -> None:
        self.rng = rng
        self.codebook = Codebook(rng.bytes(16), "persons")
        self.innocents = range(FIRST_INNOCENT, FIRST_INNOCENT + innocents)

    def family(self, number: int, records: np.ndarray, law: Law, colluders: int, attack: str = "mix") -> Readings:
        """Readings of one cell family at these records, from the copies of `colluders` under an attack."""
        addresses = Addresses.of(records, number + 1, number + 1)
        thresholds, phases = self.codebook.biases(addresses, law)
        copies = self.codebook.bits(addresses, thresholds, range(colluders))
        bits = ATTACKS[attack](self.rng, copies)
        numbers = np.full(len(bits), number, np.uint16)
        return Readings(addresses, numbers, thresholds, phases, bits.astype(np.uint8), np.ones(len(bits)))

    def rows(self, number: int, carrier: int, records: np.ndarray, law: Law, bits: np.ndarray) -> Readings:
        """Readings of a structural family."""
        biases = self.codebook.biases(Addresses.of(records, 0, carrier), law)
        return read_rows(records, carrier, number, biases, bits.astype(np.uint8), np.ones(len(records)))

    def records(self, count: int) -> np.ndarray:
        return self.rng.integers(0, 2**63, count, dtype=np.uint64)

    def scored(self, readings: Readings, mixture: Mixture = MIXTURES[10]) -> Scored:
        merged = merge(readings)
        bits = self.codebook.bits(merged.addresses, merged.threshold, self.innocents)
        return Scored(as_scored(merged), bits, mixture)


def _mix(rng: np.random.Generator, copies: np.ndarray) -> np.ndarray:
    return copies[rng.integers(0, len(copies), copies.shape[1]), np.arange(copies.shape[1])]


def _majority(rng: np.random.Generator, copies: np.ndarray) -> np.ndarray:
    ones = copies.sum(axis=0) * 2
    return np.where(ones == len(copies), rng.random(copies.shape[1]) < 0.5, ones > len(copies))


def _minority(rng: np.random.Generator, copies: np.ndarray) -> np.ndarray:
    ones = copies.sum(axis=0)
    same = (ones == 0) | (ones == len(copies))
    return np.where(same, copies[0], 1 - _majority(rng, copies))


ATTACKS: dict[str, Callable[[np.random.Generator, np.ndarray], np.ndarray]] = {
    "mix": _mix,
    "majority": _majority,
    "minority": _minority,
    "ones": lambda _, copies: copies.max(axis=0),
    "zeros": lambda _, copies: copies.min(axis=0),
    "random": lambda rng, copies: rng.integers(0, 2, copies.shape[1]),
    "all ones": lambda _, copies: np.ones(copies.shape[1]),
}


def single(world: World) -> Scored:
    return world.scored(world.family(0, world.records(8), arcsine(0.03), 1))


def declared_one(world: World) -> Scored:
    return world.scored(world.family(0, world.records(8), half(), 1), MIXTURES[1])


def twenty_copies(world: World) -> Scored:
    attack = str(world.rng.choice(["mix", "majority", "minority", "ones", "zeros"]))
    return world.scored(world.family(0, world.records(8), arcsine(0.03), 20, attack))


def two_laws(world: World) -> Scored:
    records = world.records(4)
    return world.scored(
        concatenate([world.family(0, records, arcsine(0.03), 2), world.family(1, records, half(), 2, "ones")])
    )


def duplicates(world: World) -> Scored:
    once = world.family(0, world.records(6), arcsine(0.03), 1)
    return world.scored(concatenate([once, once, once]))


def union_of_copies(world: World) -> Scored:
    records = world.records(6)
    return world.scored(concatenate([world.family(0, records, arcsine(0.03), 3) for _ in range(3)]))


def omissions(world: World) -> Scored:
    records = world.records(12)
    return world.scored(world.rows(0, 41, records, constant(0.02), np.zeros(12)))


def decoys(world: World) -> Scored:
    records = world.records(3)
    return world.scored(world.rows(0, 42, records, constant(0.1), np.ones(3)))


def one_category(world: World) -> Scored:
    return world.scored(world.family(0, world.records(8), arcsine(0.03), 1, "all ones"))


def unmarked(world: World) -> Scored:
    return world.scored(world.family(0, world.records(8), arcsine(0.03), 1, "random"))


def uncertain(world: World) -> Scored:
    readings = world.family(0, world.records(8), arcsine(0.03), 1)
    return world.scored(replace(readings, weight=world.rng.uniform(0.5, 1.0, len(readings))))


SCENARIOS: dict[str, Callable[[World], Scored]] = {
    function.__name__: function
    for function in (
        single,
        declared_one,
        twenty_copies,
        two_laws,
        duplicates,
        union_of_copies,
        omissions,
        decoys,
        one_category,
        unmarked,
        uncertain,
    )
}
