"""What releases leave behind for the next ones: their classes by person, in sealed files; and what is held by whom.

Rules
1. One file for the copies of one release, under a key of its own label, named by the number of their first disclosure.
   It is durable before the copies appear.
2. It is bound to the term of the ledger: of a disclosure that was pruned nothing is read any more, and the file goes
   once all of its disclosures are pruned.
3. What a recipient received otherwise (through the gate, or before classes were kept) is made up from the ledger: the
   columns and records are on record, the values are taken as the register has them now.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from muniment.disclosure import Copy, Outcome, Register, Template
from muniment.durable import storage_faults
from muniment.errors import IntegrityError
from muniment.exposure.extract import Coded, Extract
from muniment.exposure.kept import Kept, keep
from muniment.ledger.reader import LedgerReader
from muniment.prf import hkdf
from muniment.sealed import read_sealed, write_sealed
from muniment.workspace.parts import Parts
from muniment.workspace.registered import read_registered
from muniment.workspace.subjects import column_names

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOLDER: Final = "exposure"
_PURPOSE: Final = "muniment kept classes 1"


@dataclass(frozen=True, slots=True, repr=False)
class Held:
    """What one recipient, or several, received once: `disclosures` by number, and the classes of it."""

    disclosures: tuple[int, ...]
    kept: Kept
    made_up: bool = False
    """From the register as it is now, not from kept classes."""


def digest_key(parts: Parts) -> bytes:
    """The key of the digests of classes and values; under the first segment key, so that rotation changes no digest."""
    return hkdf(parts.ring.all("segment")[0].secret, "muniment exposure digest 1", length=32)


def keep_release(parts: Parts, copies: Sequence[Copy], kept: Kept) -> None:
    """Keep the classes of the copies of one release, durable when it returns; `UnreachableError` if the disk fails."""
    numbers = [copy.disclosure for copy in copies]
    head = {"register": copies[0].register, "copies": [[copy.disclosure, copy.recipient.name] for copy in copies]}
    path = _folder(parts) / f"{min(numbers):012}.bin"
    with storage_faults(path.parent, "make the folder"):
        path.parent.mkdir(mode=0o700, exist_ok=True)

    def chunks() -> Iterator[bytes]:
        yield json.dumps(head, ensure_ascii=False).encode() + b"\n"
        yield from kept.to_bytes()

    write_sealed(path, _sealing_key(parts), chunks(), f"{_PURPOSE} {path.name}")


def forget_pruned(parts: Parts) -> int:
    """Remove the files of which every disclosure was pruned; returns how many went. Safe to repeat."""
    parts.ledger.segments()
    gone = 0
    for path in _files(parts):
        if int(path.stem) <= parts.ledger.pruned and not _living(parts, _opened(parts, path)[0]):
            with storage_faults(path, "remove"):
                path.unlink(missing_ok=True)
            gone += 1
    return gone


def held_by(parts: Parts, register: Register, recipients: Sequence[str], *, but: Sequence[int] = ()) -> list[Held]:
    """All that these recipients received of a register, oldest first, kept classes where there are any (rule 3).

    `but`: disclosures that are not meant. Errors as reading the ledger, and the register where something is made up.
    """
    known = list(_kept_of(parts, register, frozenset(recipients)))
    covered = {number for held in known for number in held.disclosures} | set(but)
    wanted = [held for held in known if not set(held.disclosures) <= set(but)]
    return sorted([*wanted, *_made_up(parts, register, recipients, covered)], key=lambda held: held.disclosures[0])


def exposed_columns(parts: Parts, register: Register, columns: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """Of these columns, the quasi-identifiers, and the first that is sensitive ("" where none is).

    By muniment.toml; where it names no quasi-identifiers, all but the key and the sensitive ones are.
    """
    settings = parts.config.register(register.name)
    sensitive = [name for name in settings.sensitive if name in columns]
    named = settings.quasi or [name for name in columns if name not in (*register.key, *settings.sensitive)]
    return tuple(name for name in columns if name in named), sensitive[0] if sensitive else ""


# --- kept files ----------------------------------------------------------------------------------------------------


def _kept_of(parts: Parts, register: Register, recipients: frozenset[str]) -> Iterator[Held]:
    parts.ledger.segments()
    for path in _files(parts):
        head, data = _opened(parts, path)
        living = _living(parts, head)
        mine = tuple(number for number, name in living if name in recipients)
        if mine and head["register"] == register.name:
            yield Held(mine, Kept.from_bytes(data))


def _living(parts: Parts, head: Any) -> list[tuple[int, str]]:
    """Number and recipient of the disclosures that were not pruned; call `segments` of the ledger before."""
    return [(number, name) for number, name in head["copies"] if number > parts.ledger.pruned]


def _opened(parts: Parts, path: Path) -> tuple[Any, bytes]:
    data = read_sealed(path, _sealing_key(parts), f"{_PURPOSE} {path.name}")
    head, mark, rest = data.partition(b"\n")
    if not mark:
        raise IntegrityError(f"{path}: no kept classes of this version")
    return json.loads(head), rest


def _files(parts: Parts) -> list[Path]:
    return sorted(path for path in _folder(parts).glob("*.bin") if path.stem.isdigit())


def _folder(parts: Parts) -> Path:
    return parts.folder / FOLDER


def _sealing_key(parts: Parts) -> bytes:
    return hkdf(parts.ring.all("segment")[0].secret, "muniment exposure file 1", length=32)


# --- made up from the ledger -----------------------------------------------------------------------------------------


def _made_up(parts: Parts, register: Register, recipients: Sequence[str], covered: set[int]) -> list[Held]:
    """Other disclosures, those of the same columns together, with the values of now."""
    received = _received(parts, register, recipients, covered)
    if not received:
        return []
    wanted = {columns: exposed_columns(parts, register, columns) for columns in received}
    needed = dict.fromkeys(name for quasi, sensitive in wanted.values() for name in (*quasi, sensitive) if name)
    whole = read_registered(parts, register, tuple(needed), None)
    found = []
    for columns, (numbers, records) in received.items():
        quasi, sensitive = wanted[columns]
        part = _only(whole, records, (*quasi, sensitive) if sensitive else quasi)
        if part.rows and quasi:
            kept = keep(part, quasi, digest_key(parts), sensitive=sensitive)
            found.append(Held(tuple(sorted(numbers)), kept, made_up=True))
    return found


def _received(
    parts: Parts, register: Register, recipients: Sequence[str], covered: set[int]
) -> dict[tuple[str, ...], tuple[list[int], NDArray[np.uint32]]]:
    """Columns -> numbers and records of the disclosures that had exactly these and left, without those covered."""
    reader, names = parts.ledger.reader(), column_names(parts)
    there = set(parts.source(register).columns)
    gathered: dict[tuple[str, ...], tuple[list[int], list[NDArray[np.uint32]]]] = {}
    for recipient in recipients:
        for sequence, template, records in _disclosed(reader, recipient):
            if template.register != register.name or sequence in covered or template.outcome == Outcome.REFUSED:
                continue
            columns = tuple(name for name in names(register.name, template.columns) if name in there)
            if columns and len(records):
                numbers, sets = gathered.setdefault(columns, ([], []))
                numbers.append(sequence)
                sets.append(records)
    return {columns: (numbers, np.unique(np.concatenate(sets))) for columns, (numbers, sets) in gathered.items()}


def _disclosed(reader: LedgerReader, recipient: str) -> Iterator[tuple[int, Template, NDArray[np.uint32]]]:
    batch = reader.batch(reader.select(recipient=recipient), records=True)
    for row in range(len(batch)):
        yield int(batch.sequence[row]), Template.from_text(batch.template[row]), batch.records(row)


def _only(whole: Extract, records: NDArray[np.uint32], columns: Sequence[str]) -> Extract:
    """The rows of these records."""
    assert whole.record is not None  # read from a register
    rows = np.flatnonzero(np.isin(whole.record, records))
    taken: tuple[Coded, ...] = tuple(replace(column, codes=column.codes[rows]) for column in whole.chosen(columns))
    return Extract(taken, len(rows), whole.record[rows])
