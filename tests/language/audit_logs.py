"""Foreign audit logs for tests: lines in the documented formats, with the values that a test chooses.

The PostgreSQL lines have the shape that PostgreSQL 15.18 with pgaudit 1.7 writes (manual 20.8.4 and 20.8.5, pgaudit's
README, "Format"); the FHIR resources follow the examples of IHE BALP 1.1, the OCSF events class 6005 of OCSF 1.8.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from muniment.disclosure import Outcome, Party
from muniment.errors import InputError
from muniment.ingest.audit import (
    AuditReader,
    AuditSource,
    KeyForm,
    Policy,
    Reading,
    Relation,
    Relations,
    Summary,
    read_audit,
)

RELATIONS = Relations([Relation("public.person", "people", ("id",), (KeyForm.INTEGER,))])
READING = Reading(
    time=datetime(2026, 11, 24, 9, tzinfo=UTC),
    line=4,
    party=Party("Tax Office", "clerk", "10.0.0.7"),
    register="people",
    outcome=Outcome.GIVEN,
    keys=(("4711",),),
    exact=True,
    rows=1,
    columns=("name",),
    purpose="assessment",
)
"""One record, given, with all but a case."""
TIME = "2026-11-24 09:00:00.123 UTC"
SESSION = "6b054abd.3d6d"
_CSV_LENGTH = 26
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
"""Any JSON value."""


def csv_text(*fields: object) -> str:
    """One CSV record without its line end."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\r\n").writerow(fields)
    return stream.getvalue().removesuffix("\r\n")


def csvlog(message: str, *, number: int = 1, length: int = _CSV_LENGTH, **fields: str) -> str:
    """One entry of a csvlog, with its line end; `fields` by the names of the manual."""
    values = {
        0: fields.get("log_time", TIME), 1: fields.get("user_name", "clerk"), 2: "registry", 3: "15725",
        4: fields.get("connection_from", "10.0.0.7:56128"), 5: fields.get("session_id", SESSION), 6: str(number),
        7: "SELECT", 8: "2026-11-24 08:59:00 UTC", 9: "4/5", 10: "0", 11: fields.get("error_severity", "LOG"),
        12: fields.get("sql_state_code", "00000"), 13: message, 14: fields.get("detail", ""),
        18: fields.get("context", ""), 19: fields.get("query", ""), 23: "client backend",
        25: fields.get("query_id", "0"),
    }  # fmt: skip
    return csv_text(*(values.get(place, "") for place in range(length))) + "\n"


def jsonlog(message: str, *, number: int = 1, **fields: str) -> str:
    """The same entry of a jsonlog."""
    host, _, port = fields.get("connection_from", "10.0.0.7:56128").rpartition(":")
    value: dict[str, Any] = {
        "timestamp": fields.get("log_time", TIME), "user": fields.get("user_name", "clerk"), "dbname": "registry",
        "pid": 15725, "remote_host": host, "remote_port": int(port), "session_id": fields.get("session_id", SESSION),
        "line_num": number, "ps": "SELECT", "session_start": "2026-11-24 08:59:00 UTC", "vxid": "4/5", "txid": 0,
        "error_severity": fields.get("error_severity", "LOG"), "state_code": fields.get("sql_state_code", "00000"),
        "message": message, "detail": fields.get("detail"), "context": fields.get("context"),
        "statement": fields.get("query"), "backend_type": "client backend",
        "query_id": int(fields.get("query_id", "0")),
    }  # fmt: skip
    return json.dumps({name: item for name, item in value.items() if item is not None}) + "\n"


def audit(statement: str, parameters: str = "<none>", rows: int | None = None, **fields: Any) -> str:
    """The message of a pgaudit line: AUDIT: type,statement,sub-statement,class,command,kind,object,statement,..."""
    given = {"type": "SESSION", "id": 1, "sub": 1, "category": "READ", "command": "SELECT", "kind": "", "relation": ""}
    given |= fields
    last = () if rows is None else (rows,)
    return "AUDIT: " + csv_text(*given.values(), statement, parameters, *last)


