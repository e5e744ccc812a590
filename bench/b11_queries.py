"""Questions to the ledger: three of them, against DuckDB's best single order for each, in one process and one run.

The data is the model of the reference generator (single reads with skewed popularity, lists of neighbours, scattered
lists, three dumps) with ordinals permuted; at SCALE 1 it has 100 million disclosed records, 15.4 million disclosures,
10,000 accounts and 25 million persons. Segments hold some 16 million records each and stay in memory here: this is
about index and reader, b08 about segments.
All times are CPU time of this process, all threads added up: `warm` is the median of 21 runs, `first` the first run of
a fresh reader (a page or column is then decrypted and decoded). Every answer is compared with DuckDB's.

Run as `python bench/b11_queries.py [SCALE]`; 0.1 takes a minute and 1 GB, 1.0 some ten minutes and 12 GB of memory.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np

from measurement import Measurement
from muniment.disclosure import Party
from muniment.keys import Key, Purpose
from muniment.ledger.batch import Batch, Texts, assembled
from muniment.ledger.index.pages import PageCache
from muniment.ledger.index.runs import RecordIndex
from muniment.ledger.reader import LedgerReader
from muniment.ledger.sources import BatchSource, ColumnCache

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEED = 7
SCALE = 0.1
KEY = Key("segment-1", Purpose.SEGMENT, b"a key for benchmarks only" + bytes(7))
SEGMENT_RECORDS = 16_000_000
LEAKED = 10_000
WINDOW = 30 * 86_400_000
REPEATS = 21
MOST = 20
"""Accounts that are asked for with an overlap; the answers are compared for all of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """Disclosures in time order: account, time (ms), where the records of each begin, and the records, ascending."""

    account: NDArray[np.int64]
    time: NDArray[np.int64]
    starts: NDArray[np.int64]
    records: NDArray[np.uint32]
    persons: int

    @property
    def pairs(self) -> int:
        """Disclosed records."""
        return len(self.records)


def stream(scale: float) -> Stream:
    """The stream at a scale; the same seed gives the same stream."""
    rng = np.random.default_rng(SEED)
    persons, singles, lists, extract = (max(1, int(v * scale)) for v in (25_000_000, 15_000_000, 200_000, 10_000_000))
    accounts = max(100, int(10_000 * scale))
    weight = 1 / np.arange(1, accounts + 1) ** 0.9
    shares = np.cumsum(rng.permutation(weight / weight.sum()))
    events = singles + 2 * lists + 3
    account = np.searchsorted(shares, rng.random(events)).clip(0, accounts - 1)
    account[-3:] = [17, 42, 99]
    second = rng.integers(0, 365, events) * 86_400 + rng.normal(46_800, 10_800, events).clip(0, 86_399).astype(np.int64)

    def popular(count: int) -> NDArray[np.int64]:
        return ((persons * rng.random(count) ** 3).astype(np.int64) * 7_368_787 + 12_345) % persons

    near = rng.integers(0, max(1, persons - 5000), lists)[:, None] + rng.integers(0, min(5000, persons), (lists, 100))
    dumps = [np.arange(persons), *(rng.choice(persons, min(extract, persons), replace=False) for _ in range(2))]
    counts = np.concatenate([np.ones(singles, np.int64), np.full(2 * lists, 100), [len(dump) for dump in dumps]])
    records = np.concatenate([popular(singles), near.ravel(), popular(100 * lists), *dumps])
    return _sorted(account, second * 1000, counts, rng.permutation(persons).astype(np.uint32)[records], persons)


def _sorted(
    account: NDArray[np.int64], when: NDArray[np.int64], counts: NDArray[np.int64], records: NDArray[np.uint32], n: int
) -> Stream:
    """In time order, each set ascending and without repetition."""
    order = np.argsort(when, kind="stable")
    place = np.empty(len(order), np.uint64)
    place[order] = np.arange(len(order), dtype=np.uint64)
    pairs = np.sort(np.repeat(place, counts) << np.uint64(32) | records)
    pairs = pairs[np.concatenate(([True], pairs[1:] != pairs[:-1]))]
    sizes = np.bincount((pairs >> np.uint64(32)).astype(np.int64), minlength=len(order))
    starts = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    return Stream(account[order], when[order], starts, pairs.astype(np.uint32), n)


