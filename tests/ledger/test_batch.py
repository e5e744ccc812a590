"""Batches: the columns say what the values said, whatever is joined, taken apart, encoded or cut."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muniment import limits
from muniment.disclosure import Channel, Delivery, Disclosure, Outcome, Party, Template
from muniment.errors import IntegrityError, LimitError
from muniment.ledger.batch import Batch, Texts, concatenated, decode, encode

TEXT = st.text(max_size=12)
PARTIES = st.builds(Party, TEXT, TEXT, TEXT)
TEMPLATES = st.builds(
    Template,
    register=TEXT,
    schema=st.integers(0, 9),
    channel=st.sampled_from(Channel),
    columns=st.frozensets(st.integers(1, 4_095), max_size=5).map(lambda found: tuple(sorted(found))),
    purpose=TEXT,
    basis=TEXT,
    mark_key=TEXT,
    outcome=st.sampled_from(Outcome),
    delivery=st.sampled_from(Delivery),
)
ORDINALS = st.frozensets(st.integers(0, 2**32 - 1), max_size=5).map(lambda found: tuple(sorted(found)))
COUNT = st.integers(0, 2**62)
DISCLOSURES = st.builds(Disclosure, PARTIES, TEMPLATES, ORDINALS, TEXT, TEXT, COUNT, COUNT, COUNT, COUNT)
MANY = st.lists(DISCLOSURES, max_size=6)
PLAIN = Disclosure(Party("tax office"), Template("persons", 1, Channel.GATE, (1, 2), "audit"), (3, 7))


def _values(batch: Batch) -> list[Disclosure]:
    return [batch.disclosure(row) for row in range(len(batch))]


@settings(max_examples=60, deadline=None)
@given(MANY)
def test_values_come_back_from_columns_and_from_bytes(many: list[Disclosure]) -> None:
    batch = Batch.of(many)
    assert _values(batch) == many
    again = decode(encode(batch))
    assert _values(again) == many
    assert encode(again) == encode(batch)


@settings(max_examples=40, deadline=None)
@given(MANY, MANY, st.data())
def test_joining_and_taking_keep_every_row(
    first: list[Disclosure], second: list[Disclosure], data: st.DataObject
) -> None:
    both = concatenated([Batch.of(first), Batch.of(second)])
    assert _values(both) == first + second
    rows = data.draw(st.lists(st.integers(0, max(0, len(both) - 1)), max_size=8 if len(both) else 0))
    assert _values(both.take(np.array(rows, np.int64))) == [(first + second)[row] for row in rows]


def test_numbering_gives_consecutive_numbers_at_one_time() -> None:
    batch = Batch.of([PLAIN, PLAIN]).numbered(40, 1_000)
    assert batch.sequence.tolist() == [40, 41]
    assert batch.time.tolist() == [1_000, 1_000]
    assert _values(batch) == [PLAIN, PLAIN]
    assert decode(encode(batch)).sequence.tolist() == [40, 41]


@pytest.mark.parametrize("records", [(7, 3), (3, 3)])
def test_records_out_of_order_are_refused(records: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="ascending"):
        Batch.of([PLAIN, replace(PLAIN, records=records)])


def test_sets_of_neighbouring_rows_need_not_ascend() -> None:
    assert Batch.of([PLAIN, replace(PLAIN, records=()), PLAIN]).counts.tolist() == [2, 0, 2]


def test_a_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(LimitError, match="the case of a disclosure"):
        Batch.of([replace(PLAIN, case="x" * (limits.LEDGER_TEXT_CHARACTERS + 1))])


def test_a_cut_anywhere_is_found() -> None:
    data = encode(Batch.of([PLAIN, replace(PLAIN, case="A-1")]))
    for cut in range(len(data)):
        with pytest.raises(IntegrityError, match="malformed"):
            decode(data[:cut])
    with pytest.raises(IntegrityError, match="malformed"):
        decode(data + b"\0")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_foreign_bytes_end_in_an_integrity_error_or_a_batch(data: bytes) -> None:
    try:
        decode(data)
    except IntegrityError:
        return
    assert encode(decode(data))


def test_texts_drop_values_that_no_row_uses() -> None:
    column = Texts.of(["a", "b", "a", "c"])
    assert (len(column), column[3]) == (4, "c")
    assert column.take(np.array([2, 0])).values == ("a",)
