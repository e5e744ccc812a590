"""The watch of a workspace: set up, led along the ledger, replayed. What people do with alerts is in `watch_handling`.

Rules
1. One process leads it at a time. It reads the ledger and never writes to it.
2. A replay leads a second watch over the same ledger and the same course, writes nothing, and compares what it found
   with what is on file.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from muniment.durable import read_file, replace_file
from muniment.errors import InputError, MunimentError
from muniment.limits import CONFIG_BYTES
from muniment.watch.alerts import Sighting, Weights
from muniment.watch.context.tables import DAY_MS
from muniment.watch.settings import WatchSettings, parse, render_settings
from muniment.workspace import watch_files, watch_sinks
from muniment.workspace.watch_alerts import Alerts, Change, Kept
from muniment.workspace.watch_context import Imported, import_table, take_up_decoys
from muniment.workspace.watch_course import Course
from muniment.workspace.watch_leading import Leader, Turn, forget
from muniment.workspace.watch_words import Words

if TYPE_CHECKING:
    from muniment.workspace.parts import Parts
    from muniment.workspace.watch_handling import Handling

POLL_SECONDS: Final = 1.0
_NEVER: Final = -(2**31)
_EVER: Final = 2**31


@dataclass(slots=True, repr=False)
class Led:
    """What a run did. `fault`: what kept messages from being sent, empty for nothing."""

    reads: int = 0
    changes: list[Change] = field(default_factory=list)
    sent: int = 0
    fault: str = ""

    @property
    def opened(self) -> int:
        """Alerts that opened."""
        return sum(one.before is None for one in self.changes)


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay found between two days. `same`: findings that are on file, bit for bit; `missing`: on file, and not
    found again; `new`: found, and not on file, unless older than the newest deletion of alerts. `began`: the disclosure
    after which it began."""

    sightings: tuple[Sighting, ...]
    same: int
    missing: tuple[str, ...]
    new: tuple[str, ...]
    began: int

    @property
    def equal(self) -> bool:
        """Whether it found what is on file, no more and no less."""
        return not self.missing and not self.new


