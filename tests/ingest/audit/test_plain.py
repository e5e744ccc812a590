"""A CSV with a mapping."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.audit_logs import csv_text, read_all, strict_fault
from muniment.disclosure import Outcome, Party
from muniment.errors import InputError, LimitError
from muniment.ingest.audit import PlainAudit, PlainMapping, Policy, Question

TEXT = """
register = "people"
time = "when"
time_format = "%d.%m.%Y %H:%M"
account = "user"
device = "ip"
purpose = "why"
case = "case"
rows = "n"
outcome = "result"
key = ["no"]
key_separator = ";"
columns = ["name", "city"]
given = true
outcomes = { "denied" = "refused", "ok" = "given" }
"""
MAPPING = PlainMapping.from_text(TEXT)
HEADER = "when,user,ip,why,case,n,result,no,extra\r\n"
LOG = PlainAudit(MAPPING, ZoneInfo("Asia/Taipei"))
LEAST = PlainMapping(register="people", time="t", account="a")


def test_a_row_becomes_a_reading() -> None:
    row = "24.11.2026 17:00,clerk,10.0.0.7,assessment,C-1,2,ok,A1; A2;A1,ignored\r\n"
    (reading,), summary = read_all(LOG, HEADER + row, Policy.STRICT)
    assert reading.keys == (("A1",), ("A2",)) and reading.exact
    assert reading.party == Party("", "clerk", "10.0.0.7")
    assert (reading.purpose, reading.case, reading.rows, reading.size) == ("assessment", "C-1", 2, None)
    assert (reading.line, reading.columns, reading.outcome) == (2, ("name", "city"), Outcome.GIVEN)
    assert reading.time.isoformat() == "2026-11-24T09:00:00+00:00"
    assert summary.form == "CSV"


def test_without_keys_a_row_is_counted() -> None:
    (reading,), summary = read_all(LOG, HEADER + "24.11.2026 17:00,clerk,,,,250,,,\r\n")
    assert reading.keys is None and reading.rows == 250 and not reading.exact
    assert summary.count_only and Question.OVERLAP in dict(summary.unanswered)


def test_a_refused_row_gave_nothing() -> None:
    (reading,), _ = read_all(LOG, HEADER + "24.11.2026 17:00,clerk,,,,,denied,A1,\r\n")
    assert (reading.outcome, reading.keys, reading.rows) == (Outcome.REFUSED, (), 0)


def test_composite_keys_are_taken_as_they_stand() -> None:
    mapping = replace(LEAST, key=("house", "floor"))
    rows = ["a,t,house,floor", "x,2026-11-24T09:00:00Z, H1 ,2", "x,2026-11-24T09:00:00Z,H1,"]
    (first, second), _ = read_all(PlainAudit(mapping), "\n".join(rows))
    assert first.keys == ((" H1 ", "2"),) and not first.exact
    assert second.keys is None


@pytest.mark.parametrize(
    ("layout", "stamp"),
    [
        ("iso", "2026-11-24T09:00:00Z"), ("iso", "2026-11-24 10:00:00.000+01:00"), ("iso", "2026-11-24 10:00:00"),
        ("iso", "2026-11-24T10:00:00.0"), ("epoch", "1795510800"), ("epoch_ms", "1795510800000"),
    ],
)  # fmt: skip
def test_layouts_of_time(layout: str, stamp: str) -> None:
    source = PlainAudit(replace(LEAST, time_format=layout), ZoneInfo("Europe/Berlin"))
    (reading,), _ = read_all(source, f"a,t\nx,{stamp}\n", Policy.STRICT)
    assert reading.time.isoformat() == "2026-11-24T09:00:00+00:00"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2026,clerk,,,,,,,", "time stamp of another layout"),
        ("24.11.2026 17:00,clerk,,,,two,,,", "rows that is no whole number"),
        ("24.11.2026 17:00,clerk,,,,-2,,,", "rows that is no whole number"),
        ("24.11.2026 17:00,clerk,,,,,maybe,,", "outcome that the mapping does not know"),
        ("24.11.2026 17:00,clerk", "torn or malformed CSV record"),
        ('24.11.2026 17:00,"clerk,,,,,,,', "torn or malformed CSV record"),
    ],
)
def test_a_row_that_cannot_be_read_is_a_fault_of_its_line(row: str, reason: str) -> None:
    good = "24.11.2026 17:00,clerk,,,,1,,A1,\r\n"
    readings, summary = read_all(LOG, HEADER + good + row + "\r\n" + good)
    assert len(readings) == 2
    assert [(fault.line, fault.reason) for fault in summary.faults] == [(3, reason)]


@pytest.mark.parametrize(("layout", "stamp"), [("epoch", ""), ("epoch", "9" * 19), ("epoch", "1.5"), ("iso", "")])
def test_times_that_are_none(layout: str, stamp: str) -> None:
    readings, summary = read_all(PlainAudit(replace(LEAST, time_format=layout)), f"a,t\nx,{stamp}\n")
    assert not readings and summary.lost_lines == 1


def test_the_header_must_have_the_columns_of_the_mapping() -> None:
    for header in ("when,user\n", HEADER.replace("extra", "when")):
        with pytest.raises(InputError, match="line 1: expected each column of the mapping once"):
            read_all(LOG, header)
    with pytest.raises(InputError, match="no header"):
        read_all(LOG, "")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("", "needs at least register and time"),
        ("not toml", "no TOML"),
        (TEXT + "secrets = true", "1 entries that are not known"),
        (TEXT.replace('"user"', "7"), "account of the mapping"),
        (TEXT.replace("true", '"yes"'), "given of the mapping"),
        (TEXT.replace('["no"]', '["no", 3]'), "key of the mapping"),
        (TEXT.replace('["no"]', '["no", "floor"]'), "key of one column"),
        (TEXT.replace('account = "user"', ""), "who received"),
        (TEXT.replace('"refused"', '"never"'), "outcomes of a mapping"),
        (TEXT.replace('{ "denied" = "refused", "ok" = "given" }', "7"), "outcomes of the mapping"),
        (TEXT + 'delimiter = "tab"', "one character"),
    ],
)
def test_a_mapping_that_cannot_be_used_is_refused(change: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        PlainMapping.from_text(change)


def test_a_mapping_is_bounded() -> None:
    with pytest.raises(LimitError, match="characters"):
        PlainMapping.from_text("#" * 70_000)
    with pytest.raises(InputError, match="no TOML"):
        PlainMapping.from_text("a = " + "[" * 30_000)


@given(st.lists(st.lists(st.text(max_size=12), min_size=9, max_size=9), max_size=4), st.binary(max_size=60))
def test_any_rows_are_readings_or_faults(rows: list[list[str]], junk: bytes) -> None:
    log = HEADER.encode() + "".join(csv_text(*row) + "\n" for row in rows).encode("utf-8", "replace") + junk
    readings, summary = read_all(LOG, log)
    assert summary.readings == len(readings)
    assert bool(strict_fault(LOG, log)) == bool(summary.faults)


@given(st.text(max_size=60))
def test_any_text_is_a_mapping_or_refused(text: str) -> None:
    try:
        PlainMapping.from_text(TEXT + text)
    except InputError:
        return