def batches(data: Stream) -> list[Batch]:
    """The stream in slices of time."""
    names = tuple(Party(f"agency {i % 50}", f"account {i}").to_text() for i in range(int(data.account.max()) + 1))
    steps = np.searchsorted(data.starts, np.arange(0, data.pairs, SEGMENT_RECORDS)[1:])
    edges = np.unique(np.concatenate(([0], steps, [len(data.account)]))).tolist()
    return [_batch(data, names, first, last) for first, last in pairwise(edges)]


def _batch(data: Stream, names: tuple[str, ...], first: int, last: int) -> Batch:
    zero = np.zeros(last - first, np.int64)
    texts = {name: Texts((name,), zero.astype(np.uint32)) for name in ("template", "case", "fingerprint")}
    texts["party"] = Texts(names, data.account[first:last].astype(np.uint32))
    numbers = dict.fromkeys(("rows", "size", "released", "occurred"), zero)
    numbers |= {"sequence": np.arange(first, last) + 1, "time": data.time[first:last]}
    starts = data.starts[first : last + 1]
    return assembled(numbers, texts, starts - starts[0], data.records[starts[0] : starts[-1]])


def dump_spans(batch: Batch, span: int) -> dict[int, int]:
    """Row -> span of the dumps of a batch, by the rule of segments."""
    return dict.fromkeys(np.flatnonzero((batch.counts >= 4096) & (batch.counts * 8 >= span)).tolist(), span)


@dataclass(frozen=True, slots=True)
class Timing:
    """CPU milliseconds: of the first run, and the median of later ones."""

    first: float
    warm: float


def timed(action: Callable[[], object], repeats: int = REPEATS) -> Timing:
    """Time an action."""
    took = []
    for _ in range(repeats + 1):
        start = time.process_time()
        action()
        took.append(1000 * (time.process_time() - start))
    return Timing(took[0], statistics.median(took[1:]))


class Duck:
    """The same pairs in a DuckDB table, in one order."""

    def __init__(self, folder: Path, data: Stream, order: str) -> None:
        self._connection: Any = duckdb.connect(str(folder / f"{order}.duckdb"))
        counts = np.diff(data.starts)
        table = {
            "account": np.repeat(data.account.astype(np.uint16), counts),
            "time": np.repeat(data.time, counts),
            "record": data.records,
        }
        by = {"time": "time", "record": "record, account, time", "account": "account, time, record"}[order]
        self._connection.register("pairs_in", table)
        self._connection.execute(f"CREATE TABLE pairs AS SELECT * FROM pairs_in ORDER BY {by}")
        self._connection.unregister("pairs_in")

    def close(self) -> None:
        """Let go of the table."""
        self._connection.close()

    def overlap(self, ids: NDArray[np.uint32], most: int = MOST) -> dict[int, int]:
        """Account -> how many of the ids it received, of those with the most."""
        self._connection.register("leaked", {"id": ids})
        rows = self._connection.execute(
            "SELECT account, count(DISTINCT record) AS n FROM pairs JOIN leaked ON record = id GROUP BY account "
            "ORDER BY n DESC, account::VARCHAR LIMIT ?",
            [most],
        ).fetchnumpy()
        self._connection.unregister("leaked")
        return dict(zip(*(column.tolist() for column in rows.values()), strict=True))

    def received(self, account: int, since: int, until: int) -> NDArray[np.uint32]:
        """The distinct records of one account in a window."""
        found: NDArray[np.uint32] = self._connection.execute(
            "SELECT DISTINCT record FROM pairs WHERE account = ? AND time >= ? AND time < ?", [account, since, until]
        ).fetchnumpy()["record"]
        return found

    def history(self, record: int) -> int:
        """How many disclosures held one record; all of them are fetched."""
        return len(self._connection.execute("SELECT account, time FROM pairs WHERE record = ?", [record]).fetchall())


@dataclass(frozen=True, slots=True, eq=False)
class Questions:
    """What is asked: leaked ids (half of them from one account), a busy account and its month, a person."""

    ids: NDArray[np.uint32]
    account: int
    since: int
    record: int


