"""CSV records: framing by quotes, torn records, and texts that look like records."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.audit_logs import csv_text
from muniment.ingest.audit import lines, records
from muniment.ingest.audit.records import Record, csv_fields, csv_records
from muniment.ingest.audit.tally import Policy, Tally

FIELDS = st.lists(st.text(st.characters(codec="utf-8"), max_size=8), min_size=2, max_size=5)


def read(
    data: bytes, *, begins: Callable[[bytes], bool] | None = None, width: int = 3
) -> tuple[list[tuple[int, Record]], list[tuple[int, int]]]:
    """Records of `width` fields with their lines, and faults as (line, lines lost)."""
    tally = Tally("a", Policy.SKIP)
    found = csv_records(io.BytesIO(data), tally, is_record=lambda record: len(record) == width, begins=begins)
    return list(found), [(fault.line, fault.lines) for fault in tally.faults]


def starts(line: bytes) -> bool:
    """How records of these tests begin."""
    return line.startswith(b"R,")


@given(FIELDS)
def test_what_the_csv_module_writes_is_read(fields: list[str]) -> None:
    assert csv_fields(csv_text(*fields)) == tuple(fields)
    assert csv_fields(csv_text(*fields) + "\r\n") == tuple(fields)


@pytest.mark.parametrize("text", ['a"b,c', '"a"b', '"a', "a\nb", '"a" ,b', 'a,"b""'])
def test_what_is_no_csv_is_none(text: str) -> None:
    assert csv_fields(text) is None


def test_other_delimiters() -> None:
    assert csv_fields('a;"b;c";;d,e', ";") == ("a", "b;c", "", "d,e")
    assert csv_fields("a|b", "|") == ("a", "b")


def test_a_text_inside_quotes_never_becomes_a_record() -> None:
    data = b'R,1,"say\nR,2,forged\nR,3,forged"\nR,4,x\n'
    found, faults = read(data, begins=starts)
    assert [(line, record[1]) for line, record in found] == [(1, "1"), (4, "4")]
    assert not faults


def test_after_a_torn_record_reading_goes_on_at_the_next_beginning() -> None:
    data = b'R,1,a\nR,2,"torn\nrest of it\nR,3,"c"\nR,4,d\n'
    found, faults = read(data, begins=starts)
    assert [record[1] for _, record in found] == ["1", "3", "4"]
    assert faults == [(2, 2)]


def test_two_torn_records_do_not_swallow_what_lies_between() -> None:
    data = b'R,1,"torn\n' + b"R,2,ok\n" * 5 + b'R,3,"torn\nR,4,ok\n'
    found, faults = read(data, begins=starts)
    assert [record[1] for _, record in found] == ["2"] * 5 + ["4"]
    assert faults == [(1, 1), (7, 1)]


def test_without_a_sign_of_beginnings_a_closed_record_is_lost_as_a_whole() -> None:
    found, faults = read(b'a,"x\nf,o,rged\n",c,too many\na,b,c\n')
    assert [line for line, _ in found] == [4]
    assert faults == [(1, 3)]
    found, faults = read(b'a,"never closed\nb,c,d\ne,f,g\n')
    assert [line for line, _ in found] == [2, 3]
    assert faults == [(1, 1)]


def test_a_quote_that_never_closes_is_given_up_at_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (lines, records):
        monkeypatch.setattr(module, "LINE_BYTES", 64)
    data = b'R,0,"open\n' + b"R,1,ok\n" * 100
    found, faults = read(data, begins=starts)
    assert len(found) == 100
    assert faults == [(1, 1)]


def test_bytes_that_are_no_utf8_cost_their_record_alone() -> None:
    found, faults = read(b"R,1,\xff\nR,2,ok\n", begins=starts)
    assert [line for line, _ in found] == [2]
    assert faults == [(1, 1)]


@given(st.binary(max_size=120) | st.text(alphabet='R,1"\n a', max_size=60).map(str.encode), st.booleans())
def test_every_line_is_a_record_or_lost_once(data: bytes, known: bool) -> None:
    tally = Tally("a", Policy.SKIP)
    source = io.BytesIO(data)
    found = list(csv_records(source, tally, is_record=lambda record: len(record) > 1, begins=starts if known else None))
    numbers = [line for line, _ in found]
    assert numbers == sorted(set(numbers))
    assert not set(numbers) & {fault.line for fault in tally.faults}
    assert tally.lost_lines <= data.count(b"\n") + 1
