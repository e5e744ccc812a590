"""jsonlog: the same entries as csvlog, and any JSON at all."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from language.audit_logs import JUNK, RELATIONS, audit, csvlog, jsonlog, read_all, strict_fault
from muniment.ingest.audit import CsvLog, JsonLog, Policy

LOG = JsonLog(RELATIONS)

# As PostgreSQL 15.18 with pgaudit 1.7 wrote it, but for the address.
SAMPLE = (
    '{"timestamp":"2026-11-24 08:28:45.958 UTC","user":"clerk","dbname":"postgres","pid":15727,"remote_ho'
    'st":"10.0.0.7","remote_port":56156,"session_id":"6b054abd.3d6f","line_num":2,"ps":"SELECT","session_'
    'start":"2026-11-24 08:28:45 UTC","vxid":"4/28","txid":0,"error_severity":"LOG","message":"AUDIT: OBJ'
    'ECT,2,1,READ,SELECT,TABLE,public.person,\\"select name, city from person where id in (1,2,999)\\",<non'
    'e>,2","backend_type":"client backend","query_id":0}\n'
)


def test_a_line_as_the_server_writes_it() -> None:
    (reading,), summary = read_all(LOG, SAMPLE, Policy.STRICT)
    assert reading.keys == (("1",), ("2",), ("999",)) and not reading.exact
    assert (reading.rows, reading.columns) == (2, ("name", "city"))
    assert reading.event == "6b054abd.3d6f/2"
    assert summary.form == "PostgreSQL jsonlog"


def test_both_logs_of_a_server_give_the_same_readings() -> None:
    messages = [audit(f"select * from person where id = {n}", "<none>", n, id=n) for n in range(3)]
    messages += ["hello", audit("select * from person", id=9)]
    fields = {"user_name": "張三", "query_id": "77"}
    from_csv = read_all(CsvLog(RELATIONS), [csvlog(said, number=n, **fields) for n, said in enumerate(messages, 1)])
    from_json = read_all(LOG, [jsonlog(said, number=n, **fields) for n, said in enumerate(messages, 1)])
    assert from_csv[0] == from_json[0] and len(from_csv[0]) == 4
    assert from_csv[1].other == from_json[1].other == 1


def test_an_object_that_is_no_entry_is_a_fault() -> None:
    _, summary = read_all(LOG, ['{"a": 1}\n', '{"timestamp": 5, "message": "x"}\n', "not json\n", "\n"])
    assert [(fault.line, fault.reason) for fault in summary.faults] == [
        (1, "no entry of a jsonlog"), (2, "no entry of a jsonlog"), (3, "no JSON"),
    ]  # fmt: skip


NAMES = st.sampled_from([*json.loads(SAMPLE), "state_code", "detail", "statement", "context"])


@given(st.dictionaries(NAMES, JUNK, max_size=6), st.binary(max_size=60))
def test_any_json_is_readings_or_faults(change: dict[str, object], junk: bytes) -> None:
    line = json.dumps(json.loads(SAMPLE) | change).encode()
    readings, summary = read_all(LOG, line + b"\n" + junk + b"\n" + SAMPLE.encode())
    assert summary.readings == len(readings)
    assert bool(strict_fault(LOG, line + b"\n" + junk + b"\n")) == bool(summary.faults)
