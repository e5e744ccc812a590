"""Writing runs: one from a segment, and one from several runs, by slices of ordinals in flat memory.

A segment is sorted whole: it was one batch in memory when it was sealed, and its postings take 8 bytes each. Runs are
merged slice by slice, so that no merge needs more than some million postings at a time.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from muniment.disclosure import Party
from muniment.durable import replace_file
from muniment.errors import LimitError
from muniment.ledger.index.bits import GROUP, distinct, pack, padded, width_of
from muniment.ledger.index.pages import PageWriter
from muniment.ledger.index.postings import BLOCK, ESCAPE, SEGMENT, Account, Coverage, Lists, page_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.keys import Key
    from muniment.ledger.batch import Batch, Texts
    from muniment.ledger.sources import SegmentSource

RUN_POSTINGS: Final = 2**32 - 1
"""Postings of one run: a block says with 32 bits where its lists begin (limits.INDEX_RUN_POSTINGS)."""
SLICE_POSTINGS: Final = 2**20
"""Postings of one slice of a merge, about: some 100 MB with everything that is made of them."""
SPARSE: Final = 8
"""A run with fewer postings than a SPARSEth of its span is sparse: keys of 32 bits cost less there than empty lists."""
FILE_ID_BYTES: Final = 16
_ROWS = 2**20


class Part(Protocol):
    """What a run is made of: the postings of a segment, or another run."""

    @property
    def coverage(self) -> Coverage:
        """The segments and their totals."""
        ...

    def lists(self, low: int, high: int) -> Lists:
        """All lists of the ordinals from `low` to below `high`."""
        ...

    def accounts(self, first: int, last: int) -> NDArray[np.uint64]:
        """The account numbers of events `first` to below `last`."""
        ...

    def bitmap(self, dump: int) -> bytes:
        """The bitmap of one dump of the coverage."""
        ...


class SegmentPart:
    """The postings of one segment, sorted in memory."""

    def __init__(self, source: SegmentSource) -> None:
        batch, spans = source.batch(), source.spans()
        self._codes, accounts = accounts_of(batch.party)
        self._width = np.uint64(width_of(max(0, len(batch) - 1)))
        dumps = tuple(sorted(spans.items()))
        self._bitmaps = [_bitmap(batch.records(row), span) for row, span in dumps]
        self._pairs = _pairs(batch, [row for row, _ in dumps], self._width)
        span = int(self._pairs[-1] >> self._width) + 1 if self._pairs.size else 0
        segment = np.array([(source.leaf, len(batch), np.frombuffer(source.identity, np.uint8))], SEGMENT)
        self.coverage = Coverage(
            segment["leaf"], segment["rows"], segment["identity"], dumps, len(self._pairs), span, accounts
        )

    def lists(self, low: int, high: int) -> Lists:
        """All lists of the ordinals from `low` to below `high`."""
        limits = np.array([low, min(high, self.coverage.span)], np.uint64) << self._width
        begin, end = np.searchsorted(self._pairs, limits)
        part = self._pairs[begin:end]
        ordinals = (part >> self._width).astype(np.int64)
        first = np.flatnonzero(np.concatenate(([True], ordinals[1:] != ordinals[:-1]))) if part.size else ordinals
        counts = np.diff(np.append(first, len(part)))
        return Lists(ordinals[first], counts, part & np.uint64(2 ** int(self._width) - 1))

    def accounts(self, first: int, last: int) -> NDArray[np.uint64]:
        """The account numbers of events `first` to below `last`."""
        return self._codes[first:last].astype(np.uint64)

    def bitmap(self, dump: int) -> bytes:
        """The bitmap of one dump of the coverage."""
        return self._bitmaps[dump]


def accounts_of(party: Texts) -> tuple[NDArray[np.int64], tuple[Account, ...]]:
    """The account of each row as a number, and the accounts: parties that differ by device only are one."""
    numbers: dict[Account, int] = {}
    table = []
    for text in party.values:
        value = Party.from_text(text)
        table.append(numbers.setdefault(Account(value.recipient, value.account), len(numbers)))
    return np.array(table, np.int64)[party.codes], tuple(numbers)


def write_run(
    path: Path, parts: Sequence[Part], key: Key, *, random_bytes: Callable[[int], bytes] = os.urandom
) -> None:
    """Write one run over the segments of all parts, in their order; a crash leaves the old file or the new one.

    Raises `LimitError` for more postings than a run can hold, `UnreachableError` on a full or read-only disk.
    """
    total = sum(part.coverage.postings for part in parts)
    if total > RUN_POSTINGS:
        raise LimitError(f"a run of the index would hold {total:,} postings; expected at most {RUN_POSTINGS:,}")
    replace_file(path, _Run(parts, key, random_bytes(FILE_ID_BYTES)).chunks())


class _Run:
    """The writing of one run."""

    def __init__(self, parts: Sequence[Part], key: Key, file_id: bytes) -> None:
        self._parts = parts
        covered = [part.coverage for part in parts]
        self._postings = sum(one.postings for one in covered)
        self._span = max((one.span for one in covered), default=0)
        self._dense = self._postings * SPARSE >= self._span
        self._numbers: dict[Account, int] = {}
        self._tables = [self._table(one.accounts) for one in covered]
        self._shifts = np.cumsum([0, *(one.events for one in covered)]).tolist()
        self._width = width_of(max(0, self._shifts[-1] - 1))
        self._account_width = width_of(max(0, len(self._numbers) - 1))
        self._writer = PageWriter(key, file_id, page_bytes(self._width, self._account_width))
        self._counts = np.zeros(0, np.int64)
        self._events = np.zeros(0, np.uint64)
        self._position, self._begin, self._entries = 0, 0, 0

    def chunks(self) -> Iterator[bytes]:
        """The bytes of the file."""
        for _ in self._sections():
            yield self._writer.drain()
        dumps = self._dumps()
        yield self._writer.drain()
        yield self._writer.finish(
            {
                "width": self._width,
                "account_width": self._account_width,
                "dense": self._dense,
                "entries": self._entries,
                "postings": self._postings,
                "span": self._span,
                "dumps": json.dumps(dumps),
            }
        )

    def _table(self, accounts: Sequence[Account]) -> NDArray[np.uint64]:
        return np.array([self._numbers.setdefault(one, len(self._numbers)) for one in accounts], np.uint64)

    def _sections(self) -> Iterator[None]:
        self._writer.add("segments", b"".join(_segments(part.coverage) for part in self._parts))
        names = [[one.recipient, one.account] for one in self._numbers]
        self._writer.add("names", json.dumps(names, ensure_ascii=False).encode())
        yield from self._accounts()
        step = max(BLOCK, self._span * SLICE_POSTINGS // max(1, self._postings) // BLOCK * BLOCK)
        for low in range(0, self._span, step):
            self._slice(low, min(self._span, low + step))
            yield
        self._blocks(padded(self._counts, BLOCK))
        self._writer.add("events", pack(padded(self._events, GROUP), self._width))

    def _accounts(self) -> Iterator[None]:
        held = np.zeros(0, np.uint64)
        for part, table in zip(self._parts, self._tables, strict=True):
            events = part.coverage.events
            for first in range(0, events, _ROWS):
                codes = part.accounts(first, min(events, first + _ROWS)).astype(np.int64)
                held = np.concatenate((held, table[codes]))
                whole = len(held) // GROUP * GROUP
                self._writer.add("accounts", pack(held[:whole], self._account_width))
                held = held[whole:]
                yield
        self._writer.add("accounts", pack(padded(held, GROUP), self._account_width))

    def _dumps(self) -> list[list[int]]:
        """Write the bitmaps; returns event, span and offset of each."""
        placed, offset = [], 0
        for part, shift in zip(self._parts, self._shifts, strict=False):
            for number, (event, span) in enumerate(part.coverage.dumps):
                bitmap = part.bitmap(number)
                self._writer.add("dumps", bitmap)
                placed.append([event + shift, span, offset])
                offset += len(bitmap)
        return placed

    def _slice(self, low: int, high: int) -> None:
        merged = _merged([part.lists(low, high) for part in self._parts], self._shifts)
        self._entries += len(merged.ordinals)
        counts = merged.counts
        if self._dense:
            counts = np.zeros(high - low, np.int64)
            counts[merged.ordinals - low] = merged.counts
        else:
            self._writer.add("keys", merged.ordinals.astype("<u4").tobytes())
        self._counts = np.concatenate((self._counts, counts))
        whole = len(self._counts) // BLOCK * BLOCK
        self._blocks(self._counts[:whole])
        self._counts = self._counts[whole:]
        self._events = np.concatenate((self._events, merged.events))
        whole = len(self._events) // GROUP * GROUP
        self._writer.add("events", pack(self._events[:whole], self._width))
        self._events = self._events[whole:]

    def _blocks(self, counts: NDArray[np.int64]) -> None:
        """Write whole blocks of lengths."""
        lanes = counts.reshape(-1, BLOCK)
        sums = lanes.sum(1)
        blocks = np.empty((len(lanes), 4 + BLOCK // 2), np.uint8)
        begins = (self._begin + np.cumsum(sums) - sums).astype("<u4")
        blocks[:, :4] = begins[:, None].view(np.uint8)
        lengths = np.minimum(lanes, ESCAPE).astype(np.uint8)
        blocks[:, 4:] = lengths[:, 0::2] | lengths[:, 1::2] << 4
        self._writer.add("blocks", blocks.tobytes())
        long = np.flatnonzero(counts >= ESCAPE)
        excess = np.stack([long + self._position, counts[long] - ESCAPE], 1)
        self._writer.add("excess", excess.astype("<u4").tobytes())
        self._begin += int(sums.sum())
        self._position += len(counts)


def _merged(parts: Sequence[Lists], shifts: Sequence[int]) -> Lists:
    """The lists of several parts as one; the events of part i move up by `shifts[i]`, so they stay ascending."""
    if len(parts) == 1:
        return parts[0]
    ordinals = distinct(np.concatenate([part.ordinals for part in parts]))
    ranks = [np.searchsorted(ordinals, part.ordinals) for part in parts]
    counts = np.zeros(len(ordinals), np.int64)
    for part, rank in zip(parts, ranks, strict=True):
        counts[rank] += part.counts
    free = np.cumsum(counts) - counts
    events = np.empty(int(counts.sum()), np.uint64)
    for part, rank, shift in zip(parts, ranks, shifts, strict=False):
        own = np.cumsum(part.counts) - part.counts
        places = np.repeat(free[rank] - own, part.counts) + np.arange(len(part.events))
        events[places] = part.events + np.uint64(shift)
        free[rank] += part.counts
    return Lists(ordinals, counts, events)


def _segments(coverage: Coverage) -> bytes:
    segments = np.empty(len(coverage.leaves), SEGMENT)
    segments["leaf"], segments["rows"], segments["identity"] = coverage.leaves, coverage.rows, coverage.identities
    return segments.tobytes()


def _pairs(batch: Batch, dumps: Sequence[int], width: np.uint64) -> NDArray[np.uint64]:
    """ordinal << width | row for every record that is not of a dump, ascending."""
    edges = [0, *(row + step for row in dumps for step in (0, 1)), len(batch)]
    pieces = []
    for first, last in zip(edges[0::2], edges[1::2], strict=True):
        rows = np.repeat(np.arange(first, last, dtype=np.uint64), batch.counts[first:last])
        ordinals = batch.ordinals[batch.starts[first] : batch.starts[last]]
        pieces.append(ordinals.astype(np.uint64) << width | rows)
    return np.sort(np.concatenate(pieces))


def _bitmap(ordinals: NDArray[np.uint32], span: int) -> bytes:
    held = np.zeros(span, bool)
    held[ordinals] = True
    return np.packbits(held, bitorder="little").tobytes()
