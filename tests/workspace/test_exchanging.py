"""Foreign audit logs come in, the ledger goes out: every form, on a real workspace."""

from __future__ import annotations

import csv
import errno
import gzip
import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from language.audit_logs import audit, csvlog, datastore_query, jsonlog, patient_read
from language.disclosed import TOLD, give, key_of, ordinals_of
from language.offices import PURPOSE, Office
from language.rings import NOW
from muniment.disclosure import Party
from muniment.errors import InputError, UnreachableError
from muniment.workspace import exchanging
from muniment.workspace.bookkeeping import Selection
from muniment.workspace.exchanging import ExportForm, Import, ImportResult, LogForm

WHY = "request of the person"
MAPPING = """
register = "persons"
time = "when"
time_format = "%d.%m.%Y %H:%M"
account = "user"
recipient = "office"
device = "pc"
case = "file"
rows = "n"
key = ["person"]
key_separator = ";"
given = true
columns = ["phone"]
"""


def log_file(office: Office, text: str, name: str = "old.log") -> Path:
    path = office.out(name)
    path.write_bytes(text.encode())
    return path


def bring_in(office: Office, form: LogForm, text: str, **options: Any) -> ImportResult:
    chosen: dict[str, Any] = {"register": "persons", "recipient": "Tax Office", "purpose": "assessment"}
    return office.workspace.import_log(Import(log_file(office, text), form, **(chosen | options)))


def read(office: Office, row: int) -> str:
    """What a clerk sent to the database to see one person."""
    return f"select * from persons where person_id = '{key_of(office, row)}'"


def told(office: Office, row: int) -> list[dict[str, object]]:
    answer = office.workspace.who(key_of(office, row), purpose=WHY, keeper=True)
    return [one for one in answer.disclosures if one["channel"] == "imported"]


# --- every form ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("form", "line"), [("pg-csvlog", csvlog), ("pg-jsonlog", jsonlog)])
def test_what_postgresql_logged_answers_about_a_person(
    office: Office, form: LogForm, line: Callable[..., str]
) -> None:
    text = line(audit(read(office, 3))) + line(audit("select * from persons", id=2), number=2)
    result = bring_in(office, form, text)
    assert (result.appended, result.first, result.last) == (2, 1, 2)
    assert (result.summary.keyed, result.summary.counted) == (1, 1)
    (one,) = told(office, 3)
    assert (one["recipient"], one["account"], one["device"]) == ("Tax Office", "clerk", "10.0.0.7")
    assert one["time"] == "2026-11-24T09:00:00.123+00:00"
    assert one["purpose"] == "assessment"
    assert told(office, 4) == []


def test_a_fhir_audit_event_answers_about_a_patient(office: Office) -> None:
    key = key_of(office, 5)
    event = patient_read()
    event["entity"][0]["what"]["reference"] = f"Patient/{key}"
    result = bring_in(office, "fhir", json.dumps(event))
    assert (result.appended, result.summary.keyed) == (1, 1)
    (one,) = told(office, 5)
    assert (one["account"], one["time"]) == ("John Smith", "2020-04-29T09:49:00.000+00:00")


def test_an_ocsf_event_answers_about_a_person(office: Office) -> None:
    event = datastore_query(read(office, 6), table={"name": "public.persons"})
    result = bring_in(office, "ocsf", json.dumps(event) + "\n")
    assert (result.appended, result.summary.keyed) == (1, 1)
    (one,) = told(office, 6)
    assert (one["recipient"], one["account"], one["case"]) == ("Tax Office", "clerk", "CASE-9")


def test_a_plain_csv_is_read_by_its_mapping(office: Office) -> None:
    mapping = log_file(office, MAPPING, "mapping.toml")
    text = (
        "when,user,office,pc,file,n,person\r\n"
        f"03.02.2024 14:05,lin,Health,pc-4,F-7,2,{key_of(office, 0)};{key_of(office, 1)}\r\n"
        f"04.02.2024 08:00,wu,Clinic,pc-9,,1,{key_of(office, 1)}\r\n"
    )
    result = bring_in(office, "csv", text, register=None, mapping=mapping, zone=ZoneInfo("Asia/Taipei"))
    assert (result.appended, result.summary.keyed) == (2, 2)
    first, second = told(office, 1)
    assert (first["recipient"], first["account"], first["device"], first["case"]) == ("Health", "lin", "pc-4", "F-7")
    assert first["time"] == "2024-02-03T06:05:00.000+00:00", "given in Taipei's time"
    assert first["columns"] == ["phone"]
    assert (second["recipient"], second["case"]) == ("Clinic", "")


