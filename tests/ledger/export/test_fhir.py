"""FHIR AuditEvents: closed structure of R4B, the rules of BALP PrivacyDisclosure.Source, and read back by the importer.

The structure is written down here from the R4B definition of AuditEvent (hl7.org/fhir/R4B/auditevent.html): elements,
cardinality, codes; anything else is refused. fhir.resources 8.3.0 (27 MB) accepts the same resources: checked by hand.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from language.audit_logs import patient_read, read_all
from language.exports import ALL, DUMP, ENTRIES, ENTRY, LIST, PSEUDONYMOUS, REFUSED, STAFF_NAMED, STOPPED, UNATTRIBUTED
from muniment.disclosure import Outcome
from muniment.ingest.audit import FhirAudit
from muniment.ledger.export import Entry
from muniment.ledger.export.fhir import PROFILE, RECORD_SYSTEM, Origin, events, lines

ORIGIN = Origin("registry.example", "registry.example", "Registry")
TEXT: dict[str, Any] = {"type": "string", "minLength": 1}


def closed(required: str = "", **properties: Any) -> dict[str, Any]:
    """An object with these elements and no other."""
    return {
        "type": "object", "properties": properties, "required": required.split(), "additionalProperties": False,
        "minProperties": 1,
    }  # fmt: skip


def many(item: dict[str, Any]) -> dict[str, Any]:
    """A list; FHIR has no empty ones."""
    return {"type": "array", "items": item, "minItems": 1}


CODING = closed(system=TEXT, version=TEXT, code=TEXT, display=TEXT, userSelected={"type": "boolean"})
CONCEPT = closed(coding=many(CODING), text=TEXT)
IDENTIFIER = closed(use=TEXT, type=CONCEPT, system=TEXT, value=TEXT)
REFERENCE = closed(reference=TEXT, type=TEXT, identifier=IDENTIFIER, display=TEXT)
EXTENSION = closed("url", url=TEXT, valueCode=TEXT)
NETWORK = closed(address=TEXT, type={"enum": list("12345")}, extension=many(EXTENSION))
AGENT = closed(
    "requestor", type=CONCEPT, role=many(CONCEPT), who=REFERENCE, altId=TEXT, name=TEXT, requestor={"type": "boolean"},
    location=REFERENCE, policy=many(TEXT), media=CODING, network=NETWORK, purposeOfUse=many(CONCEPT),
)  # fmt: skip
ENTITY = closed(
    what=REFERENCE, type=CODING, role=CODING, lifecycle=CODING, securityLabel=many(CODING), name=TEXT, description=TEXT,
    query=TEXT, detail=many(closed("type valueString", type=TEXT, valueString=TEXT)),
)  # fmt: skip
AUDIT_EVENT = closed(
    "resourceType type recorded agent source",
    resourceType={"const": "AuditEvent"},
    id={"type": "string", "pattern": "^[A-Za-z0-9.-]{1,64}$"},
    meta=closed(profile=many(TEXT), security=many(CODING)),
    type=CODING,
    subtype=many(CODING),
    action={"enum": list("CRUDE")},
    recorded={"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"},
    outcome={"enum": ["0", "4", "8", "12"]},
    outcomeDesc=TEXT,
    purposeOfEvent=many(CONCEPT),
    agent=many(AGENT),
    source=closed("observer", site=TEXT, observer=REFERENCE, type=many(CODING)),
    entity=many(ENTITY),
)
VALIDATOR = Draft202012Validator(AUDIT_EVENT)


def code_of(agent: dict[str, Any]) -> str:
    """The role of an agent."""
    code: str = agent["type"]["coding"][0]["code"]
    return code


def breaches(resource: dict[str, Any]) -> list[str]:
    """What is wrong by the profile's constraints (BALP 1.1.3, Disclose.fsh): the name of each that does not hold."""
    source = [agent for agent in resource["agent"] if code_of(agent) == "110153"]
    recipient = [agent for agent in resource["agent"] if code_of(agent) == "110152"]
    patients = [entity for entity in resource["entity"] if entity["type"]["code"] == "1"]
    rules = {
        "type": resource["type"]["code"] == "110106",
        "subtype": any(code["code"] == "disclose" for code in resource["subtype"]),
        "action": resource["action"] == "R",
        "outcome": "outcome" in resource,
        "one source": len(source) == 1 and {"who", "network"} <= source[0].keys(),
        "one recipient": len(recipient) == 1 and {"who", "network"} <= recipient[0].keys(),
        "val-audit-source": source[0]["who"] == resource["source"]["observer"],
        "entities": len(resource["entity"]) >= 2,
        "one patient": len(patients) == 1 and patients[0]["role"]["code"] == "1",
        "a reference to a patient": all(entity["what"].get("type") == "Patient" for entity in patients),
    }
    return [name for name, holds in rules.items() if not holds]


