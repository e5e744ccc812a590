"""A whole small ledger on disk without a workspace: journal, table, write-ahead files, log, segments, second place."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from language.appends import cases, disclosure
from language.rings import NOW, segment_keys
from muniment.keys import Key, Purpose
from muniment.ledger.fsck import Verification, verify
from muniment.ledger.journal import Journal
from muniment.ledger.store import Ledger, LedgerKeys, Place

SIGNING = Key("signing-1", Purpose.SIGNING, b"s" * 32)


def public_of(key: Key) -> str:
    """The public half of a signing key, in hex."""
    return Ed25519PrivateKey.from_private_bytes(key.secret).public_key().public_bytes_raw().hex()


def ledger_keys(*, segment: Sequence[Key] = segment_keys(), signing: Key | None = SIGNING) -> LedgerKeys:
    """Keys of a ledger. A `signing` of `None` may write and read, but not seal."""
    return LedgerKeys(tuple(segment), signing, {"signing-1": public_of(signing or SIGNING)})


@dataclass
class Seconds:
    """A clock that moves on by a second whenever it is read."""

    now: datetime = NOW
    step: timedelta = timedelta(seconds=1)

    def __call__(self) -> datetime:
        self.now += self.step
        return self.now


@dataclass
class LedgerFolder:
    """A ledger in `folder`/ledger with its second place in `folder`/away. `open` opens all of it anew."""

    folder: Path
    keys: LedgerKeys = field(default_factory=ledger_keys)
    clock: Callable[[], datetime] = field(default_factory=Seconds)

    @classmethod
    def made(cls, folder: Path, keys: LedgerKeys | None = None) -> LedgerFolder:
        """A new, empty ledger."""
        made = cls(folder, keys or ledger_keys())
        Journal.create(made.ledger / "journal.bin", made.keys.segment)
        made.open().create()
        return made

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger"

    @property
    def away(self) -> Path:
        return self.folder / "away"

    def journal(self) -> Journal:
        return Journal.open(self.ledger / "journal.bin", self.keys.segment)

    def open(self, keys: LedgerKeys | None = None, *, journal: Journal | None = None) -> Ledger:
        return Ledger(Place(self.ledger, self.away), journal or self.journal(), keys or self.keys, self.clock)

    def give(self, *numbers: int, journal: Journal | None = None) -> list[int]:
        """Append disclosures (see `disclosing`) and seal them; returns the sequence numbers that were confirmed."""
        with self.open(journal=journal).writing() as appender:
            return [
                appender.append(disclosure(n, ordinals)).result().first
                for n in numbers
                for ordinals in [sorted(appender.ordinals(persons(n)).tolist())]
            ]

    def give_unsealed(self, *numbers: int) -> list[int]:
        """The same by somebody whose ring cannot sign."""
        keys, self.keys = self.keys, LedgerKeys(self.keys.segment, None, self.keys.verifiers, self.keys.witnesses)
        try:
            return self.give(*numbers)
        finally:
            self.keys = keys

    def cases(self) -> list[int]:
        """Which disclosures a reader sees, in order."""
        reader = self.open().reader()
        rows = reader.select()
        assert rows.sequence.tolist() == sorted(set(rows.sequence.tolist()))
        return cases(reader.batch(rows))

    def history(self, person: int) -> list[int]:
        """Which disclosures held a person (a number of `persons`), by case."""
        ledger = self.open()
        with ledger.table() as table:
            ordinals, found = table.lookup(np.array([pseudonym(person)], np.uint64))
        reader = ledger.reader()
        return cases(reader.batch(reader.history(ordinals[found])))

    def verify(self, *, full: bool = False) -> Verification:
        journal = self.journal()
        return verify(self.open(journal=journal), journal, full=full)

    def copied(self, folder: Path) -> LedgerFolder:
        """The same ledger in another place."""
        shutil.copytree(self.folder, folder)
        return LedgerFolder(folder, self.keys, self.clock)

    def put_back(self, other: LedgerFolder, *parts: str) -> None:
        """Take parts of it (paths below `folder`) from another state of it."""
        for part in parts:
            mine, theirs = self.folder / part, other.folder / part
            if mine.is_dir():
                shutil.rmtree(mine)
            mine.unlink(missing_ok=True)
            if theirs.is_dir():
                shutil.copytree(theirs, mine)
            elif theirs.exists():
                shutil.copy2(theirs, mine)


def pseudonym(person: int) -> int:
    """The pseudonym of a person of a test."""
    return (person * 0x9E37_79B9_7F4A_7C15 + 1) % 2**64


def persons(n: int) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """The pseudonyms in disclosure n: persons n to n + 2."""
    return np.array([pseudonym(person) for person in range(n, n + 3)], np.uint64)


def files(folder: Path) -> Iterable[Path]:
    """Every file below a folder, sorted."""
    return sorted(path for path in folder.rglob("*") if path.is_file())
