"""Examinations (how often a leak was looked at) and openings (whose codewords a sealed bundle gave away).

Rules
1. An examination is logged before anything is scored: a run that was killed counts.
2. Run k on a leak, or on one that shares records with an earlier one, names only at E >= n k(k+1)/a (evidence.md 2).
   Same file digest, or sketches of one register that may overlap: the run counts as another look at the same leak.
3. What is kept of a leak is its digest and a sketch (see `sketch`); no row, no record, no order, no score.
4. Addresses that a bundle opened read as erased for that recipient from then on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from muniment.keys import Key, Purpose
from muniment.ledger.journal import Entry, Journal
from muniment.ledger.sets import SealedSets
from muniment.ledger.sketch import may_share, pack, sketch, unpack

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_EXAMINATION = "examination"
_OPENED = "opened"


@dataclass(frozen=True, slots=True)
class Examination:
    """One look at a leak. `number` is the k of the threshold; `entry` its place in the journal."""

    number: int
    file_digest: str
    time: datetime
    entry: int


@dataclass(frozen=True, slots=True)
class Opened:
    """Symbol addresses of one recipient that a bundle showed. `addresses` is the digest of the sealed set of them."""

    recipient: int
    addresses: str
    bundle_digest: str
    time: datetime


def begin_examination(
    journal: Journal, key: Key, *, file_digest: str, aligned: Mapping[str, NDArray[np.uint64]], now: datetime
) -> Examination:
    """Log a look at a leak and return it with its number; call this before scoring.

    `aligned`: register name -> pseudonyms of the records to which rows were aligned. `key`: the first segment key,
    always the same one, or earlier sketches mean nothing. Raises as `Journal.append`.
    """
    if key.purpose != Purpose.SEGMENT:
        raise ValueError(f"a segment key is needed, came {key.id}")
    sketches = {register: sketch(key.secret, found) for register, found in aligned.items() if found.size}
    with journal.writing():
        earlier = sum(_shares(entry, file_digest, sketches) for entry in journal.entries(_EXAMINATION))
        packed = {register: pack(hit) for register, hit in sketches.items()}
        body = {"number": earlier + 1, "file_digest": file_digest, "sketches": packed}
        return _examination(journal.append(_EXAMINATION, body, now))


def examinations(journal: Journal) -> tuple[Examination, ...]:
    """Every examination so far, oldest first."""
    return tuple(map(_examination, journal.entries(_EXAMINATION)))


def record_opened(
    journal: Journal,
    sets: SealedSets,
    opened: Sequence[tuple[int, NDArray[np.uint64]]],
    *,
    bundle_digest: str,
    now: datetime,
) -> tuple[Opened, ...]:
    """Log, before a bundle is written, which symbol addresses it opens: (recipient number, addresses as 64-bit values).

    Durable when this returns; raises as `Journal.append` and `SealedSets.store`.
    """
    bodies = [
        {"recipient": number, "addresses": sets.store(addresses), "bundle_digest": bundle_digest}
        for number, addresses in opened
    ]
    return tuple(map(_opened, journal.append_many([(_OPENED, body) for body in bodies], now)))


def opened_for(journal: Journal, recipient: int | None = None) -> tuple[Opened, ...]:
    """What bundles opened so far, of one recipient (by number) or of all; load the addresses from the sealed sets."""
    found = map(_opened, journal.entries(_OPENED))
    return tuple(opened for opened in found if recipient in (None, opened.recipient))


def _shares(entry: Entry, file_digest: str, sketches: Mapping[str, NDArray[np.bool_]]) -> bool:
    body: Any = entry.body
    if body["file_digest"] == file_digest:
        return True
    kept = body["sketches"]
    return any(register in kept and may_share(unpack(kept[register]), hit) for register, hit in sketches.items())


def _examination(entry: Entry) -> Examination:
    body: Any = entry.body
    return Examination(body["number"], body["file_digest"], entry.time, entry.sequence)


def _opened(entry: Entry) -> Opened:
    body: Any = entry.body
    return Opened(body["recipient"], body["addresses"], body["bundle_digest"], entry.time)
