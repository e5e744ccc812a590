"""Disclosures to append, a writer's surroundings in memory, and what must hold of the files after every fault."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from language.rings import NOW, segment_keys
from muniment.disclosure import Channel, Disclosure, Party, Template
from muniment.errors import IntegrityError, UnreachableError
from muniment.keys import Key
from muniment.ledger.batch import Batch
from muniment.ledger.log.second import CheckpointStore
from muniment.ledger.wal.files import read_tail
from muniment.ledger.writer import LocalWriter

KEYS = segment_keys()
TEMPLATE = Template("persons", 1, Channel.GATE, (1, 2, 5), "a purpose")
RESERVED = 1_000_000


def disclosure(n: int, records: Sequence[int] | None = None) -> Disclosure:
    """The n-th disclosure of a test: its case says which one it is."""
    given = (n % 1000,) if records is None else tuple(records)
    return Disclosure(Party("agency", f"account {n % 7}"), TEMPLATE, given, f"case {n}", "shape", 1, 100, 1)


def cases(batch: Batch) -> list[int]:
    """Which disclosures a batch holds, by number."""
    return [int(batch.case[row].split()[1]) for row in range(len(batch))]


class MemoryStore:
    """A second place in memory. `unreachable`: every call fails; `lose_answer`: the next swap is done and fails."""

    def __init__(self, value: bytes | None = None) -> None:
        self.value = value
        self.swaps = 0
        self.unreachable = self.lose_answer = False

    def __str__(self) -> str:
        return "memory"

    def read(self) -> bytes | None:
        self._reached()
        return self.value

    def swap(self, expected: bytes | None, new: bytes) -> None:
        self._reached()
        self.swaps += 1
        if self.value not in (expected, new):
            raise IntegrityError("memory: another value is there")
        self.value = new
        if self.lose_answer:
            self.lose_answer = False
            raise UnreachableError("memory: the answer was lost")

    def _reached(self) -> None:
        if self.unreachable:
            raise UnreachableError("memory: could not reach it")


class Table:
    """An ordinal table in memory: ordinals in the order in which they were asked for."""

    def __init__(self, reserved: int = RESERVED) -> None:
        self.reserved = reserved
        self._given: dict[int, int] = {}
        self.closed = False

    def allocate(self, pseudonyms: NDArray[np.uint64], older: Sequence[NDArray[np.uint64]] = ()) -> NDArray[np.uint32]:
        given = self._given
        for epoch in older:
            for new, old in zip(pseudonyms.tolist(), epoch.tolist(), strict=True):
                if new not in given and old in given:
                    given[new] = given[old]
        return np.array([given.setdefault(one, len(given)) for one in pseudonyms.tolist()], np.uint32)

    def close(self) -> None:
        self.closed = True


def opened(
    folder: Path,
    second: CheckpointStore,
    *,
    keys: Sequence[Key] = KEYS,
    clock: Callable[[], datetime] = lambda: NOW,
    reserved: int = RESERVED,
) -> LocalWriter:
    """A writer in a folder."""
    return LocalWriter.open(folder, keys, second=second, table=lambda: Table(reserved), clock=clock)


def tail(folder: Path) -> list[int]:
    """The unsealed disclosures on disk, by number, after a check that they are numbered without gaps."""
    batch = read_tail(folder / "wal", KEYS)
    if len(batch):
        assert np.array_equal(batch.sequence, batch.sequence[0] + np.arange(len(batch)))
        assert bool((np.diff(batch.time) >= 0).all())
    return cases(batch)
