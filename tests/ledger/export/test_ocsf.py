"""OCSF events: valid by the schema of OCSF 1.8, and read back by the importer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from language.audit_logs import read_all
from language.exports import ALL, DUMP, ENTRIES, ENTRY, LIST, PSEUDONYMOUS, REFUSED, STAFF_NAMED, STOPPED, UNATTRIBUTED
from muniment.disclosure import Outcome
from muniment.ingest.audit import OcsfAudit, Reading, Relation, Relations
from muniment.ledger.export import Entry
from muniment.ledger.export.ocsf import SCHEMA_VERSION, event, lines


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=SCHEMA_VERSION)).get_class_schema("datastore_activity")
    return Draft202012Validator(schema)


@pytest.mark.parametrize("entry", ALL, ids=lambda entry: str(entry.sequence))
@pytest.mark.parametrize("view", [PSEUDONYMOUS, STAFF_NAMED], ids=["pseudonymous", "named"])
def test_events_are_valid(validator: Draft202012Validator, entry: Entry, view: Any) -> None:
    assert [error.message for error in validator.iter_errors(event(entry, view))] == []


def test_the_schema_can_refuse(validator: Draft202012Validator) -> None:
    for broken in ({"type_uid": 1}, {"made_up": 1}, {"time": "now"}):
        assert not validator.is_valid(event(ENTRY, PSEUDONYMOUS) | broken)


def test_what_an_event_says() -> None:
    made = event(ENTRY, STAFF_NAMED)
    assert (made["class_uid"], made["type_uid"], made["time"]) == (6005, 600504, 1_795_510_800_123)
    assert made["actor"]["user"] == {"name": "clerk.li", "org": {"name": "Tax Office"}}
    assert made["src_endpoint"] == {"ip": "10.0.0.7"}
    assert made["metadata"]["correlation_uid"] == "CASE-9"
    own = made["unmapped"]["muniment"]
    assert (own["purpose"], own["columns"], own["records"]) == ("assessment of 2025", "name,city", 1)
    assert len(own["references"]) == 1
    assert event(DUMP, STAFF_NAMED)["unmapped"]["muniment"]["references"] == []
    assert event(DUMP, STAFF_NAMED)["unmapped"]["muniment"]["records"] == 25_000


def test_staff_do_not_show_in_a_pseudonymous_export() -> None:
    text = "".join(lines(ALL, PSEUDONYMOUS))
    assert "clerk.li" not in text and "10.0.0.7" not in text and "Tax Office" in text
    assert event(REFUSED, PSEUDONYMOUS)["src_endpoint"] == {"name": "unknown"}


def test_statuses() -> None:
    found = [event(entry, PSEUDONYMOUS)["status_id"] for entry in (ENTRY, UNATTRIBUTED, REFUSED, STOPPED)]
    assert found == [1, 1, 2, 99]


def test_an_export_is_one_line_an_event() -> None:
    found = list(lines(ALL, PSEUDONYMOUS))
    assert len(found) == len(ALL)
    assert all(line.endswith("\n") and line.count("\n") == 1 and json.loads(line) for line in found)
    assert "70000" not in "".join(lines([LIST], PSEUDONYMOUS))


@settings(max_examples=40)
@given(ENTRIES)
def test_the_importer_reads_what_was_exported(entry: Entry) -> None:
    template = entry.disclosure.template
    name = '"' + template.register.replace('"', '""') + '"'
    made = event(entry, STAFF_NAMED) | {"table": {"name": name}}
    source = OcsfAudit(Relations([Relation(name, template.register, ("id",))]))
    readings, summary = read_all(source, json.dumps(made))
    assert len(readings) == 1 and not summary.faults
    check(entry, readings[0])


def check(entry: Entry, reading: Reading) -> None:
    """What must come back as it went out."""
    disclosure, template = entry.disclosure, entry.disclosure.template
    assert reading.time == entry.time
    assert reading.party.recipient == disclosure.party.recipient
    assert (reading.outcome, reading.delivery) == (template.outcome, template.delivery)
    assert (reading.purpose, reading.basis, reading.case) == (template.purpose, template.basis, disclosure.case)
    assert reading.fingerprint == disclosure.fingerprint and reading.size == disclosure.size
    assert reading.rows == (0 if template.outcome is Outcome.REFUSED else disclosure.rows)
    assert reading.columns == (entry.columns or None)
