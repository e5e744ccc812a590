"""OCSF 1.8 Datastore Activity (class 6005), one event a line.

What OCSF has no attribute for - purpose, legal basis, columns, rows, the records - stands under `unmapped.muniment`,
where the schema allows anything. `query_info` is left out: it demands the text of the query, which the ledger has not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any, Final

from muniment.disclosure import Outcome
from muniment.ledger.export.entry import Entry, View, outcome_text

SCHEMA_VERSION: Final = "1.8.0"
"""The version of OCSF that the events claim."""

_CLASS: Final = 6005
_CATEGORY: Final = 6
_READ: Final = (1, "Read")
_QUERY: Final = (4, "Query")
_INFORMATIONAL: Final = 1
_TABLE: Final = 3
_STATUSES: Final = {
    Outcome.GIVEN: (1, "Success"),
    Outcome.UNATTRIBUTED: (1, "Success"),
    Outcome.REFUSED: (2, "Failure"),
    Outcome.STOPPED: (99, "Stopped"),
}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def lines(entries: Iterable[Entry], view: View) -> Iterator[str]:
    """The events as JSON, one a line with its line end."""
    for entry in entries:
        yield json.dumps(event(entry, view), ensure_ascii=False, separators=(",", ":")) + "\n"


def event(entry: Entry, view: View) -> dict[str, Any]:
    """One disclosure as a Datastore Activity event."""
    disclosure = entry.disclosure
    activity, activity_name = _QUERY if disclosure.fingerprint else _READ
    status, status_name = _STATUSES[disclosure.template.outcome]
    metadata: dict[str, Any] = {
        "version": SCHEMA_VERSION,
        "product": {"name": "muniment", "vendor_name": "muniment"},
        "uid": f"disclosure-{entry.sequence}",
        "sequence": entry.sequence,
    }
    if disclosure.case:
        metadata["correlation_uid"] = disclosure.case
    return {
        "class_uid": _CLASS,
        "class_name": "Datastore Activity",
        "category_uid": _CATEGORY,
        "category_name": "Application Activity",
        "activity_id": activity,
        "activity_name": activity_name,
        "type_uid": _CLASS * 100 + activity,
        "severity_id": _INFORMATIONAL,
        "time": (entry.time - _EPOCH) // timedelta(milliseconds=1),
        "status_id": status,
        "status": status_name,
        "status_detail": outcome_text(disclosure.template.outcome),
        "metadata": metadata,
        "actor": {"user": _user(entry, view)},
        "src_endpoint": _endpoint(view.device(disclosure.party.device)),
        "table": {"name": disclosure.template.register},
        "type_id": _TABLE,
        "unmapped": {"muniment": _own(entry, view)},
    }


def _user(entry: Entry, view: View) -> dict[str, Any]:
    party = entry.disclosure.party
    account = view.account(party.account)
    named = {"name" if view.staff_named else "uid": account} if account else {"name": party.recipient}
    return {**named, "org": {"name": party.recipient}}


def _endpoint(device: str) -> dict[str, str]:
    """The address as such, if it is one; OCSF wants an endpoint in every event."""
    try:
        return {"ip": str(ip_address(device))}
    except ValueError:
        return {"name": device or "unknown"}


def _own(entry: Entry, view: View) -> dict[str, Any]:
    disclosure, template = entry.disclosure, entry.disclosure.template
    return {
        "purpose": template.purpose,
        "basis": template.basis,
        "channel": template.channel.value,
        "outcome": template.outcome.value,
        "delivery": template.delivery.value,
        "columns": ",".join(entry.columns),
        "fingerprint": disclosure.fingerprint,
        "mark_key": template.mark_key,
        "rows": disclosure.rows,
        "size": disclosure.size,
        "released": disclosure.released,
        "records": entry.records,
        "references": list(view.records(disclosure)),
    }
