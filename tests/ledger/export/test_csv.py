"""CSV: one row a disclosure, harmless in a spreadsheet, read back by the importer."""

from __future__ import annotations

import csv
from dataclasses import replace

import pytest
from hypothesis import given, settings

from language.audit_logs import read_all
from language.exports import ALL, DUMP, ENTRIES, ENTRY, PSEUDONYMOUS, STAFF_NAMED
from muniment.disclosure import Outcome, Party
from muniment.ingest.audit import PlainAudit, PlainMapping
from muniment.ledger.export import Entry
from muniment.ledger.export.csv import HEADER, lines

MAPPING = PlainMapping(
    register="people", time="time", recipient="recipient", account="account", device="device", purpose="purpose",
    basis="basis", case="case", fingerprint="fingerprint", rows="rows", size="size", outcome="outcome",
    event="sequence",
    key=("references",), key_separator=" ",
)  # fmt: skip


def rows(*entries: Entry) -> list[dict[str, str]]:
    """The rows of an export as the csv module reads them."""
    return list(csv.DictReader("".join(lines(entries, STAFF_NAMED)).splitlines(keepends=True)))


def test_a_row_has_every_column() -> None:
    (row,) = rows(ENTRY)
    assert tuple(row) == HEADER
    assert (row["sequence"], row["time"], row["recipient"]) == ("4711", "2026-11-24T09:00:00.123Z", "Tax Office")
    assert (row["columns"], row["schema"], row["channel"]) == ("name city", "3", "gate")
    assert (row["outcome"], row["delivery"], row["records"]) == ("given", "complete", "1")
    assert len(row["references"]) == 32


def test_a_dump_is_a_count() -> None:
    (row,) = rows(DUMP)
    assert (row["records"], row["references"]) == ("25000", "")


def test_staff_do_not_show_in_a_pseudonymous_export() -> None:
    text = "".join(lines(ALL, PSEUDONYMOUS))
    assert "clerk.li" not in text and "10.0.0.7" not in text and "Tax Office" in text
    assert text.count("\r\n") == len(ALL) + 1


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_a_formula_is_made_a_text(start: str) -> None:
    party = Party("Tax Office", f"{start}cmd|' /C calc'!A0")
    (row,) = rows(replace(ENTRY, disclosure=replace(ENTRY.disclosure, party=party)))
    assert row["account"].startswith("'")


@settings(max_examples=40)
@given(ENTRIES)
def test_the_importer_reads_what_was_exported(entry: Entry) -> None:
    disclosure = entry.disclosure
    readings, summary = read_all(PlainAudit(MAPPING), lines([entry], PSEUDONYMOUS))
    assert not summary.faults
    (reading,) = readings
    assert reading.time == entry.time and reading.event == str(entry.sequence)
    assert reading.outcome is disclosure.template.outcome and reading.size == disclosure.size
    if reading.outcome is not Outcome.REFUSED:
        assert reading.rows == disclosure.rows
        assert len(reading.keys or ()) == len(disclosure.records)
