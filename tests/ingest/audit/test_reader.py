"""The reader: lazy, once, and no exception but our own."""

from __future__ import annotations

import gzip
import io
from typing import BinaryIO, cast

import pytest

from language.audit_logs import RELATIONS, audit, csvlog, jsonlog, read_all, reader_of
from muniment.errors import InputError, UnreachableError
from muniment.ingest.audit import CsvLog, FhirAudit, JsonLog, OcsfAudit, PlainAudit, PlainMapping, Policy, read_audit

GOOD = csvlog(audit("select * from person where id = 7"))
THREE = [csvlog(audit("select * from person where id = 7", id=number)) for number in (1, 2, 3)]


class _Failing(io.BytesIO):
    def readline(self, size: int | None = -1, /) -> bytes:
        raise OSError(5, "Input/output error")


def test_readings_come_one_by_one() -> None:
    reader = reader_of(CsvLog(RELATIONS), THREE)
    readings = iter(reader)
    next(readings)
    assert reader.summary().readings == 1
    assert len(list(readings)) == 2
    assert reader.summary().readings == 3


def test_a_log_is_read_once() -> None:
    reader = reader_of(CsvLog(RELATIONS), GOOD)
    assert len(list(reader)) == 1
    with pytest.raises(InputError, match="read once"):
        list(reader)


def test_an_impossible_reading_is_a_fault_of_its_line() -> None:
    bad = csvlog(audit("select * from person", id=2), user_name="a\tb")
    readings, summary = read_all(CsvLog(RELATIONS), [GOOD, bad])
    assert len(readings) == 1
    assert (summary.faults[0].line, summary.faults[0].reason) == (2, "account with a control character")
    with pytest.raises(InputError, match="line 2: account"):
        read_all(CsvLog(RELATIONS), [GOOD, bad], Policy.STRICT)


def test_faults_of_the_stream_stop_here() -> None:
    with pytest.raises(UnreachableError, match="cannot be read: input/output error"):
        list(read_audit(_Failing(), JsonLog(RELATIONS)))
    packed = gzip.compress(jsonlog("hello").encode() * 100)
    for broken in (packed[:-9], packed[:40] + b"\xff" * 8 + packed[48:]):
        with pytest.raises(InputError, match="not a whole gzip file"):
            list(read_audit(cast(BinaryIO, gzip.GzipFile(fileobj=io.BytesIO(broken))), JsonLog(RELATIONS)))


def test_every_source_names_its_form() -> None:
    mapping = PlainMapping(register="people", time="t", account="a")
    sources = [CsvLog(RELATIONS), JsonLog(RELATIONS), FhirAudit("people"), OcsfAudit(RELATIONS), PlainAudit(mapping)]
    assert len({source.form for source in sources}) == len(sources)


def test_the_name_in_messages_is_made_printable() -> None:
    with pytest.raises(InputError) as raised:
        list(read_audit(io.BytesIO(b"x\n"), JsonLog(RELATIONS), name="evil\x1b[2J.log"))
    assert raised.value.message.isprintable()
