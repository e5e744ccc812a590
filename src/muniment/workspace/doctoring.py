"""Doctor: whether a workspace is in a state that its keeper can rely on; each check says what it saw.

A check never repairs. States: `ok`; `warn`, something to put right soon; `fault`, something that must not stay. What
does not verify is `broken`: the ledger's word cannot be relied on until that is explained.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal, TypeAlias

from muniment.durable import sync_data
from muniment.errors import MunimentError
from muniment.ledger.declarations import logged_keys
from muniment.ledger.pruning import due
from muniment.workspace.parts import Parts

State: TypeAlias = Literal["ok", "warn", "fault", "broken"]
LEAST_FREE: Final = 2 * 1024**3
"""Bytes free on the disk of the ledger below which it should be given room: some weeks of a busy office."""
SLOW_SYNC: Final = 0.05
"""Seconds of a sync above which every record that is handed out waits for the disk."""
SEAL_DUE: Final = 60.0
"""Seconds after which a disclosure should be sealed (see docs/ledger.md)."""
CLOCK_SLACK: Final = timedelta(seconds=5)
"""How far the clock may stand behind the newest entry: clocks of two machines differ by that."""
SYNCS: Final = 5


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `values` fill the text `doctor.NAME.STATE`, or `doctor.broken`."""

    name: str
    state: State
    values: dict[str, object] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """The JSON of one check in `muniment doctor --json`."""
        return {"check": self.name, "state": self.state, **self.values}


def examine(parts: Parts) -> tuple[Check, ...]:
    """Every check, in order; a check that cannot be made because stored data does not verify is `broken`.

    Raises `UnreachableError` where a disk cannot be reached.
    """
    found: list[Check] = []
    for name, check in CHECKS.items():
        try:
            found += [Check(name, state, values) for state, values in check(parts)]
        except MunimentError as error:
            if error.exit_code == 4:
                raise
            found.append(Check(name, "broken", {"reason": error.message}))
    return tuple(found)


Seen: TypeAlias = Iterator[tuple[State, dict[str, object]]]


def _keys(parts: Parts) -> Seen:
    """Every commitment of the ring is in the journal as it is, and the ring has every key that the journal knows."""
    parts.journal.refresh()
    logged = logged_keys(parts.journal)
    commitments = parts.ring.commitments()
    lacking = [key for key in logged if key not in commitments]
    strange = [key for key, text in commitments.items() if key in logged and logged[key].commitment != text]
    missing = [key for key in commitments if key not in logged]
    if strange:
        yield "broken", {"reason": f"{', '.join(strange)}: not the key that the journal committed to"}
    elif lacking:
        yield "broken", {"reason": f"{', '.join(lacking)}: in use, but not in this key ring: it is an older one"}
    elif missing:
        yield "warn", {"keys": ", ".join(missing)}
    else:
        yield "ok", {"count": len(commitments)}


def _signing(parts: Parts) -> Seen:
    yield ("ok" if parts.ledger.keys.signing is not None else "warn"), {}


def _clock(parts: Parts) -> Seen:
    """The clock does not stand before what was recorded: times of new entries would be those of old ones."""
    now, entry, disclosed = parts.clock(), parts.journal.head().time, parts.ledger.acknowledged()
    last = [entry or now, datetime.fromtimestamp(disclosed.point.time / 1000, UTC) if disclosed is not None else now]
    behind = max(last) - now
    if behind > CLOCK_SLACK:
        yield "fault", {"seconds": int(behind.total_seconds())}
    else:
        yield "ok", {}


def _disk(parts: Parts) -> Seen:
    """There is room, and a sync is quick enough."""
    free = shutil.disk_usage(parts.folder).free
    if free < LEAST_FREE:
        yield "warn", {"free": f"{free / 1024**2:,.0f} MiB"}
    else:
        yield "ok", {"free": f"{free / 1024**3:,.0f} GiB"}


