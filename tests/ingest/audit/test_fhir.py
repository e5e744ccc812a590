"""FHIR AuditEvents: the examples of IHE BALP, lines, Bundles, and any JSON at all."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.audit_logs import JUNK, patient_read, read_all, strict_fault
from muniment.disclosure import Outcome, Party
from muniment.errors import InputError, LimitError
from muniment.ingest.audit import FhirAudit, Policy, Question, Reading
from muniment.ingest.audit import fhir as module

LOG = FhirAudit("people")
TERMS = "http://terminology.hl7.org/CodeSystem/"


def read_one(**fields: Any) -> Reading:
    """The one reading of a BALP PatientRead with other fields."""
    (reading,), _ = read_all(LOG, json.dumps(patient_read(**fields)), Policy.STRICT)
    return reading


def patient(reference: str, **what: Any) -> dict[str, Any]:
    """An entity in the role of patient."""
    return {"what": {"reference": reference} | what, "role": {"system": f"{TERMS}object-role", "code": "1"}}


def test_a_patient_read_of_balp() -> None:
    reading = read_one()
    assert reading.keys == (("ex-patient",),) and reading.exact
    assert reading.party == Party("", "John Smith", "2001:0db8:85a3:0000:0000:8a2e:0370:7334")
    assert (reading.register, reading.outcome, reading.event) == ("people", Outcome.GIVEN, "ex-auditBasicReadServer")
    assert reading.time.isoformat() == "2020-04-29T09:49:00+00:00"


def test_a_privacy_disclosure_of_balp() -> None:
    """`ex-auditPrivacyDisclosure-source`: the recipient is the destination, and the advocate received nothing."""
    disclosed = {
        "type": {"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "110106"},
        "subtype": [{"system": f"{TERMS}iso-21089-lifecycle", "code": "disclose"}],
        "purposeOfEvent": [{"coding": [{"code": "PATRQT", "display": "patient requested"}]}],
        "agent": [
            {"type": {"coding": [{"code": "110153"}]}, "who": {"display": "model ABC"}, "requestor": False},
            {
                "type": {"coding": [{"code": "110152"}]},
                "who": {"display": "myMachine.example.org"},
                "requestor": False,
                "network": {"address": "http://server.example.com/fhir", "type": "5"},
            },
            {"type": {"coding": [{"code": "429577009"}]}, "who": {"reference": "Patient/a"}, "requestor": True},
        ],
    }
    reading = read_one(**disclosed)
    assert reading.party == Party("myMachine.example.org", "", "http://server.example.com/fhir")
    assert reading.purpose == "patient requested"
    assert read_one(**disclosed, action="C").party.recipient == "myMachine.example.org"


@pytest.mark.parametrize(
    ("entities", "keys"),
    [
        ([patient("Patient/a"), patient("https://h.example/fhir/Patient/b/_history/3"), patient("Patient/a")], "ab"),
        ([{"what": {"reference": "Patient/a"}}], "a"),  # a patient as mere data is given all the same
        ([], None),
        ([{"what": {"reference": "List/a"}, "role": {"code": "4"}}], None),
        ([patient("Patient/a"), patient("urn:uuid:6b05")], None),  # one of two cannot be told: never half
        ([patient("Patient/a b")], None),
        ([patient("", display="Jane Roe")], None),
        ([patient("", type="Patient", identifier={"value": "1"})], None),
    ],
)
def test_patients(entities: list[dict[str, Any]], keys: str | None) -> None:
    reading = read_one(entity=entities)
    assert reading.keys == (None if keys is None else tuple((key,) for key in keys))
    assert reading.exact == (keys is not None)


def test_patients_by_an_identifier() -> None:
    source = FhirAudit("people", system="urn:national-number")
    named = {"system": "urn:national-number", "value": "A123456789"}
    event = patient_read(entity=[patient("Patient/x", identifier=named)])
    (reading,), _ = read_all(source, json.dumps(event))
    assert reading.keys == (("A123456789",),)
    event = patient_read(entity=[patient("Patient/x", identifier={"system": "urn:other", "value": "9"})])
    (reading,), summary = read_all(source, json.dumps(event))
    assert reading.keys is None
    assert Question.WHO_RECEIVED in dict(summary.unanswered)


def test_outcomes() -> None:
    found = {code: read_one(outcome=code) for code in ("0", "4", "8", "12")}
    assert [reading.outcome for reading in found.values()] == [
        Outcome.GIVEN, Outcome.REFUSED, Outcome.STOPPED, Outcome.STOPPED,
    ]  # fmt: skip
    assert found["4"].keys == () and found["8"].keys == (("ex-patient",),) and not found["8"].exact
    with pytest.raises(InputError, match="line 1: AuditEvent with an unknown outcome"):
        read_one(outcome="success")


def test_a_search_is_named_by_its_parameters_alone() -> None:
    def shape(query: str) -> str:
        entity = {"query": base64.b64encode(query.encode()).decode(), "role": {"code": "24"}}
        return read_one(action="E", entity=[entity]).fingerprint

    one = shape("GET https://h.example/fhir/Patient?family=Roe&birthdate=1980-01-01")
    assert one == shape("https://h.example/fhir/Patient?birthdate=1999-12-31&family=Doe")
    assert len({one, shape("Patient?family=Roe"), shape("Observation?birthdate=1&family=2")}) == 3
    assert read_one(entity=[{"query": "%%%"}]).fingerprint == ""


def test_events_that_are_no_disclosure_are_counted() -> None:
    lines = [patient_read(action="U"), patient_read(action=None), patient_read(resourceType="Patient")]
    readings, summary = read_all(LOG, "\n".join(map(json.dumps, lines)))
    assert not readings
    assert (summary.other, summary.unclear) == (2, 1)


def test_lines_bundles_and_lists_hold_the_same_events() -> None:
    events = [patient_read(id=f"e{number}") for number in range(3)]
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": event} for event in events]}
    forms = {
        "lines": "\n".join(map(json.dumps, events)),
        "bundle": json.dumps(bundle, indent=2),
        "bundle in a line": json.dumps(bundle),
        "list": json.dumps(events, indent=1),
        "blank lines first": "\n\n" + "\n".join(map(json.dumps, events)),
    }
    for form, log in forms.items():
        readings, summary = read_all(LOG, log, Policy.STRICT)
        assert [(reading.event, reading.line) for reading in readings] == [("e0", 1), ("e1", 2), ("e2", 3)], form
        assert summary.form == "FHIR AuditEvent"
    readings, _ = read_all(LOG, json.dumps(bundle) + "\n" + json.dumps(bundle))
    assert [reading.line for reading in readings] == [1, 1, 1, 2, 2, 2]
    (single,), _ = read_all(LOG, json.dumps(events[0], indent=2))
    assert single.event == "e0"


def test_a_damaged_first_line_costs_itself_alone() -> None:
    good = json.dumps(patient_read())
    readings, summary = read_all(LOG, f"{good[:80]}\n{good}\n{good}")
    assert len(readings) == 2
    assert [fault.line for fault in summary.faults] == [1]


def test_a_document_is_held_within_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DOCUMENT_BYTES", 1_000)
    with pytest.raises(LimitError, match="a document of more than 1,000 bytes"):
        read_all(LOG, json.dumps([patient_read()], indent=2))


@pytest.mark.parametrize("recorded", [None, "", "2020-04-29", "2020-04-29T09:49:00", 1588153740])
def test_an_event_without_an_instant_is_a_fault(recorded: object) -> None:
    with pytest.raises(InputError, match="line 1: no time stamp with a zone"):
        read_one(recorded=recorded)


@given(st.dictionaries(st.sampled_from(list(patient_read())[1:]), JUNK, max_size=5), st.binary(max_size=60))
def test_any_json_is_readings_or_faults(change: dict[str, object], junk: bytes) -> None:
    line = json.dumps(patient_read() | change).encode()
    for log in (line + b"\n" + junk, junk + line, b"[" + line + b"," + junk):
        readings, summary = read_all(LOG, log)
        assert summary.readings == len(readings)
        assert bool(strict_fault(LOG, log)) == bool(summary.faults)