def test_the_relation_may_have_another_name_than_the_register(office: Office) -> None:
    statement = f"select phone from registry.person_v2 where person_id = '{key_of(office, 2)}'"
    assert bring_in(office, "pg-csvlog", csvlog(audit(statement))).summary.unnamed == 1
    assert bring_in(office, "pg-csvlog", csvlog(audit(statement)), relation="registry.person_v2").appended == 1
    assert [one["columns"] for one in told(office, 2)] == [["phone"]]


def test_a_compressed_log_is_read_and_a_damaged_one_refused(office: Office) -> None:
    text = csvlog(audit(read(office, 3)))
    path = office.out("old.csv.gz")
    path.write_bytes(gzip.compress(text.encode()))
    wanted = Import(path, "pg-csvlog", "persons", recipient="Tax", purpose="assessment")
    assert office.workspace.import_log(wanted).appended == 1
    path.write_bytes(gzip.compress(text.encode())[:-5])
    with pytest.raises(InputError, match="not a whole gzip file"):
        office.workspace.import_log(wanted)
    assert len(told(office, 3)) == 1


def test_an_import_finds_the_persons_that_copies_were_made_of(office: Office) -> None:
    office.release("Tax")
    before = ordinals_of(office, [key_of(office, 3)])
    office.workspace.rotate("pseudonym")
    bring_in(office, "pg-csvlog", csvlog(audit(read(office, 3))))
    assert ordinals_of(office, [key_of(office, 3)]) == before
    answer = office.workspace.who(key_of(office, 3), purpose=WHY)
    assert [one["channel"] for one in answer.disclosures][:2] == ["file", "imported"]


# --- times ---------------------------------------------------------------------------------------------------------


def test_the_foreign_time_stands_beside_that_of_the_import(office: Office) -> None:
    bring_in(office, "pg-csvlog", csvlog(audit(read(office, 3)), log_time="2025-03-01 10:00:00.000 UTC"))
    (event,) = office.workspace.ledger.events(Selection(channel="imported"))
    assert event.disclosure.occurred == int(datetime(2025, 3, 1, 10, tzinfo=UTC).timestamp() * 1000)
    assert event.time >= int(NOW.timestamp() * 1000)
    (one,) = told(office, 3)
    assert one["time"] == "2025-03-01T10:00:00.000+00:00"
    assert str(one["recorded"]).startswith("2026-11-24T09:")
    spring = Selection(since=datetime(2025, 2, 1, tzinfo=UTC), until=datetime(2025, 4, 1, tzinfo=UTC))
    assert len(office.workspace.ledger.show(spring)) == 1
    assert office.workspace.ledger.show(Selection(since=NOW, channel="imported")) == []


# --- what cannot be answered ---------------------------------------------------------------------------------------


def test_a_log_that_only_counts_is_taken_and_nobody_is_guessed(office: Office) -> None:
    text = "".join(csvlog(audit("select * from persons", rows=rows, id=rows), number=rows) for rows in (10, 20))
    result = bring_in(office, "pg-csvlog", text)
    value = result.to_json()
    assert (value["appended"], value["keyed"], value["counted"], value["count_only"]) == (2, 0, 2, True)
    unanswered = value["unanswered"]
    assert isinstance(unanswered, dict)
    assert {name: unanswered[name] for name in ("who_received_person", "overlap_with_leak", "records_of_account")} == {
        "who_received_person": 2, "overlap_with_leak": 2, "records_of_account": 2
    }  # fmt: skip
    shown = office.workspace.ledger.show(Selection())
    assert [(one["outcome"], one["rows"], one["records"]) for one in shown] == [
        ("unattributed", 10, 0), ("unattributed", 20, 0)
    ]  # fmt: skip
    assert told(office, 0) == []


def test_a_log_of_other_things_appends_nothing(office: Office) -> None:
    result = bring_in(office, "pg-csvlog", csvlog("connection received: host=10.0.0.7 port=1"))
    assert (result.appended, result.first, result.last, result.summary.other) == (0, None, None, 1)
    assert bring_in(office, "pg-csvlog", "").appended == 0
    assert office.workspace.ledger.head()["size"] == 0


# --- faults --------------------------------------------------------------------------------------------------------


