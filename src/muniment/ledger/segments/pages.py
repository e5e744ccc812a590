"""Columns of one row group as Parquet pages, and back. Pure.

Rules
1. A column of a row group is data pages (version 1) of `schema.PAGE_ROWS` rows, each of them packed by itself; a column
   of texts has one dictionary page in front. So a few rows are read without the others.
2. Pages are stored GZIP'd where that takes something off: texts always, other columns where a sample of them shrinks.
3. Reading knows how many pages, rows and levels there must be, and refuses a column that holds anything else. The bytes
   were authenticated before; they are not trusted all the same.
4. Where only some rows are wanted, the heads of all pages are read and must add up; the other bodies stay unread.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from muniment.errors import IntegrityError
from muniment.ledger.batch import Texts
from muniment.ledger.segments import bits, hybrid, schema, thrift
from muniment.ledger.segments.schema import HEAD_BYTES, PAGE_ROWS, Chunk, Codec, DataHead
from muniment.ledger.segments.shapes import Lists

if TYPE_CHECKING:
    from numpy.typing import NDArray

Read: TypeAlias = Callable[[int, int], bytes]
_LENGTH = struct.Struct("<I")
_GZIP: Final = 31
"""What zlib calls a GZIP frame of the largest window."""
_LEVEL: Final = 1
_STRATEGIES: Final = (zlib.Z_HUFFMAN_ONLY, zlib.Z_DEFAULT_STRATEGY)
_SAMPLE: Final = 64 * 1024
_WORTH: Final = 0.97
"""A column is compressed where its sample shrinks to this share or less."""


@dataclass(frozen=True, slots=True, repr=False)
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
    cuts = _cuts(len(values))
    return _packed_column([bits.encode(np.ascontiguousarray(values[a:b])) for a, b in cuts], [b - a for a, b in cuts])


def list_column(lists: Lists) -> Column:
    """A column of lists of uint32: levels of repetition and definition, then the values."""
    made = [_list_body(lists, start, stop) for start, stop in _cuts(len(lists.starts) - 1)]
    return _packed_column([body for body, _ in made], [levels for _, levels in made])


def _list_body(lists: Lists, start: int, stop: int) -> tuple[bytes, int]:
    """The page of some rows, and how many levels it has."""
    starts = lists.starts[start : stop + 1]
    counts = np.diff(starts)
    lengths = np.maximum(counts, 1)
    repeated = np.ones(int(lengths.sum()), np.uint32)
    repeated[np.cumsum(lengths) - lengths] = 0
    defined = np.repeat((counts > 0).astype(np.uint32), lengths)
    values = np.ascontiguousarray(lists.values[starts[0] : starts[-1]])
    return _levels(repeated) + _levels(defined) + bits.encode(values), len(repeated)


def text_column(texts: Texts) -> Column:
    """A column of texts: its distinct values, the most frequent first, then a code for each row."""
    values, codes = _by_frequency(texts)
    encoded = [value.encode() for value in values]
    words = b"".join(_LENGTH.pack(len(value)) + value for value in encoded)
    width = hybrid.byte_width(len(values) - 1)
    cuts = _cuts(len(codes))
    bodies = [bytes([width]) + hybrid.encode(codes[a:b], width) for a, b in cuts]
    stored = _deflated(words, _strategy(words)[0])
    front = thrift.encode(schema.dictionary_head(len(values), len(words), len(stored))) + stored
    back = _data_pages(bodies, [b - a for a, b in cuts], schema.DICTIONARY, _strategy(bodies[0])[0])
    plain = len(front) - len(stored) + len(words) + back.plain
    return Column(front + back.data, len(codes), len(front), plain, Codec.GZIP)


def _cuts(rows: int) -> list[tuple[int, int]]:
    """The rows of each page."""
    return list(pairwise([*range(0, rows, PAGE_ROWS), rows]))


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


def _packed_column(bodies: Sequence[bytes], values: Sequence[int]) -> Column:
    """Pages of packed integers, compressed where their first one shrinks."""
    strategy, shrinks = _strategy(bodies[0])
    return _data_pages(bodies, values, schema.DELTA, strategy if shrinks else None)


def _data_pages(bodies: Sequence[bytes], values: Sequence[int], encoding: int, strategy: int | None) -> Column:
    """Data pages one behind another; not compressed where no strategy is given."""
    parts, plain = [], 0
    for body, count in zip(bodies, values, strict=True):
        stored = body if strategy is None else _deflated(body, strategy)
        head = schema.data_head(DataHead(count, len(body), len(stored), encoding))
        parts += [head, stored]
        plain += len(head) + len(body)
    return Column(b"".join(parts), sum(values), 0, plain, Codec.UNCOMPRESSED if strategy is None else Codec.GZIP)


def _strategy(data: bytes) -> tuple[int, bool]:
    """With or without matches, by a sample (codes without repeats are smaller, and faster, by Huffman alone); and
    whether that takes something off.
    """
    sample = data[:_SAMPLE]
    sizes = [len(_deflated(sample, strategy)) for strategy in _STRATEGIES]
    return _STRATEGIES[sizes[1] < sizes[0]], min(sizes) <= _WORTH * len(sample)


def _deflated(data: bytes, strategy: int) -> bytes:
    """One GZIP member."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP, strategy=strategy)
    return packer.compress(data) + packer.flush()