def questions(data: Stream) -> Questions:
    """Questions drawn from the stream, the same on every run."""
    rng = np.random.default_rng(SEED + 1)
    sizes = np.bincount(data.account, weights=np.minimum(np.diff(data.starts), 1000))
    account = int(np.argsort(sizes)[-max(2, len(sizes) // 100)])
    events = np.flatnonzero(data.account == account)
    half = np.unique(np.concatenate([data.records[data.starts[i] : data.starts[i + 1]] for i in events]))
    half = rng.choice(half, min(LEAKED // 2, len(half)), replace=False)
    ids = np.unique(np.concatenate([half, rng.integers(0, data.persons, LEAKED - len(half)).astype(np.uint32)]))
    return Questions(ids, account, 100 * 86_400_000, int(half[0]))


def duck_timings(folder: Path, data: Stream, asked: Questions) -> tuple[dict[str, list[Timing]], tuple[Any, ...]]:
    """The times of the three questions in each order, and the answers."""
    timings: dict[str, list[Timing]] = {}
    answers: tuple[Any, ...] = ()
    for order in ("time", "record", "account"):
        duck = Duck(folder, data, order)
        answers = _ask_duck(duck, asked)
        timings[order] = [
            timed(lambda: duck.overlap(asked.ids), 5),  # noqa: B023 - called within the loop
            timed(lambda: duck.received(asked.account, asked.since, asked.since + WINDOW)),  # noqa: B023
            timed(lambda: duck.history(asked.record)),  # noqa: B023
        ]
        duck.close()
    return timings, answers


def _ask_duck(duck: Duck, asked: Questions) -> tuple[Any, ...]:
    received = np.sort(duck.received(asked.account, asked.since, asked.since + WINDOW))
    return duck.overlap(asked.ids, 2**31), received, duck.history(asked.record)


def _ask(reader: LedgerReader, asked: Questions) -> tuple[Any, ...]:
    overlap = {int(one.account.split()[1]): one.records for one in reader.overlap(asked.ids)}
    return overlap, _received(reader, asked), len(reader.history(np.array([asked.record], np.uint32)))


def _received(reader: LedgerReader, asked: Questions) -> NDArray[np.uint32]:
    return reader.received(account=f"account {asked.account}", since=asked.since, until=asked.since + WINDOW)


def _same(left: Sequence[Any], right: Sequence[Any]) -> bool:
    return left[0] == right[0] and np.array_equal(left[1], right[1]) and left[2] == right[2]


def measure(scale: float, folder: Path) -> list[Measurement]:
    """Everything, at one scale."""
    data = stream(scale)
    asked = questions(data)
    duck, wanted = duck_timings(folder, data, asked)
    sources = [
        BatchSource(batch, leaf=leaf, spans=dump_spans(batch, data.persons)) for leaf, batch in enumerate(batches(data))
    ]
    index = RecordIndex.open(folder / "index", [KEY], PageCache(1024**3))
    start = time.process_time()
    index.update(sources)
    built = time.process_time() - start
    size = sum(path.stat().st_size for path in (folder / "index").iterdir()) / data.pairs
    reader = LedgerReader(sources, index.runs, cache=ColumnCache())
    person = np.array([asked.record], np.uint32)
    own = [
        timed(lambda: reader.history(person)),
        timed(lambda: reader.overlap(asked.ids, most=MOST)),
        timed(lambda: _received(reader, asked)),
    ]
    own = [own[1], own[2], own[0]]
    claim = f"scale {scale:g} ({data.pairs:,} records, {len(data.account):,} disclosures): "
    lines = [
        Measurement(claim + "index", "<= 2.5 B a record", f"{size:.2f} B, {len(index.runs)} runs", size <= 2.5),
        Measurement(claim + "index built", "-", f"{data.pairs / built / 1e6:.1f} M records/s", True),
        Measurement(claim + "answers equal DuckDB's", "all", "", _same(_ask(reader, asked), wanted)),
    ]
    month = f"one account, 30 days, {len(wanted[1]):,} records"
    names = (f"overlap of {len(asked.ids):,} ids, top {MOST}", month, "one person")
    for number, (name, most) in enumerate(zip(names, (100.0, 5.0, 1.0), strict=True)):
        order, best = min(((o, t[number].warm) for o, t in duck.items()), key=lambda pair: pair[1])
        mine = own[number]
        lines.append(
            Measurement(
                claim + name,
                f"<= {most:g} ms and >= 4x DuckDB's best order",
                f"{mine.warm:.2f} ms warm, {mine.first:.1f} ms first; DuckDB {best:.2f} ms ({order} order): "
                f"{best / mine.warm:.1f}x",
                mine.warm <= most and best >= 4 * mine.warm,
            )
        )
    index.close()
    return lines


def main(scale: float = SCALE) -> list[Measurement]:
    """One scale, in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="muniment-bench-") as name:
        return measure(scale, Path(name))


if __name__ == "__main__":
    for line in main(float(sys.argv[1]) if len(sys.argv) > 1 else SCALE):
        print(f"{'ok  ' if line.holds else 'MISS'} {line.claim} | {line.wanted} | {line.measured}")