def test_a_fault_in_the_last_line_appends_nothing_in_strict_reading(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchanging, "IMPORT_BATCH", 2)
    good = "".join(csvlog(audit(read(office, row), id=row + 1), number=row + 1) for row in range(5))
    with pytest.raises(InputError, match=r"old\.log: line 6: ") as raised:
        bring_in(office, "pg-csvlog", good + "2026-11-24 09:00:00.123 UTC,half of a li")
    assert "half" not in raised.value.message
    assert office.workspace.ledger.head()["size"] == 0
    assert ordinals_of(office, [key_of(office, 0)]) == []
    done: list[int] = []
    path = log_file(office, good + "2026-11-24 09:00:00.123 UTC,half of a li")
    wanted = Import(path, "pg-csvlog", "persons", recipient="Tax", purpose="p", skip=True)
    result = office.workspace.import_log(wanted, done.append)
    assert (result.appended, result.summary.lost_lines, done) == (5, 1, [2, 4, 5])
    assert sum(result.to_json()["reasons"].values()) == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("pg-csvlog", "no,log,at,all\n"),
        ("pg-jsonlog", "{broken\n"),
        ("fhir", json.dumps(patient_read(recorded="yesterday"))),
        ("fhir", "{broken"),
        ("ocsf", json.dumps(datastore_query(time="x", table={"name": "persons"}))),
        ("ocsf", "\xff\xfe\n"),
    ],
)
def test_a_malformed_log_names_the_line_and_appends_nothing(office: Office, form: LogForm, text: str) -> None:
    with pytest.raises(InputError, match="line 1"):
        bring_in(office, form, text)
    assert office.workspace.ledger.head()["size"] == 0


def test_what_the_log_does_not_name_has_to_be_given(office: Office) -> None:
    line = csvlog(audit(read(office, 3)))
    with pytest.raises(InputError, match="the log names no recipient"):
        bring_in(office, "pg-csvlog", line, recipient="")
    with pytest.raises(InputError, match="the log names no purpose"):
        bring_in(office, "pg-csvlog", line, purpose="")
    with pytest.raises(InputError, match="which register is this log about") as raised:
        bring_in(office, "pg-csvlog", line, register=None)
    assert raised.value.hint == "--register NAME"
    with pytest.raises(InputError, match="'nobody'"):
        bring_in(office, "pg-csvlog", line, register="nobody")
    assert office.workspace.ledger.head()["size"] == 0


def test_a_mapping_has_to_fit(office: Office) -> None:
    def mapped(text: str | None) -> ImportResult:
        mapping = None if text is None else log_file(office, text, "mapping.toml")
        return bring_in(office, "csv", "when\n2024-02-03T06:05:00Z\n", register=None, mapping=mapping)

    with pytest.raises(InputError, match="needs a mapping"):
        mapped(None)
    with pytest.raises(InputError, match="no TOML"):
        mapped("register = ")
    with pytest.raises(InputError, match="register 'shoes'"):
        mapped('register = "shoes"\ntime = "when"\naccount = "when"\n')
    office.out("mapping.toml").write_bytes(b"\xff")
    with pytest.raises(InputError, match="not UTF-8"):
        bring_in(office, "csv", "when\n", mapping=office.out("mapping.toml"))
    with pytest.raises(InputError, match="there is no such file"):
        bring_in(office, "csv", "when\n", mapping=office.out("none.toml"))
    assert office.workspace.ledger.head()["size"] == 0


def test_a_log_that_is_not_there(office: Office) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        office.workspace.import_log(Import(office.out("none.log"), "ocsf", "persons"))


