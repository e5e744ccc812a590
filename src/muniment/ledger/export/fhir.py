"""FHIR R4B AuditEvent in the shape of IHE BALP 1.1 PrivacyDisclosure.Source, one resource a line (ndjson).

Rules
1. BALP wants exactly one patient in an event. A disclosure of up to REFERENCES records becomes one event for each, and
   claims the profile; a longer one, or one without records, becomes one event without a patient and without the claim.
2. A patient is a logical reference: an identifier under RECORD_SYSTEM, derived anew for each export. Whoever answers a
   subject puts the true reference in.
3. The source agent is the observer too (invariant val-audit-source), so both are made from one value.
4. Where a network address is demanded and not known, the extension data-absent-reason says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC
from ipaddress import ip_address
from typing import Any, Final

from muniment.disclosure import Outcome
from muniment.ledger.export.entry import Entry, View, outcome_text

PROFILE: Final = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PrivacyDisclosure.Source"
"""The profile that an event about one patient claims."""
RECORD_SYSTEM: Final = "urn:muniment:record"
"""The identifier system of keyed references to records."""

_DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_TERMINOLOGY: Final = "http://terminology.hl7.org/CodeSystem/"
_ABSENT: Final = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_IP_ADDRESS: Final = "2"
_URI: Final = "5"
_MACHINE: Final = "1"
_OUTCOMES: Final = {Outcome.GIVEN: "0", Outcome.UNATTRIBUTED: "0", Outcome.REFUSED: "4", Outcome.STOPPED: "8"}


@dataclass(frozen=True, slots=True)
class Origin:
    """Who gave the records: the keeper's system. `address`: its host name, IP address or URI; "" if not to be told."""

    name: str
    address: str = ""
    site: str = ""


def lines(entries: Iterable[Entry], view: View, origin: Origin) -> Iterator[str]:
    """The resources as JSON, one a line with its line end."""
    for entry in entries:
        for resource in events(entry, view, origin):
            yield json.dumps(resource, ensure_ascii=False, separators=(",", ":")) + "\n"


def events(entry: Entry, view: View, origin: Origin) -> Iterator[dict[str, Any]]:
    """One disclosure as AuditEvents: one for each patient, or one without (rule 1)."""
    patients = view.records(entry.disclosure)
    if not patients:
        yield _event(entry, view, origin, f"disclosure-{entry.sequence}")
    for number, patient in enumerate(patients, 1):
        resource = _event(entry, view, origin, f"disclosure-{entry.sequence}-{number}")
        yield {**resource, "meta": {"profile": [PROFILE]}, "entity": [_patient(patient), *resource["entity"]]}


def _event(entry: Entry, view: View, origin: Origin, name: str) -> dict[str, Any]:
    template = entry.disclosure.template
    source = {"observer": {"display": origin.name}, "type": [_coding("security-source-type", "4")]}
    return {
        "resourceType": "AuditEvent",
        "id": name,
        "type": {"system": _DCM, "code": "110106", "display": "Export"},
        "subtype": [_coding("iso-21089-lifecycle", "disclose")],
        "action": "R",
        "recorded": entry.time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "outcome": _OUTCOMES[template.outcome],
        "outcomeDesc": outcome_text(template.outcome),
        "purposeOfEvent": [{"text": template.purpose or "not stated"}],
        "agent": _agents(entry, view, origin),
        "source": {**({"site": origin.site} if origin.site else {}), **source},
        "entity": [_data(entry)],
    }


def _agents(entry: Entry, view: View, origin: Origin) -> list[dict[str, Any]]:
    party = entry.disclosure.party
    account, device = view.account(party.account), view.device(party.device)
    agents: list[dict[str, Any]] = [
        {
            "type": {"coding": [{"system": _DCM, "code": "110153", "display": "Source Role ID"}]},
            "who": {"display": origin.name},
            "requestor": False,
            "network": _network(origin.address),
        },
        {
            "type": {"coding": [{"system": _DCM, "code": "110152", "display": "Destination Role ID"}]},
            "who": {"display": party.recipient or "not named"},
            "requestor": not account,
            "network": _network(device),
        },
    ]
    if account:
        kind = _coding("v3-ParticipationType", "IRCP")
        agents.append({"type": {"coding": [kind]}, "who": {"identifier": {"value": account}}, "requestor": True})
    return agents


def _network(address: str) -> dict[str, Any]:
    """An address with its kind (FHIR network-type); an extension where there is none (rule 4)."""
    if not address:
        return {"extension": [{"url": _ABSENT, "valueCode": "unknown"}]}
    if "://" in address:
        return {"address": address, "type": _URI}
    try:
        return {"address": str(ip_address(address)), "type": _IP_ADDRESS}
    except ValueError:
        return {"address": address, "type": _MACHINE}


def _patient(reference: str) -> dict[str, Any]:
    return {
        "what": {"type": "Patient", "identifier": {"system": RECORD_SYSTEM, "value": reference}},
        "type": _coding("audit-entity-type", "1"),
        "role": _coding("object-role", "1"),
    }


def _data(entry: Entry) -> dict[str, Any]:
    """What was given of which register. An empty detail is left out: FHIR has no empty strings."""
    disclosure, template = entry.disclosure, entry.disclosure.template
    details = {
        "columns": ",".join(entry.columns),
        "rows": str(disclosure.rows),
        "size": str(disclosure.size),
        "released": str(disclosure.released),
        "records": str(entry.records),
        "basis": template.basis,
        "case": disclosure.case,
        "fingerprint": disclosure.fingerprint,
        "mark_key": template.mark_key,
        "channel": template.channel.value,
        "delivery": template.delivery.value,
        "sequence": str(entry.sequence),
    }
    return {
        "what": {"display": template.register},
        "type": _coding("audit-entity-type", "2"),
        "role": _coding("object-role", "3"),
        "detail": [{"type": name, "valueString": value} for name, value in details.items() if value],
    }


def _coding(system: str, code: str) -> dict[str, str]:
    return {"system": _TERMINOLOGY + system, "code": code}
