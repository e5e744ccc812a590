"""An alert and its events: pure values. An alert is what its events make of it, one after another.

Rules
1. new -> acknowledged -> explained or confirmed; `reopened` leads back. Every step by a person has a name and a reason.
2. Findings join an open alert. *Guaranteed* stays so, once one of its findings was.
3. Applying an event twice changes nothing: after a crash the last ones may come again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, TypeAlias

from muniment.errors import InputError, IntegrityError
from muniment.watch.alerts.sighting import NamedStake, Sighting, UnitOfAlert
from muniment.watch.findings import Kind

State: TypeAlias = Literal["new", "acknowledged", "explained", "confirmed"]
EventKind: TypeAlias = Literal[
    "opened", "joined", "hidden", "acknowledged", "explained", "confirmed", "reopened", "shown", "deleted"
]
OPEN: Final[frozenset[State]] = frozenset({"new", "acknowledged"})
"""States in which findings join an alert."""
BY_WATCH: Final = ("opened", "joined", "hidden", "deleted")
"""Events that need no person."""
REASON_CHARACTERS: Final = (5, 2_000)
"""Fewest and most characters of a reason: "ok" is none."""

_NEXT: Final[Mapping[EventKind, tuple[frozenset[State], State | None]]] = {
    "acknowledged": (frozenset({"new"}), "acknowledged"),
    "explained": (OPEN, "explained"),
    "confirmed": (OPEN, "confirmed"),
    "reopened": (frozenset({"explained", "confirmed"}), "acknowledged"),
    "shown": (frozenset({"explained", "confirmed"}), None),
    "deleted": (frozenset({"new", "acknowledged", "explained", "confirmed"}), None),
}
"""Which states an event may come in, and the state it leads to (`None`: it stays)."""
_KINDS: Final = ("opened", "joined", "hidden", *_NEXT)


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """One thing that happened to an alert. `at`: ms since 1970, UTC. `by`: who, empty for watch itself.

    `sighting`: the finding, of *opened*, *joined* and *hidden*. `exemption`: the id of what hid it.
    """

    kind: EventKind
    alert: str
    at: int
    by: str = field(default="", repr=False)
    reason: str = field(default="", repr=False)
    sighting: Sighting | None = None
    exemption: str = ""

    def to_json(self) -> dict[str, Any]:
        """As JSON, for the journal."""
        return {
            "kind": self.kind, "alert": self.alert, "at": self.at, "by": self.by, "reason": self.reason,
            "sighting": None if self.sighting is None else self.sighting.to_json(), "exemption": self.exemption,
        }  # fmt: skip

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> AlertEvent:
        """What `to_json` wrote. Raises `IntegrityError` for anything else."""
        try:
            if value["kind"] not in _KINDS:
                raise ValueError
            sighting = None if value["sighting"] is None else Sighting.from_json(value["sighting"])
            if (sighting is not None) != (value["kind"] in BY_WATCH[:3]):
                raise ValueError
            return cls(
                value["kind"], str(value["alert"]), int(value["at"]), str(value["by"]), str(value["reason"]),
                sighting, str(value["exemption"]),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError) as error:
            raise IntegrityError("an event of an alert in the journal of watch is not what muniment writes") from error


@dataclass(frozen=True, slots=True)
class Alert:
    """What people look at. `since`, `day`: first local day of the evidence, and the last on which it was seen.

    `stakes`: by register, all sightings together (an upper limit: a record may be in several). `weighted`: records at
    stake times their weights. `count`: sightings. `history`: all events, oldest first.
    """

    id: str
    unit: UnitOfAlert
    pseudonym: str
    pattern: str
    kind: Kind
    since: int
    day: int
    stakes: tuple[NamedStake, ...]
    state: State
    history: tuple[AlertEvent, ...] = field(repr=False)

    @property
    def open(self) -> bool:
        """Whether it still waits for an end."""
        return self.state in OPEN

    @property
    def sightings(self) -> tuple[Sighting, ...]:
        """Its findings, oldest first."""
        return tuple(event.sighting for event in self.history if event.sighting is not None)

    @property
    def count(self) -> int:
        """How many findings it holds."""
        return len(self.sightings)

    @property
    def last(self) -> Sighting:
        """The newest finding."""
        return self.sightings[-1]

    @property
    def records(self) -> int:
        """Records at stake at most."""
        return sum(stake.records for stake in self.stakes)

    @property
    def weighted(self) -> float:
        """Records at stake at most, each times its weight."""
        return sum(stake.records * stake.weight for stake in self.stakes)

    @property
    def group(self) -> tuple[str, str, str]:
        """What findings are grouped by."""
        return self.unit, self.pseudonym, self.pattern

    @property
    def opened(self) -> int:
        """When it was opened (ms since 1970, UTC)."""
        return self.history[0].at

    @property
    def changed(self) -> int:
        """When anything last happened to it, being looked at aside."""
        return max(event.at for event in self.history if event.kind != "shown")


def apply(alert: Alert | None, event: AlertEvent) -> Alert:
    """The alert after an event. `alert`: `None` before *opened*, and only then.

    Raises:
        InputError: the event cannot come in this state, or lacks who or why; nothing was changed.
    """
    if event.kind == "opened":
        return alert if alert is not None else _opened(event)
    if alert is None:
        raise InputError(f"there is no alert {event.alert}", hint="list them with `muniment watch alerts`")
    if event in alert.history:
        return alert
    if event.kind == "joined":
        return _joined(alert, event)
    checked(event)
    allowed, following = _NEXT[event.kind]
    if alert.state not in allowed:
        states = ", ".join(sorted(allowed))
        raise InputError(f"alert {alert.id} is {alert.state}: {event.kind} is for alerts that are {states}")
    return replace(alert, state=following or alert.state, history=(*alert.history, event))


def checked(event: AlertEvent) -> AlertEvent:
    """The same event. Raises `InputError` where a person's event lacks a name or a reason of some length."""
    if event.kind in BY_WATCH:
        return event
    if not event.by.strip():
        raise InputError(f"alert {event.alert}: {event.kind} needs the name of who says so")
    check_reason(event.reason, f"alert {event.alert}: {event.kind}")
    return event


