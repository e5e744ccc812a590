"""Columns of one row group as Parquet pages, and back. Pure.

Rules
1. A column of a row group is one data page (version 1); a column of texts has a dictionary page in front.
2. A page is stored GZIP'd where that takes something off: texts always, other columns where a sample of them shrinks.
3. Reading knows how many rows and levels there must be, and refuses a page that holds anything else. The bytes were
   authenticated before; they are not trusted all the same.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.errors import IntegrityError
from muniment.ledger.batch import Texts
from muniment.ledger.segments import bits, hybrid, schema, thrift
from muniment.ledger.segments.schema import Chunk, Codec
from muniment.ledger.segments.shapes import Lists

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LENGTH = struct.Struct("<I")
_GZIP: Final = 31
"""What zlib calls a GZIP frame of the largest window."""
_LEVEL: Final = 1
_STRATEGIES: Final = (zlib.Z_HUFFMAN_ONLY, zlib.Z_DEFAULT_STRATEGY)
_SAMPLE: Final = 64 * 1024
_WORTH: Final = 0.97
"""A column is compressed where its sample shrinks to this share or less."""


@dataclass(frozen=True, slots=True)
class Column:
    """The bytes of one column of a row group and what the footer says of them."""

    data: bytes
    values: int
    dictionary: int
    plain: int
    codec: Codec

    def at(self, offset: int) -> Chunk:
        """The footer's line about it, once its place is known."""
        return Chunk(self.values, offset, self.dictionary, len(self.data), self.plain, self.codec)


def number_column(values: NDArray[np.int64]) -> Column:
    """A column of 64-bit integers."""
    return _data_column(bits.encode(np.ascontiguousarray(values)), len(values))


def list_column(lists: Lists) -> Column:
    """A column of lists of uint32: levels of repetition and definition, then the values."""
    counts = lists.counts
    lengths = np.maximum(counts, 1)
    repeated = np.ones(int(lengths.sum()), np.uint32)
    repeated[np.cumsum(lengths) - lengths] = 0
    defined = np.repeat((counts > 0).astype(np.uint32), lengths)
    body = _levels(repeated) + _levels(defined) + bits.encode(np.ascontiguousarray(lists.values))
    return _data_column(body, len(repeated))


def text_column(texts: Texts) -> Column:
    """A column of texts: its distinct values, the most frequent first, then a code for each row."""
    values, codes = _by_frequency(texts)
    encoded = [value.encode() for value in values]
    words = b"".join(_LENGTH.pack(len(value)) + value for value in encoded)
    width = hybrid.byte_width(len(values) - 1)
    body = bytes([width]) + hybrid.encode(codes, width)
    stored = _gzip(words)
    front = thrift.encode(schema.dictionary_head(len(values), len(words), len(stored))) + stored
    back = _page(body, len(codes), schema.DICTIONARY, Codec.GZIP)
    plain = len(front) - len(stored) + len(words) + back.plain
    return Column(front + back.data, len(codes), len(front), plain, Codec.GZIP)


def _by_frequency(texts: Texts) -> tuple[list[str], NDArray[np.uint32]]:
    """The values that are used, and codes such that their high bytes are mostly zero: GZIP gains from that."""
    counts = np.bincount(texts.codes, minlength=len(texts.values))
    order = np.argsort(-counts, kind="stable")[: int((counts > 0).sum())]
    place = np.zeros(len(counts), np.uint32)
    place[order] = np.arange(len(order), dtype=np.uint32)
    return [texts.values[i] for i in order.tolist()], place[texts.codes]


def _levels(values: NDArray[np.uint32]) -> bytes:
    data = hybrid.encode(values, 1)
    return _LENGTH.pack(len(data)) + data


def _data_column(body: bytes, values: int) -> Column:
    sample = body[:_SAMPLE]
    shrinks = len(_gzip(sample)) <= _WORTH * len(sample)
    return _page(body, values, schema.DELTA, Codec.GZIP if shrinks else Codec.UNCOMPRESSED)


def _page(body: bytes, values: int, encoding: int, codec: Codec) -> Column:
    stored = _gzip(body) if codec == Codec.GZIP else body
    head = thrift.encode(schema.data_head(values, encoding, len(body), len(stored)))
    return Column(head + stored, values, 0, len(head) + len(body), codec)


def _gzip(data: bytes) -> bytes:
    """One GZIP member, with or without matches: codes without repeats are smaller, and faster, by Huffman alone."""
    sample = data[:_SAMPLE]
    plain, matched = (len(_deflated(sample, strategy)) for strategy in _STRATEGIES)
    return _deflated(data, _STRATEGIES[matched < plain])


