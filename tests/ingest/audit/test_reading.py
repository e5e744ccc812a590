"""Readings: what can stand in a ledger, and the disclosure that a reading becomes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from language.audit_logs import READING
from muniment.disclosure import Channel, Delivery, Outcome, Party
from muniment.errors import InputError
from muniment.ingest.audit.reading import LARGEST

NUMBERS = {"id": 1, "name": 2, "city": 3}


def test_a_keyed_reading_becomes_a_disclosure() -> None:
    made = READING.disclosure([9, 3], schema=2, numbers=NUMBERS)
    assert made.records == (3, 9)
    assert made.template.channel is Channel.IMPORTED
    assert made.template.columns == (2,)
    assert (made.template.schema, made.template.outcome, made.template.delivery) == (2, Outcome.GIVEN, Delivery.UNKNOWN)
    assert (made.rows, made.released, made.party) == (1, 1, READING.party)


def test_rows_without_keys_are_unattributed() -> None:
    made = replace(READING, keys=None, rows=250, size=9_000).disclosure([], schema=1, numbers=NUMBERS)
    assert made.template.outcome is Outcome.UNATTRIBUTED
    assert (made.records, made.rows, made.size, made.released) == ((), 250, 9_000, 250)


def test_a_refused_request_released_nothing() -> None:
    made = replace(READING, outcome=Outcome.REFUSED, keys=(), rows=5).disclosure([], schema=1, numbers=NUMBERS)
    assert made.template.outcome is Outcome.REFUSED
    assert made.released == 0


@pytest.mark.parametrize("columns", [None, ("person",), ("name", "ctid")])
def test_unknown_columns_stand_for_all(columns: tuple[str, ...] | None) -> None:
    made = replace(READING, columns=columns).disclosure([1], schema=1, numbers=NUMBERS)
    assert made.template.columns == (1, 2, 3)


def test_what_the_log_does_not_name_the_caller_must() -> None:
    bare = replace(READING, party=Party("", "clerk"), purpose="")
    made = bare.disclosure([1], schema=1, numbers=NUMBERS, purpose="service", recipient="Counter 3")
    assert (made.party.recipient, made.template.purpose) == ("Counter 3", "service")
    with pytest.raises(InputError, match="line 4: the log names no recipient"):
        bare.disclosure([1], schema=1, numbers=NUMBERS, purpose="service")
    with pytest.raises(InputError, match="no purpose"):
        bare.disclosure([1], schema=1, numbers=NUMBERS, recipient="Counter 3")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"time": datetime(1969, 12, 31, tzinfo=UTC)}, "time before 1970"),
        ({"rows": -1}, "rows out of range"),
        ({"size": LARGEST + 1}, "size out of range"),
        ({"party": Party("a", "evil\x1b[2J")}, "account with a control character"),
        ({"case": "x" * 2_001}, "case of more than 2,000 characters"),
        ({"purpose": "\ud800"}, "purpose with a control character"),
        ({"keys": (("\udfff",),)}, "key that is no Unicode text"),
        ({"columns": ("a\n",)}, "column with a control character"),
    ],
)
def test_what_cannot_stand_in_a_ledger_is_named_by_its_field(change: dict[str, object], fault: str) -> None:
    assert replace(READING, **change).fault() == fault  # type: ignore[arg-type]
    assert READING.fault() == ""


def test_keys_show_in_no_repr() -> None:
    assert "4711" not in repr(READING)
