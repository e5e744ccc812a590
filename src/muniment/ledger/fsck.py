"""Checking a whole ledger from disk, with keys: what is there, against what was signed.

Order, each part checked although another one failed
1. The log: both checkpoints agree, every leaf, bundle and tile hashes to the root, witnesses that are configured.
2. Every segment: there, and size and SHA-256 as its leaf says; sequence numbers go up without a gap, but for what a
   notice says was pruned. In full: every commitment computed anew from the rows.
3. The journal: the head in every manifest is one that this journal had.
4. The write-ahead files: the chain verifies, and goes on from the last segment.
5. The ordinal table: no person with two ordinals, every ordinal of the tail was given. In full: those of segments too.
6. The index: its catalogue and files open. In full: every run hashes to the root that was logged, and the logged index
   and the map of persons follow from segments and table.

Memory does not grow with the ledger: a segment at a time, and a frame at a time where only its bytes are hashed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from muniment.errors import MunimentError
from muniment.ledger.batch import Batch
from muniment.ledger.index.leaf import IndexLeaf
from muniment.ledger.index.roots import RunMap
from muniment.ledger.journal import Journal
from muniment.ledger.logged import LoggedSegment
from muniment.ledger.ordinals.table import OrdinalTable
from muniment.ledger.proving import rederive
from muniment.ledger.store import WAL, Ledger, holds

WORKERS = 2
"""Threads that hash segments: SHA-256 runs outside the interpreter's lock."""
Progress = Callable[[int, int], None]
"""Called with the number of segments done, and of all."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What a check found. `checkpoint` is the signed note that all of it was held against, `unsealed` the disclosures
    behind the newest segment, `indexed` the segments that the logged index covers. No faults: `ok`.
    """

    size: int
    segments: int
    disclosures: int
    records: int
    unsealed: int
    indexed: int
    full: bool
    checkpoint: str
    witnessed: int
    faults: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether everything verified."""
        return not self.faults

    def to_json(self) -> dict[str, object]:
        """The JSON of `muniment ledger verify --json`."""
        return {
            "ok": self.ok,
            "size": self.size,
            "segments": self.segments,
            "disclosures": self.disclosures,
            "records": self.records,
            "unsealed": self.unsealed,
            "indexed": self.indexed,
            "full": self.full,
            "checkpoint": self.checkpoint,
            "witnessed": self.witnessed,
            "faults": list(self.faults),
        }


@dataclass(slots=True)
class _Faults:
    """Collects what does not verify; a disk that cannot be read ends the check."""

    found: list[str] = field(default_factory=list)

    @contextmanager
    def collected(self) -> Iterator[None]:
        try:
            yield
        except MunimentError as error:
            if error.exit_code == 4:
                raise
            self.found.append(error.message)


def verify(
    ledger: Ledger, journal: Journal, *, full: bool = False, progress: Progress = lambda done, of: None
) -> Verification:
    """Check a ledger; faults are collected, not raised.

    Raises `IntegrityError` where the log itself cannot be opened (rolled back, forked, of another keeper), and
    `UnreachableError` where a disk cannot be read.
    """
    log = ledger.log()
    faults = _Faults()
    with faults.collected():
        log.verify()
    segments: Sequence[LoggedSegment] = ()
    index: IndexLeaf | None = None
    tail = Batch.of([])
    with faults.collected():  # where a leaf was altered, the table can be checked all the same
        segments, index = ledger.segments(log), ledger.logged_index(log)
        tail = _check_tail(ledger, faults)
    _check_segments(segments, faults, full, progress)
    _check_sequence(ledger, segments, faults)
    for segment in segments:
        _check_journal(journal, segment, faults)
    with faults.collected(), ledger.table() as table:
        with faults.collected():
            table.verify()
        _check_given(table, segments if full else (), tail, faults)
        if full and index is not None:
            _check_logged_index(ledger, index, segments, table, faults)
    _check_index(ledger, index, faults, full)
    return Verification(
        size=log.checkpoint().size,
        segments=len(segments),
        disclosures=sum(one.manifest.rows for one in segments),
        records=sum(one.manifest.records for one in segments),
        unsealed=len(tail),
        indexed=index.segments if index is not None else 0,
        full=full,
        checkpoint=log.note().decode(),
        witnessed=len(log.witnessed()) if log.checkpoint().size else 0,
        faults=tuple(dict.fromkeys(faults.found)),
    )


def _check_segments(segments: Sequence[LoggedSegment], faults: _Faults, full: bool, progress: Progress) -> None:
    def check(one: LoggedSegment) -> str | None:
        own = _Faults()
        with own.collected():
            one.segment.check(full=full)
        return own.found[0] if own.found else None

    with ThreadPoolExecutor(WORKERS) as pool:
        for done, fault in enumerate(pool.map(check, segments), 1):
            if fault is not None:
                faults.found.append(fault)
            progress(done, len(segments))


def _check_sequence(ledger: Ledger, segments: Sequence[LoggedSegment], faults: _Faults) -> None:
    """Segments follow one another: what is missing in between was never in the log, or was pruned with a notice."""
    last = ledger.pruned
    for manifest in (one.manifest for one in segments):
        if manifest.first > last + 1:
            faults.found.append(
                f"{ledger.place.folder}: disclosures {last + 1:,} to {manifest.first - 1:,} are in no segment, and "
                "no notice says that they were pruned"
            )
        if manifest.first <= last:
            faults.found.append(
                f"{ledger.place.folder}: segment {manifest.id} holds disclosures {manifest.first:,} to "
                f"{min(last, manifest.last):,} a second time"
            )
        last = max(last, manifest.last)


def _check_journal(journal: Journal, segment: LoggedSegment, faults: _Faults) -> None:
    head = segment.manifest.journal
    with faults.collected():
        if not holds(journal, head):
            faults.found.append(
                f"journal: entry {head.sequence:,} is not the one that segment {segment.manifest.id} was sealed with: "
                "the journal was exchanged or restored from a backup"
            )


def _check_tail(ledger: Ledger, faults: _Faults) -> Batch:
    """The unsealed tail, which goes on from the newest segment; an empty one where it does not verify."""
    tail = Batch.of([])
    with faults.collected():
        segments, tail = ledger.whole()
        last = max(segments[-1].manifest.last if segments else 0, ledger.pruned)
        if len(tail) and int(tail.sequence[0]) != last + 1:
            faults.found.append(
                f"{ledger.place.folder / WAL}: starts at {int(tail.sequence[0]):,}, the segments end at {last:,}: a "
                "file is missing"
            )
    return tail


def _check_given(table: OrdinalTable, segments: Sequence[LoggedSegment], tail: Batch, faults: _Faults) -> None:
    """The whole table keeps its rules, and every ordinal that is named was given to somebody."""
    table.entries()  # read in full: an open table has not looked at all of its base
    for segment in segments:
        with faults.collected():
            _, ordinals = segment.records()
            if ordinals.size and int(ordinals.max()) >= table.reserved:
                faults.found.append(f"segment {segment.manifest.id} names ordinals that were never given to anybody")
    if tail.ordinals.size and int(tail.ordinals.max()) >= table.reserved:
        faults.found.append("the unsealed disclosures name ordinals that were never given to anybody")


def _check_index(ledger: Ledger, logged: IndexLeaf | None, faults: _Faults, full: bool) -> None:
    """The index opens; in full, every page verifies, and its runs are those that were logged."""
    with faults.collected(), ledger.index() as index:
        if full and logged is not None:
            roots = {(run.first, run.last): run for run in logged.runs}
            for one in index.runs:
                one.check()
            found = [RunMap(run, ledger.keys.segment[0]).root for run in index.runs]
            if any(roots.get((run.first, run.last), run) != run for run in found):
                faults.found.append("the index is not the one that was logged for its segments")


def _check_logged_index(
    ledger: Ledger, logged: IndexLeaf, segments: Sequence[LoggedSegment], table: OrdinalTable, faults: _Faults
) -> None:
    """The logged index follows from segments and table, built anew."""
    persons = table.person_map()
    # Who came since the index was logged is in no map yet; nobody goes without a new one being logged.
    same = persons if len(persons) <= logged.ordinals.entries else None
    with faults.collected(), tempfile.TemporaryDirectory(dir=ledger.place.folder) as folder:
        rederive(logged, segments, same, folder=Path(folder), keys=ledger.keys.segment)
