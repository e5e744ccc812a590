"""The Parquet schema and footer of a segment, as Thrift structs: what is written, and what alone is read. Pure.

Source: parquet-format 2.12, parquet.thrift and LogicalTypes.md. Reading takes from a footer only what may vary (rows,
places, sizes, codec), builds the footer that would be written for that, and refuses any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Any, Final

from muniment import limits
from muniment.errors import IntegrityError
from muniment.ledger.batch import TEXTS
from muniment.ledger.segments import thrift
from muniment.ledger.segments.bits import read_varint, unzigzag
from muniment.ledger.segments.shapes import GROUP_VALUES
from muniment.ledger.segments.thrift import Byte, Long, Struct

LISTS: Final = ("records", "run_start", "run_length")
"""The list columns: records of singles and lists; runs of dumps."""
COLUMNS: Final = ("sequence", "time", *TEXTS, "rows", "size", "released", "occurred", *LISTS)
"""The columns in the order in which they are stored."""
PAGE_ROWS: Final = 32_768
"""Rows of one data page; the last one of a column may have fewer. Half as many make picking no cheaper: heads cost too.
"""
CHUNK_BYTES: Final = 2**30
"""Bytes of one column of one row group, stored or unpacked: 2**28 runs take some 250 MB."""
CHUNK_VALUES: Final = limits.RECORD_SET + GROUP_VALUES
"""Values of one column of one row group: the last row of a group may be the largest set there is."""
CREATED_BY: Final = b"muniment segment 1"
_INT32, _INT64, _BYTE_ARRAY = 1, 2, 6
_REQUIRED, _REPEATED = 0, 2
_UTF8, _LIST_OF, _TIMESTAMP_MILLIS, _UINT_32 = 0, 3, 9, 13
PLAIN, RLE, DELTA, DICTIONARY = 0, 3, 5, 8
"""Codes of encodings."""
HEAD_BYTES: Final = 48
"""More than the head of a page takes: three numbers of ten bytes at most, and 14 bytes."""
_NUMBERS_OF_HEAD: Final = (3, 5, 8)
"""Where the numbers of a data page's head stand while each takes one byte: plain, stored, values."""


class Codec(IntEnum):
    """How the pages of a column are compressed."""

    UNCOMPRESSED = 0
    GZIP = 2


@dataclass(frozen=True, slots=True)
class Chunk:
    """Where one column of a row group lies. `values` counts its levels: a row without values of a list counts one.

    `dictionary` is the length of the dictionary page in front, 0 where there is none; `stored` and `plain` are the
    bytes with page heads, as stored and before compression.
    """

    values: int
    offset: int
    dictionary: int
    stored: int
    plain: int
    codec: Codec


@dataclass(frozen=True, slots=True)
class RowGroup:
    """One row group: its rows and its columns in the order of `COLUMNS`."""

    rows: int
    chunks: tuple[Chunk, ...]


@dataclass(frozen=True, slots=True)
class Footer:
    """What a footer says. `span` is the number of ordinals that were reserved when the segment was sealed,
    `commitments` the text of `commit.Commitments`.
    """

    span: int
    commitments: str
    groups: tuple[RowGroup, ...]

    @property
    def rows(self) -> int:
        """Rows of the segment."""
        return sum(group.rows for group in self.groups)


def footer_struct(footer: Footer) -> Struct:
    """`FileMetaData`."""
    return {
        1: 2,
        2: schema_struct(),
        3: Long(footer.rows),
        4: [_group_struct(group) for group in footer.groups],
        5: [
            {1: b"muniment.span", 2: str(footer.span).encode()},
            {1: b"muniment.commitments", 2: footer.commitments.encode()},
        ],
        6: CREATED_BY,
    }


def parsed_footer(struct: Struct) -> Footer:
    """Undo `footer_struct`. Raises `IntegrityError` for every other struct."""
    try:
        groups = tuple(_parsed_group(group) for group in struct[4])
        span, commitments = (note[2] for note in struct[5])
        footer = Footer(int(span), commitments.decode(), groups)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise IntegrityError("the footer of a segment is malformed") from error
    if footer_struct(footer) != struct or not _sound(footer):
        raise IntegrityError("the footer of a segment is not one that this version writes")
    return footer


def _sound(footer: Footer) -> bool:
    """Numbers within their bounds, and columns that lie one behind another from byte 4 on."""
    at = 4
    for group in footer.groups:
        for chunk in group.chunks:
            sizes = (chunk.values, chunk.dictionary, chunk.stored, chunk.plain, group.rows)
            if chunk.offset != at or min(sizes) < 0 or max(sizes) > CHUNK_BYTES or chunk.values > CHUNK_VALUES:
                return False
            at += chunk.stored
    return footer.span >= 0 and all(group.rows for group in footer.groups)


