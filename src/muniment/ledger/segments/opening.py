"""Openings: one event, or one record of it, shown to be what a segment committed to; nothing else is shown. Pure.

An event opening is JSON-able:
    {"row": r, "events": n,                     place among the events of the segment
     "salt": hex of 16,
     "numbers": {"sequence", "time", "rows", "size", "released", "occurred": integers},
     "fields": {each of commit.FIELDS: {"salt": hex of 16, "value": text} or {"digest": hex of 32}},
     "shape": 0 empty, 1 records, 2 dump; "span": integer (0 but for a dump); "root": hex of 32, of the set,
     "path": [hex of 32, ...]}                  RFC 6962 inclusion path, lowest first
A record opening is opened against its event:
    {"ordinal": o, "position": p, "leaves": n,  records of the set; of a dump the span rounded up to 64, and p = o
     "salt": hex of 16, "bit": 0 or 1,          "bit" of a dump only
     "others": [hex of 32, ...],                the other leaves of the chunk, in their order
     "path": [hex of 32, ...]}                  of chunk p // 64 among the chunks

A verifier takes nothing from an opening unchecked, and refuses any other member, type or length.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from muniment import limits
from muniment.errors import IntegrityError
from muniment.ledger.batch import NUMBERS, Batch
from muniment.ledger.log import tree
from muniment.ledger.segments.commit import (
    CHUNK,
    FIELDS,
    PAGE,
    PARTY_FIELDS,
    TEXT_FIELDS,
    Commitments,
    Committer,
    field_digest,
    party_digest,
)

if TYPE_CHECKING:
    from muniment.disclosure import Party

Json: TypeAlias = Mapping[str, object]
EMPTY, RECORDS, DUMP = 0, 1, 2
"""The shapes an event commits to."""
PATH_DIGESTS: Final = 64
"""Digests of an inclusion path: a tree of 2**64 leaves."""
_HEX = re.compile(r"([0-9a-f]{2})*")
_TOP = 1 << 63


@dataclass(frozen=True, slots=True)
class OpenedEvent:
    """A verified event: its numbers by name, and those fields that were opened."""

    row: int
    numbers: Mapping[str, int]
    fields: Mapping[str, str]
    shape: int
    span: int
    root: bytes


@dataclass(frozen=True, slots=True)
class OpenedRecord:
    """A verified record: the ordinal, and whether the disclosure held it (False only of a dump)."""

    ordinal: int
    present: bool


# --- making ----------------------------------------------------------------------------------------------------------


class Openings:
    """Opens rows of one segment, given its batch in the order of the file, its secret and what it committed to."""

    def __init__(self, batch: Batch, commitments: Commitments, secret: bytes) -> None:
        """Raises `IntegrityError` where the batch cannot be what was committed to."""
        try:
            self._committer = Committer(batch, commitments.span, secret)
        except ValueError as error:
            raise IntegrityError("a segment holds rows that it cannot have been sealed with") from error
        self._batch = batch
        self._commitments = commitments
        if self._committer.dump_rows != range(len(batch) - len(commitments.dumps), len(batch)):
            raise IntegrityError("a segment does not hold the dumps that it committed to")

    def event(self, row: int, fields: Sequence[str] = ()) -> dict[str, object]:
        """Open a row; of the fields (`commit.FIELDS`) only those named. Raises `IntegrityError`, `ValueError`."""
        if unknown := set(fields) - set(FIELDS):
            raise ValueError(f"no such field: {sorted(unknown)}; expected some of {FIELDS}")
        dumps = self._commitments.dumps
        path = self._commitments.events.path(row, self._committer.event_page(row // PAGE, dumps))
        dump = row in self._committer.dump_rows
        return {
            "row": row,
            "events": len(self._batch),
            "salt": self._committer.salts.events(np.array([row])).tobytes().hex(),
            "numbers": {name: int(getattr(self._batch, name)[row]) for name in NUMBERS},
            "fields": self._fields(row, fields),
            "shape": DUMP if dump else min(int(self._batch.counts[row]), RECORDS),
            "span": self._commitments.span if dump else 0,
            "root": self._committer.set_root(row, dumps).hex(),
            "path": _hexes(path),
        }

    def record(self, row: int, ordinal: int) -> dict[str, object]:
        """Open one ordinal in a row; of a dump its absence too.

        Raises `KeyError` where a list does not hold it or it lies beyond the span of a dump; `IntegrityError`.
        """
        if row in self._committer.dump_rows:
            return self._bit(row, ordinal)
        position = self._position(row, ordinal)
        if position is None:
            raise KeyError(ordinal)
        leaves = self._committer.record_leaves(row, row + 1)
        chunks = self._committer.chunks_of(leaves)
        place = position // CHUNK
        salt = self._committer.salts.records(row, np.array([position]))
        return {
            "ordinal": ordinal,
            "position": position,
            "leaves": len(leaves),
            "salt": salt.tobytes().hex(),
            "others": _others(leaves[place * CHUNK : (place + 1) * CHUNK], position % CHUNK),
            "path": _hexes(tree.inclusion_proof(chunks, place)),
        }

    def _bit(self, row: int, ordinal: int) -> dict[str, object]:
        if not 0 <= ordinal < self._commitments.span:
            raise KeyError(ordinal)
        place = ordinal // CHUNK
        start = place * CHUNK
        leaves = self._committer.dump_leaves(row, start, start + CHUNK)
        chunks = self._commitments.dumps[row]
        return {
            "ordinal": ordinal,
            "position": ordinal,
            "leaves": CHUNK * chunks.size,
            "salt": self._committer.salts.records(row, np.array([ordinal])).tobytes().hex(),
            "bit": int(self._position(row, ordinal) is not None),
            "others": _others(leaves, ordinal % CHUNK),
            "path": _hexes(chunks.path(place, self._committer.dump_page(row, place // PAGE))),
        }

    def _position(self, row: int, ordinal: int) -> int | None:
        """The place of an ordinal among the records of a row."""
        records = self._batch.records(row)
        if not 0 <= ordinal < 1 << 32:
            return None
        position = int(np.searchsorted(records, np.uint32(ordinal)))
        return position if position < len(records) and int(records[position]) == ordinal else None

    def _fields(self, row: int, opened: Sequence[str]) -> dict[str, dict[str, str]]:
        party: Party = self._committer.party(row)
        texts = {name: getattr(party, name) for name in PARTY_FIELDS}
        texts |= {name: getattr(self._batch, name)[row] for name in TEXT_FIELDS}
        out = {}
        for name, text in texts.items():
            salt = self._committer.salts.field(name)
            if name in opened:
                out[name] = {"salt": salt.hex(), "value": text}
            else:
                out[name] = {"digest": field_digest(salt, text).hex()}
        return out


def _hexes(digests: Sequence[bytes]) -> list[str]:
    return [digest.hex() for digest in digests]


def _others(chunk: Sequence[bytes], place: int) -> list[str]:
    return _hexes([*chunk[:place], *chunk[place + 1 :]])


# --- verifying -------------------------------------------------------------------------------------------------------


def verify_event(opening: object, events_root: bytes, rows: int) -> OpenedEvent:
    """Check an event opening against the events root and the number of rows that a manifest says.

    Raises `IntegrityError` where it is malformed or does not lead to the root.
    """
    names = ("row", "events", "salt", "numbers", "fields", "shape", "span", "root", "path")
    value = _members(opening, names, "an event opening")
    numbers = _members(value["numbers"], NUMBERS, "the numbers of an event opening")
    counts = {name: _integer(numbers[name], -_TOP) for name in NUMBERS}
    fields, digests = _verified_fields(value["fields"])
    row, shape, span = _integer(value["row"]), _integer(value["shape"]), _integer(value["span"])
    root = _bytes(value["root"], 32)
    if _integer(value["events"]) != rows or shape > DUMP or (shape == DUMP) != (span > 0):
        raise IntegrityError("an event opening does not fit the manifest of its segment")
    message = b"".join(
        (
            _bytes(value["salt"], 16),
            *(count.to_bytes(8, "big", signed=True) for count in counts.values()),
            *digests,
            bytes([shape]),
            span.to_bytes(8, "big"),
            root,
        )
    )
    tree.verify_inclusion(tree.leaf_hash(message), row, rows, _path(value["path"], PATH_DIGESTS), events_root)
    return OpenedEvent(row, counts, fields, shape, span, root)


def verify_record(opening: object, event: OpenedEvent) -> OpenedRecord:
    """Check a record opening against a verified event. Raises `IntegrityError` as `verify_event`."""
    if event.shape == EMPTY:
        raise IntegrityError("a record opening is given for a disclosure without records")
    dump = event.shape == DUMP
    names = ("ordinal", "position", "leaves", "salt", "others", "path", *(("bit",) if dump else ()))
    value = _members(opening, names, "a record opening")
    ordinal, position, leaves = (_integer(value[name]) for name in ("ordinal", "position", "leaves"))
    bit = _integer(value["bit"]) if dump else 1
    if bit > 1 or not _fits(ordinal, position, leaves, event.span):
        raise IntegrityError("a record opening does not fit its event")
    leaf = _record_leaf(_bytes(value["salt"], 16), ordinal, bit if dump else None)
    place, chunk = position % CHUNK, position // CHUNK
    others = _path(value["others"], CHUNK - 1)
    if len(others) != min(CHUNK, leaves - chunk * CHUNK) - 1:
        raise IntegrityError(f"a record opening has a chunk of {len(others) + 1} leaves, which does not fit its set")
    digest = sha256(b"\x11" + b"".join((*others[:place], leaf, *others[place:]))).digest()
    tree.verify_inclusion(digest, chunk, -(-leaves // CHUNK), _path(value["path"], PATH_DIGESTS), event.root)
    return OpenedRecord(ordinal, bool(bit))


def _fits(ordinal: int, position: int, leaves: int, span: int) -> bool:
    """Whether a place can be in its set: of a dump (with a span) it is the ordinal itself."""
    if span and (leaves != -(-span // CHUNK) * CHUNK or position != ordinal or ordinal >= span):
        return False
    return ordinal < 1 << 32 and position < leaves <= 1 << 32


def _record_leaf(salt: bytes, ordinal: int, bit: int | None) -> bytes:
    if bit is None:
        return sha256(b"\x10" + salt + ordinal.to_bytes(4, "big")).digest()
    return sha256(b"\x12" + salt + ordinal.to_bytes(4, "big") + bytes([bit])).digest()


def _verified_fields(value: object) -> tuple[dict[str, str], tuple[bytes, ...]]:
    """The texts that are open, and the four digests of rule 5: party, template, case, fingerprint."""
    members = _members(value, FIELDS, "the fields of an event opening")
    texts: dict[str, str] = {}
    digests = {}
    for name in FIELDS:
        member = members[name]
        if isinstance(member, Mapping) and "digest" in member:
            digests[name] = _bytes(_members(member, ("digest",), "a closed field")["digest"], 32)
            continue
        opened = _members(member, ("salt", "value"), "an open field")
        texts[name] = _text(opened["value"])
        digests[name] = field_digest(_bytes(opened["salt"], 16), texts[name])
    party = party_digest(*(digests[name] for name in PARTY_FIELDS))
    return texts, (party, *(digests[name] for name in TEXT_FIELDS))


def _members(value: object, names: Sequence[str], what: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping) or set(value) != set(names):
        raise IntegrityError(f"{what} is malformed; expected the members {', '.join(names)}")
    return value


def _integer(value: object, least: int = 0) -> int:
    if type(value) is not int or not least <= value < _TOP:
        raise IntegrityError("an opening is malformed: a number is missing or out of range")
    return value


def _bytes(value: object, size: int) -> bytes:
    if not isinstance(value, str) or len(value) != 2 * size or not _HEX.fullmatch(value):
        raise IntegrityError(f"an opening is malformed; expected {size} bytes in hex")
    return bytes.fromhex(value)


def _path(value: object, at_most: int) -> list[bytes]:
    if not isinstance(value, list) or len(value) > at_most:
        raise IntegrityError(f"an opening is malformed; expected a list of at most {at_most} digests")
    return [_bytes(digest, 32) for digest in value]


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > limits.LEDGER_TEXT_CHARACTERS or not _encodable(value):
        raise IntegrityError(f"malformed opening: no text of at most {limits.LEDGER_TEXT_CHARACTERS:,} characters")
    return value


def _encodable(text: str) -> bool:
    """JSON can spell half a surrogate pair, which has no UTF-8."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