def check_reason(reason: str, what: str) -> None:
    """Raises `InputError` for a reason that is too short to be one, or too long."""
    least, most = REASON_CHARACTERS
    if not least <= len(reason.strip()) <= most:
        raise InputError(f"{what} needs a reason of {least} to {most:,} characters, came {len(reason.strip()):,}")


def worth_sending(before: Alert | None, after: Alert, event: AlertEvent) -> bool:
    """Whether people are told again: when it opened, became *guaranteed*, doubled what is at stake, or was ended."""
    if before is None or before.kind != after.kind:
        return event.sighting is not None
    if event.kind == "joined":
        first = max(1, after.sightings[0].records)
        return _doublings(after.records // first) > _doublings(before.records // first)
    return event.kind in {"explained", "confirmed", "reopened"} and before.state != after.state


def _doublings(times: int) -> int:
    """How often something doubled to become so many times as large."""
    return max(times, 1).bit_length() - 1


def _opened(event: AlertEvent) -> Alert:
    one = event.sighting
    if one is None:
        raise InputError(f"alert {event.alert}: an alert is opened by a finding, and none came")
    return Alert(
        event.alert, one.unit, one.pseudonym, one.pattern, one.kind, one.since, one.day, one.stakes, "new", (event,)
    )


def _joined(alert: Alert, event: AlertEvent) -> Alert:
    one = event.sighting
    if one is None or (one.unit, one.pseudonym, one.pattern) != alert.group:
        raise InputError(f"alert {alert.id}: a finding about something else cannot join it")
    if not alert.open:
        raise InputError(f"alert {alert.id} is {alert.state}: findings join only alerts that are open")
    if one in alert.sightings:
        return alert
    return replace(
        alert,
        kind="guaranteed" if "guaranteed" in (alert.kind, one.kind) else "estimated",
        since=min(alert.since, one.since),
        day=max(alert.day, one.day),
        stakes=_together(alert.stakes, one.stakes),
        history=(*alert.history, event),
    )


def _together(stakes: tuple[NamedStake, ...], more: tuple[NamedStake, ...]) -> tuple[NamedStake, ...]:
    by_register = {stake.register: stake for stake in stakes}
    for stake in more:
        held = by_register.get(stake.register)
        by_register[stake.register] = stake if held is None else held.joined(stake)
    return tuple(by_register.values())
