"""Budgets that a guaranteed alert lowered at the gate: written by watch, applied by the gate beside its own rules.

Rules
1. Only a guaranteed alert lowers anything, only where watch.toml says so, and never by more than its limits say.
2. A lowered budget ends by itself after `HOURS`, unless a named person confirmed the alert; explaining the alert
   lifts it at once.
3. The file is sealed: whoever has the disk alone does not see who is lowered. The gate looks at it every few seconds;
   what does not verify changes nothing, and `muniment watch check` says so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from muniment.durable import locked, storage_faults
from muniment.errors import MunimentError
from muniment.sealed import read_sealed, write_sealed

if TYPE_CHECKING:
    from pathlib import Path

    from muniment.workspace.parts import Parts

HOURS: Final = 24
"""Hours for which a budget stays lowered without a person's word."""
REREAD_MS: Final = 5_000
"""Milliseconds after which a gate looks whether the file has changed."""
FOR_GOOD: Final = 2**53
"""`Lowering.until` of one that a person confirmed: until somebody lifts it."""
_FILE: Final = "watch/lowered.bin"
_PURPOSE: Final = "muniment watch lowered 1"
_HOUR_MS: Final = 3_600_000
_NOTHING: Final[Mapping[str, int]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Lowering:
    """One account's lowered budget: limits of persons by window, until when (ms since 1970), by which alert.

    `by`: the person who confirmed it, empty while nobody has.
    """

    account: str = field(repr=False)
    persons: Mapping[str, int]
    until: int
    alert: str
    by: str = ""


def lowerings(parts: Parts) -> tuple[Lowering, ...]:
    """All that are on file, ended ones too. Raises `IntegrityError` where the file does not verify."""
    path = _path(parts)
    if not path.exists():
        return ()
    stored = json.loads(read_sealed(path, parts.ring.all("segment")[0].secret, _PURPOSE))
    return tuple(Lowering(**one) for one in stored)


def lower(parts: Parts, account: str, persons: Mapping[str, int], *, alert: str, now: int) -> None:
    """Lower an account's budget for `HOURS`; one alert does so once, whatever happens meanwhile."""

    def edit(known: Sequence[Lowering]) -> Sequence[Lowering]:
        if any(one.alert == alert for one in known):
            return known
        return [*known, Lowering(account, dict(persons), now + HOURS * _HOUR_MS, alert)]

    _edit(parts, now, edit)


def confirm(parts: Parts, alert: str, *, by: str, now: int) -> bool:
    """Keep a budget lowered that is so still, on the word of a person; whether there was one."""
    return _change(parts, alert, now, lambda one: Lowering(one.account, one.persons, FOR_GOOD, alert, by))


def lift(parts: Parts, alert: str, *, now: int) -> bool:
    """End what an alert lowered; whether there was anything. It does not come back by the same alert."""
    return _change(parts, alert, now, lambda one: Lowering(one.account, {}, now, alert, one.by))


class Lowered:
    """What is lowered just now, for the sessions of one gate process. It keeps what it read for `REREAD_MS`."""

    def __init__(self, parts: Parts) -> None:
        """Nothing is read before the first session asks."""
        self._parts = parts
        self._looked = -REREAD_MS
        self._seen: tuple[int, int] = (0, 0)
        self._known: Sequence[Lowering] = ()

    def __repr__(self) -> str:
        return f"Lowered({len(self._known)})"

    def __call__(self, account: str) -> Mapping[str, int]:
        """The limits that hold for a recorded account beside its own; for `NAME (PERSON)` those of `NAME` too."""
        now = int(self._parts.clock().timestamp() * 1_000)
        if not 0 <= now - self._looked < REREAD_MS:  # a clock that was put back looks too
            self._looked = now
            self._look()
        if not self._known:
            return _NOTHING
        names = {account, account.partition(" (")[0]}
        found: dict[str, int] = {}
        for one in self._known:
            if one.account in names and now < one.until:
                for window, limit in one.persons.items():
                    found[window] = min(limit, found.get(window, limit))
        return found

    def _look(self) -> None:
        path = _path(self._parts)
        try:
            with storage_faults(path, "read"):
                stat = path.stat() if path.exists() else None
            seen = (stat.st_mtime_ns, stat.st_ino) if stat is not None else (0, 0)
            if seen != self._seen:
                self._known, self._seen = lowerings(self._parts), seen
        except MunimentError:  # rule 3: what held before holds on
            return


def _change(parts: Parts, alert: str, now: int, change: Callable[[Lowering], Lowering]) -> bool:
    """Change what an alert lowered and is not over."""
    changed = False

    def edit(known: Sequence[Lowering]) -> Sequence[Lowering]:
        nonlocal changed
        changed = any(one.alert == alert and now < one.until for one in known)
        return [change(one) if one.alert == alert and now < one.until else one for one in known]

    _edit(parts, now, edit)
    return changed


def _edit(parts: Parts, now: int, edit: Callable[[Sequence[Lowering]], Sequence[Lowering]]) -> None:
    """Write the file anew under its lock. What ended a day ago is left out: its alert can no longer lower anything."""
    path = _path(parts)
    with storage_faults(path.parent, "make the folder"):
        path.parent.mkdir(mode=0o700, exist_ok=True)
    with locked(path.with_name(".lowered.lock")):
        known = lowerings(parts)
        new = [one for one in edit(known) if now < one.until + HOURS * _HOUR_MS]
        if list(known) != new:
            data = json.dumps([asdict(one) for one in new], ensure_ascii=False).encode()
            write_sealed(path, parts.ring.all("segment")[0].secret, [data], _PURPOSE)


def _path(parts: Parts) -> Path:
    return parts.folder / _FILE
