"""A segment as standard Parquet: a batch in, the bytes of a file out, and back. Pure; no DuckDB, no Arrow.

One row is one disclosure. `sequence`, `time` (milliseconds, UTC), `rows`, `size`, `released` and `occurred` are 64-bit
integers; `party`, `template`, `case` and `fingerprint` are texts; `records` is a list of ordinals; a dump has its
records as runs instead, in the lists `run_start` and `run_length`. Which rows follow which is the business of `shapes`.

Reading goes through a function `read(offset, length)`, so that a column of a sealed file is decrypted only when it is
asked for.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from muniment.errors import IntegrityError
from muniment.ledger.batch import NUMBERS, TEXTS, Batch, Texts, assembled
from muniment.ledger.segments import pages, schema, thrift
from muniment.ledger.segments.pages import Column, Read, Stored
from muniment.ledger.segments.schema import COLUMNS, Footer, RowGroup
from muniment.ledger.segments.shapes import (
    SEGMENT_RECORDS,
    Group,
    Lists,
    Shape,
    alternated,
    expanded,
    records_of,
    runs_of,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAGIC = b"PAR1"
_TAIL = struct.Struct("<I4s")


def rendered(batch: Batch, groups: Sequence[Group], span: int, commitments: str) -> Iterator[bytes]:
    """The bytes of a Parquet file of an arranged batch (`shapes.arranged`), column by column.

    `span` and `commitments` (text) go into its key-value metadata.
    """
    yield MAGIC
    at = len(MAGIC)
    written = []
    for group in groups:
        columns = _columns(batch, group)
        places = pages.offsets(columns, at)
        written.append(RowGroup(group.stop - group.start, tuple(c.at(p) for c, p in zip(columns, places, strict=True))))
        yield from (column.data for column in columns)
        at = places[-1] + len(columns[-1].data)
    footer = thrift.encode(schema.footer_struct(Footer(span, commitments, tuple(written))))
    yield footer + _TAIL.pack(len(footer), MAGIC)


def _columns(batch: Batch, group: Group) -> list[Column]:
    """The columns of one row group, in the order of `COLUMNS`."""
    rows = slice(group.start, group.stop)
    none = Lists(np.zeros(group.stop - group.start + 1, np.int64), np.zeros(0, np.uint32))
    records, firsts, lengths = none, none, none
    if group.shape == Shape.DUMP:
        firsts, lengths = runs_of(batch, group)
    else:
        records = records_of(batch, group)
    named = {"records": records, "run_start": firsts, "run_length": lengths}
    numbers = {name: pages.number_column(getattr(batch, name)[rows]) for name in NUMBERS}
    texts = {name: pages.text_column(_part(getattr(batch, name), rows)) for name in TEXTS}
    columns = numbers | texts | {name: pages.list_column(lists) for name, lists in named.items()}
    return [columns[name] for name in COLUMNS]


def _part(texts: Texts, rows: slice) -> Texts:
    """Some rows of a column of texts; its values as they are, used or not."""
    return Texts(texts.values, texts.codes[rows])


class ParquetReader:
    """Reads what `rendered` wrote; any other Parquet file is `IntegrityError`."""

    def __init__(self, read: Read, size: int) -> None:
        """`read(offset, length)` gives bytes of a file of `size` bytes."""
        self._read = read
        least = len(MAGIC) + _TAIL.size
        length, magic = _TAIL.unpack(read(size - _TAIL.size, _TAIL.size)) if size >= least else (0, b"")
        if magic != MAGIC or read(0, len(MAGIC)) != MAGIC or length > size - least:
            raise IntegrityError("a segment holds no Parquet file")
        start = size - _TAIL.size - length
        data = read(start, length)
        found, end = thrift.decode(data)
        self._footer = schema.parsed_footer(found)
        last = self._footer.groups[-1].chunks[-1]
        if end != length or last.offset + last.stored != start:
            raise IntegrityError("the footer of a segment does not fit its file")

    @property
    def rows(self) -> int:
        """Rows of the file."""
        return self._footer.rows

    @property
    def span(self) -> int:
        """Ordinals reserved when the segment was sealed."""
        return self._footer.span

    @property
    def commitments(self) -> str:
        """The text of the commitments that were stored."""
        return self._footer.commitments

    def numbers(self, name: str) -> NDArray[np.int64]:
        """One numeric column (of `batch.NUMBERS`), shape (n,)."""
        return np.concatenate([pages.read_numbers(stored) for stored in self._stored(name)])

    def texts(self, name: str) -> Texts:
        """One column of texts (of `batch.TEXTS`)."""
        return _joined([pages.read_texts(stored) for stored in self._stored(name)])

    def pick(
        self, rows: NDArray[np.int64], numbers: Collection[str], texts: Collection[str]
    ) -> tuple[dict[str, NDArray[np.int64]], dict[str, Texts]]:
        """Some rows of some columns by name, in the order of `rows`; only the pages that hold them are unpacked.

        The file is passed over once, from front to back. Raises `ValueError` for a row that there is not.
        """
        if len(rows) and not 0 <= int(rows.min()) <= int(rows.max()) < self.rows:
            raise ValueError(f"row {int(rows.min()):,} or {int(rows.max()):,} of {self.rows:,}")
        order = np.argsort(rows, kind="stable")
        ascending, back = rows[order], np.argsort(order)
        starts = list(accumulate((group.rows for group in self._footer.groups), initial=0))
        bounds = np.searchsorted(ascending, starts).tolist()
        found: dict[str, list[NDArray[np.int64]]] = {name: [np.zeros(0, np.int64)] for name in numbers}
        coded: dict[str, list[Texts]] = {name: [Texts((), np.zeros(0, np.uint32))] for name in texts}
        for group, start, first, last in zip(self._footer.groups, starts, bounds, bounds[1:], strict=False):
            if first == last:
                continue
            chosen = ascending[first:last] - start
            for name, chunk in zip(COLUMNS, group.chunks, strict=True):
                stored = Stored(chunk, self._read, group.rows)
                if name in found:
                    found[name].append(pages.read_numbers(stored, chosen))
                elif name in coded:
                    coded[name].append(pages.read_texts(stored, chosen))
        joined = {name: _joined(parts) for name, parts in coded.items()}
        return (
            {name: np.concatenate(parts)[back] for name, parts in found.items()},
            {name: Texts(column.values, column.codes[back]) for name, column in joined.items()},
        )

    def records(self) -> Lists:
        """The records of every row, ascending; dumps too."""
        columns = zip(*(self._stored(name) for name in schema.LISTS), strict=True)
        parts = [self._group_records(*map(pages.read_lists, stored)) for stored in columns]
        counts = np.concatenate([part.counts for part in parts])
        starts = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        if int(starts[-1]) > SEGMENT_RECORDS:
            raise IntegrityError(f"a segment holds {int(starts[-1]):,} records; expected at most {SEGMENT_RECORDS:,}")
        return Lists(starts, np.concatenate([part.values for part in parts]))

    def batch(self) -> Batch:
        """Every column. Raises `IntegrityError` where the records of a row do not ascend."""
        lists = self.records()
        numbers = {name: self.numbers(name) for name in NUMBERS}
        batch = assembled(numbers, {name: self.texts(name) for name in TEXTS}, lists.starts, lists.values)
        try:
            batch.check()
        except ValueError as error:
            raise IntegrityError("the records of a disclosure do not ascend") from error
        return batch

    @staticmethod
    def _group_records(records: Lists, firsts: Lists, lengths: Lists) -> Lists:
        runs = expanded(firsts, lengths)
        if len(runs.values) == 0:
            return alternated(records)
        if len(records.values) or (runs.counts == 0).any():
            raise IntegrityError("a row group of a segment mixes dumps with other rows")
        return runs

    def _stored(self, name: str) -> Iterator[Stored]:
        """A column in each row group."""
        place = COLUMNS.index(name)
        for group in self._footer.groups:
            yield Stored(group.chunks[place], self._read, group.rows)


def _joined(parts: Sequence[Texts]) -> Texts:
    """Columns of texts one behind another; each text once."""
    known: dict[str, int] = {}
    codes = []
    for part in parts:
        table = np.array([known.setdefault(text, len(known)) for text in part.values], np.uint32)
        codes.append(table[part.codes])
    return Texts(tuple(known), np.concatenate(codes))
