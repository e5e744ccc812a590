"""Decoys in a live table: fictitious records that nobody has a reason to ask for, and who asked for one all the same.

Rules
1. A statement that *names* a decoy (its condition fixes the key, or a literal or parameter is a decoy's key) is an
   alarm: no case leads to a person who does not exist.
2. A statement that *enumerates* is one of a run: `run` reads by key, each near the one before in the order of keys, no
   further apart than `seconds`, so that no case-load looks like it. A decoy among them is an alarm; so is the run that
   is `swept` long without one.
3. A list that happens to meet a decoy is counted and nothing more: every honest list of a district does.
4. Which keys are decoys is as secret as the mark key. They are held as keyed digests, and no alarm names one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from muniment.disclosure import canonical_key
from muniment.errors import LimitError
from muniment.limits import DECOYS

if TYPE_CHECKING:
    from numpy.typing import NDArray

Sort = Literal["named", "enumerated"]
ACCOUNTS: Final = 10_000
"""Recipients whose last reads are remembered; beyond it the longest silent is forgotten."""
LITERALS: Final = 1_024
"""Literals and parameters of one statement that are looked at."""
_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class Run:
    """When reads by key are an enumeration (rule 2). `step`: how far two keys of it lie apart at most."""

    length: int = 5
    swept: int = 40
    step: int = 20
    seconds: int = 600


@dataclass(frozen=True, slots=True)
class Alarm:
    """Somebody asked for a decoy. `reads`: the length of the run that it ended; 1 where it was named alone.

    `decoys`: how many of the statement's keys were decoys; 0 for a sweep that met none yet. Never which.
    """

    sort: Sort
    register: str
    decoys: int
    reads: int


@dataclass(frozen=True, slots=True, repr=False)
class Decoys:
    """The decoys of one register: digests of their keys, and their ordinals where the ledger has given them any."""

    register: str
    digests: frozenset[bytes]
    ordinals: NDArray[np.uint32] = field(default_factory=lambda: np.zeros(0, np.uint32))
    _secret: bytes = b""

    @classmethod
    def of(cls, register: str, keys: Sequence[Sequence[str]], secret: bytes, ordinals: Iterable[int] = ()) -> Decoys:
        """`keys`: record keys by part; `secret`: 16 bytes or more that stay in memory. `LimitError` beyond `DECOYS`."""
        if len(keys) > DECOYS:
            raise LimitError(f"register {register!r}: {len(keys):,} decoys; expected at most {DECOYS:,}")
        digests = frozenset(_digest(secret, tuple(key)) for key in keys)
        return cls(register, digests, np.unique(np.fromiter(ordinals, np.uint32)), secret)

    def __len__(self) -> int:
        return len(self.digests)

    def holds(self, key: Sequence[str]) -> bool:
        """Whether this is the key of a decoy."""
        return _digest(self._secret, tuple(key)) in self.digests

    def met(self, ordinals: NDArray[np.uint32]) -> int:
        """How many of these persons (any shape) are decoys, each once: rule 3."""
        if not len(self.ordinals):
            return 0
        return int(np.count_nonzero(np.isin(self.ordinals, ordinals.reshape(-1))))


def _digest(secret: bytes, key: tuple[str, ...]) -> bytes:
    return blake2b(canonical_key(key), key=secret[:64], digest_size=_DIGEST_BYTES).digest()


@dataclass(slots=True)
class _Reads:
    """The run that a recipient is on: where it stands, which way it goes, how long it is, and decoys in it."""

    place: int
    time: int
    length: int = 1
    decoys: int = 0
    told: bool = False


class DecoyWatch:
    """Who asks for decoys. One object serves all sessions of a process; belongs to its event loop."""

    def __init__(self, decoys: Iterable[Decoys], run: Run | None = None) -> None:
        self._decoys: Mapping[str, Decoys] = {one.register: one for one in decoys if len(one)}
        self._run = run or Run()
        self._reads: dict[tuple[str, str], _Reads] = {}
        self.counted: dict[str, int] = {}
        """Decoys that were met in lists, by register (rule 3)."""

    def __repr__(self) -> str:
        return f"DecoyWatch({len(self._decoys)} registers)"

    def __bool__(self) -> bool:
        return bool(self._decoys)

    def asked(
        self, recipient: str, register: str, key: Sequence[str] | None, values: Sequence[str], now: int
    ) -> Alarm | None:
        """A statement on one register, before it runs; `now` in ms since 1970.

        `key`: the record key that its condition fixes, part by part, `None` where it fixes none. `values`: literals and
        parameters in it as texts. At most one alarm a statement, and one for each run.
        """
        decoys = self._decoys.get(register)
        if decoys is None:
            return None
        named = int(key is not None and decoys.holds(key))
        if not named:
            named = sum(decoys.holds((value,)) for value in dict.fromkeys(values[:LITERALS]))
        reads = self._follow(recipient, register, key, named, now) if key is not None else None
        if reads is not None and not reads.told and self._is_run(reads):
            reads.told = True
            return Alarm("enumerated", register, reads.decoys, reads.length)
        return Alarm("named", register, named, 1) if named else None

    def received(self, register: str, ordinals: NDArray[np.uint32]) -> int:
        """Rows of a list that left: counts the decoys in it, and returns how many (rule 3)."""
        decoys = self._decoys.get(register)
        met = decoys.met(ordinals) if decoys is not None else 0
        if met:
            self.counted[register] = self.counted.get(register, 0) + met
        return met

    def _is_run(self, reads: _Reads) -> bool:
        return reads.length >= (self._run.length if reads.decoys else self._run.swept)

    def _follow(self, recipient: str, register: str, key: Sequence[str], named: int, now: int) -> _Reads | None:
        """Where the recipient's run stands after this read; `None` for a key that has no place in an order."""
        place = _place(key)
        if place is None:
            return None
        name = (recipient, register)
        reads = self._reads.pop(name, None)  # put back behind: the first is the longest silent
        if reads is not None and place == reads.place:
            reads.time = now
        elif reads is not None and self._near(reads, place, now):
            reads.place, reads.time = place, now
            reads.length += 1
            reads.decoys += named
        else:
            reads = _Reads(place, now, decoys=named)
        self._reads[name] = reads
        if len(self._reads) > ACCOUNTS:
            self._reads.pop(next(iter(self._reads)))
        return reads

    def _near(self, reads: _Reads, place: int, now: int) -> bool:
        return abs(place - reads.place) <= self._run.step and 0 <= now - reads.time <= self._run.seconds * 1_000


def _place(key: Sequence[str]) -> int | None:
    """The number in a key, whatever letters stand around it: neighbours of a series have neighbouring numbers.

    A check digit at the end makes steps of up to nineteen; `Run.step` allows for it. Beyond 18 digits nobody counts.
    """
    digits = "".join(character for part in key for character in part if "0" <= character <= "9")
    return int(digits) if 0 < len(digits) <= 18 else None