class Watching:
    """What `Workspace.watch` gives: the watch of one workspace."""

    def __init__(self, parts: Parts) -> None:
        """For `Workspace` only."""
        self._parts = parts

    def __repr__(self) -> str:
        return f"Watching({str(self._parts.folder)!r})"

    @property
    def parts(self) -> Parts:
        """The opened parts of the workspace."""
        return self._parts

    @property
    def path(self) -> Path:
        """Where watch.toml lies."""
        return watch_files.settings_path(self._parts)

    @property
    def there(self) -> bool:
        """Whether this workspace has a watch."""
        return self.path.exists()

    @cached_property
    def alerts(self) -> Alerts:
        """The alerts on file."""
        return Alerts(self._parts)

    @property
    def handling(self) -> Handling:
        """What people do with alerts, challenges and exceptions."""
        from muniment.workspace.watch_handling import Handling

        return Handling(self)

    def init(self, **values: Any) -> Path:
        """Write a commented watch.toml and an empty course; returns the path. `values`: keys of [watch].

        Raises `InputError` where there is a watch already; it stays.
        """
        if self.there:
            raise InputError(f"{self.path}: there is a watch already; it stays", hint="edit the file")
        text = render_settings(values, self._parts.config.workspace.lang)
        watch_files.create(self._parts)
        replace_file(self.path, [text.encode()])
        return self.path

    def settings(self) -> WatchSettings:
        """watch.toml as it is now. `InputError` where there is none, or it is not right."""
        data = read_file(self.path, CONFIG_BYTES)
        if data is None:
            raise InputError(f"{self._parts.folder}: there is no watch", hint="muniment watch init")
        try:
            return parse(data.decode("utf-8-sig"), self.path)
        except UnicodeDecodeError:
            raise InputError(f"{self.path}: expected UTF-8 text") from None

    def import_table(self, table: str, source: str, register: str | None = None) -> Imported:
        """Take up a table of context; errors as `watch_context.import_table`. A running watch uses it from then on."""
        return import_table(self._parts, table, source, register, zone=self.settings().time_zone)

    def take_up_decoys(self) -> list[Imported]:
        """Make the decoys of this workspace known to the watch; errors as `watch_context.take_up_decoys`."""
        self.settings()
        return take_up_decoys(self._parts)

    # --- leading ---------------------------------------------------------------------------------------------------

    def run(
        self,
        *,
        follow: bool = True,
        told: Callable[[Led], None] = lambda led: None,
        pause: Callable[[float], None] = time.sleep,
    ) -> Led:
        """Lead the watch: once, or with `follow` until `pause` raises `KeyboardInterrupt`. `told`: after each turn.

        Raises `UnreachableError` where another process leads it, errors as `Ledger.whole` and `watch_context.load`.
        """
        settings = self.settings()
        watch_sinks.sinks_of(self._parts, settings)  # one that could not work is an error now, not at the first alert
        total = Led()
        with watch_files.leading(self._parts):
            leader = Leader(self._parts, self.settings, lambda kept, changes: self._queue(leader, kept, changes))
            try:
                while True:
                    led = self._turn(leader, keep=not follow)
                    told(led)
                    total.reads, total.sent = total.reads + led.reads, total.sent + led.sent
                    total.changes += led.changes
                    total.fault = led.fault
                    if not follow:
                        return total
                    pause(POLL_SECONDS)
            except KeyboardInterrupt:
                leader.keep()
                return total

    def _turn(self, leader: Leader, *, keep: bool) -> Led:
        turn: Turn = leader.turn(keep=keep)
        settings, now = self.settings(), self.now()
        led = Led(turn.reads, turn.changes)
        if any(one.changed + settings.alert_days * DAY_MS <= now for one in self.alerts.book().alerts):
            with self.alerts.editing() as kept:
                forget(self.alerts, kept, now, settings.alert_days)
        try:
            led.sent = watch_sinks.work(self._parts, settings, self.alerts, now)
        except MunimentError as error:
            led.fault = error.message
        return led

    def _queue(self, leader: Leader, kept: Kept, changes: Sequence[Change]) -> None:
        settings, watch = self.settings(), leader.course.watch
        view = watch_sinks.view_of(settings, watch.tally, watch.spaces, self.alerts.names)
        watch_sinks.queue(self._parts, settings, kept, changes, view)

    # --- looking ---------------------------------------------------------------------------------------------------

    def course(self) -> Course:
        """The watch as its last snapshot has it; nothing is read on."""
        self.settings()
        return Course(self._parts, watch_files.load(self._parts))

    def replay(self, since: int = _NEVER, until: int = _EVER, *, whole: bool = False) -> Replayed:
        """Find again what was found from local day `since` up to and with `until`, and compare.

        It begins at the newest snapshot of a month before `since`, with `whole` at the beginning of the ledger. Raises
        `InputError` where the ledger was pruned beyond that.
        """
        journal = watch_files.course(self._parts)
        last = watch_files.load(self._parts)
        reached = last.meta["after"] if last is not None else 0
        entries = journal.entries()[: last.meta["entry"] if last is not None else 0]
        start = None if whole else self._start(since)
        course = Course(self._parts, start)
        began = course.after
        self._check_whole(began)
        words, found = Words(self._parts, course, self.alerts.names), list[Sighting]()
        for findings in course.advance(entries[course.entry :], until=reached):
            found += [one for one in words.sighted(findings, Weights()) if since <= one.day <= until]
        return self._compared(tuple(found), since, until, began)

    def now(self) -> int:
        """The workspace's clock, ms since 1970, UTC."""
        return int(self._parts.clock().timestamp() * 1_000)

    def _start(self, since: int) -> watch_files.Snapshot | None:
        """The newest snapshot of a month that closed nothing from `since` on, and had nothing open of it."""
        for month in reversed(watch_files.months(self._parts)):
            snapshot = watch_files.load(self._parts, month)
            if snapshot is not None and snapshot.meta["newest"] < since:
                return snapshot
        return None

    def _check_whole(self, began: int) -> None:
        segments, _ = self._parts.ledger.whole()
        first = segments[0].manifest.first if segments else 1
        if max(first - 1, self._parts.ledger.pruned) > began:
            raise InputError(
                f"the ledger was pruned up to disclosure {max(first - 1, self._parts.ledger.pruned):,}: a replay from "
                f"disclosure {began + 1:,} cannot be whole",
                hint="muniment watch replay --from DATE, a date behind the oldest month that is kept",
            )

    def _compared(self, found: tuple[Sighting, ...], since: int, until: int, began: int) -> Replayed:
        kept, names = self.alerts.kept(), self.alerts.names
        told = [one.sighting for one in kept.events if one.sighting is not None]
        on_file = {names.alert_id(one): _essence(one) for one in told if since <= one.day <= until}
        gone = max((one.at for one in kept.events if one.kind == "deleted"), default=0)
        again = {names.alert_id(one): one for one in found}
        same = {id for id, one in again.items() if on_file.get(id) == _essence(one)}
        new = [id for id, one in again.items() if id not in same and one.day * DAY_MS >= gone]
        return Replayed(found, len(same), tuple(sorted(set(on_file) - same)), tuple(sorted(new)), began)


def _essence(one: Sighting) -> tuple[Any, ...]:
    """What must be the same, bit for bit; weights may have been declared otherwise since."""
    stakes = tuple((stake.register, stake.columns, stake.records) for stake in one.stakes)
    return one.unit, one.pseudonym, one.kind, one.shares, one.log10, one.since, one.day, one.sequence, stakes
