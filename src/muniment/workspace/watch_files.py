"""Where watch keeps things in a workspace, and how: everything is sealed, and replaced as a whole or appended durably.

watch.toml            settings, in clear
watch/course/         the course: what was decided beside the ledger, and when (a journal of its own)
watch/state/          snapshots of the watch; `now.bin`, and one a month for replays
watch/context/        cases, staff and so on (`watch_context`)
watch/alerts.bin      events of alerts, exceptions, what is still to be sent
watch/lowered.bin     budgets lowered at the gate (`watch_gate`)
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from muniment.durable import locked, storage_faults
from muniment.errors import InputError, IntegrityError
from muniment.ledger.journal import Journal
from muniment.prf import hkdf
from muniment.sealed import read_sealed, write_sealed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.workspace.parts import Parts

SETTINGS: Final = "watch.toml"
FOLDER: Final = "watch"
NOW: Final = "now"
_STATE: Final = "muniment watch state 1"
_META: Final = "meta"
RUN_SECONDS: Final = 2.0
"""Seconds to wait for another run of watch to end: one process leads it at a time."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Snapshot:
    """A watch as it was. `arrays`: `fold.Watch.state`; `meta`: JSON values of the course."""

    arrays: Mapping[str, NDArray[Any]]
    meta: Mapping[str, Any]


def settings_path(parts: Parts) -> Path:
    """Where watch.toml lies."""
    return parts.folder / SETTINGS


def course(parts: Parts) -> Journal:
    """The journal of the course, opened. `InputError` where there is no watch yet."""
    path = _course_path(parts)
    if not path.exists():
        raise InputError(f"{parts.folder}: there is no watch", hint="muniment watch init")
    return Journal.open(path, parts.ring.all("segment"))


def create(parts: Parts) -> Journal:
    """Make the folders and an empty course, or open the one that is there."""
    for folder in (parts.folder / FOLDER, parts.folder / FOLDER / "state"):
        with storage_faults(folder, "make the folder"):
            folder.mkdir(mode=0o700, exist_ok=True)
    path = _course_path(parts)
    return course(parts) if path.exists() else Journal.create(path, parts.ring.all("segment"))


@contextmanager
def leading(parts: Parts) -> Iterator[None]:
    """Be the one who leads the watch. `UnreachableError` names the process that does so already."""
    with locked(parts.folder / FOLDER / ".run.lock", wait=RUN_SECONDS):
        yield


def key(parts: Parts, label: str) -> bytes:
    """A key of this workspace for one purpose of watch: the same for as long as the workspace is."""
    return hkdf(parts.ring.all("segment")[0].secret, "muniment watch key 1", label, length=32)


# --- snapshots -----------------------------------------------------------------------------------------------------


def save(parts: Parts, snapshot: Snapshot, name: str = NOW) -> None:
    """Write a snapshot; a crash leaves the old one or the new one."""
    buffer = io.BytesIO()
    meta = np.frombuffer(json.dumps(snapshot.meta, ensure_ascii=False).encode(), np.uint8)
    np.savez(buffer, allow_pickle=False, **{_META: meta, **{f"a/{name}": one for name, one in snapshot.arrays.items()}})
    write_sealed(_state_path(parts, name), parts.ring.all("segment")[0].secret, [buffer.getvalue()], _STATE)


def load(parts: Parts, name: str = NOW) -> Snapshot | None:
    """A snapshot, `None` where there is none. Raises `IntegrityError` where it does not verify."""
    path = _state_path(parts, name)
    if not path.exists():
        return None
    data = read_sealed(path, parts.ring.all("segment")[0].secret, _STATE)
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            arrays = {one.removeprefix("a/"): stored[one] for one in stored.files if one != _META}
            return Snapshot(arrays, json.loads(stored[_META].tobytes()))
    except (ValueError, KeyError, zipfile.BadZipFile) as error:
        raise IntegrityError(f"{path}: not a state of watch as this version writes it") from error


def months(parts: Parts) -> tuple[str, ...]:
    """The months of which a snapshot was kept, such as "2026-11", ascending."""
    folder = parts.folder / FOLDER / "state"
    return tuple(sorted(path.stem for path in folder.glob("[0-9]*-[0-9]*.bin")))


def _state_path(parts: Parts, name: str) -> Path:
    return parts.folder / FOLDER / "state" / f"{name}.bin"


def _course_path(parts: Parts) -> Path:
    return parts.folder / FOLDER / "course" / "journal.bin"