def test_a_full_disk_in_the_middle_says_how_far_it_came(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchanging, "IMPORT_BATCH", 2)
    text = "".join(csvlog(audit(read(office, row), id=row + 1), number=row + 1) for row in range(6))
    real = os.pwrite

    def full(*arguments: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def progress(done: int) -> None:
        if done == 4:
            monkeypatch.setattr(os, "pwrite", full)

    wanted = Import(log_file(office, text), "pg-csvlog", "persons", recipient="Tax", purpose="p")
    with pytest.raises(UnreachableError, match=r"4 entries of old\.log were appended before, up to line 4") as raised:
        office.workspace.import_log(wanted, progress)
    assert raised.value.hint == "take these lines out of old.log, and import the rest"
    monkeypatch.setattr(os, "pwrite", real)
    assert [len(told(office, row)) for row in (3, 4)] == [1, 0]


# --- export --------------------------------------------------------------------------------------------------------


@pytest.fixture
def busy(office: Office) -> Office:
    """A copy for Tax (150 records), a read by chen, and one by wu that an order withholds."""
    office.release("Tax", columns=("person_id", "phone"))
    give(office, [key_of(office, 0), key_of(office, 1)])
    police = give(office, [key_of(office, 1)], replace(TOLD, party=Party("Police", "officer.9", "car-7")))
    office.workspace.ledger.suspend([police.first], until=NOW + timedelta(days=30), order="prosecutor 7/26")
    return office


def exported(office: Office, form: ExportForm, name: str = "out", **options: Any) -> str:
    out = office.out(f"{name}.{form}")
    assert office.workspace.export_log(form, out, **options) == len(office.workspace.ledger.show(
        options.get("selection") or Selection())) - (0 if options.get("selection") else 1)  # fmt: skip
    assert out.stat().st_mode & 0o077 == 0, "it names who received what"
    return out.read_bytes().decode()


@pytest.mark.parametrize("form", ["ocsf", "fhir", "csv"])
def test_what_is_withheld_stays_and_staff_is_pseudonymous(busy: Office, form: ExportForm) -> None:
    text = exported(busy, form)
    assert not [word for word in ("Police", "officer.9", "car-7", "chen", "10.0.0.7") if word in text]
    assert "Tax" in text
    assert not [key for key in busy.persons["person_id"] if key and key in text]
    named = exported(busy, form, "named", staff_named=True)
    assert "chen" in named and "Police" not in named


def test_ocsf_events_are_valid_and_count_and_refer_to_records(busy: Office) -> None:
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version="1.8.0")).get_class_schema("datastore_activity")
    events = [json.loads(line) for line in exported(busy, "ocsf").splitlines()]
    assert [error.message for event in events for error in Draft202012Validator(schema).iter_errors(event)] == []
    copy, reading = (event["unmapped"]["muniment"] for event in events)
    assert (copy["records"], copy["references"], copy["columns"]) == (150, [], "person_id,phone")
    assert (reading["records"], len(reading["references"])) == (2, 2)


def test_fhir_has_one_event_a_patient_and_one_for_a_copy(busy: Office) -> None:
    events = [json.loads(line) for line in exported(busy, "fhir").splitlines()]
    assert [event["id"] for event in events] == ["disclosure-1", "disclosure-2-1", "disclosure-2-2"]
    assert ["meta" in event for event in events] == [False, True, True]


def test_a_csv_has_a_row_a_disclosure(busy: Office) -> None:
    rows = list(csv.DictReader(exported(busy, "csv").splitlines()))
    assert [(row["sequence"], row["recipient"], row["records"], len(row["references"].split())) for row in rows] == [
        ("1", "Tax", "150", 0), ("2", "Tax", "2", 2)
    ]  # fmt: skip
    assert [row["purpose"] for row in rows] == [PURPOSE, "assessment"]


def test_two_exports_cannot_be_joined(busy: Office) -> None:
    one, two = (list(csv.DictReader(exported(busy, "csv", name).splitlines())) for name in ("a", "b"))
    assert one[1]["account"] != two[1]["account"]
    assert not set(one[1]["references"].split()) & set(two[1]["references"].split())


def test_only_what_is_meant_is_exported(busy: Office) -> None:
    text = exported(busy, "csv", selection=Selection(account="chen"))
    assert [row["sequence"] for row in csv.DictReader(text.splitlines())] == ["2"]
    text = exported(busy, "ocsf", "none", selection=Selection(account="nobody"))
    assert text == ""


def test_an_imported_event_is_exported_with_its_own_time(office: Office) -> None:
    bring_in(office, "pg-csvlog", csvlog(audit(read(office, 3)), log_time="2025-03-01 10:00:00.000 UTC"))
    out = office.out("out.csv")
    assert office.workspace.export_log("csv", out) == 1
    (row,) = csv.DictReader(out.read_text(encoding="utf-8").splitlines())
    assert (row["time"], row["channel"]) == ("2025-03-01T10:00:00.000Z", "imported")


def test_a_file_that_is_there_stays(busy: Office) -> None:
    out = busy.out("out.csv")
    out.write_bytes(b"something else")
    with pytest.raises(InputError):
        busy.workspace.export_log("csv", out)
    assert out.read_bytes() == b"something else"
