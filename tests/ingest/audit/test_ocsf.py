"""OCSF 6005 as a source."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.audit_logs import JUNK, RELATIONS, datastore_query, read_all, strict_fault
from muniment.disclosure import Outcome, Party
from muniment.ingest.audit import OcsfAudit, Policy, Reading

LOG = OcsfAudit(RELATIONS)


def read_one(statement: str = "select * from person where id = 7", **fields: Any) -> Reading:
    """The one reading of a Query event with other fields."""
    (reading,), _ = read_all(LOG, json.dumps(datastore_query(statement, **fields)), Policy.STRICT)
    return reading


def test_a_query_by_key() -> None:
    reading = read_one()
    assert reading.keys == (("7",),) and not reading.exact
    assert reading.party == Party("Tax Office", "clerk", "10.0.0.7")
    assert (reading.register, reading.case, reading.event, reading.size) == ("people", "CASE-9", "9f2c", 512)
    assert reading.time.isoformat() == "2026-11-24T09:00:00.123000+00:00"
    assert reading.rows is None and len(reading.fingerprint) == 16


def test_without_a_query_text_a_read_is_counted() -> None:
    assert read_one(query_info={"uid": "q"}).keys is None
    assert read_one("select a.* from person a, person b where a.id = 7").keys is None


@pytest.mark.parametrize(
    ("fields", "readings"),
    [
        ({"table": {"name": "person"}}, 1),
        ({"table": {"name": "other"}, "query_info": {}}, 0),
        ({"table": {"name": "orders"}}, 1),  # by the query
        ({"table": None, "database": {"name": "person"}, "query_info": {}}, 1),
        ({"table": {"name": "person"}, "database": {"name": "archive"}, "query_info": {}}, 1),
    ],
)
def test_the_register_by_table_database_or_query(fields: dict[str, Any], readings: int) -> None:
    found, summary = read_all(LOG, json.dumps(datastore_query(**fields)))
    assert len(found) == readings
    assert summary.unnamed == 1 - readings


@pytest.mark.parametrize(
    ("fields", "readings", "other", "unclear"),
    [
        ({"activity_id": 1}, 1, 0, 0), ({"activity_id": 8}, 1, 0, 0), ({"activity_id": 5}, 0, 1, 0),
        ({"activity_id": 0}, 0, 0, 1), ({"activity_id": 99}, 0, 0, 1), ({"activity_id": None}, 0, 0, 1),
        ({"class_uid": 3002}, 0, 1, 0), ({"class_uid": None}, 0, 1, 0),
    ],
)  # fmt: skip
def test_what_gives_records_out(fields: dict[str, Any], readings: int, other: int, unclear: int) -> None:
    found, summary = read_all(LOG, json.dumps(datastore_query(**fields)))
    assert (len(found), summary.other, summary.unclear) == (readings, other, unclear)


def test_statuses() -> None:
    assert read_one(status_id=2).outcome is Outcome.REFUSED and read_one(status_id=2).keys == ()
    for status in (0, 1, 99, None):
        assert read_one(status_id=status).outcome is Outcome.GIVEN


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"time": None}, "OCSF event without a time"), ({"time": "2026"}, "OCSF event without a time"),
        ({"time": 10**18}, "time out of range"), ({"count": 12}, "OCSF event that stands for several"),
        ({"query_info": {"bytes": -1}}, "size out of range"),
    ],
)  # fmt: skip
def test_events_that_cannot_be_used(fields: dict[str, Any], reason: str) -> None:
    _, summary = read_all(LOG, json.dumps(datastore_query(**fields)))
    assert summary.reasons == ((reason, 1),)


@given(st.dictionaries(st.sampled_from(list(datastore_query())), JUNK, max_size=5), st.binary(max_size=60))
def test_any_json_is_readings_or_faults(change: dict[str, object], junk: bytes) -> None:
    log = json.dumps(datastore_query() | change).encode() + b"\n" + junk
    readings, summary = read_all(LOG, log)
    assert summary.readings == len(readings)
    assert bool(strict_fault(LOG, log)) == bool(summary.faults)
