"""Pruning: whole segments whose term has passed are removed, and a leaf of the log says so, signed like all of it.

Rules
1. The notice is in the log before a file goes: a segment that is missing without one is a fault.
2. Leaves stay: the manifest of a pruned segment still tells that it was there, how large, and when; proofs of all
   others stay what they were.
3. Only the oldest segments go, and only whole ones: a segment stays until its newest disclosure is past the term.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from muniment.durable import storage_faults, sync_folder
from muniment.errors import IntegrityError
from muniment.ledger.segments.manifest import LEAF_BYTES, Manifest

NOTICE_SEGMENTS: Final = 1_500
"""Segments in one notice: their ids fill 50 kB of a leaf of 65,535 bytes."""
_KIND = "prune"
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class PruneNotice:
    """What was removed: ids of segments, the date before which every disclosure in them lies, and why."""

    segments: tuple[str, ...]
    before: datetime
    reason: str
    time: datetime

    def to_leaf(self) -> bytes:
        """The canonical bytes of the leaf."""
        value = {
            "kind": _KIND,
            "segments": list(self.segments),
            "before": self.before.isoformat(),
            "reason": self.reason,
            "time": self.time.isoformat(),
        }
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def from_leaf(cls, leaf: bytes) -> PruneNotice:
        """Undo `to_leaf`; `IntegrityError` for anything else."""
        try:
            value = json.loads(leaf)
            segments, reason = tuple(value["segments"]), value["reason"]
            if not isinstance(reason, str) or not all(isinstance(s, str) and _ID.fullmatch(s) for s in segments):
                raise ValueError("ids of segments and a reason expected")
            before, time = (datetime.fromisoformat(value[name]) for name in ("before", "time"))
            notice = cls(segments, before, reason, time)
            if notice.to_leaf() != leaf:
                raise ValueError("not canonical")
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise IntegrityError("a leaf of the log is no prune notice, although it says so") from error
        return notice


def is_prune_notice(leaf: bytes) -> bool:
    """Whether a leaf of the log says that it is a prune notice (it may still be malformed)."""
    try:
        value = json.loads(leaf) if len(leaf) <= LEAF_BYTES else None
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and value.get("kind") == _KIND


def due(manifests: Sequence[Manifest], before: datetime) -> tuple[Manifest, ...]:
    """The oldest segments of which every disclosure lies before a date (rule 3), oldest first."""
    limit = int(before.timestamp() * 1000)
    count = next((i for i, manifest in enumerate(manifests) if manifest.end >= limit), len(manifests))
    return tuple(manifests[:count])


def notices(manifests: Sequence[Manifest], before: datetime, reason: str, now: datetime) -> Iterator[PruneNotice]:
    """The notices that say that these segments go."""
    for start in range(0, len(manifests), NOTICE_SEGMENTS):
        part = manifests[start : start + NOTICE_SEGMENTS]
        yield PruneNotice(tuple(manifest.id for manifest in part), before, reason, now)


def remove(folder: Path, manifests: Sequence[Manifest]) -> None:
    """Remove the files of segments, once the notices are in the log; safe to repeat."""
    with storage_faults(folder, "remove segments"):
        for manifest in manifests:
            (folder / manifest.file).unlink(missing_ok=True)
        sync_folder(folder)
