"""The end of alerts: deletion after their term, and what an account's owner may see of closed ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from muniment.watch.alerts.alert import Alert, AlertEvent

DAY_MS: Final = 86_400_000
NOTICE_DAYS: Final = 14
"""Days before its end on which an alert that nobody closed is named: long enough for a fortnight's leave."""


def expired(alerts: Iterable[Alert], now: int, days: int) -> tuple[AlertEvent, ...]:
    """The *deleted* events of all alerts whose term is over at `now`: `days` after anything last happened to them.

    Open ones too: an accusation that nobody follows up is not kept for ever. `ending` names them beforehand.
    """
    over = (alert for alert in alerts if alert.changed + days * DAY_MS <= now)
    return tuple(AlertEvent("deleted", alert.id, now) for alert in over)


def ending(alerts: Iterable[Alert], now: int, days: int, notice: int = NOTICE_DAYS) -> tuple[Alert, ...]:
    """Open alerts whose term ends within `notice` days, first to end first."""
    soon = [alert for alert in alerts if alert.open and alert.changed + (days - notice) * DAY_MS <= now]
    return tuple(sorted(soon, key=lambda alert: (alert.changed, alert.id)))


def forgotten(events: Iterable[AlertEvent]) -> tuple[AlertEvent, ...]:
    """The events to keep when the journal is written anew: of deleted alerts only that they were, and when.

    An alert and its findings go; so do hidden findings that are older than the last deletion.
    """
    events = tuple(events)
    gone = {event.alert: event.at for event in events if event.kind == "deleted"}
    last = max(gone.values(), default=0)
    kept = (one for one in events if one.alert not in gone and (one.kind != "hidden" or one.at > last))
    return (*(event for event in events if event.kind == "deleted"), *kept)


def closed_on(alerts: Iterable[Alert], pseudonym: str) -> Sequence[Alert]:
    """What the owner of an account may see: closed alerts on it, without the names of those who handled them."""
    mine = (alert for alert in alerts if alert.unit == "account" and alert.pseudonym == pseudonym and not alert.open)
    return tuple(
        replace(alert, history=tuple(replace(event, by="") for event in alert.history if event.kind != "shown"))
        for alert in mine
    )
