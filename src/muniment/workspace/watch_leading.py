"""Leading a watch: what is new in the ledger, what it makes of it, what is kept, and what is sent. One turn at a time.

Order of a turn, so that a crash at any point loses no alert and doubles none
1. Changes of settings, context and challenges go into the course.
2. The ledger is read on; what was found becomes events of alerts, with what is to be sent, in one write. A budget that
   a guaranteed alert lowers is lowered before that write, by the id of the alert.
3. The snapshot follows. A crash before it makes the same findings again, and they are known already.
4. Then messages are sent, until each sink has taken its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from muniment.errors import InputError
from muniment.watch.alerts import Weights
from muniment.watch.tally import month_of
from muniment.workspace import watch_context, watch_files, watch_gate
from muniment.workspace.watch_alerts import Alerts, Change, Kept
from muniment.workspace.watch_course import ANSWERED, CLOSED, CONTEXT, SETTINGS, Course
from muniment.workspace.watch_words import Words

if TYPE_CHECKING:
    from muniment.ledger.frames import Body
    from muniment.watch.findings import Finding
    from muniment.watch.settings import WatchSettings
    from muniment.workspace.parts import Parts

KEPT_SECONDS: Final = 60.0
"""Seconds of work after which the state is kept: what a restart has to do again at most."""


@dataclass(slots=True, repr=False)
class Turn:
    """What one turn did. `reads`: records of disclosures taken; `changes`: of alerts, oldest first."""

    reads: int = 0
    changes: list[Change] = field(default_factory=list)

    @property
    def opened(self) -> int:
        """Alerts that opened."""
        return sum(one.before is None for one in self.changes)


class Leader:
    """Leads the watch of a workspace; whoever makes one holds `watch_files.leading`."""

    def __init__(
        self, parts: Parts, settings: Callable[[], WatchSettings], queue: Callable[[Kept, Sequence[Change]], None]
    ) -> None:
        """`settings`: watch.toml as it is now. `queue`: puts what is to be told of changes into the outbox."""
        self._parts = parts
        self._read_settings = settings
        self._queue = queue
        self._journal = watch_files.course(parts)
        self.course = Course(parts, watch_files.load(parts))
        self.alerts = Alerts(parts)
        self._words = Words(parts, self.course, self.alerts.names)
        self._kept = time.monotonic()
        self._month = ""

    def __repr__(self) -> str:
        return f"Leader({self.course!r})"

    def turn(self, *, keep: bool = False) -> Turn:
        """Take up everything that is new. `keep`: write the snapshot in any case."""
        settings, turn = self._read_settings(), Turn()
        before, start = self.course.watch.tally.reads, (self.course.after, self.course.entry)
        self._announce(settings)
        for findings in self.course.advance(self._journal.entries(after=self.course.entry)):
            self._take(findings, settings, turn)
            self._keep(False)
        self._take(self._close(), settings, turn)
        moved = start != (self.course.after, self.course.entry)
        if keep or (moved and turn.changes):
            self._keep(True)
        elif moved:
            self._keep(False)
        turn.reads = self.course.watch.tally.reads - before
        return turn

    def keep(self) -> None:
        """Write the snapshot."""
        self._keep(True)

    # --- the course ------------------------------------------------------------------------------------------------

    def _announce(self, settings: WatchSettings) -> None:
        """Write what has changed beside the ledger since, behind what was taken (rule 1)."""
        pending = self._journal.entries(after=self.course.entry)
        told = {entry.kind: entry for entry in pending}
        deciding = str(told[SETTINGS].body["settings"]) if SETTINGS in told else self._deciding()
        if deciding != settings.deciding:
            self._append(SETTINGS, {"settings": settings.deciding})
        version = max((one.version for one in watch_context.held(self._parts)), default=0)
        known = int(str(told[CONTEXT].body["version"])) if CONTEXT in told else self.course.version
        if known != version:
            self._append(CONTEXT, {"version": version})
        answered = {int(str(one.body["sequence"])) for one in self._journal.entries(ANSWERED)}
        for answer in self.alerts.kept().answers:
            if answer["sequence"] not in answered:
                self._append(ANSWERED, answer)

    def _deciding(self) -> str:
        """The settings that the course has; nothing before its first entry."""
        return self.course.settings.deciding if self.course.entry else ""

    def _append(self, kind: str, body: Body) -> None:
        entries = self._journal.entries()
        reached = int(str(entries[-1].body["after"])) if entries else 0
        self._journal.append(kind, {**body, "after": max(self.course.after, reached)}, self._parts.clock())

    def _close(self) -> list[Finding]:
        """Close days that are over by the clock on the wall; only whole days of which something was read."""
        day = self.course.due(self._now())
        if day < 0:
            return []
        self._append(CLOSED, {"day": day})
        return self.course.apply(self._journal.entries()[-1])

    # --- findings --------------------------------------------------------------------------------------------------

    def _take(self, findings: Sequence[Finding], settings: WatchSettings, turn: Turn) -> None:
        sightings = self._words.sighted(findings, Weights(settings.weights))
        if not sightings:
            return
        with self.alerts.editing() as kept:
            changes = self.alerts.take(kept, sightings, self._now())
            if settings.lower:
                self._lower(changes, settings)
            self._queue(kept, changes)
        turn.changes += changes

    def _lower(self, changes: Iterable[Change], settings: WatchSettings) -> None:
        """Lower the budgets of accounts with a guaranteed alert; once an alert (`watch_gate`, rule 1)."""
        for one in changes:
            sure = one.event.sighting is not None and one.event.sighting.kind == "guaranteed"
            if sure and one.after.unit == "account":
                account = self._words.accounts[one.after.pseudonym]
                watch_gate.lower(self._parts, account, settings.persons, alert=one.after.id, now=self._now())

    # --- keeping ---------------------------------------------------------------------------------------------------

    def _keep(self, must: bool) -> None:
        """Write the snapshot where it is due; the first of a month is kept for replays."""
        now = time.monotonic()
        if not must and now - self._kept < KEPT_SECONDS:
            return
        snapshot = self.course.snapshot(self._now())
        watch_files.save(self._parts, snapshot)
        month = month_of(self.course.watch.closed) if self.course.watch.closed >= 0 else ""
        if month and month != self._month and month not in watch_files.months(self._parts):
            watch_files.save(self._parts, snapshot, month)
        self._month, self._kept = month, now

    def _now(self) -> int:
        return int(self._parts.clock().timestamp() * 1_000)


def forget(alerts: Alerts, kept: Kept, now: int, days: int) -> Sequence[str]:
    """Delete alerts whose term is over. Raises `InputError` for a term below a day."""
    if days < 1:
        raise InputError(f"alerts are kept for {days} days: expected 1 or more")
    return alerts.forget(kept, now, days)