def schema_struct() -> list[Struct]:
    """The schema, depth first."""
    root: Struct = {4: b"disclosures", 5: len(COLUMNS)}
    return [root, *(element for name in COLUMNS for element in _elements(name))]


def _elements(name: str) -> Sequence[Struct]:
    label = name.encode()
    if name in LISTS:
        unsigned = {10: {1: Byte(32), 2: False}}
        return (
            {3: _REQUIRED, 4: label, 5: 1, 6: _LIST_OF, 10: {3: {}}},
            {3: _REPEATED, 4: b"list", 5: 1},
            {1: _INT32, 3: _REQUIRED, 4: b"element", 6: _UINT_32, 10: unsigned},
        )
    if name in TEXTS:
        return ({1: _BYTE_ARRAY, 3: _REQUIRED, 4: label, 6: _UTF8, 10: {1: {}}},)
    if name == "time":
        moment = {8: {1: True, 2: {1: {}}}}
        return ({1: _INT64, 3: _REQUIRED, 4: label, 6: _TIMESTAMP_MILLIS, 10: moment},)
    return ({1: _INT64, 3: _REQUIRED, 4: label},)


def _group_struct(group: RowGroup) -> Struct:
    return {
        1: [_chunk_struct(name, chunk) for name, chunk in zip(COLUMNS, group.chunks, strict=True)],
        2: Long(sum(chunk.plain for chunk in group.chunks)),
        3: Long(group.rows),
    }


def _chunk_struct(name: str, chunk: Chunk) -> Struct:
    path = [name.encode(), b"list", b"element"] if name in LISTS else [name.encode()]
    data: dict[int, Any] = {
        1: _INT32 if name in LISTS else _BYTE_ARRAY if name in TEXTS else _INT64,
        2: [PLAIN, RLE, DICTIONARY] if name in TEXTS else [RLE, DELTA],
        3: path,
        4: int(chunk.codec),
        5: Long(chunk.values),
        6: Long(chunk.plain),
        7: Long(chunk.stored),
        9: Long(chunk.offset + chunk.dictionary),
    }
    if chunk.dictionary:
        data[11] = Long(chunk.offset)
    return {2: Long(chunk.offset), 3: data}


def _parsed_group(struct: Struct) -> RowGroup:
    chunks = []
    for column in struct[1]:
        data = column[3]
        chunks.append(
            Chunk(
                values=int(data[5]),
                offset=int(column[2]),
                dictionary=int(data[9]) - int(column[2]),
                stored=int(data[7]),
                plain=int(data[6]),
                codec=Codec(data[4]),
            )
        )
    if len(chunks) != len(COLUMNS):
        raise ValueError("columns")
    return RowGroup(int(struct[3]), tuple(chunks))


@dataclass(frozen=True, slots=True)
class DataHead:
    """The head of a data page: its values (levels count, as in a `Chunk`), the bytes of its body before compression and
    as stored, the encoding.
    """

    values: int
    plain: int
    stored: int
    encoding: int


def data_head(head: DataHead) -> bytes:
    """`PageHeader` of a data page (version 1)."""
    struct = {1: head.values, 2: head.encoding, 3: RLE, 4: RLE}
    return thrift.encode({1: 0, 2: head.plain, 3: head.stored, 5: struct})


def parsed_data_head(data: bytes, encoding: int) -> tuple[DataHead, int]:
    """Undo `data_head` at the start of `data`: the head, and its length. Raises `IntegrityError` for any other bytes.

    A column is walked from head to head, so this is read without `thrift`: three numbers between fixed bytes.
    """
    found, at = [], 0
    *before, behind = _fixed_bytes(encoding)
    for fixed in before:
        if not data.startswith(fixed, at):
            raise IntegrityError("the head of a page is malformed")
        folded, at = read_varint(data, at + len(fixed))
        found.append(unzigzag(folded))
    if not data.startswith(behind, at) or min(found) < 0 or max(found) > CHUNK_BYTES:
        raise IntegrityError("the head of a page is malformed")
    plain, stored, values = found
    return DataHead(values, plain, stored, encoding), at + len(behind)


@lru_cache(maxsize=2)
def _fixed_bytes(encoding: int) -> tuple[bytes, ...]:
    """What stands before, between and behind the three numbers of a data page's head."""
    head = data_head(DataHead(0, 0, 0, encoding))  # with numbers of one byte each
    first, second, third = _NUMBERS_OF_HEAD
    return head[:first], head[first + 1 : second], head[second + 1 : third], head[third + 1 :]


def dictionary_head(values: int, plain: int, stored: int) -> Struct:
    """`PageHeader` of a dictionary page."""
    return {1: 2, 2: plain, 3: stored, 7: {1: values, 2: PLAIN}}
