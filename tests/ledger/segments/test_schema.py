"""Footer and heads of pages: what was written is read back, and nothing else is."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muniment.errors import IntegrityError
from muniment.ledger.segments import schema, thrift
from muniment.ledger.segments.schema import COLUMNS, HEAD_BYTES, Chunk, Codec, DataHead, Footer, RowGroup

NUMBER = st.integers(0, schema.CHUNK_BYTES)
HEADS = st.builds(DataHead, NUMBER, NUMBER, NUMBER, st.sampled_from([schema.DELTA, schema.DICTIONARY]))


def _footer() -> Footer:
    chunks = tuple(Chunk(5, 4 + 30 * i, 0, 30, 40, Codec.GZIP) for i in range(len(COLUMNS)))
    return Footer(9, "{}", (RowGroup(5, chunks),))


@given(HEADS, st.binary(max_size=9))
def test_a_head_there_and_back(head: DataHead, behind: bytes) -> None:
    """It is what Thrift reads as a page header, whatever stands behind it."""
    data = schema.data_head(head)
    assert schema.parsed_data_head(data + behind, head.encoding) == (head, len(data))
    assert len(data) < HEAD_BYTES
    numbers = {1: head.values, 2: head.encoding, 3: schema.RLE, 4: schema.RLE}
    assert thrift.decode(data)[0] == {1: 0, 2: head.plain, 3: head.stored, 5: numbers}


@given(HEADS, st.data())
@settings(max_examples=150)
def test_another_head_is_refused_or_says_what_thrift_says(head: DataHead, data: st.DataObject) -> None:
    whole = schema.data_head(head)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(IntegrityError):
        schema.parsed_data_head(whole[:cut], head.encoding)
    with pytest.raises(IntegrityError):
        schema.parsed_data_head(whole, schema.DELTA + schema.DICTIONARY - head.encoding)
    altered = bytearray(whole)
    altered[cut] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(IntegrityError):
        found, length = schema.parsed_data_head(bytes(altered), head.encoding)
        assert thrift.decode(bytes(altered)) == (thrift.decode(schema.data_head(found))[0], length)
        assert max(found.values, found.plain, found.stored) <= schema.CHUNK_BYTES


def test_a_footer_there_and_back() -> None:
    footer = _footer()
    assert schema.parsed_footer(thrift.decode(thrift.encode(schema.footer_struct(footer)))[0]) == footer
    assert footer.rows == 5


@pytest.mark.parametrize(
    "change",
    [{"values": -1}, {"offset": 5}, {"stored": -30}, {"plain": 2**31}, {"values": schema.CHUNK_VALUES + 1}],
    ids=str,
)
def test_numbers_out_of_bounds_are_refused(change: dict[str, int]) -> None:
    (group,) = _footer().groups
    chunks = (replace(group.chunks[0], **change), *group.chunks[1:])  # type: ignore[arg-type]
    with pytest.raises(IntegrityError, match="not one that this version writes"):
        schema.parsed_footer(schema.footer_struct(replace(_footer(), groups=(RowGroup(5, chunks),))))


def test_a_row_group_without_rows_is_refused() -> None:
    (group,) = _footer().groups
    with pytest.raises(IntegrityError, match="not one that this version writes"):
        schema.parsed_footer(schema.footer_struct(replace(_footer(), groups=(replace(group, rows=0),))))
