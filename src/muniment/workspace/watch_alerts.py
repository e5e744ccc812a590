"""The alerts of a workspace on disk: their events, exceptions, and what is still to be sent, in one sealed file.

Rules
1. The file is replaced as a whole under a lock: a finding and the message about it are there together or not at all. So
   after a crash no alert is lost, and none is made twice: a finding is known by the digest of what it says.
2. When alerts are deleted after their term, the file is written anew without them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from muniment.durable import locked
from muniment.sealed import read_sealed, write_sealed
from muniment.watch.alerts import Alert, AlertBook, AlertEvent, Exemption, Pseudonyms, Sighting, expired, forgotten
from muniment.watch.alerts import worth_sending as telling
from muniment.watch.sinks import Message
from muniment.workspace import watch_files

if TYPE_CHECKING:
    from pathlib import Path

    from muniment.watch.alerts.alert import EventKind
    from muniment.workspace.parts import Parts

_PURPOSE: Final = "muniment watch alerts 1"


@dataclass(slots=True, repr=False)
class Kept:
    """What the file holds. `unsent`: messages that the outbox has not got yet, with the names of their sinks.

    `answers`: to challenges, which the next turn of the watch takes up (`watch_course.ANSWERED`).
    """

    events: list[AlertEvent] = field(default_factory=list)
    exemptions: list[Exemption] = field(default_factory=list)
    unsent: list[tuple[Message, tuple[str, ...]]] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)

    def to_bytes(self) -> bytes:
        """As JSON."""
        return json.dumps(
            {
                "events": [one.to_json() for one in self.events],
                "exemptions": [one.to_json() for one in self.exemptions],
                "unsent": [[message.to_json(), list(sinks)] for message, sinks in self.unsent],
                "answers": self.answers,
            },
            ensure_ascii=False,
        ).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Kept:
        """Undo `to_bytes`."""
        value = json.loads(data)
        return cls(
            [AlertEvent.from_json(one) for one in value["events"]],
            [Exemption.from_json(one) for one in value["exemptions"]],
            [(Message.from_json(message), tuple(map(str, sinks))) for message, sinks in value["unsent"]],
            list(value["answers"]),
        )


@dataclass(frozen=True, slots=True)
class Change:
    """An alert before and after an event; `before` is `None` where it opened."""

    before: Alert | None
    after: Alert
    event: AlertEvent

    @property
    def telling(self) -> bool:
        """Whether people are told of it."""
        return telling(self.before, self.after, self.event)


class Alerts:
    """The alerts of one workspace. Nothing is held open: each call reads, and writes under the lock."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.names = Pseudonyms(watch_files.key(parts, "pseudonyms"))

    def __repr__(self) -> str:
        return f"Alerts({str(self._parts.folder)!r})"

    def kept(self) -> Kept:
        """What is on file. Raises `IntegrityError` where it does not verify."""
        if not self._path.exists():
            return Kept()
        return Kept.from_bytes(read_sealed(self._path, self._secret, _PURPOSE))

    def book(self, kept: Kept | None = None) -> AlertBook:
        """All alerts and exceptions, folded from what is on file."""
        held = self.kept() if kept is None else kept
        return AlertBook(self.names, held.events, held.exemptions)

    @contextmanager
    def editing(self) -> Iterator[Kept]:
        """Change what is on file: written when the block ends, and not at all where it fails or nothing changed."""
        with locked(self._path.with_name(".alerts.lock")):
            kept = self.kept()
            before = kept.to_bytes()
            yield kept
            if kept.to_bytes() != before:
                write_sealed(self._path, self._secret, [kept.to_bytes()], _PURPOSE)

    def take(self, kept: Kept, sightings: Iterable[Sighting], at: int) -> list[Change]:
        """Fold findings in, inside of `editing`; what they changed. One that is known already changes nothing."""
        book, changes = self.book(kept), []
        for sighting in sightings:
            event = book.take(sighting, at)
            if event is not None:
                changes += _applied(book, kept, event)
        return changes

    def say(self, kept: Kept, kind: EventKind, id: str, at: int, *, by: str, reason: str) -> list[Change]:
        """A person moves an alert on, inside of `editing`. Raises `InputError` where that may not be."""
        book = self.book(kept)
        return _applied(book, kept, book.say(kind, id, at, by=by, reason=reason))

    def forget(self, kept: Kept, at: int, days: int) -> Sequence[str]:
        """Delete the alerts whose term is over, inside of `editing`; returns their ids."""
        gone = expired(self.book(kept).alerts, at, days)
        if gone:
            kept.events = list(forgotten([*kept.events, *gone]))
        return [one.alert for one in gone]

    def known(self, kept: Kept) -> frozenset[str]:
        """The digests of all findings on file, those that were hidden included."""
        return frozenset(self.names.alert_id(one.sighting) for one in kept.events if one.sighting is not None)

    @property
    def _path(self) -> Path:
        return self._parts.folder / watch_files.FOLDER / "alerts.bin"

    @property
    def _secret(self) -> bytes:
        return self._parts.ring.all("segment")[0].secret


def _applied(book: AlertBook, kept: Kept, event: AlertEvent) -> list[Change]:
    """Apply an event and keep it; what it changed, nothing where no alert came of it."""
    before = next((one for one in book.alerts if one.id == event.alert), None)
    after = book.apply(event)
    kept.events.append(event)
    return [] if after is None else [Change(before, after, event)]
