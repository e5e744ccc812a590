"""The book of alerts: the fold of all events, and which event a finding makes. In memory; owned by who keeps them.

    event = book.take(sighting, at)      # None: known already
    journal(event); book.apply(event)    # stored first, then applied, then sent

One thread; `apply` is the only thing that changes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from muniment.errors import InputError
from muniment.watch.alerts.alert import Alert, AlertEvent, EventKind, apply, checked
from muniment.watch.alerts.exemptions import Exemption, checked_exemption
from muniment.watch.alerts.pseudonyms import Pseudonyms
from muniment.watch.alerts.sighting import Sighting


class AlertBook:
    """All alerts and exceptions that events made, and no deleted one."""

    def __init__(
        self, ids: Pseudonyms, events: Iterable[AlertEvent] = (), exemptions: Iterable[Exemption] = ()
    ) -> None:
        """`events`, `exemptions`: from the journal, in its order."""
        self._ids = ids
        self._alerts: dict[str, Alert] = {}
        self._open: dict[tuple[str, str, str], str] = {}
        self._known: dict[str, str] = {}
        self._exemptions = {one.id: one for one in exemptions}
        for event in events:
            self.apply(event)

    def __repr__(self) -> str:
        return f"AlertBook({len(self._alerts)} alerts, {len(self._exemptions)} exceptions)"

    @property
    def alerts(self) -> Sequence[Alert]:
        """All of them, oldest first."""
        return tuple(self._alerts.values())

    @property
    def exemptions(self) -> Sequence[Exemption]:
        """All that were saved, ended ones too."""
        return tuple(self._exemptions.values())

    def alert(self, id: str) -> Alert:
        """One alert. Raises `InputError` where there is none (any more)."""
        found = self._alerts.get(id.strip().upper())
        if found is None:
            raise InputError(f"there is no alert {id}", hint="list them with `muniment watch alerts`")
        return found

    def take(self, sighting: Sighting, at: int) -> AlertEvent | None:
        """The event that a finding makes at a time: *hidden*, *joined* or *opened*; `None` where it was taken before.

        A record that many read has an alert of its own each time it is found: nothing here can tell two records apart.
        """
        id = self._ids.alert_id(sighting)
        if id in self._known:
            return None
        hiding = next((one for one in self._exemptions.values() if one.hides(sighting, at)), None)
        if hiding is not None:
            return AlertEvent("hidden", id, at, sighting=sighting, exemption=hiding.id)
        held = self._open.get(_group(sighting)) if sighting.unit != "record" else None
        return AlertEvent("joined" if held else "opened", held or id, at, sighting=sighting)

    def say(self, kind: EventKind, id: str, at: int, *, by: str, reason: str) -> AlertEvent:
        """The event by which a person moves an alert on; not applied yet. Raises `InputError` where it may not come."""
        alert = self.alert(id)
        event = checked(AlertEvent(kind, alert.id, at, by, reason))
        apply(alert, event)
        return event

    def apply(self, event: AlertEvent) -> Alert | None:
        """Fold one event in; the alert as it is now, `None` where it is gone or none came of the finding."""
        if event.sighting is not None:
            self._known[self._ids.alert_id(event.sighting)] = event.alert
        if event.kind == "hidden":
            return None
        if event.kind == "deleted":
            self._drop(event.alert)
            return None
        alert = apply(self._alerts.get(event.alert), event)
        self._alerts[alert.id] = alert
        if alert.open and alert.unit != "record":
            self._open[alert.group] = alert.id
        elif self._open.get(alert.group) == alert.id:
            del self._open[alert.group]
        return alert

    def exempt(self, one: Exemption, now: int) -> Exemption:
        """The exception with its id, checked; not saved yet. Raises `InputError` as `checked_exemption`."""
        text = one.to_json() | {"id": ""}
        id = self._ids.exemption_id(*(str(value) for value in text.values()))
        return checked_exemption(Exemption.from_json(text | {"id": id}), now)

    def save(self, one: Exemption) -> None:
        """Take an exception from the journal; one with the same id and an earlier end takes its place."""
        self._exemptions[one.id] = one

    def _drop(self, id: str) -> None:
        self._known.setdefault(id, id)
        alert = self._alerts.pop(id, None)
        if alert is not None and self._open.get(alert.group) == id:
            del self._open[alert.group]


def _group(sighting: Sighting) -> tuple[str, str, str]:
    return sighting.unit, sighting.pseudonym, sighting.pattern