def _sync(parts: Parts) -> Seen:
    path = parts.folder / "ledger" / f".doctor.{os.getpid()}.partial"
    taken = []
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            for number in range(SYNCS):
                os.pwrite(descriptor, bytes(4096), 4096 * number)
                start = time.perf_counter()
                sync_data(descriptor)
                taken.append(time.perf_counter() - start)
        finally:
            os.close(descriptor)
            path.unlink()
    except OSError as error:
        yield "fault", {"reason": (error.strerror or type(error).__name__).lower()}
        return
    median = sorted(taken)[SYNCS // 2]
    yield ("warn" if median > SLOW_SYNC else "ok"), {"milliseconds": round(1000 * median, 2)}


def _permissions(parts: Parts) -> Seen:
    """Nobody else may read keys and ledger, although they are encrypted: what is not read cannot be copied."""
    kept = [parts.folder / "keys", parts.folder / "ledger", parts.baseline_folder, parts.decoy_folder]
    open_to_others = [
        str(path.relative_to(parts.folder))
        for folder in kept
        if folder.is_dir()
        for path in (folder, *sorted(folder.rglob("*")))
        if path.lstat().st_mode & 0o077 and not path.is_socket()
    ]
    if open_to_others:
        yield "warn", {"count": len(open_to_others), "first": open_to_others[0]}
    else:
        yield "ok", {}


def _second(parts: Parts) -> Seen:
    """The second place is another disk; both hold the same checkpoint (opening the log compares them)."""
    log = parts.ledger.log()
    place = parts.ledger.place
    if parts.config.ledger.second is None or place.second.stat().st_dev == place.folder.stat().st_dev:
        yield "warn", {"size": log.checkpoint().size}
    else:
        yield "ok", {"size": log.checkpoint().size}


def _tail(parts: Parts) -> Seen:
    """Nothing waits for sealing for too long: what is not sealed is not in the log."""
    segments = parts.ledger.segments()
    tail = parts.ledger.tail(segments[-1].manifest.last if segments else 0)
    oldest = int(tail.time[0]) / 1000 if len(tail) else 0.0
    late = len(tail) and parts.clock().timestamp() - oldest > SEAL_DUE
    yield ("warn" if late else "ok"), {"disclosures": len(tail)}


def _index(parts: Parts) -> Seen:
    """Index and logged roots cover the segments: the others are looked through at every question."""
    segments, logged = {one.leaf for one in parts.ledger.segments()}, parts.ledger.logged_index()
    with parts.ledger.index() as index:
        covered = {leaf for run in index.runs for leaf in run.coverage.leaves.tolist()}
    stale = bool(covered - segments)  # about a segment that was pruned: then none of it is used
    rooted = {leaf for leaf in covered for run in (logged.runs if logged else ()) if run.first <= leaf <= run.last}
    behind = len(segments if stale else segments - rooted)
    yield ("warn" if stale or behind else "ok"), {"segments": behind}


def _retention(parts: Parts) -> Seen:
    """No segment is kept beyond its term."""
    days = parts.config.ledger.retention_days
    if days is None:
        yield "ok", {"segments": 0}
        return
    late = due([one.manifest for one in parts.ledger.segments()], parts.clock() - timedelta(days=days))
    yield ("warn" if late else "ok"), {"segments": len(late)}


def _leftovers(parts: Parts) -> Seen:
    """Temporary files of a process that was killed."""
    left = list(parts.folder.rglob("*.partial"))
    yield ("warn" if left else "ok"), {"files": len(left), "first": _name(parts.folder, left)}


def _name(folder: Path, paths: list[Path]) -> str:
    return str(paths[0].relative_to(folder)) if paths else ""


CHECKS: Final[dict[str, Callable[[Parts], Seen]]] = {
    "keys": _keys,
    "signing": _signing,
    "clock": _clock,
    "disk": _disk,
    "sync": _sync,
    "permissions": _permissions,
    "checkpoint": _second,
    "tail": _tail,
    "index": _index,
    "retention": _retention,
    "leftovers": _leftovers,
}
"""Every check by name, in the order in which they are made and shown."""
