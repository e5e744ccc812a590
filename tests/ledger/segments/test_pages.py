"""Columns of a row group as pages: cheap where nothing changes, read whole or in part, refused where they lie."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from muniment.errors import IntegrityError
from muniment.ledger.batch import Texts
from muniment.ledger.segments import pages, schema, thrift
from muniment.ledger.segments.pages import PAGE_ROWS, Column, Stored
from muniment.ledger.segments.schema import Codec
from muniment.ledger.segments.shapes import Lists

ROWS = 5 * PAGE_ROWS + 11
CHOSEN = np.array([0, 7, 7, PAGE_ROWS - 1, PAGE_ROWS, 4 * PAGE_ROWS, ROWS - 1])


def _stored(column: Column, rows: int = ROWS) -> Stored:
    return Stored(column.at(0), lambda offset, length: column.data[offset : offset + length], rows)


def test_what_never_changes_is_nearly_free() -> None:
    column = pages.number_column(np.full(ROWS, -(2**40)))
    assert len(column.data) < 6 * 80
    assert (pages.read_numbers(_stored(column)) == -(2**40)).all()
    one = pages.text_column(Texts(("the same",), np.zeros(ROWS, np.uint32)))
    assert len(one.data) < 7 * 80
    none = pages.list_column(Lists(np.zeros(ROWS + 1, np.int64), np.zeros(0, np.uint32)))
    assert len(none.data) < 6 * 80
    assert pages.read_lists(_stored(none)).starts.tolist() == [0] * (ROWS + 1)


@pytest.mark.parametrize("bound", [2, 300, 2**62])
def test_numbers_whole_and_in_part(bound: int) -> None:
    values = np.random.default_rng(bound).integers(-bound, bound, ROWS)
    column = pages.number_column(values)
    assert column.codec is (Codec.GZIP if bound == 2 else Codec.UNCOMPRESSED)
    assert np.array_equal(pages.read_numbers(_stored(column)), values)
    assert np.array_equal(pages.read_numbers(_stored(column), CHOSEN), values[CHOSEN])


@pytest.mark.parametrize("width", [0, 6], ids=["of any length", "of one length"])
@pytest.mark.parametrize("count", [1, 200, 40_000])
def test_texts_whole_and_in_part(count: int, width: int) -> None:
    values = tuple(f"{i:0{width}d}é" for i in range(count))
    texts = Texts(values, np.random.default_rng(count).integers(0, count, ROWS).astype(np.uint32))
    stored = _stored(pages.text_column(texts))
    whole = pages.read_texts(stored)
    assert [whole[i] for i in range(0, ROWS, 99)] == [texts[i] for i in range(0, ROWS, 99)]
    picked = pages.read_texts(stored, CHOSEN)
    assert [picked[i] for i in range(len(CHOSEN))] == [texts[i] for i in CHOSEN.tolist()]
    assert len(picked.values) <= len(CHOSEN)


def test_lists_across_pages() -> None:
    counts = np.random.default_rng(2).integers(0, 4, ROWS)
    starts = np.concatenate(([0], np.cumsum(counts)))
    lists = Lists(starts, np.random.default_rng(3).integers(0, 2**32, int(starts[-1])).astype(np.uint32))
    back = pages.read_lists(_stored(pages.list_column(lists)))
    assert np.array_equal(back.starts, lists.starts)
    assert np.array_equal(back.values, lists.values)


@pytest.mark.parametrize("chosen", [None, np.array([3])], ids=["whole", "in part"])
@pytest.mark.parametrize(
    "change", [{"plain": -1}, {"plain": 1}, {"stored": -1}, {"values": 1}, {"dictionary": 1}], ids=str
)
def test_a_column_that_does_not_add_up_is_refused(change: dict[str, int], chosen: np.ndarray | None) -> None:
    """Also where only one of its pages is unpacked."""
    for column, read in (
        (pages.number_column(np.arange(ROWS) ** 2), pages.read_numbers),
        (pages.text_column(Texts(("a", "b"), np.arange(ROWS, dtype=np.uint32) % 2)), pages.read_texts),
    ):
        stored = _stored(column)
        (name, step), *_ = change.items()
        other = replace(stored.chunk, **{name: getattr(stored.chunk, name) + step})
        with pytest.raises(IntegrityError):
            read(replace(stored, chunk=other), chosen)


@pytest.mark.parametrize(
    ("count", "plain"), [(0, 11), (-1, 11), (3, 11), (2**31 - 1, 11), (2, 10), (2, 12), (2, 2**40)]
)
@pytest.mark.parametrize("chosen", [None, np.array([0])], ids=["whole", "in part"])
def test_a_dictionary_that_lies_is_refused(count: int, plain: int, chosen: np.ndarray | None) -> None:
    """Two texts in 11 bytes: any other number of texts, or of bytes, and nothing large is made of it."""
    column = pages.text_column(Texts(("a", "bc"), np.array([0, 1, 1, 0], np.uint32)))
    _, at = thrift.decode(column.data)
    words = column.data[at : column.dictionary]
    head = thrift.encode(schema.dictionary_head(count, plain, len(words)))
    data = head + words + column.data[column.dictionary :]
    shift = len(head) - at
    other = replace(column, data=data, dictionary=column.dictionary + shift, plain=column.plain + shift + plain - 11)
    with pytest.raises(IntegrityError):
        pages.read_texts(_stored(other, 4), chosen)
