"""OCSF 1.8 Detection Finding (class 2004): an alert as an event of a security system.

What OCSF has no attribute for stands under `unmapped.muniment`, where the schema allows anything. Risk scores and risk
levels are left out: watch has none of a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from muniment.watch.alerts.alert import Alert, AlertEvent, EventKind, State
from muniment.watch.alerts.text import View, plain, render, subject
from muniment.watch.findings import Kind

SCHEMA_VERSION: Final = "1.8.0"
"""The version of OCSF that the events claim."""

_CLASS: Final = 2004
_CATEGORY: Final = 2
_DAY_MS: Final = 86_400_000
_ACTIVITIES: Final[Mapping[EventKind, tuple[int, str]]] = {
    "opened": (1, "Create"),
    "explained": (3, "Close"),
    "confirmed": (3, "Close"),
}
"""Everything else is an update."""
_STATUSES: Final[Mapping[State, tuple[int, str]]] = {
    "new": (1, "New"),
    "acknowledged": (2, "In Progress"),
    "explained": (4, "Resolved"),
    "confirmed": (4, "Resolved"),
}
_SEVERITIES: Final[Mapping[Kind, tuple[int, str]]] = {"guaranteed": (3, "Medium"), "estimated": (2, "Low")}
_CONFIDENCES: Final[Mapping[Kind, tuple[int, str]]] = {"guaranteed": (3, "High"), "estimated": (1, "Low")}
_STATISTICAL: Final = 3
"""`analytic.type_id`: statistical."""


def event(alert: Alert, event: AlertEvent, lang: str, view: View) -> dict[str, Any]:
    """One event of an alert. Accounts are pseudonyms, whatever names the view knows."""
    outside = view.outside
    activity, activity_name = _ACTIVITIES.get(event.kind, (2, "Update"))
    status, status_name = _STATUSES[alert.state]
    severity, severity_name = _SEVERITIES[alert.kind]
    confidence, confidence_name = _CONFIDENCES[alert.kind]
    return {
        "class_uid": _CLASS,
        "class_name": "Detection Finding",
        "category_uid": _CATEGORY,
        "category_name": "Findings",
        "activity_id": activity,
        "activity_name": activity_name,
        "type_uid": _CLASS * 100 + activity,
        "severity_id": severity,
        "severity": severity_name,
        "confidence_id": confidence,
        "confidence": confidence_name,
        "status_id": status,
        "status": status_name,
        "is_alert": True,
        "time": event.at,
        "start_time": alert.since * _DAY_MS,
        "end_time": (alert.day + 1) * _DAY_MS,
        "count": alert.count,
        "message": subject(alert, lang, outside),
        "metadata": {
            "version": SCHEMA_VERSION,
            "product": {"name": "muniment", "vendor_name": "muniment", "feature": {"name": "watch"}},
            "uid": f"{alert.id}-{len(alert.history)}",
            "correlation_uid": alert.id,
        },
        "finding_info": _finding(alert, lang, outside),
        "evidences": [_evidence(alert)],
        "unmapped": {"muniment": _own(alert)},
    }


def _finding(alert: Alert, lang: str, view: View) -> dict[str, Any]:
    return {
        "uid": alert.id,
        "title": subject(alert, lang, view),
        "desc": "\n".join(render(alert, lang, view)),
        "types": [alert.pattern],
        "analytic": {"name": f"muniment watch {alert.pattern}", "type_id": _STATISTICAL, "type": "Statistical"},
        "created_time": alert.opened,
        "modified_time": alert.changed,
        "first_seen_time": alert.since * _DAY_MS,
        "last_seen_time": (alert.day + 1) * _DAY_MS,
    }


def _evidence(alert: Alert) -> dict[str, Any]:
    named = [{"name": plain(one.register), "columns": [plain(name) for name in one.columns]} for one in alert.stakes]
    data = {"registers": named}
    if alert.unit != "account":
        return {"data": data}
    user: dict[str, Any] = {"uid": alert.pseudonym}
    if alert.last.office:
        user["org"] = {"uid": alert.last.office, "name": alert.last.office}
    return {"actor": {"user": user}, "data": data}


def _own(alert: Alert) -> dict[str, Any]:
    return {
        "unit": alert.unit,
        "pseudonym": alert.pseudonym,
        "pattern": alert.pattern,
        "kind": alert.kind,
        "state": alert.state,
        "records_at_most": alert.records,
        "weighted": alert.weighted,
        "shares": dict(alert.last.shares),
        "log10": alert.last.log10,
    }
