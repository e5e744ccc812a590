"""Reading the ledger: who received these records, what one account received, who received this person.

Rules
1. Every answer covers every source: segments in the index through their run, all others (sealed since, and the unsealed
   tail) by looking at their records. An index that is behind makes answers slower, never smaller.
2. An index that is not about these segments is refused (`IntegrityError`); it is never half used.
3. Records are counted once for each account, however often they were given and through however many dumps.
4. A window of time is about when a disclosure happened: `occurred` where it was recorded later, else `time`.
5. A reader belongs to one thread and sees the ledger as it was when it was made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import TYPE_CHECKING, Literal

import numpy as np

from muniment.disclosure import Template
from muniment.errors import IntegrityError
from muniment.ledger.batch import NUMBERS, TEXTS, Batch, assembled, concatenated
from muniment.ledger.index.bits import distinct
from muniment.ledger.index.build import accounts_of
from muniment.ledger.index.pages import REINDEX
from muniment.ledger.index.postings import Account, Postings
from muniment.ledger.sources import BatchSource, ColumnCache, SegmentSource

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.ledger.batch import Texts

PICK_ROWS = 32_768
"""Rows of a source that cost about as much to unpack as one row that is picked: a page of a segment. So whole columns
are unpacked, and kept, once the rows picked from a source have cost as much.
"""
_NO_END = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Overlap:
    """How many of the records in question one account (or, counted by recipient, one recipient) ever received."""

    recipient: str
    account: str
    records: int


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Rows:
    """Disclosures by their place: source number (the tail is the last) and row in it. Shape (n,) each, by sequence."""

    source: NDArray[np.int64]
    row: NDArray[np.int64]
    sequence: NDArray[np.int64]
    time: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.row)

    def take(self, chosen: NDArray[np.int64]) -> Rows:
        """Some of them, in the order given."""
        return Rows(self.source[chosen], self.row[chosen], self.sequence[chosen], self.time[chosen])


@dataclass(frozen=True, slots=True, repr=False)
class _Indexed:
    """A run, the number of its first source, and its account numbers as the reader counts them."""

    run: Postings
    first: int
    bounds: NDArray[np.int64]
    accounts: NDArray[np.int64]


@dataclass(frozen=True, slots=True, repr=False)
class _Groups:
    """What overlaps are counted by: the group of each account, the names of the groups, their places by name."""

    codes: NDArray[np.int64]
    names: Sequence[tuple[str, str]]
    ranks: NDArray[np.int64]


class LedgerReader:
    """Answers over sealed segments in the order of the log, the runs of the index, and the unsealed tail."""

    def __init__(
        self,
        segments: Sequence[SegmentSource],
        runs: Sequence[Postings] = (),
        tail: Batch | None = None,
        cache: ColumnCache | None = None,
    ) -> None:
        """Raises `IntegrityError` where a run is about other segments than these."""
        self._sources: list[SegmentSource] = [*segments]
        if tail is not None and len(tail):
            self._sources.append(BatchSource(tail))
        self._cache = ColumnCache() if cache is None else cache
        self._picks: dict[int, int] = {}
        self._numbers: dict[Account, int] = {}
        self._named: dict[tuple[str | None, str | None], list[int]] = {}
        self._grouped: dict[str, _Groups] = {}
        self._runs = [self._indexed(run) for run in runs]
        covered = {number for one in self._runs for number in range(one.first, one.first + len(one.bounds) - 1)}
        self._loose = [number for number in range(len(self._sources)) if number not in covered]

    def __repr__(self) -> str:
        return f"LedgerReader({len(self._sources)} sources, {len(self._runs)} runs)"

    @property
    def sources(self) -> Sequence[SegmentSource]:
        """Segments in the order of the log, then the tail where there is one; `Rows.source` counts them."""
        return tuple(self._sources)

    @property
    def unindexed(self) -> int:
        """Sources that no run covers, the tail included."""
        return len(self._loose)

    # --- questions -----------------------------------------------------------------------------------------------

    def overlap(
        self, ordinals: NDArray[np.uint32], *, by: Literal["account", "recipient"] = "account", most: int | None = None
    ) -> list[Overlap]:
        """How many of these records each account received: everyone with one or more, most first, then by name.

        With `most`, no more than so many of them.
        """
        wanted = distinct(np.asarray(ordinals, np.uint32))
        pieces = [*self._listed(wanted), *self._dumped(wanted), *self._scanned(wanted)]
        groups = self._groups(by)
        width = np.uint64(max(1, len(wanted)))
        codes = groups.codes.astype(np.uint64)
        pairs = [codes[accounts] * width + queries.astype(np.uint64) for accounts, queries in pieces]
        joined = np.concatenate([np.zeros(0, np.uint64), *pairs])
        if len(groups.names) * len(wanted) < 2**32:
            once = distinct(joined.astype(np.uint32)) // np.uint32(width)  # sorts twice as fast
        else:
            once = distinct(joined) // width
        counts = np.bincount(once.astype(np.int64), minlength=len(groups.names))
        held = np.flatnonzero(counts)
        order = held[np.lexsort((groups.ranks[held], -counts[held]))][:most]
        found = zip([groups.names[number] for number in order.tolist()], counts[order].tolist(), strict=True)
        return [Overlap(recipient, account, count) for (recipient, account), count in found]

    def received(
        self, *, account: str | None = None, recipient: str | None = None, since: int = 0, until: int = _NO_END
    ) -> NDArray[np.uint32]:
        """The distinct records that an account, or a recipient, received from `since` to before `until` (ms).

        Raises `ValueError` where neither is named.
        """
        if account is None and recipient is None:
            raise ValueError("an account or a recipient is needed")
        pieces = []
        for number in self._between(since, until):
            rows = self._rows_of(number, account, recipient)
            moments = self._moments(number)[rows]
            rows = rows[(moments >= since) & (moments < until)]
            starts, ordinals = self._records(number)
            pieces.append(_gathered(starts, ordinals, rows))
        return distinct(np.concatenate([np.zeros(0, np.uint32), *pieces]))

    def history(self, ordinals: NDArray[np.uint32]) -> Rows:
        """Every disclosure that held one of these records, dumps and tail included, each once, in order."""
        wanted = distinct(np.asarray(ordinals, np.uint32))
        sources, rows = [], []
        for one in self._runs:
            events = self._events_with(one, wanted)
            segments = np.searchsorted(one.bounds, events, "right") - 1
            sources.append(segments + one.first)
            rows.append(events - one.bounds[segments])
        for number in self._loose:
            held = distinct(self._matches(number, wanted)[0])
            sources.append(np.full(len(held), number))
            rows.append(held)
        return self._ordered(sources, rows)

    def select(
        self,
        *,
        account: str | None = None,
        recipient: str | None = None,
        case: str | None = None,
        channel: str | None = None,
        since: int = 0,
        until: int = _NO_END,
    ) -> Rows:
        """Disclosures that meet every condition given; `since` inclusive, `until` exclusive, ms since 1970."""
        sources, rows = [], []
        for number in self._between(since, until):
            moments = self._moments(number)
            chosen = (moments >= since) & (moments < until)
            if account is not None or recipient is not None:
                codes = self._codes(number)
                chosen &= np.isin(codes, self._meant(account, recipient))
            if case is not None:
                chosen &= _having(self._text(number, "case"), lambda text: text == case)
            if channel is not None:
                template = self._text(number, "template")
                chosen &= _having(template, lambda text: Template.from_text(text).channel == channel)
            held = np.flatnonzero(chosen)
            sources.append(np.full(len(held), number))
            rows.append(held)
        return self._ordered(sources, rows)

    def batch(self, rows: Rows, *, records: bool = False) -> Batch:
        """These disclosures in columns, in the order of `rows`.

        Their records are left out unless asked for: a dump holds millions.
        """
        parts, places = [], []
        for number in np.flatnonzero(np.bincount(rows.source)).tolist():
            mine = np.flatnonzero(rows.source == number)
            parts.append(self._taken(number, rows.row[mine], records))
            places.append(mine)
        if not parts:
            return Batch.of([])
        order = np.argsort(np.concatenate(places))
        return concatenated(parts).take(order)

    def counts(self, rows: Rows) -> NDArray[np.int64]:
        """How many records each of these disclosures holds, in the order of `rows`."""
        counts = np.zeros(len(rows), np.int64)
        for number in np.flatnonzero(np.bincount(rows.source)).tolist():
            mine = np.flatnonzero(rows.source == number)
            starts, at = self._records(number)[0], rows.row[mine]
            counts[mine] = starts[at + 1] - starts[at]
        return counts

    # --- sources -------------------------------------------------------------------------------------------------

    def _indexed(self, run: Postings) -> _Indexed:
        covered = run.coverage
        place = {source.leaf: number for number, source in enumerate(self._sources) if source.leaf >= 0}
        first = place.get(int(covered.leaves[0]), -1)
        sources = self._sources[first : first + len(covered.leaves)] if first >= 0 else []
        same = [source.leaf for source in sources] == covered.leaves.tolist() and all(
            source.identity == digest.tobytes() for source, digest in zip(sources, covered.identities, strict=True)
        )
        if not same:
            raise IntegrityError(f"{run.path}: the index is about other segments than this ledger's", hint=REINDEX)
        accounts = np.array([self._number(one) for one in covered.accounts], np.int64)
        return _Indexed(run, first, covered.bounds, accounts)

    def _number(self, account: Account) -> int:
        """The number of an account in this reader, given when it first comes."""
        number = self._numbers.get(account)
        if number is None:
            number = self._numbers[account] = len(self._numbers)
            for name in product((None, account.recipient), (None, account.account)):
                self._named.setdefault(name, []).append(number)
        return number

    def _between(self, since: int, until: int) -> Iterator[int]:
        """Sources that may hold a disclosure of that time."""
        for number, source in enumerate(self._sources):
            start, end = source.window
            if (start < until and end >= since) or self._imports(number):
                yield number

    def _imports(self, number: int) -> bool:
        """Whether a source holds disclosures that happened before they were recorded."""
        source = self._sources[number]
        return self._cache.get((number, "imports"), lambda: bool(source.numbers("occurred").any()), lambda _: 1)

    def _moments(self, number: int) -> NDArray[np.int64]:
        """When each disclosure happened (rule 4)."""
        time = self._column(number, "time")
        if not self._imports(number):
            return time
        occurred = self._column(number, "occurred")
        return np.where(occurred > 0, occurred, time)

    def _column(self, number: int, name: str) -> NDArray[np.int64]:
        source = self._sources[number]
        return self._cache.get((number, name), lambda: source.numbers(name), lambda column: column.nbytes)

    def _text(self, number: int, name: str) -> Texts:
        source = self._sources[number]
        return self._cache.get((number, name), lambda: source.texts(name), _texts_size)

    def _records(self, number: int) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
        source = self._sources[number]
        return self._cache.get((number, "records"), source.records, lambda pair: pair[0].nbytes + pair[1].nbytes)

    def _codes(self, number: int) -> NDArray[np.int32]:
        """The account number of each row."""

        def make() -> NDArray[np.int32]:
            codes, accounts = accounts_of(self._text(number, "party"))
            table = np.array([self._number(one) for one in accounts], np.int32)
            return table[codes]

        return self._cache.get((number, "account"), make, lambda column: column.nbytes)

    def _by_account(self, number: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint32]]:
        """The rows of a source by account: account numbers, where the rows of each begin, the rows."""

        def make() -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint32]]:
            codes = self._codes(number)
            narrow = codes.astype(np.uint16) if len(self._numbers) <= 2**16 else codes
            order = np.argsort(narrow, kind="stable").astype(np.uint32)  # a radix sort where 16 bits do
            counts = np.bincount(codes)
            held = np.flatnonzero(counts)
            return np.concatenate(([0], np.cumsum(counts[held]))), held, order

        return self._cache.get((number, "by account"), make, lambda parts: sum(part.nbytes for part in parts))

    def _rows_of(self, number: int, account: str | None, recipient: str | None) -> NDArray[np.int64]:
        starts, held, order = self._by_account(number)
        meant = self._meant(account, recipient)
        places = np.minimum(np.searchsorted(held, meant), len(held) - 1)
        return _gathered(starts, order, places[held[places] == meant]).astype(np.int64)

    def _meant(self, account: str | None, recipient: str | None) -> NDArray[np.int64]:
        """The account numbers that are meant, ascending; asked for again whenever a source may have added some."""
        return np.array(self._named.get((recipient, account), ()), np.int64)

    def _taken(self, number: int, rows: NDArray[np.int64], records: bool) -> Batch:
        starts, ordinals = np.zeros(len(rows) + 1, np.int64), np.zeros(0, np.uint32)
        if records:
            own, values = self._records(number)
            starts = np.concatenate(([0], np.cumsum(own[rows + 1] - own[rows]))).astype(np.int64)
            ordinals = _gathered(own, values, rows)
        return assembled(*self._picked(number, rows, NUMBERS, TEXTS), starts, ordinals)

    def _picked(
        self, number: int, rows: NDArray[np.int64], numbers: Sequence[str], texts: Sequence[str]
    ) -> tuple[dict[str, NDArray[np.int64]], dict[str, Texts]]:
        """Some rows of some columns: taken from the file by themselves while they are few, then from whole columns."""
        source = self._sources[number]
        missing = {name for name in (*numbers, *texts) if (number, name) not in self._cache}
        few = self._picks.get(number, 0) + len(rows)
        found: tuple[dict[str, NDArray[np.int64]], dict[str, Texts]] = {}, {}
        if missing and few * PICK_ROWS <= source.rows:
            self._picks[number] = few
            found = source.pick(
                rows, [name for name in numbers if name in missing], [name for name in texts if name in missing]
            )
        columns, coded = found
        columns |= {name: self._column(number, name)[rows] for name in numbers if name not in columns}
        coded |= {name: self._text(number, name).take(rows) for name in texts if name not in coded}
        return columns, coded

    # --- pieces of an answer -------------------------------------------------------------------------------------

    def _groups(self, by: str) -> _Groups:
        """The accounts as they are counted; made again when a source has added some."""
        known = self._grouped.get(by)
        if known is None or len(known.codes) < len(self._numbers):
            names: dict[tuple[str, str], int] = {}
            keys = [(one.recipient, one.account if by == "account" else "") for one in self._numbers]
            codes = np.array([names.setdefault(key, len(names)) for key in keys], np.int64)
            ranks = np.empty(len(names), np.int64)
            ranks[[names[key] for key in sorted(names)]] = np.arange(len(names))
            known = self._grouped[by] = _Groups(codes, list(names), ranks)
        return known

    def _listed(self, wanted: NDArray[np.uint32]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Account and number in `wanted` of every record that a list of the index holds."""
        for one in self._runs:
            starts, counts = one.run.find(wanted)
            codes = one.run.accounts_of(one.run.events(starts, counts).astype(np.int64))
            yield one.accounts[codes.astype(np.int64)], np.repeat(np.arange(len(wanted)), counts)

    def _dumped(self, wanted: NDArray[np.uint32]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        for one in self._runs:
            for event, held in one.run.dumps_with(wanted):
                code = one.run.accounts_of(np.array([event]))
                queries = np.flatnonzero(held)
                yield np.repeat(one.accounts[code.astype(np.int64)], len(queries)), queries

    def _scanned(self, wanted: NDArray[np.uint32]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        for number in self._loose:
            rows, queries = self._matches(number, wanted)
            yield self._codes(number)[rows].astype(np.int64), queries

    def _matches(self, number: int, wanted: NDArray[np.uint32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Row and number in `wanted` of every record of a source that is wanted."""
        starts, ordinals = self._records(number)
        places = np.flatnonzero(np.isin(ordinals, wanted))
        return np.searchsorted(starts, places, "right") - 1, np.searchsorted(wanted, ordinals[places])

    def _events_with(self, one: _Indexed, wanted: NDArray[np.uint32]) -> NDArray[np.int64]:
        if len(wanted) == 1:
            return np.array(one.run.events_of(int(wanted[0])), np.int64)
        starts, counts = one.run.find(wanted)
        events = one.run.events(starts, counts).astype(np.int64)
        dumps = [event for event, held in one.run.dumps_with(wanted) if held.any()]
        return np.concatenate((distinct(events), np.array(dumps, np.int64)))

    def _ordered(self, sources: Sequence[NDArray[np.int64]], rows: Sequence[NDArray[np.int64]]) -> Rows:
        source = np.concatenate([np.zeros(0, np.int64), *sources])
        row = np.concatenate([np.zeros(0, np.int64), *rows])
        if len(source) > 1 and (source[1:] < source[:-1]).any():
            order = np.argsort(source, kind="stable")
            source, row = source[order], row[order]
        cuts = [0, *(np.flatnonzero(source[1:] != source[:-1]) + 1).tolist(), len(source)] if len(source) else []
        sequence, time = np.empty(len(row), np.int64), np.empty(len(row), np.int64)
        for first, last in pairwise(cuts):
            number, part = int(source[first]), row[first:last]
            columns, _ = self._picked(number, part, ("sequence", "time"), ())
            sequence[first:last], time[first:last] = columns["sequence"], columns["time"]
        order = np.argsort(sequence, kind="stable")
        return Rows(source[order], row[order], sequence[order], time[order])


def _gathered(starts: NDArray[np.int64], values: NDArray[np.uint32], rows: NDArray[np.int64]) -> NDArray[np.uint32]:
    """The values of some rows, one row behind another."""
    begins, counts = starts[rows], starts[rows + 1] - starts[rows]
    ends = np.cumsum(counts)
    total = int(ends[-1]) if ends.size else 0
    return values[np.repeat(begins - ends + counts, counts) + np.arange(total)]


def _having(texts: Texts, meant: Callable[[str], bool]) -> NDArray[np.bool_]:
    """Which rows have a text that is meant; each distinct text is looked at once."""
    table = np.array([meant(text) for text in texts.values], bool)
    return table[texts.codes]


def _texts_size(texts: Texts) -> int:
    return int(texts.codes.nbytes) + sum(map(len, texts.values))
