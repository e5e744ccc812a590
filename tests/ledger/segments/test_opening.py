"""Openings: what was committed to opens, anything changed does not, and nothing else shows."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language.segments import a_batch
from muniment.errors import IntegrityError
from muniment.ledger.batch import NUMBERS, Batch
from muniment.ledger.segments import shapes
from muniment.ledger.segments.commit import FIELDS, Commitments, Committer
from muniment.ledger.segments.opening import Openings, verify_event, verify_record

SPAN = 9_999
SECRET = b"s" * 32
BATCH, _GROUPS = shapes.arranged(a_batch(rows=90, span=SPAN, dumps=2), SPAN)
COMMITMENTS: Commitments = Committer(BATCH, SPAN, SECRET).commitments()
OPENINGS = Openings(BATCH, COMMITMENTS, SECRET)
ROOT = COMMITMENTS.events.root
ROWS = len(BATCH)


def _through_json(value: object) -> Any:
    return json.loads(json.dumps(value))


@given(st.integers(0, ROWS - 1), st.lists(st.sampled_from(FIELDS), unique=True))
@settings(max_examples=60)
def test_an_event_opens_with_the_fields_asked_for(row: int, fields: list[str]) -> None:
    event = verify_event(_through_json(OPENINGS.event(row, fields)), ROOT, ROWS)
    assert event.row == row
    assert event.numbers == {name: int(getattr(BATCH, name)[row]) for name in NUMBERS}
    assert set(event.fields) == set(fields)
    disclosure = BATCH.disclosure(row)
    texts = {"case": disclosure.case, "fingerprint": disclosure.fingerprint, "template": BATCH.template[row]}
    texts |= {name: getattr(disclosure.party, name) for name in ("recipient", "account", "device")}
    assert event.fields == {name: texts[name] for name in fields}


@pytest.mark.parametrize("row", range(ROWS))
def test_records_open_against_their_event(row: int) -> None:
    event = verify_event(OPENINGS.event(row), ROOT, ROWS)
    records = BATCH.records(row)
    for ordinal in {*records[:1].tolist(), *records[-1:].tolist(), *records[len(records) // 2 :][:1].tolist()}:
        opened = verify_record(_through_json(OPENINGS.record(row, ordinal)), event)
        assert (opened.ordinal, opened.present) == (ordinal, True)
    absent = int(np.setdiff1d(np.arange(SPAN), records)[0]) if len(records) < SPAN else SPAN
    if event.span and absent < SPAN:
        assert not verify_record(OPENINGS.record(row, absent), event).present
        absent = SPAN
    for ordinal in (absent, SPAN, -1, 2**32):
        with pytest.raises(KeyError):
            OPENINGS.record(row, ordinal)


def test_the_shapes_are_all_there() -> None:
    found = [verify_event(OPENINGS.event(row), ROOT, ROWS).shape for row in range(ROWS)]
    assert set(found) == {0, 1, 2}
    assert found[-2:] == [2, 2]


def test_an_opening_shows_no_other_ordinal() -> None:
    """Every number in a record opening is its own ordinal, its place or the size of the set; the rest are digests."""
    row = next(row for row in range(ROWS) if 64 < BATCH.counts[row] < 4_096)
    records = set(BATCH.records(row).tolist())
    ordinal = min(records)
    value = OPENINGS.record(row, ordinal)
    numbers = {member for member in value.values() if isinstance(member, int)}
    assert numbers & records <= {ordinal, 0, len(records)}
    assert len(value["others"]) == 63  # type: ignore[arg-type]
    salts = {OPENINGS.record(row, other)["salt"] for other in sorted(records)[:5]}
    assert len(salts) == 5


def _is_refused(verify: Callable[[], object]) -> bool:
    try:
        verify()
    except IntegrityError:
        return True
    return False


def _changed(value: Any) -> Iterator[Any]:
    """Every value that differs from `value` in one place: another digit, number or text, a member more or less."""
    if isinstance(value, dict):
        for name in value:
            yield {other: value[other] for other in value if other != name}
            yield from (value | {name: other} for other in _changed(value[name]))
        yield value | {"more": 1}
    elif isinstance(value, list):
        yield [*value, "00" * 32]
        if value:
            yield value[:-1]
            yield from ([*value[:-1], other] for other in _changed(value[-1]))
    elif isinstance(value, int):
        yield from (value + 1, value - 1, -value - 1, 2**70, None, str(value), float(value))
        yield True if value == 1 else None
    else:
        assert isinstance(value, str)
        yield from (value + "0", value[:-1] if value else "x", None, 5, value + "\ud800")
        yield ("1" if value[:1] == "0" else "0") + value[1:]
        if value.upper() != value:
            yield value.upper()


@pytest.mark.parametrize("row", [0, 89 - 1, ROWS - 1])
def test_an_event_changed_in_any_place_is_refused(row: int) -> None:
    value = _through_json(OPENINGS.event(row, FIELDS[:3]))
    count = 0
    for other in _changed(value):
        count += 1
        assert _is_refused(lambda other=other: verify_event(other, ROOT, ROWS)), other
    assert count > 100
    for root, rows in ((bytes(32), ROWS), (ROOT, ROWS - 1), (ROOT, ROWS + 1)):
        with pytest.raises(IntegrityError):
            verify_event(value, root, rows)


def _rows_with_records() -> list[int]:
    single = next(row for row in range(ROWS) if BATCH.counts[row] == 1)
    return [single, next(row for row in range(ROWS) if 64 < BATCH.counts[row] < 4_096), ROWS - 1]


@pytest.mark.parametrize("row", _rows_with_records())
def test_a_record_changed_in_any_place_is_refused(row: int) -> None:
    event = verify_event(OPENINGS.event(row), ROOT, ROWS)
    value = _through_json(OPENINGS.record(row, int(BATCH.records(row)[-1])))
    for other in _changed(value):
        # Position and size only say where in the tree the leaf is: two sizes may put it in the same place.
        if isinstance(other, dict) and {**other, "leaves": 0} == {**value, "leaves": 0}:
            continue
        assert _is_refused(lambda other=other: verify_record(other, event)), other


def test_a_record_does_not_open_against_another_event() -> None:
    rows = _rows_with_records()
    for row in rows:
        value = OPENINGS.record(row, int(BATCH.records(row)[0]))
        for other in (*(one for one in rows if one != row), 0 if BATCH.counts[0] == 0 else rows[0]):
            if other == row:
                continue
            with pytest.raises(IntegrityError):
                verify_record(value, verify_event(OPENINGS.event(other), ROOT, ROWS))


JSON: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.integers(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["row", "path", "fields", "salt"]), inner)
    ),
)


@given(JSON)
@settings(max_examples=80)
def test_noise_is_refused(value: object) -> None:
    with pytest.raises(IntegrityError):
        verify_event(value, ROOT, ROWS)
    with pytest.raises(IntegrityError):
        verify_record(value, verify_event(OPENINGS.event(ROWS - 1), ROOT, ROWS))


def test_a_batch_that_was_not_committed_to_does_not_open() -> None:
    altered = copy.copy(BATCH.size)
    altered[5] += 1
    other = Batch(
        BATCH.sequence, BATCH.time, BATCH.rows, altered, BATCH.released, BATCH.occurred,
        BATCH.party, BATCH.template, BATCH.case, BATCH.fingerprint, BATCH.starts, BATCH.ordinals,
    )  # fmt: skip
    with pytest.raises(IntegrityError, match="commitments that are stored"):
        Openings(other, COMMITMENTS, SECRET).event(6)
    with pytest.raises(IntegrityError, match="dumps"):
        Openings(BATCH.take(np.arange(ROWS - 1)), COMMITMENTS, SECRET)
    with pytest.raises(ValueError, match="no such field"):
        OPENINGS.event(0, ["name"])