@pytest.mark.parametrize("entry", ALL, ids=lambda entry: str(entry.sequence))
@pytest.mark.parametrize("view", [PSEUDONYMOUS, STAFF_NAMED], ids=["pseudonymous", "named"])
@pytest.mark.parametrize("origin", [ORIGIN, Origin("registry")], ids=["addressed", "bare"])
def test_resources_have_the_structure_of_r4b(entry: Entry, view: Any, origin: Origin) -> None:
    for resource in events(entry, view, origin):
        assert [error.message for error in VALIDATOR.iter_errors(resource)] == []
        claimed = PROFILE in resource.get("meta", {}).get("profile", [])
        assert claimed == (not breaches(resource))


def test_the_structure_can_refuse_and_takes_the_examples_of_balp() -> None:
    assert VALIDATOR.is_valid(patient_read(recorded="2020-04-29T09:49:00.000Z"))
    (resource,) = events(ENTRY, PSEUDONYMOUS, ORIGIN)
    for broken in ({"outcome": "1"}, {"agent": []}, {"made_up": 1}, {"outcomeDesc": ""}, {"source": {}}):
        assert not VALIDATOR.is_valid(resource | broken)
    assert breaches(resource | {"entity": resource["entity"][1:]}) == ["entities", "one patient"]


def test_one_event_for_each_patient_of_a_short_list() -> None:
    found = list(events(LIST, PSEUDONYMOUS, ORIGIN))
    patients = {resource["entity"][0]["what"]["identifier"]["value"] for resource in found}
    assert len(found) == len(patients) == 5
    assert [resource["id"] for resource in found] == [f"disclosure-4712-{number}" for number in range(1, 6)]
    assert all(resource["entity"][0]["what"]["identifier"]["system"] == RECORD_SYSTEM for resource in found)


@pytest.mark.parametrize("entry", [DUMP, REFUSED, UNATTRIBUTED])
def test_without_patients_the_profile_is_not_claimed(entry: Entry) -> None:
    (resource,) = events(entry, PSEUDONYMOUS, ORIGIN)
    assert "meta" not in resource
    assert len(resource["entity"]) == 1


def test_what_an_event_says() -> None:
    (resource,) = events(ENTRY, STAFF_NAMED, ORIGIN)
    assert (resource["recorded"], resource["outcome"]) == ("2026-11-24T09:00:00.123Z", "0")
    assert resource["purposeOfEvent"] == [{"text": "assessment of 2025"}]
    source, recipient, clerk = resource["agent"]
    assert source["network"] == {"address": "registry.example", "type": "1"}
    assert recipient["who"] == {"display": "Tax Office"}
    assert recipient["network"] == {"address": "10.0.0.7", "type": "2"}
    assert clerk["who"] == {"identifier": {"value": "clerk.li"}} and clerk["requestor"]
    details = {detail["type"]: detail["valueString"] for detail in resource["entity"][1]["detail"]}
    assert (details["columns"], details["records"], details["case"]) == ("name,city", "1", "CASE-9")
    outcomes = [next(events(entry, STAFF_NAMED, ORIGIN))["outcome"] for entry in (UNATTRIBUTED, REFUSED, STOPPED)]
    assert outcomes == ["0", "4", "8"]


def test_an_unknown_address_is_said_to_be_unknown() -> None:
    (resource,) = events(REFUSED, PSEUDONYMOUS, Origin("registry", "https://registry.example/fhir"))
    source, recipient = resource["agent"]
    assert source["network"]["type"] == "5"
    assert recipient["network"]["extension"][0]["valueCode"] == "unknown"
    assert recipient["requestor"] is True


def test_staff_do_not_show_in_a_pseudonymous_export() -> None:
    text = "".join(lines(ALL, PSEUDONYMOUS, ORIGIN))
    assert "clerk.li" not in text and "10.0.0.7" not in text and "Tax Office" in text
    assert all(json.loads(line) for line in text.splitlines())


@settings(max_examples=40)
@given(ENTRIES)
def test_any_entry_is_valid_and_read_back(entry: Entry) -> None:
    disclosure, template = entry.disclosure, entry.disclosure.template
    source = FhirAudit(template.register, system=RECORD_SYSTEM)
    readings, summary = read_all(source, lines([entry], STAFF_NAMED, ORIGIN))
    assert all(VALIDATOR.is_valid(resource) for resource in events(entry, STAFF_NAMED, ORIGIN))
    expected = max(1, len(disclosure.records))
    assert len(readings) == expected and not summary.faults
    for reading in readings:
        assert reading.time == entry.time and reading.purpose == template.purpose
        assert (reading.basis, reading.case, reading.size) == (template.basis, disclosure.case, disclosure.size)
        assert reading.party.recipient == disclosure.party.recipient
        assert reading.party.account == disclosure.party.account
        assert reading.columns == (entry.columns or None)
        if template.outcome is not Outcome.REFUSED:
            assert (reading.keys is None) == (not disclosure.records)
