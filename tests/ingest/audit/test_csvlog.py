"""csvlog: columns by place, entries over several lines, torn files, and any bytes at all."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.audit_logs import RELATIONS, audit, csvlog, read_all, strict_fault
from muniment.errors import InputError
from muniment.ingest.audit import CsvLog, Policy

LOG = CsvLog(RELATIONS)

# As PostgreSQL 15.18 with pgaudit 1.7 wrote it (log_timezone = Europe/Berlin), but for the address.
SAMPLE = (
    '2026-11-24 09:28:45.886 CET,"clerk","postgres",15725,"10.0.0.7:56128",6b054abd.3d6d,5,"BIND",2026-11-24 09:28:45 '
    'CET,4/9,0,LOG,00000,"AUDIT: SESSION,5,1,READ,SELECT,,,select * from person where name = $1 and id=$2,'
    '""""""a,""""""""b"""",9""",,,,,,,,,"","client backend",,0\n'
)


def test_a_line_as_the_server_writes_it() -> None:
    (reading,), summary = read_all(CsvLog(RELATIONS, ZoneInfo("Europe/Berlin")), SAMPLE, Policy.STRICT)
    assert reading.keys == (("9",),)
    assert reading.time.isoformat() == "2026-11-24T08:28:45.886000+00:00"
    assert (reading.party.account, reading.party.device) == ("clerk", "10.0.0.7")
    assert summary.form == "PostgreSQL csvlog"


def test_a_statement_over_several_lines_cannot_forge_an_entry() -> None:
    forged = csvlog(audit("select * from person where id = 1"), user_name="victim").rstrip("\n")
    said = f"select *\n  from person\n where id = 7 -- \n{forged}\n"
    (reading,), summary = read_all(LOG, csvlog(audit(said)))
    assert reading.party.account == "clerk"
    assert reading.keys is None  # the statement holds a second SELECT by now
    assert not summary.faults


@pytest.mark.parametrize(
    ("connection", "device"),
    [
        ("10.0.0.7:56128", "10.0.0.7"), ("::1:56128", "::1"), ("[local]", "[local]"), ("", ""),
        ("pc-12.example:1", "pc-12.example"),
    ],
)  # fmt: skip
def test_the_port_is_no_part_of_the_device(connection: str, device: str) -> None:
    (reading,), _ = read_all(LOG, csvlog(audit("select * from person"), connection_from=connection))
    assert reading.party.device == device


def test_version_13_has_two_columns_fewer() -> None:
    (reading,), _ = read_all(LOG, csvlog(audit("select * from person where id = 7"), length=24))
    assert reading.keys == (("7",),)
    assert read_all(LOG, csvlog(audit("select * from person"), length=25))[1].lost_lines == 1


def test_a_torn_entry_costs_itself_alone() -> None:
    lines = [csvlog(audit(f"select * from person where id = {n}", id=n)) for n in range(5)]
    torn = lines[2][:-60] + "\n"
    readings, summary = read_all(LOG, [*lines[:2], torn, *lines[3:]])
    assert [reading.keys for reading in readings] == [(("0",),), (("1",),), (("3",),), (("4",),)]
    assert [(fault.line, fault.reason) for fault in summary.faults] == [(3, "torn or malformed CSV record")]
    with pytest.raises(InputError, match=r"a\.log: line 3: torn"):
        read_all(LOG, [*lines[:2], torn, *lines[3:]], Policy.STRICT)


@pytest.mark.parametrize("cut", [1, 30, 120, 180])
def test_a_file_that_ends_within_an_entry(cut: int) -> None:
    first, last = csvlog(audit("select * from person where id = 1")), csvlog(audit("select * from person where id = 2"))
    readings, summary = read_all(LOG, first + last[:-cut])
    assert len(readings) == 1
    assert summary.repeated + len(summary.faults) == 1


def test_lines_of_the_server_are_counted() -> None:
    _, summary = read_all(LOG, [csvlog("database system is ready to accept connections"), csvlog("x", number=2)])
    assert summary.other == 2


def test_no_message_holds_what_stood_in_the_line() -> None:
    with pytest.raises(InputError) as raised:
        read_all(LOG, "4711,secret\n", Policy.STRICT)
    assert "4711" not in raised.value.message and "secret" not in raised.value.message


@given(st.binary(max_size=300), st.integers(0, 400), st.integers(0, 40))
def test_any_bytes_are_readings_or_faults(junk: bytes, place: int, cut: int) -> None:
    line = csvlog(audit("select * from person where id = 7", "5", 1)).encode()
    damaged = line + line[:place] + junk + line[place + cut :] + line
    readings, summary = read_all(LOG, damaged)
    assert len(readings) >= 1  # the first line is whole
    for reading in readings:
        assert not reading.fault()
    message = strict_fault(LOG, damaged)
    assert bool(message) == bool(summary.faults)
    assert not message or message.startswith(f"a.log: line {summary.faults[0].line}: ")
