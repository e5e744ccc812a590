"""Bounded lines and JSON values."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.ingest.audit import lines
from muniment.ingest.audit.lines import bounded_lines, fields, items, json_lines, json_value, text, whole
from muniment.ingest.audit.tally import Policy, Tally


def test_lines_are_numbered_and_a_mark_is_taken_off() -> None:
    tally = Tally("a", Policy.SKIP)
    assert list(bounded_lines(io.BytesIO(b"\xef\xbb\xbfa\nb"), tally)) == [(1, b"a\n"), (2, b"b")]


def test_an_overlong_line_is_read_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LINE_BYTES", 8)
    monkeypatch.setattr(lines, "_SKIP_BYTES", 3)
    tally = Tally("a", Policy.SKIP)
    assert list(bounded_lines(io.BytesIO(b"short\n" + b"x" * 50 + b"\n1234567\n"), tally)) == [
        (1, b"short\n"), (3, b"1234567\n"),
    ]  # fmt: skip
    assert [fault.line for fault in tally.faults] == [2]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"a": 1', "no JSON"),
        (b"[1]", "no JSON object"),
        (b'{"a": 1, "a": 2}', "JSON object that names a field twice"),
        (b'{"a": NaN}', "no JSON"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b"[" * 100_000, "JSON nested too deep"),
        (b'{"a": ' + b"9" * 5_000 + b"}", "no JSON"),
    ],
)
def test_a_line_that_is_no_object_is_refused_without_its_words(line: bytes, reason: str) -> None:
    tally = Tally("a", Policy.SKIP)
    assert list(json_lines(io.BytesIO(b"\n" + line + b'\n{"b": 1}'), tally)) == [(3, {"b": 1})]
    assert [(fault.line, fault.reason) for fault in tally.faults] == [(2, reason)]


def test_values_are_taken_only_in_their_own_type() -> None:
    value = {"a": {"b": "x", "n": 7, "f": 1.5, "t": True, "l": [{"c": 1}, 3], "o": {"d": 2}, "z": None, "h": 2**70}}
    assert text(value, "a", "b") == "x" and text(value, "a", "n") == "7"
    assert [text(value, "a", name) for name in ("f", "t", "l", "z", "h", "no")] == [""] * 6
    assert whole(value, "a", "n") == 7 and whole(value, "a", "t") is None and whole(value, "a", "b", "c") is None
    assert fields(value, "a", "o") == {"d": 2} and fields(value, "a", "b") == {}
    assert items(value, "a", "l") == [{"c": 1}] and items(value, "a", "o") == [{"d": 2}] and items(value, "z") == []


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3)))
def test_what_json_writes_is_read(value: object) -> None:
    assert json_value(json.dumps(value).encode()) == value


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_a_value_error(data: bytes) -> None:
    reasons = {"not UTF-8", "no JSON", "JSON nested too deep", "JSON object that names a field twice"}
    try:
        json_value(data)
        reason = "no JSON"
    except ValueError as error:
        reason = str(error)
    assert reason in reasons
