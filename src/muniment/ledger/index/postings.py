"""One run of the index: for every ordinal the events that hold it, for every event its account, and the dumps.

Rules
1. An event of a run is its row in the run's segments, put one behind another: `bounds` gives the segment back.
2. Lists stand in the order of ordinals, events ascending. Sixty-four lists share a block of 36 bytes: where the first
   begins (u32) and a length of 4 bits for each; a length of 15 or more stands as 15, the rest of it in *excess*.
3. A block counts positions. In a dense run the position is the ordinal; in a sparse one, where few ordinals of the span
   occur, it is the rank of the ordinal in *keys*.
4. A dump (see `segments.segment`) is a bitmap over its span, not part of the lists.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.ledger.index.bits import GROUP, WORD_BYTES, pick, unpack
from muniment.ledger.index.pages import PAGE_BYTES, PageCache, PageFile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.keys import Key

BLOCK: Final = 64
"""Lists in a block."""
BLOCK_BYTES: Final = 4 + BLOCK // 2
ESCAPE: Final = 15
"""A length that says: 15 and what stands in *excess*."""
SEGMENT: Final = np.dtype([("leaf", "<i8"), ("rows", "<i8"), ("identity", "u1", (32,))])
"""How a segment is named in a run."""
_LANES = np.arange(BLOCK)
_FEW: Final = 64
"""Events of one list that are unpacked one by one."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who receives: the recipient and the account that acted, whatever device it used."""

    recipient: str
    account: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Coverage:
    """What a run is about: its segments by the index of their leaf in the log, their rows, and its dumps."""

    leaves: NDArray[np.int64]
    rows: NDArray[np.int64]
    identities: NDArray[np.uint8]
    """SHA-256 of the manifest of each segment, shape (segments, 32)."""
    dumps: tuple[tuple[int, int], ...]
    """Event and span of every dump, events ascending."""
    postings: int
    span: int
    """One more than the highest ordinal of a list."""
    accounts: tuple[Account, ...]

    @property
    def bounds(self) -> NDArray[np.int64]:
        """The first event of each segment, and behind it the number of events; shape (segments + 1,)."""
        return np.concatenate(([0], np.cumsum(self.rows))).astype(np.int64)

    @property
    def events(self) -> int:
        """Rows of all segments."""
        return int(self.rows.sum())


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Lists:
    """Lists of some ordinals: `events[ends[i - 1]:ends[i]]` belong to `ordinals[i]`, which are ascending."""

    ordinals: NDArray[np.int64]
    counts: NDArray[np.int64]
    events: NDArray[np.uint64]


