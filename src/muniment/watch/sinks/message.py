"""A message: what a sink sends, whole in itself, so that it can wait in the outbox and be sent again as it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from muniment.errors import IntegrityError
from muniment.watch.alerts.alert import Alert, AlertEvent
from muniment.watch.alerts.text import View, certainty, flagged_text, render, seen_text, subject
from muniment.watch.alerts.texts import words_of
from muniment.watch.rules_export import ocsf

MessageKind: TypeAlias = Literal["alert", "test", "fault"]
_KINDS: Final = ("alert", "test", "fault")
_WARNING, _NOTICE = 4, 5
"""Severities of syslog (RFC 5424, table 2): what is guaranteed warns, everything else is to be noticed."""


@dataclass(frozen=True, slots=True)
class Message:
    """`id`: the same for the same message, whenever it is sent. `at`: ms since 1970, UTC. `severity`: as in syslog.

    `lines`: the five of an alert, then what must stand beside them. `fields`: a few words for machines. `event`: an
    OCSF Detection Finding; empty for what is no alert.
    """

    id: str
    kind: MessageKind
    at: int
    severity: int
    subject: str
    lines: tuple[str, ...]
    fields: Mapping[str, str] = field(default_factory=dict)
    event: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As JSON, for the outbox."""
        return {
            "id": self.id, "kind": self.kind, "at": self.at, "severity": self.severity, "subject": self.subject,
            "lines": list(self.lines), "fields": dict(self.fields), "event": dict(self.event),
        }  # fmt: skip

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Message:
        """What `to_json` wrote. Raises `IntegrityError` for anything else."""
        try:
            if value["kind"] not in _KINDS:
                raise ValueError
            return cls(
                str(value["id"]), value["kind"], int(value["at"]), int(value["severity"]), str(value["subject"]),
                tuple(map(str, value["lines"])), {str(k): str(v) for k, v in value["fields"].items()},
                dict(value["event"]),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise IntegrityError("a message in the outbox of watch is not what muniment writes") from error

    def text(self) -> str:
        """Subject and lines as one JSON text: one line, whatever is in it."""
        return json.dumps(self.to_json(), ensure_ascii=False, separators=(",", ":"))


def message_of(alert: Alert, event: AlertEvent, lang: str, view: View) -> Message:
    """The message about an alert as an event left it. Names that the view holds do not go out.

    The id is that of the alert and the count of its events: sent again it is the same, after the next event another.
    """
    outside = view.outside
    lines = (
        *render(alert, lang, outside),
        certainty(alert, lang, outside),
        seen_text(alert, lang, outside),
        flagged_text(alert, lang, outside),
    )
    fields = {
        "alert": alert.id, "unit": alert.unit, "pseudonym": alert.pseudonym, "pattern": alert.pattern,
        "kind": alert.kind, "state": alert.state, "records": str(alert.records), "findings": str(alert.count),
    }  # fmt: skip
    severity = _WARNING if alert.kind == "guaranteed" else _NOTICE
    finding = ocsf.event(alert, event, lang, outside)
    id = f"{alert.id}-{len(alert.history)}"
    return Message(id, "alert", event.at, severity, subject(alert, lang, outside), lines, fields, finding)


def trial_message(lang: str, at: int) -> Message:
    """What `muniment watch test-alert` sends: it looks like no alert, and says so."""
    parts = words_of(lang).parts
    return Message(f"test-{at}", "test", at, _NOTICE, parts["test_subject"], (parts["test"],), {"test": "yes"})
