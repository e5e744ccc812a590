"""The course of a watch: the ledger and what was decided beside it, led through the fold in one order.

Rules
1. Beside the ledger only four things decide what is found: the settings, the context, that a day was closed although
   nothing new was read, and challenges answered well. Each is an entry of the course, with the number of the newest
   disclosure that was taken before it. It is written before it takes effect.
2. A run, a restart and a replay all do the same: take what the ledger has up to the next entry, apply the entry, go
   on. So they find the same, bit for bit.
3. Only whoever leads the watch (`watch_files.leading`) appends to the course.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from muniment.errors import InputError
from muniment.notice.envelope import seal_to
from muniment.prf import hkdf
from muniment.watch.challenges import Coin, Standing
from muniment.watch.context.assemble import Ruled
from muniment.watch.context.calendar import local_days
from muniment.watch.context.tables import Calendar
from muniment.watch.fold import Crowding, FoldRules, Watch
from muniment.watch.from_ledger import Counts, reads_of
from muniment.watch.reads import Reads, Spaces
from muniment.watch.settings import WatchSettings, restored
from muniment.watch.signals.crowd import Crowd
from muniment.watch.signals.declared import Budget, Budgets
from muniment.watch.signals.standard import Declared, standard_signals
from muniment.workspace import watch_files
from muniment.workspace.watch_context import load
from muniment.workspace.watch_files import Snapshot
from muniment.workspace.watch_worklist import Worklist

if TYPE_CHECKING:
    from muniment.ledger.batch import Batch
    from muniment.ledger.journal import Entry
    from muniment.ledger.logged import LoggedSegment
    from muniment.watch.context.faults import Fault
    from muniment.watch.context.tables import Context
    from muniment.watch.findings import Finding
    from muniment.watch.signals import Signal
    from muniment.watch.signals.crowd import CrowdFinding
    from muniment.workspace.parts import Parts

SETTINGS: Final = "settings"
CONTEXT: Final = "context"
CLOSED: Final = "closed"
ANSWERED: Final = "answered"
ROWS: Final = 16_384
"""Disclosures that are taken at a time."""


class Course:
    """A watch on its way along the ledger. It writes nothing: what it found is for whoever leads it."""

    def __init__(self, parts: Parts, snapshot: Snapshot | None = None) -> None:
        """`snapshot`: where to go on from; the beginning without one. Errors as `watch_context.load`."""
        self._parts = parts
        self.settings = WatchSettings()
        self.context: Context | None = None
        self.faults: tuple[Fault, ...] = ()
        """What is wrong between the tables of the context."""
        self.version = 0
        self.after = 0
        """The newest disclosure that was taken, or passed over."""
        self.entry = 0
        """Entries of the course that were applied."""
        self.counts = Counts()
        self.newest = -1
        """The newest local day of which there were reads."""
        self._coin = Coin(watch_files.key(parts, "challenges"))
        self.worklist = Worklist(self._coin)
        self._budgets = Budgets()
        self.watch = Watch(self._signals(), FoldRules(), Spaces())
        if snapshot is not None:
            self._restore(snapshot)

    def __repr__(self) -> str:
        return f"Course(after={self.after}, entry={self.entry})"

    def advance(self, entries: Sequence[Entry], until: int | None = None) -> Iterator[list[Finding]]:
        """Take everything up to disclosure `until` (`None`: all that there is), the entries at their places.

        Yields the findings of each step; between two steps the state may be kept.
        """
        rows = _Rows(self._parts)
        for entry in entries:
            yield from self._take(rows, int(str(entry.body["after"])))
            yield self.apply(entry)
        yield from self._take(rows, until)

    def apply(self, entry: Entry) -> list[Finding]:
        """One entry of the course; its place must have been reached."""
        self.entry = entry.sequence
        if entry.kind == SETTINGS:
            self._set(restored(str(entry.body["settings"])))
        elif entry.kind == CONTEXT:
            self.version = int(str(entry.body["version"]))
            self._use()
        elif entry.kind == ANSWERED:
            self._answer(entry.body)
        elif entry.kind == CLOSED:
            return self.watch.close_until(int(str(entry.body["day"])))
        return []

    def crowds(self) -> list[CrowdFinding]:
        """The records that many read, found since this was last asked for."""
        found = list(self.watch.crowds)
        self.watch.crowds.clear()
        return found

    def due(self, now: int) -> int:
        """The newest day that may be closed at a time (ms since 1970, UTC) although nothing new was read; else -1."""
        latest = int(local_days(self.calendar, np.array([now - self.settings.lag_ms]))[0]) - 1
        day = min(latest, self.newest)
        return day if day > self.watch.closed else -1

    def snapshot(self, at: int) -> Snapshot:
        """Everything that the way so far has made. `at`: ms since 1970, for whoever asks how old it is."""
        meta = {
            "at": at, "after": self.after, "entry": self.entry, "settings": self.settings.deciding,
            "version": self.version, "newest": self.newest, "counts": self.counts.to_json(),
            "budgets": _coded(self._budgets), "worklist": self.worklist.to_json(),
        }  # fmt: skip
        return Snapshot(self.watch.state(), meta)

    # --- inside ----------------------------------------------------------------------------------------------------

    @property
    def calendar(self) -> Calendar:
        """The calendar in use: that of the context, in the time zone of the settings."""
        return self.context.calendar if self.context is not None else Calendar(self.settings.time_zone)

    def _take(self, rows: _Rows, until: int | None) -> Iterator[list[Finding]]:
        for batch in rows.between(self.after, until):
            reads, passed = reads_of(batch, self.watch.spaces, self.settings.channels)
            self.counts.add(passed)
            # Before the reads are taken: some of them may be due before the last of these days is closed.
            self.worklist.draw(reads, self.calendar, self.settings.challenge, self.settings.challenge_days)
            found = self.watch.take(reads)
            self._note(reads)
            self.after = int(batch.sequence[-1])
            yield found

    def _note(self, reads: Reads) -> None:
        if len(reads):
            dated = np.where(reads.moment > 0, np.minimum(reads.moment, reads.recorded), reads.recorded)
            self.newest = max(self.newest, int(local_days(self.calendar, dated).max()))

    def _answer(self, body: Mapping[str, Any]) -> None:
        """A challenge was answered; what comes too late, or twice, changes nothing."""
        try:
            judged = self.worklist.judge(
                body["sequence"], body["good"], by=body["by"], reason=body["reason"], at=body["at"]
            )
        except (KeyError, InputError):
            return
        if judged.state is Standing.JUSTIFIED:
            self.watch.confirm([judged.sequence])

    def _signals(self) -> Sequence[Signal]:
        """The standard signals; of challenges only where some are drawn, and of decoys as they were placed."""
        due = (lambda day: self.worklist.due(self.calendar, day)) if self.settings.challenge > 0 else None
        return standard_signals(self._budgets, Declared(due, self.settings.decoys_by_coin))

    def _pointer(self, day: int, record: bytes) -> bytes:
        """A record, sealed to whoever holds the notice key; nothing where there is none.

        The envelope's key follows from day and record: another one on another day, and the same in a replay.
        """
        public = self._parts.config.ledger.notice_key
        if public is None:
            return b""
        when = day.to_bytes(8, "big", signed=True)
        secret = watch_files.key(self._parts, "pointers")
        return seal_to(bytes.fromhex(public), record, lambda size: hkdf(secret, record, when, length=size))

    def _set(self, settings: WatchSettings) -> None:
        """Go on under other settings: the state stays, signals and rules are made anew."""
        self.settings = settings
        self._budgets = settings.budgets(self.watch.spaces)
        self._rebuild(self.watch.state())

    def _rebuild(self, state: Mapping[str, Any]) -> None:
        rules = FoldRules(self.settings.alpha, self.settings.lag_ms)
        crowding = Crowding(Crowd(self.settings.crowd_floor), self._pointer)
        self.watch = Watch.restore(self._signals(), rules, dict(state), crowding)
        self._use()
        self._recall()

    def _restore(self, snapshot: Snapshot) -> None:
        meta = snapshot.meta
        self.settings = restored(meta["settings"])
        self.after, self.entry, self.version = meta["after"], meta["entry"], meta["version"]
        self.newest, self.counts = meta["newest"], Counts.from_json(meta["counts"])
        self._budgets = _decoded(meta["budgets"])
        self.worklist = Worklist.from_json(self._coin, meta["worklist"])
        self._rebuild(snapshot.arrays)

    def _use(self) -> None:
        """Judge by the context of this version, as the settings have it read."""
        ruled = Ruled(self.settings.time_zone, self.settings.household_types)
        loaded = load(self._parts, self.watch.spaces, ruled, self.version)
        self.context, self.faults = loaded.context, loaded.faults
        self.watch.use(self.context)

    def _recall(self) -> None:
        """Take in again what follows from the ledger and is not kept: known pairs, reads of open days."""
        if not self.after:
            return
        reader = self._parts.ledger.reader()
        rows = reader.select(since=max(0, self.watch.recall_since))
        rows = rows.take(np.flatnonzero(rows.sequence <= self.after))
        for start in range(0, len(rows), ROWS):
            part = rows.take(np.arange(start, min(start + ROWS, len(rows))))
            reads, _ = reads_of(reader.batch(part, records=True), self.watch.spaces, self.settings.channels)
            self.watch.recall(reads)


class _Rows:
    """What the ledger holds just now, segment by segment and then the tail; the last one that was opened is kept."""

    def __init__(self, parts: Parts) -> None:
        self._segments, self._tail = parts.ledger.whole()
        self._held: tuple[LoggedSegment, Batch] | None = None

    def between(self, after: int, until: int | None) -> Iterator[Batch]:
        """The disclosures above number `after`, up to number `until`, some at a time."""
        for segment in self._segments:
            if segment.manifest.last > after and (until is None or segment.manifest.first <= until):
                yield from _slices(self._opened(segment), after, until)
        yield from _slices(self._tail, after, until)

    def _opened(self, segment: LoggedSegment) -> Batch:
        if self._held is None or self._held[0] is not segment:
            batch = segment.batch()
            if (batch.sequence[1:] < batch.sequence[:-1]).any():  # a segment holds its dumps behind all else
                batch = batch.take(np.argsort(batch.sequence, kind="stable"))
            self._held = (segment, batch)
        return self._held[1]


def _slices(batch: Batch, after: int, until: int | None) -> Iterator[Batch]:
    first = int(np.searchsorted(batch.sequence, after, "right"))
    last = len(batch) if until is None else int(np.searchsorted(batch.sequence, until, "right"))
    for start in range(first, last, ROWS):
        yield batch.take(np.arange(start, min(start + ROWS, last)))


def _coded(budgets: Budgets) -> dict[str, Any]:
    """Budgets by code as JSON: what they were made from may have other codes in another watch."""
    return {
        "default": _pair(budgets.default),
        "offices": [[code, *_pair(one)] for code, one in budgets.offices.items()],
        "accounts": [[code, *_pair(one)] for code, one in budgets.accounts.items()],
    }


def _decoded(value: Mapping[str, Any]) -> Budgets:
    return Budgets(
        Budget(*value["default"]),
        {code: Budget(*one) for code, *one in value["offices"]},
        {code: Budget(*one) for code, *one in value["accounts"]},
    )


def _pair(budget: Budget) -> list[float | None]:
    return [budget.a_day, budget.share]


__all__ = ["ANSWERED", "CLOSED", "CONTEXT", "SETTINGS", "Course"]