class Postings:
    """An open run. Nothing is read before it is asked for, but the list of segments, excess and keys."""

    def __init__(self, path: Path, keys: Sequence[Key], cache: PageCache) -> None:
        """Errors as `PageFile`."""
        self._file = PageFile(path, keys, cache)
        try:
            meta = self._file.meta
            self._width, self._account_width = int(str(meta["width"])), int(str(meta["account_width"]))
            self.entries = int(str(meta["entries"]))
            self._dense = bool(meta["dense"])
            self._dumps = [tuple(map(int, dump)) for dump in json.loads(str(meta["dumps"]))]
            self.coverage = self._coverage(int(str(meta["postings"])), int(str(meta["span"])))
            self._read_tables()
        except BaseException:
            self._file.close()
            raise

    def __repr__(self) -> str:
        return f"Postings({str(self._file.path)!r})"

    @property
    def id(self) -> bytes:
        """The 16 bytes by which the file is known."""
        return self._file.file_id

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return self._file.path

    def check(self) -> None:
        """Read every page once; `IntegrityError` names the first one that does not verify."""
        self._file.check()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    # --- some ordinals, through the cache ------------------------------------------------------------------------

    def find(self, ordinals: NDArray[np.uint32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where the list of each ordinal begins, and its length (0 where it has none); each of shape (n,)."""
        positions, present = self._positions(ordinals)
        starts, counts = np.zeros(len(positions), np.int64), np.zeros(len(positions), np.int64)
        if present.all():
            return self._blocks(positions)
        starts[present], counts[present] = self._blocks(positions[present])
        return starts, counts

    def events(self, starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.uint64]:
        """The events of lists found by `find`, one list behind another."""
        ends = np.cumsum(counts)
        total = int(ends[-1]) if ends.size else 0
        places = np.repeat(starts - ends + counts, counts) + np.arange(total)
        return pick(lambda words: self._file.words("events", words), places, self._width)

    def events_of(self, ordinal: int) -> list[int]:
        """Every event that holds one ordinal, those of its list ascending, then dumps.

        The same as `find`, `events` and `dumps_with` say, a few times quicker for one.
        """
        found = self._list_of(ordinal)
        for event, span, offset in self._dumps:
            if ordinal < span and self._file.peek("dumps", offset + (ordinal >> 3), 1)[0] >> (ordinal & 7) & 1:
                found.append(event)
        return found

    def _list_of(self, ordinal: int) -> list[int]:
        position = self._position(ordinal)
        if position >= (self.coverage.span if self._dense else len(self._keys)):
            return []
        if not self._dense and int(self._keys[position]) != ordinal:
            return []
        block, lane = divmod(position, BLOCK)
        octets = self._file.peek("blocks", block * BLOCK_BYTES, BLOCK_BYTES)
        lengths = [length for octet in octets[4:] for length in (octet & 15, octet >> 4)]
        start, count = int.from_bytes(octets[:4], "little") + sum(lengths[:lane]), lengths[lane]
        if self._excess.size:
            first, place = np.searchsorted(self._excess, [block * BLOCK, position]).tolist()
            start += int(self._excess_sum[place] - self._excess_sum[first])
            count += int(self._excess_sum[place + 1] - self._excess_sum[place]) if count == ESCAPE else 0
        if count > _FEW:
            return [int(event) for event in self.events(np.array([start]), np.array([count]))]
        low, high = start * self._width // 8, -(-(start + count) * self._width // 8)
        packed = int.from_bytes(self._file.peek("events", low, high - low), "little") >> (start * self._width - 8 * low)
        return [packed >> i * self._width & (1 << self._width) - 1 for i in range(count)]

    def accounts_of(self, events: NDArray[np.int64]) -> NDArray[np.uint64]:
        """The number of the account of each event, in `coverage.accounts`."""
        return pick(lambda words: self._file.words("accounts", words), events, self._account_width)

    def dumps_with(self, ordinals: NDArray[np.uint32]) -> Iterator[tuple[int, NDArray[np.bool_]]]:
        """Event of every dump, and which of the ordinals it holds, shape (n,)."""
        places = ordinals.astype(np.int64)
        highest = int(places.max()) if places.size else -1
        octets, bits = places >> 3, (places & 7).astype(np.uint8)
        for event, span, offset in self._dumps:
            if highest < span:
                yield event, (self._file.octets("dumps", octets + offset) >> bits & 1).astype(bool)
                continue
            inside = places < span
            held = np.zeros(len(places), bool)
            held[inside] = self._file.octets("dumps", octets[inside] + offset) >> bits[inside] & 1
            yield event, held

    # --- ranges, past the cache ----------------------------------------------------------------------------------

    def lists(self, low: int, high: int) -> Lists:
        """All lists of the ordinals from `low` to below `high`."""
        first, last = self._position(low), self._position(high)
        if first >= last:
            return Lists(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.uint64))
        begin, counts = self._range(first, last)
        held = np.flatnonzero(counts)
        ordinals = held + low if self._dense else self._keys[first:last].astype(np.int64)
        return Lists(ordinals, counts[held], self._packed("events", self._width, begin, begin + int(counts.sum())))

    def accounts(self, first: int, last: int) -> NDArray[np.uint64]:
        """The numbers of the accounts of events `first` to below `last`."""
        return self._packed("accounts", self._account_width, first, last)

    def bitmap(self, dump: int) -> bytes:
        """The bitmap of one of `coverage.dumps`: bit o & 7 of byte o >> 3 for ordinal o."""
        _, span, offset = self._dumps[dump]
        return self._file.read("dumps", offset, offset + -(-span // 8))

    # --- blocks --------------------------------------------------------------------------------------------------

    def _positions(self, ordinals: NDArray[np.uint32]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        if self._dense:
            positions = ordinals.astype(np.int64)
            return positions, positions < self.coverage.span
        ranks = np.searchsorted(self._keys, ordinals)
        present = ranks < len(self._keys)
        present[present] = self._keys[ranks[present]] == ordinals[present]
        return ranks, present

    def _position(self, ordinal: int) -> int:
        """The position of the first ordinal of the run that is not below `ordinal`."""
        if self._dense:
            return min(ordinal, self.coverage.span)
        return int(np.searchsorted(self._keys, np.uint64(ordinal)))

    def _blocks(self, positions: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        blocks, lanes = positions >> 6, positions & 63
        halves = BLOCK_BYTES // 4
        taken = self._file.halves("blocks", (blocks[:, None] * halves + np.arange(halves)).reshape(-1))
        octets = taken.view(np.uint8).reshape(-1, BLOCK_BYTES)
        starts = taken.reshape(-1, halves)[:, 0].astype(np.int64)
        lengths = _lengths(octets[:, 4:])
        starts += np.where(lanes[:, None] > _LANES, lengths, 0).sum(1, dtype=np.int64)
        counts = lengths[np.arange(len(lanes)), lanes].astype(np.int64)
        if self._excess.size:
            first, place = np.searchsorted(self._excess, blocks << 6), np.searchsorted(self._excess, positions)
            starts += self._excess_sum[place] - self._excess_sum[first]
            long = np.flatnonzero(counts == ESCAPE)
            counts[long] += self._excess_sum[place[long] + 1] - self._excess_sum[place[long]]
        return starts, counts

    def _range(self, first: int, last: int) -> tuple[int, NDArray[np.int64]]:
        """Where the list at position `first` begins, and the lengths of the lists from there to below `last`."""
        block = first >> 6
        data = self._file.read("blocks", block * BLOCK_BYTES, (-(-last // BLOCK)) * BLOCK_BYTES)
        octets = np.frombuffer(data, np.uint8).reshape(-1, BLOCK_BYTES)
        counts = _lengths(octets[:, 4:]).reshape(-1).astype(np.int64)
        low, high = np.searchsorted(self._excess, [block << 6, (block << 6) + len(counts)])
        counts[self._excess[low:high] - (block << 6)] += np.diff(self._excess_sum[low : high + 1])
        skipped = first - (block << 6)
        begin = int.from_bytes(data[:4], "little") + int(counts[:skipped].sum())
        return begin, counts[skipped : skipped + last - first]

    def _packed(self, section: str, width: int, first: int, last: int) -> NDArray[np.uint64]:
        group = first // GROUP
        size = width * WORD_BYTES
        values = unpack(self._file.read(section, group * size, -(-last // GROUP) * size), width)
        return values[first - group * GROUP : last - group * GROUP]

    # --- opening -------------------------------------------------------------------------------------------------

    def _coverage(self, postings: int, span: int) -> Coverage:
        segments = np.frombuffer(self._file.read("segments"), SEGMENT)
        accounts = tuple(Account(*pair) for pair in json.loads(self._file.read("names")))
        dumps = tuple((event, width) for event, width, _ in self._dumps)
        leaves, rows = segments["leaf"].astype(np.int64), segments["rows"].astype(np.int64)
        return Coverage(leaves, rows, segments["identity"], dumps, postings, span, accounts)

    def _read_tables(self) -> None:
        excess = np.frombuffer(self._file.read("excess"), "<u4").reshape(-1, 2)
        self._excess = excess[:, 0].astype(np.int64)
        self._excess_sum = np.concatenate(([0], np.cumsum(excess[:, 1], dtype=np.int64))).astype(np.int64)
        self._keys = np.frombuffer(self._file.read("keys"), "<u4")


def page_bytes(width: int, account_width: int) -> dict[str, int]:
    """The sections of a run and the bytes of their pages: whole blocks and whole groups, so that nothing is cut."""
    return {
        "blocks": PAGE_BYTES // BLOCK_BYTES * BLOCK_BYTES,
        "events": PAGE_BYTES // (width * WORD_BYTES) * width * WORD_BYTES,
        "accounts": PAGE_BYTES // (account_width * WORD_BYTES) * account_width * WORD_BYTES,
        "dumps": PAGE_BYTES,
        "keys": PAGE_BYTES,
        "excess": PAGE_BYTES,
        "segments": PAGE_BYTES // SEGMENT.itemsize * SEGMENT.itemsize,
        "names": PAGE_BYTES,
    }


def _lengths(octets: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The 64 lengths of each block: low half of a byte first."""
    lengths = np.empty((len(octets), BLOCK), np.uint8)
    lengths[:, 0::2] = octets & 15
    lengths[:, 1::2] = octets >> 4
    return lengths