# --- reading ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stored:
    """One column of a row group in a file: where it lies, what reads the file, and the rows of the group."""

    chunk: Chunk
    read: Read
    rows: int


@dataclass(frozen=True, slots=True, repr=False)
class _Page:
    """A data page that is wanted: body, values, rows, and which of its rows are wanted (none named: all)."""

    body: bytes
    values: int
    rows: int
    chosen: NDArray[np.int64]


def read_numbers(stored: Stored, chosen: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
    """Undo `number_column`; only the `chosen` rows where they are given: ascending, one or more."""
    _expect(stored.chunk.values == stored.rows and stored.chunk.dictionary == 0)
    found = list(_pages(stored, schema.DELTA, chosen))
    _expect(all(page.values == page.rows for page in found))
    values: NDArray[np.int64] = bits.decode_all([p.body for p in found], [p.rows for p in found], np.int64)
    return values if chosen is None else values[_places(found)]


def read_lists(stored: Stored) -> Lists:
    """Undo `list_column`."""
    _expect(stored.chunk.dictionary == 0)
    made = [_list_page(page) for page in _pages(stored, schema.DELTA, None)]
    starts = np.concatenate(([0], np.cumsum(np.concatenate([counts for counts, _ in made])))).astype(np.int64)
    totals = [int(counts.sum()) for counts, _ in made]
    return Lists(starts, bits.decode_all([body for _, body in made], totals, np.uint32))


def _list_page(page: _Page) -> tuple[NDArray[np.int64], bytes]:
    """The number of values of each row, and the values, packed."""
    repeated, at = _read_levels(page.body, 0, page.values)
    defined, at = _read_levels(page.body, at, page.values)
    heads = np.flatnonzero(repeated == 0)
    _expect(len(heads) == page.rows and int(heads[0]) == 0)
    counts = np.diff(heads, append=page.values)
    empty = defined[heads] == 0
    _expect(bool((counts[empty] == 1).all()) and int((defined == 0).sum()) == int(empty.sum()))
    return counts - empty, page.body[at:]


def read_texts(stored: Stored, chosen: NDArray[np.int64] | None = None) -> Texts:
    """Undo `text_column`; only the `chosen` rows where they are given (as in `read_numbers`), and only their texts."""
    count, words, plain = _dictionary(stored)
    width = hybrid.byte_width(count - 1)
    parts = []
    for page in _pages(stored, schema.DICTIONARY, chosen, less=plain):
        _expect(page.values == page.rows and page.body[:1] == bytes([width]))
        part = hybrid.decode(page.body[1:], page.rows, width)
        parts.append(part if chosen is None else part[page.chosen])
    codes = np.concatenate(parts)
    _expect(int(codes.max()) < count)
    if chosen is None:
        places = _word_places(words, count, count)
        values = _words(words, places, range(count))
        _expect(places[-1] == len(words) + _LENGTH.size and len(set(values)) == count)
        return Texts(values, codes)
    used, places_of = np.unique(codes, return_inverse=True)
    places = _word_places(words, count, int(used[-1]) + 1)
    return Texts(_words(words, places, used.tolist()), places_of.astype(np.uint32))


def _dictionary(stored: Stored) -> tuple[int, bytes, int]:
    """The number of texts in a dictionary page, the page unpacked, and its bytes with the head before compression."""
    chunk = stored.chunk
    _expect(chunk.values == stored.rows and 0 < chunk.dictionary <= chunk.stored and chunk.codec == Codec.GZIP)
    data = stored.read(chunk.offset, chunk.dictionary)
    head, at = thrift.decode(data)
    try:
        count, plain = int(head[7][1]), int(head[2])
    except (KeyError, TypeError) as error:
        raise IntegrityError("a dictionary page is malformed") from error
    _expect(head == schema.dictionary_head(count, plain, len(data) - at))
    _expect(0 < count * _LENGTH.size <= plain <= schema.CHUNK_BYTES)
    return count, _unzipped(data[at:], plain), at + plain


def _word_places(data: bytes, count: int, first: int) -> Sequence[int]:
    """Where the `first` texts of a dictionary of `count` begin, and where one behind them would."""
    size = _LENGTH.size
    step, rest = divmod(len(data), count)
    if not rest and step >= size and (np.ndarray((count,), "<u4", data, 0, (step,)) == step - size).all():
        return range(size, (first + 1) * step + size, step)  # all of one length: numbers of cases are
    places, at = [], 0
    try:
        for _ in range(first):
            places.append(at + size)
            at += size + _LENGTH.unpack_from(data, at)[0]
    except struct.error as error:
        raise IntegrityError("a dictionary page is cut short") from error
    _expect(at <= len(data))
    return [*places, at + size]


def _words(data: bytes, places: Sequence[int], numbers: Sequence[int]) -> tuple[str, ...]:
    """Some texts of a dictionary."""
    try:
        return tuple([data[places[i] : places[i + 1] - _LENGTH.size].decode() for i in numbers])
    except UnicodeDecodeError as error:
        raise IntegrityError("a dictionary page is malformed") from error


def _read_levels(body: bytes, at: int, count: int) -> tuple[NDArray[np.uint32], int]:
    _expect(at + _LENGTH.size <= len(body))
    (length,) = _LENGTH.unpack_from(body, at)
    at += _LENGTH.size
    _expect(at + length <= len(body))
    return hybrid.decode(body[at : at + length], count, 1), at + length


def _pages(stored: Stored, encoding: int, chosen: NDArray[np.int64] | None, less: int = 0) -> Iterator[_Page]:
    """The data pages, or those that hold chosen rows (ascending), in one pass over the bytes of the column.

    `less` is what the dictionary page took of the bytes before compression.
    """
    chunk, rows = stored.chunk, stored.rows
    at, end = chunk.offset + chunk.dictionary, chunk.offset + chunk.stored
    starts = range(0, rows, PAGE_ROWS)
    bounds = [] if chosen is None else np.searchsorted(chosen, [*starts, rows]).tolist()
    values, plain, none = 0, less, np.zeros(0, np.int64)
    for number, start in enumerate(starts):
        head, length = schema.parsed_data_head(stored.read(at, min(HEAD_BYTES, end - at)), encoding)
        at += length
        values, plain = values + head.values, plain + length + head.plain
        _expect(head.stored <= end - at)
        wanted = none if chosen is None else chosen[bounds[number] : bounds[number + 1]] - start
        if chosen is None or len(wanted):
            body = _unpacked(stored.read(at, head.stored), head, chunk.codec)
            yield _Page(body, head.values, min(PAGE_ROWS, rows - start), wanted)
        at += head.stored
    _expect(at == end and values == chunk.values and plain == chunk.plain)


def _places(found: Sequence[_Page]) -> NDArray[np.int64]:
    """Where the chosen rows are, when these pages stand one behind another."""
    starts = accumulate((page.rows for page in found[:-1]), initial=0)
    return np.concatenate([page.chosen + start for page, start in zip(found, starts, strict=True)])


def _unpacked(body: bytes, head: DataHead, codec: Codec) -> bytes:
    if codec == Codec.GZIP:
        return _unzipped(body, head.plain)
    _expect(head.stored == head.plain)
    return body


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
