"""What the log says of the index: one leaf, from which every answer of the index can be held against the log. Pure.

Rules
1. A leaf is canonical JSON (sorted keys, no spaces, ASCII), at most 65,535 bytes; reading is closed, as for manifests.
2. `runs` lists the runs in order: `first` and `last` are the indices of the leaves of its first and last segment,
   `root`, `entries` and `salt` its Merkle map (`proof`). `segments` counts the segments that they cover, all before
   this leaf.
3. `ordinals` is the map from persons to ordinals (`ordinals.persons`). `salt` of a map is the SHA-256 of its map salt:
   with a salt of his choice a keeper could make the key of anybody fall where the map has none.
4. `dumps` is count and digest over all dumps of these segments: SHA-256 over leaf (u64 BE) | row (u64) | span (u64) |
   set root (32) of each, in the order of the log.
5. `time` is when index and segments were compared, ISO 8601 with time zone.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from muniment.errors import IntegrityError, LimitError

LEAF_BYTES: Final = 65_535
"""Bytes of one leaf: the length of an entry in a tile is 16 bits wide (C2SP tlog-tiles)."""
_KIND = "index"
_HEX = re.compile(r"[0-9a-f]{64}")
_DUMP = struct.Struct(">QQQ")
_TOP = 2**63


@dataclass(frozen=True, slots=True)
class MapRoot:
    """A Merkle map as it is logged: its root (32 bytes), its number of entries and the digest of its map salt."""

    root: bytes
    entries: int
    salt: bytes

    def check_salt(self, map_salt: bytes) -> None:
        """Raises `IntegrityError` where a proof uses another map salt than the one that was logged."""
        if sha256(map_salt).digest() != self.salt:
            raise IntegrityError("map proof: its salt is not the one that was logged with the map")


@dataclass(frozen=True, slots=True)
class RunRoot:
    """A run as it is logged: leaf index of its first and last segment, and its map."""

    first: int
    last: int
    map: MapRoot


@dataclass(frozen=True, slots=True)
class LoggedDump:
    """A dump by its segment's leaf index and row: span and set root (32 bytes)."""

    leaf: int
    row: int
    span: int
    root: bytes


@dataclass(frozen=True, slots=True)
class IndexLeaf:
    """The index as one leaf of the log knows it (rules above)."""

    segments: int
    runs: tuple[RunRoot, ...]
    ordinals: MapRoot
    dumps: int
    dump_digest: bytes
    time: datetime

    def to_leaf(self) -> bytes:
        """The canonical bytes. `LimitError` where the runs are too many for a leaf (some hundreds)."""
        value = {
            "kind": _KIND,
            "segments": self.segments,
            "runs": [run_value(run) for run in self.runs],
            "ordinals": _map_value(self.ordinals),
            "dumps": {"count": self.dumps, "digest": self.dump_digest.hex()},
            "time": self.time.isoformat(),
        }
        leaf = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
        if len(leaf) > LEAF_BYTES:
            raise LimitError(f"the leaf of the index has {len(leaf):,} bytes; expected at most {LEAF_BYTES:,}")
        return leaf

    @classmethod
    def from_leaf(cls, leaf: bytes) -> IndexLeaf:
        """Undo `to_leaf`. Raises `IntegrityError` for anything that is not exactly the leaf of an index."""
        if len(leaf) > LEAF_BYTES:
            raise IntegrityError(f"a leaf has {len(leaf):,} bytes; expected at most {LEAF_BYTES:,}")
        try:
            parsed = _parsed(json.loads(leaf))
            if parsed.to_leaf() != leaf:
                raise ValueError("not canonical")
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise IntegrityError("a leaf of the log is no leaf of an index") from error
        return parsed


def run_value(run: RunRoot) -> dict[str, object]:
    """A run as JSON."""
    return {"first": run.first, "last": run.last} | _map_value(run.map)


def parse_run(value: object) -> RunRoot:
    """Undo `run_value`. Raises `ValueError`, `TypeError` or `KeyError` for another shape."""
    run = _mapping(value)
    return RunRoot(_number(run["first"]), _number(run["last"]), _map(run))


def is_index(leaf: bytes) -> bool:
    """Whether a leaf of the log says that it is about the index (it may still be malformed)."""
    try:
        value = json.loads(leaf) if len(leaf) <= LEAF_BYTES else None
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and value.get("kind") == _KIND


def dump_digest(dumps: Sequence[LoggedDump]) -> bytes:
    """The digest over all dumps (rule 4)."""
    return sha256(b"".join(_DUMP.pack(dump.leaf, dump.row, dump.span) + dump.root for dump in dumps)).digest()


def _map_value(one: MapRoot) -> dict[str, object]:
    return {"root": one.root.hex(), "entries": one.entries, "salt": one.salt.hex()}


def _parsed(value: Mapping[str, object]) -> IndexLeaf:
    """A leaf from JSON; a name too many shows when it is written again."""
    runs, dumps = value["runs"], _mapping(value["dumps"])
    if value["kind"] != _KIND or not isinstance(runs, list):
        raise ValueError("another kind of leaf")
    parsed = tuple(parse_run(run) for run in runs)
    edges = [edge for run in parsed for edge in (run.first, run.last)]
    if edges != sorted(edges) or len({run.first for run in parsed}) != len(parsed):
        raise ValueError("runs out of order")
    time = datetime.fromisoformat(_text(value["time"]))
    if time.tzinfo is None:
        raise ValueError("time without a zone")
    return IndexLeaf(
        segments=_number(value["segments"]),
        runs=parsed,
        ordinals=_map(_mapping(value["ordinals"])),
        dumps=_number(dumps["count"]),
        dump_digest=_digest(dumps["digest"]),
        time=time,
    )


def _map(value: Mapping[str, object]) -> MapRoot:
    return MapRoot(_digest(value["root"]), _number(value["entries"]), _digest(value["salt"]))


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise TypeError("expected an object")
    return value


def _number(value: object) -> int:
    # `True` is an int to Python; the log never writes one where a number stands.
    if type(value) is not int or not 0 <= value < _TOP:
        raise ValueError("a number is missing or out of range")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > 64:
        raise TypeError("expected a short text")
    return value


def _digest(value: object) -> bytes:
    text = _text(value)
    if not _HEX.fullmatch(text):
        raise ValueError("a digest is malformed")
    return bytes.fromhex(text)