def read_all(
    source: AuditSource, log: str | bytes | Iterable[str], policy: Policy = Policy.SKIP
) -> tuple[list[Reading], Summary]:
    """Every reading of a log, and the summary at its end."""
    reader = reader_of(source, log, policy)
    return list(reader), reader.summary()


def reader_of(source: AuditSource, log: str | bytes | Iterable[str], policy: Policy = Policy.SKIP) -> AuditReader:
    """A reader over a log that lies in memory."""
    if not isinstance(log, bytes):
        log = "".join(log).encode("utf-8", "surrogatepass")
    return read_audit(io.BytesIO(log), source, name="a.log", policy=policy)


def strict_fault(source: AuditSource, log: str | bytes) -> str:
    """The message with which a strict reading of a log ends; "" where it does not. No other exception passes."""
    try:
        read_all(source, log, Policy.STRICT)
    except InputError as error:
        return error.message
    return ""


def patient_read(**fields: Any) -> dict[str, Any]:
    """BALP PatientRead as a server logs it: `ex-auditBasicReadServer` of the guide."""
    dcm = "http://dicom.nema.org/resources/ontology/DCM"
    terms = "http://terminology.hl7.org/CodeSystem/"
    return {
        "resourceType": "AuditEvent",
        "id": "ex-auditBasicReadServer",
        "type": {"system": f"{terms}audit-event-type", "code": "rest", "display": "Restful Operation"},
        "subtype": [{"system": "http://hl7.org/fhir/restful-interaction", "code": "read", "display": "read"}],
        "action": "R",
        "recorded": "2020-04-29T09:49:00.000Z",
        "outcome": "0",
        "agent": [
            {
                "type": {"coding": [{"system": dcm, "code": "110153", "display": "Source Role ID"}]},
                "who": {"reference": "Device/ex-device"},
                "requestor": False,
                "network": {"address": "http://server.example.com/fhir", "type": "5"},
            },
            {
                "type": {"coding": [{"system": dcm, "code": "110152", "display": "Destination Role ID"}]},
                "who": {"display": "myMachine.example.org"},
                "requestor": False,
                "network": {"address": "2001:0db8:85a3:0000:0000:8a2e:0370:7334", "type": "2"},
            },
            {
                "type": {"coding": [{"system": f"{terms}v3-ParticipationType", "code": "IRCP"}]},
                "who": {"display": "John Smith"},
                "requestor": True,
            },
        ],
        "source": {"site": "server.example.com", "observer": {"reference": "Device/ex-device"}},
        "entity": [
            {
                "what": {"reference": "Patient/ex-patient"},
                "type": {"system": f"{terms}audit-entity-type", "code": "1", "display": "Person"},
                "role": {"system": f"{terms}object-role", "code": "1", "display": "Patient"},
            },
            {
                "what": {"reference": "List/ex-list"},
                "type": {"system": f"{terms}audit-entity-type", "code": "2", "display": "System Object"},
                "role": {"system": f"{terms}object-role", "code": "4", "display": "Domain Resource"},
            },
        ],
    } | fields


def datastore_query(statement: str = "select * from person where id = 7", **fields: Any) -> dict[str, Any]:
    """An OCSF Datastore Activity: Query, as a database monitor writes it."""
    return {
        "class_uid": 6005,
        "category_uid": 6,
        "activity_id": 4,
        "type_uid": 600504,
        "severity_id": 1,
        "time": 1795510800123,
        "status_id": 1,
        "metadata": {
            "version": "1.8.0",
            "product": {"name": "monitor", "vendor_name": "Example"},
            "uid": "9f2c",
            "correlation_uid": "CASE-9",
        },
        "actor": {"user": {"name": "clerk", "org": {"name": "Tax Office"}}},
        "src_endpoint": {"ip": "10.0.0.7"},
        "database": {"name": "registry", "type_id": 1},
        "table": {"name": "public.person"},
        "query_info": {"uid": "q1", "query_string": statement, "bytes": 512},
    } | fields
