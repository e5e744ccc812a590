"""What the log says of one segment: the leaf, its canonical bytes, and nothing that a thief could use.

Rules
1. A leaf is canonical JSON (sorted keys, no spaces, ASCII), at most 65,535 bytes. Reading is closed: a leaf that would
   not be written byte for byte as it came is refused.
2. `dumps` lists [row, span, root] of every dump of the segment. Where the list would make the leaf too long, it is
   replaced by {"count", "digest"}: SHA-256 over row (u64 BE) | span (u64 BE) | root (32) of each, one behind another.
3. Sequence numbers are those of the write-ahead file, times milliseconds since 1970 UTC; `journal` is the head of the
   journal (`frames.Head`) when the segment was sealed, `chain` the head of the write-ahead chain after its last row.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from muniment.errors import IntegrityError
from muniment.ledger.frames import Head

LEAF_BYTES: Final = 65_535
"""Bytes of one leaf: the length of an entry in a tile is 16 bits wide (C2SP tlog-tiles)."""
SUFFIX: Final = ".seg"
"""What the name of a segment file ends with; before it stands the segment's id in hex."""
_KIND = "segment"
_HEX16 = re.compile(r"[0-9a-f]{32}")
_HEX32 = re.compile(r"[0-9a-f]{64}")
_KEY = re.compile(r"segment-[1-9][0-9]{0,8}")
_DUMP = struct.Struct(">QQ")
_NUMBERS = ("bytes", "rows", "records", "first", "last", "from", "to")
_TOP = 2**63


@dataclass(frozen=True, slots=True)
class Dump:
    """The commitment of one dump: its row in the segment, its span (ordinals reserved then) and its set root, hex."""

    row: int
    span: int
    root: str


@dataclass(frozen=True, slots=True)
class DumpDigest:
    """Stands for a list of dumps that is too long for a leaf (rule 2)."""

    count: int
    digest: str

    @classmethod
    def of(cls, dumps: Sequence[Dump]) -> DumpDigest:
        """The digest over a list of dumps."""
        joined = b"".join(_DUMP.pack(dump.row, dump.span) + bytes.fromhex(dump.root) for dump in dumps)
        return cls(len(dumps), sha256(joined).hexdigest())


@dataclass(frozen=True, slots=True)
class Manifest:
    """One segment as the log knows it. Digests are lower-case hex; `size` counts the bytes of the file; `first` and
    `last` are sequence numbers, inclusive; `start` and `end` the earliest and latest time in milliseconds.
    """

    id: str
    sha256: str
    size: int
    rows: int
    records: int
    first: int
    last: int
    start: int
    end: int
    key: str
    events: str
    dumps: tuple[Dump, ...] | DumpDigest
    chain: str
    journal: Head

    @property
    def file(self) -> str:
        """The name of the file within the folder of segments."""
        return self.id + SUFFIX

    @property
    def dump_count(self) -> int:
        """How many dumps the segment holds."""
        return self.dumps.count if isinstance(self.dumps, DumpDigest) else len(self.dumps)

    def to_leaf(self) -> bytes:
        """The canonical bytes; a list of dumps that does not fit is written as its digest."""
        leaf = self._rendered(self.dumps)
        if len(leaf) > LEAF_BYTES and not isinstance(self.dumps, DumpDigest):
            leaf = self._rendered(DumpDigest.of(self.dumps))
        return leaf

    @classmethod
    def from_leaf(cls, leaf: bytes) -> Manifest:
        """Undo `to_leaf`. Raises `IntegrityError` for anything that is not exactly the leaf of a segment."""
        if len(leaf) > LEAF_BYTES:
            raise IntegrityError(f"a leaf has {len(leaf):,} bytes; expected at most {LEAF_BYTES:,}")
        try:
            manifest = _parsed(json.loads(leaf))
            if manifest._rendered(manifest.dumps) != leaf:
                raise ValueError("not canonical")
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise IntegrityError(f"a leaf of the log is no manifest of a segment: {_reason(error)}") from error
        return manifest

    def _rendered(self, dumps: tuple[Dump, ...] | DumpDigest) -> bytes:
        value = {
            "kind": _KIND,
            "id": self.id,
            "file": self.file,
            "sha256": self.sha256,
            "bytes": self.size,
            "rows": self.rows,
            "records": self.records,
            "first": self.first,
            "last": self.last,
            "from": self.start,
            "to": self.end,
            "key": self.key,
            "events": self.events,
            "dumps": _dumps_value(dumps),
            "chain": self.chain,
            "journal": {"sequence": self.journal.sequence, "digest": self.journal.digest},
        }
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def is_manifest(leaf: bytes) -> bool:
    """Whether a leaf of the log says that it is about a segment (it may still be malformed)."""
    try:
        value = json.loads(leaf) if len(leaf) <= LEAF_BYTES else None
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and value.get("kind") == _KIND


def _dumps_value(dumps: tuple[Dump, ...] | DumpDigest) -> object:
    if isinstance(dumps, DumpDigest):
        return {"count": dumps.count, "digest": dumps.digest}
    return [[dump.row, dump.span, dump.root] for dump in dumps]


def _parsed(value: Mapping[str, object]) -> Manifest:
    """A manifest from JSON; a name too many shows when it is written again."""
    if value["kind"] != _KIND:
        raise ValueError("another kind of leaf")
    numbers = {name: _number(value[name]) for name in _NUMBERS}
    ordered = 1 <= numbers["rows"] <= numbers["last"] - numbers["first"] + 1
    if not (ordered and numbers["from"] <= numbers["to"]):
        raise ValueError("rows, sequence or time out of order")
    head = _mapping(value["journal"])
    return Manifest(
        id=_hex(value["id"], _HEX16),
        sha256=_hex(value["sha256"]),
        size=numbers["bytes"],
        rows=numbers["rows"],
        records=numbers["records"],
        first=numbers["first"],
        last=numbers["last"],
        start=numbers["from"],
        end=numbers["to"],
        key=_hex(value["key"], _KEY),
        events=_hex(value["events"]),
        dumps=_parsed_dumps(value["dumps"], numbers["rows"]),
        chain=_hex(value["chain"]),
        journal=Head(_number(head["sequence"]), _hex(head["digest"])),
    )


def _parsed_dumps(value: object, rows: int) -> tuple[Dump, ...] | DumpDigest:
    if isinstance(value, list):
        dumps = tuple(Dump(_number(row), _number(span), _hex(root)) for row, span, root in value)
        places = [dump.row for dump in dumps]
        if places != sorted(set(places)) or any(place >= rows for place in places):
            raise ValueError("rows of dumps out of order")
        return dumps
    digest = _mapping(value)
    return DumpDigest(_number(digest["count"]), _hex(digest["digest"]))


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise TypeError("expected an object")
    return value


def _number(value: object) -> int:
    # `True` is an int to Python; the log never writes one where a number stands.
    if type(value) is not int or not 0 <= value < _TOP:
        raise ValueError("a number is missing or out of range")
    return value


def _hex(value: object, pattern: re.Pattern[str] = _HEX32) -> str:
    if not isinstance(value, str) or pattern.fullmatch(value) is None:
        raise ValueError("a digest or name is malformed")
    return value


def _reason(error: Exception) -> str:
    """Why, in words; a decoder's message may hold bytes of the leaf and stays in the cause."""
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing"
    if type(error) in (ValueError, TypeError):
        return str(error)
    return "malformed JSON"