def _deflated(data: bytes, strategy: int) -> bytes:
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP, strategy=strategy)
    return packer.compress(data) + packer.flush()


# --- reading ---------------------------------------------------------------------------------------------------------


def read_numbers(chunk: Chunk, data: bytes, rows: int) -> NDArray[np.int64]:
    """Undo `number_column`."""
    _expect(chunk.values == rows and chunk.dictionary == 0)
    values: NDArray[np.int64] = bits.decode(_read_page(chunk, data, schema.DELTA), rows, np.int64)
    return values


def read_lists(chunk: Chunk, data: bytes, rows: int) -> Lists:
    """Undo `list_column`."""
    _expect(chunk.dictionary == 0)
    body = _read_page(chunk, data, schema.DELTA)
    repeated, at = _read_levels(body, 0, chunk.values)
    defined, at = _read_levels(body, at, chunk.values)
    heads = np.flatnonzero(repeated == 0)
    _expect(len(heads) == rows and (rows == 0 or int(heads[0]) == 0))
    counts = np.diff(heads, append=chunk.values)
    empty = defined[heads] == 0
    _expect(bool((counts[empty] == 1).all()) and int((defined == 0).sum()) == int(empty.sum()))
    starts = np.concatenate(([0], np.cumsum(counts - empty))).astype(np.int64)
    return Lists(starts, bits.decode(body[at:], int(starts[-1]), np.uint32))


def read_texts(chunk: Chunk, data: bytes, rows: int) -> Texts:
    """Undo `text_column`."""
    _expect(chunk.values == rows and 0 < chunk.dictionary <= len(data) and chunk.codec == Codec.GZIP)
    head, at = thrift.decode(data)
    front = data[at : chunk.dictionary]
    try:
        count, plain = int(head[7][1]), int(head[2])
    except (KeyError, TypeError) as error:
        raise IntegrityError("a dictionary page is malformed") from error
    _expect(head == schema.dictionary_head(count, plain, len(front)) and 0 <= plain <= schema.CHUNK_BYTES)
    values = _read_words(_unzipped(front, plain), count)
    body = _read_page(chunk, data[chunk.dictionary :], schema.DICTIONARY, less=at + plain)
    _expect(body[:1] == bytes([hybrid.byte_width(count - 1)]))
    codes = hybrid.decode(body[1:], rows, body[0])
    _expect(len(set(values)) == count and (rows == 0 or int(codes.max()) < count))
    return Texts(values, codes)


def _read_words(data: bytes, count: int) -> tuple[str, ...]:
    """The `count` texts of a dictionary page."""
    places = []
    at = 0
    for _ in range(count):
        _expect(at + _LENGTH.size <= len(data))
        (length,) = _LENGTH.unpack_from(data, at)
        places.append((at + _LENGTH.size, at := at + _LENGTH.size + length))
    _expect(at == len(data))
    try:
        return tuple(data[start:stop].decode() for start, stop in places)
    except UnicodeDecodeError as error:
        raise IntegrityError("a dictionary page is malformed") from error


def _read_levels(body: bytes, at: int, count: int) -> tuple[NDArray[np.uint32], int]:
    _expect(at + _LENGTH.size <= len(body))
    (length,) = _LENGTH.unpack_from(body, at)
    at += _LENGTH.size
    _expect(at + length <= len(body))
    return hybrid.decode(body[at : at + length], count, 1), at + length


def _read_page(chunk: Chunk, data: bytes, encoding: int, less: int = 0) -> bytes:
    """The unpacked body of a data page; `less` is what the dictionary page took of the bytes before compression."""
    _, at = thrift.decode(data)
    plain = chunk.plain - less - at
    stored = data[at:]
    _expect(0 <= plain <= schema.CHUNK_BYTES)
    _expect(data[:at] == thrift.encode(schema.data_head(chunk.values, encoding, plain, len(stored))))
    if chunk.codec == Codec.GZIP:
        return _unzipped(stored, plain)
    _expect(len(stored) == plain)
    return stored


def _unzipped(data: bytes, size: int) -> bytes:
    """Unpack to exactly `size` bytes; a bomb is cut off there."""
    unpacker = zlib.decompressobj(_GZIP)
    try:
        out = unpacker.decompress(data, size + 1)
    except zlib.error as error:
        raise IntegrityError("a page does not unpack") from error
    _expect(len(out) == size and unpacker.eof and not unpacker.unused_data)
    return out


def _expect(holds: bool) -> None:
    if not holds:
        raise IntegrityError("a page of a segment is malformed")


def offsets(columns: Sequence[Column], start: int) -> list[int]:
    """Where each column begins, when they are laid one behind another from `start` on."""
    return list(accumulate((len(column.data) for column in columns[:-1]), initial=start))
