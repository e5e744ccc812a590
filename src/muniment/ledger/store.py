"""The ledger: one folder, opened; its writer while it is needed, its segments, its log, its index.

    with ledger.writing() as appender:              # the lock, or a socket to whoever holds it
        appender.append(disclosure).result()        # durable; sealed into the log when the block ends

Rules
1. What a process appended is sealed when its `writing` block ends, where the ring holds a signing key. Without one it
   stays in the write-ahead file, durable and chained, until someone who may sign runs `muniment ledger seal`.
2. Readers take no lock: they see the segments of the log, and behind them the unsealed tail.
3. The journal (declarations, recipients, copies, orders) is tied to the log by its head in every manifest: a journal
   that does not hold the newest of them is an older one, and nothing is written or answered over it.
4. The second place holds a head of the write-ahead files and one of the ordinal table. Readers too refuse what ends
   before them: an answer that leaves something out would be taken for the whole.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.errors import InputError, IntegrityError, MunimentError, UnreachableError
from muniment.keys import Key
from muniment.ledger.appender import Appender
from muniment.ledger.batch import Batch
from muniment.ledger.index.leaf import IndexLeaf, is_index
from muniment.ledger.index.roots import RunMap
from muniment.ledger.index.runs import RecordIndex
from muniment.ledger.journal import Head as JournalHead
from muniment.ledger.journal import Journal
from muniment.ledger.log.folder import LogFolder
from muniment.ledger.log.note import Signer, VerifierKey
from muniment.ledger.log.second import FolderStore
from muniment.ledger.logged import LoggedSegment
from muniment.ledger.ordinals.table import OrdinalTable, TableHead
from muniment.ledger.proving import Prover, index_leaf
from muniment.ledger.pruning import PruneNotice, is_prune_notice
from muniment.ledger.reader import LedgerReader
from muniment.ledger.sealing import seal_closed
from muniment.ledger.segments.manifest import Manifest, is_manifest
from muniment.ledger.segments.segment import Segment
from muniment.ledger.service import SharedWriter, open_writer
from muniment.ledger.wal.files import read_tail
from muniment.ledger.wal.frames import Head, SegmentKeys, open_head
from muniment.ledger.writer import LocalWriter
from muniment.sealed import seal, unseal

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEGMENTS: Final = "segments"
LOG: Final = "log"
ORDINALS: Final = "ordinals"
INDEX: Final = "index"
WAL: Final = "wal"
_RESTORE: Final = "restore the folder `ledger` from a backup, then run: muniment ledger verify"
_RACES: Final = 8
"""Times that a reader reads again because disclosures were sealed while it read."""
_TABLE_HEAD = b"muniment ordinals head 1"
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class LedgerKeys:
    """The keys of a ledger: segment keys old ones first, the signing key where the ring has one, and who verifies.

    `verifiers`: public keys (hex) by signing key id; `witnesses`: vkeys that must have signed a checkpoint too.
    """

    segment: tuple[Key, ...]
    signing: Key | None
    verifiers: Mapping[str, str]
    witnesses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a ledger lies: its folder, and the folder of the second place."""

    folder: Path
    second: Path


class Ledger:
    """An open ledger. One object belongs to one thread; several processes may work on one folder."""

    def __init__(self, place: Place, journal: Journal, keys: LedgerKeys, clock: Clock) -> None:
        """Nothing is read yet: every part is opened when it is first needed."""
        self.place = place
        self.keys = keys
        self._journal = journal
        self._clock = clock
        self._appender: SharedWriter | None = None
        self._table: _HeldTable | None = None
        self._known: dict[int, LoggedSegment] = {}
        self._pruned = 0

    def __repr__(self) -> str:
        return f"Ledger({str(self.place.folder)!r})"

    def create(self) -> None:
        """Make the ordinal table and the empty log; their checkpoint goes to the second place."""
        if self.keys.signing is None:
            raise InputError("a new ledger needs a ring with a signing key", hint="muniment init DIR")
        OrdinalTable.create(self.place.folder / ORDINALS, self.keys.segment).close()
        signer = Signer(self.origin, self.keys.signing.secret)
        LogFolder.create(self.place.folder / LOG, self.origin, signer, FolderStore(self.place.second, "checkpoint"))

    # --- the log ---------------------------------------------------------------------------------------------------

    @property
    def origin(self) -> str:
        """The name of the log: the journal's own beginning, so that no two workspaces share one."""
        return f"muniment/{self._journal.head_at(0).digest[:16]}"

    @property
    def verifiers(self) -> tuple[VerifierKey, ...]:
        """The keys that sign checkpoints, old ones first: what a third party needs to verify the log."""
        return tuple(VerifierKey(self.origin, bytes.fromhex(public)) for public in self.keys.verifiers.values())

    @property
    def public_keys(self) -> dict[str, bytes]:
        """The public halves of every signing key by key id."""
        return {name: bytes.fromhex(public) for name, public in self.keys.verifiers.items()}

    def log(self) -> LogFolder:
        """The log, opened anew and compared with the second place.

        Raises `IntegrityError` where it was altered, rolled back or forked, or is another keeper's.
        """
        signing = self.keys.signing
        return LogFolder(
            self.place.folder / LOG,
            self.origin,
            Signer(self.origin, signing.secret) if signing is not None else None,
            self.verifiers,
            FolderStore(self.place.second, "checkpoint"),
            [VerifierKey.parse(text) for text in self.keys.witnesses],
        )

    def segments(self, log: LogFolder | None = None) -> tuple[LoggedSegment, ...]:
        """The segments of the log, oldest first, pruned ones left out; each is opened when it is first read."""
        leaves = list((log or self.log()).leaves())
        pruned = {name for leaf in leaves if is_prune_notice(leaf) for name in PruneNotice.from_leaf(leaf).segments}
        found = []
        for number, leaf in enumerate(leaves):
            if is_manifest(leaf):
                known = self._known.get(number)
                if known is None or known.identity != sha256(leaf).digest():
                    known = self._known[number] = LoggedSegment(number, leaf, self._opened)
                found.append(known)
        self._pruned = max((one.manifest.last for one in found if one.manifest.id in pruned), default=0)
        return tuple(one for one in found if one.manifest.id not in pruned)

    @property
    def pruned(self) -> int:
        """The newest disclosure that was pruned, as the log said when `segments` was last called; 0: none."""
        return self._pruned

    def _opened(self, manifest: Manifest) -> Segment:
        path = self.place.folder / SEGMENTS / manifest.file
        try:
            return Segment.open(path, self.keys.segment, manifest)
        except InputError as error:
            raise IntegrityError(
                f"{path}: the segment is missing, and no notice in the log says that it was pruned",
                hint=_RESTORE,
            ) from error

    def _tied(self, segments: Sequence[LoggedSegment]) -> None:
        """Raises `IntegrityError` where the journal is not the one that the newest segment was sealed with (rule 3)."""
        if segments and not holds(self._journal, segments[-1].manifest.journal):
            raise IntegrityError(
                f"{self.place.folder}: the journal does not hold entry {segments[-1].manifest.journal.sequence:,} as "
                "it was when the newest segment was sealed: it was exchanged or restored from a backup",
                hint="put back the newest journal.bin and head of the folder `ledger`",
            )

    # --- writing ---------------------------------------------------------------------------------------------------

    @contextmanager
    def writing(self) -> Iterator[Appender]:
        """The writer, for as long as the block lasts; nests. What was appended is sealed at the end (rule 1).

        Raises `UnreachableError` where the disk or the writer cannot be reached, `IntegrityError` where what is there
        does not verify; nothing may then be given out.
        """
        if self._appender is not None:
            yield self._appender
            return
        self._tied(self.segments())
        appender = open_writer(
            self.place.folder,
            self.keys.segment,
            second=FolderStore(self.place.second, "wal-head"),
            table=self._table_for_writing,
            clock=self._clock,
        )
        try:
            self._appender = appender
            yield appender
            if appender.local is not None and self.keys.signing is not None:
                self._seal(appender.local)
        finally:
            self._appender = self._table = None
            appender.close()

    def seal(self) -> tuple[Manifest, ...]:
        """Seal what is in the write-ahead files, inside of `writing` too; returns the manifests that this added.

        Raises `InputError` where the ring cannot sign, or another process holds the writer: that one seals.
        """
        if self.keys.signing is None:
            raise InputError(
                "this key ring holds no signing key: a checkpoint cannot be signed",
                hint="run it with the ring of someone who may sign",
            )
        before = {one.leaf for one in self.segments()}
        with self.writing() as appender:
            local = appender.local if isinstance(appender, SharedWriter) else None
            if local is None:
                raise InputError("another process holds the writer of this ledger, and seals what it writes")
            self._seal(local)
        return tuple(one.manifest for one in self.segments() if one.leaf not in before)

    def _seal(self, writer: LocalWriter) -> None:
        log = self.log()
        with self._journal.writing():
            segments = self.segments(log)
            self._tied(segments)
            seal_closed(
                writer,
                self.place.folder / SEGMENTS,
                log,
                key=self.keys.segment[-1],
                after=max(_last(segments), self._pruned),
                keep={one.manifest.file for one in segments},
                span=self._reserved,
                journal=self._journal.head(),
            )

    def _reserved(self) -> int:
        return self._table.reserved if self._table is not None else self.table().reserved

    def _table_for_writing(self) -> _HeldTable:
        """The ordinal table for the writer; one that is older than the head in the second place is refused."""
        at_least = self._table_head()
        table = OrdinalTable.open(self.place.folder / ORDINALS, self.keys.segment, writing=True, at_least=at_least)
        self._table = _HeldTable(table, at_least, self._put_table_head)
        return self._table

    def _table_head(self) -> TableHead | None:
        store = FolderStore(self.place.second, "ordinals-head")
        sealed = store.read()
        if sealed is None:
            return None
        number, what = sealed[:4], f"the head of the ordinal table in {store}"
        key = SegmentKeys(self.keys.segment).derived(int.from_bytes(number, "big"), _TABLE_HEAD.decode(), what=what)
        return TableHead.from_text(unseal(key, sealed[4:], _TABLE_HEAD + number, what=what).decode())

    def _put_table_head(self, head: TableHead) -> None:
        store, keys = FolderStore(self.place.second, "ordinals-head"), SegmentKeys(self.keys.segment)
        number = keys.newest.to_bytes(4, "big")
        key = keys.derived(keys.newest, _TABLE_HEAD.decode(), what="the head of the ordinal table")
        store.swap(store.read(), number + seal(key, str(head).encode(), _TABLE_HEAD + number))

    # --- reading ---------------------------------------------------------------------------------------------------

    def table(self) -> OrdinalTable:
        """The ordinal table, for looking up; `IntegrityError` where it is older than was acknowledged (rule 4)."""
        at_least = self._table_head()  # before the table: a writer never seems to have gone back
        return OrdinalTable.open(self.place.folder / ORDINALS, self.keys.segment, at_least=at_least)

    def tail(self, after: int, head: Head | None = None) -> Batch:
        """The disclosures that are not sealed yet, above number `after`; what was pruned is passed over.

        `head`: what `acknowledged` gave before, to be met on the way.
        """
        return read_tail(self.place.folder / WAL, self.keys.segment, after=max(after, self._pruned), head=head)

    def whole(self) -> tuple[tuple[LoggedSegment, ...], Batch]:
        """Every segment, and the tail behind them, as they belong together.

        Raises `IntegrityError` where it ends before what was acknowledged (rule 4), or a file is missing.
        """
        for attempt in range(_RACES):
            head, segments = self.acknowledged(), self.segments()  # the head first: what it counts is there by now
            last = max(_last(segments), self._pruned)
            try:
                tail = self.tail(last, head)
                check_end(self.place, int(tail.sequence[-1]) if len(tail) else last, head)
            except (UnreachableError, IntegrityError) as error:
                if isinstance(error.__cause__, OSError) or attempt + 1 == _RACES:
                    raise self._gap(error, last) from error
                continue  # sealed meanwhile: the next look at the log finds it there
            break
        return segments, tail

    def _gap(self, error: MunimentError, last: int) -> MunimentError:
        """What it means that the tail could not be read, however often it was tried."""
        if isinstance(error, IntegrityError) or isinstance(error.__cause__, OSError):
            return error
        return IntegrityError(
            f"{self.place.folder / WAL}: disclosures after number {last:,} are in no segment, and their write-ahead "
            "file is missing",
            hint=_RESTORE,
        )

    def acknowledged(self) -> Head | None:
        """How far the write-ahead files were acknowledged in the second place; `None` before the first disclosure."""
        store = FolderStore(self.place.second, "wal-head")
        stored = store.read()
        return None if stored is None else open_head(stored, SegmentKeys(self.keys.segment), what=str(store))

    def records(self, sequence: int) -> NDArray[np.uint32]:
        """The ordinals of one disclosure, ascending.

        Raises `IntegrityError` where the ledger has no disclosure of that number: it was pruned, or is missing.
        """
        segments = self.segments()
        found = next((one for one in segments if one.manifest.first <= sequence <= one.manifest.last), None)
        if found is None:
            segments, tail = self.whole()
            found = next((one for one in segments if one.manifest.first <= sequence <= one.manifest.last), None)
        batch = found.batch() if found is not None else tail
        rows = np.flatnonzero(batch.sequence == sequence)
        if not len(rows):
            raise IntegrityError(
                f"{self.place.folder}: disclosure {sequence:,} is not in the ledger",
                hint="muniment ledger verify; a disclosure whose term had passed may have been pruned",
            )
        return batch.records(int(rows[0]))

    def reader(self) -> LedgerReader:
        """Answers over everything that is in the ledger now, the unsealed tail included.

        An index that is missing or does not verify is passed over: answers are then slower, never smaller.
        """
        segments, tail = self.whole()
        self._tied(segments)
        index = RecordIndex.empty(self.place.folder / INDEX, self.keys.segment)
        try:
            index = self.index()
            reader = LedgerReader(segments, index.runs, tail)
        except IntegrityError:
            index.close()
            return LedgerReader(segments, (), tail)
        weakref.finalize(reader, index.close)
        return reader

    # --- the index -------------------------------------------------------------------------------------------------

    def index(self) -> RecordIndex:
        """The record index, opened; `IntegrityError` where it does not verify (`muniment ledger reindex` mends it)."""
        return RecordIndex.open(self.place.folder / INDEX, self.keys.segment)

    def reindex(self, *, anew: bool = False) -> IndexLeaf:
        """Bring the index up to every segment, and log its root with that of the ordinal table.

        `anew` builds all of it again, whatever is there. Raises `IntegrityError` where segments do not verify,
        `InputError` where the ring cannot sign, `UnreachableError` where a disk fails.
        """
        log = self.log()
        segments = self.segments(log)
        with self._index_to_update(anew) as index, self.table() as table:
            index.rebuild(segments) if anew else index.update(segments)
            leaf = index_leaf(index, segments, table.person_map(), self._clock())
        newest = self.logged_index(log)
        if newest is None or replace(newest, time=leaf.time) != leaf:
            log.append([leaf.to_leaf()])
        return leaf

    def _index_to_update(self, anew: bool) -> RecordIndex:
        with suppress(IntegrityError):  # what does not verify is built again
            if not anew:
                return self.index()
        return RecordIndex.empty(self.place.folder / INDEX, self.keys.segment)

    def logged_index(self, log: LogFolder | None = None) -> IndexLeaf | None:
        """The newest index leaf of the log, `None` where there is none yet."""
        found = [leaf for leaf in (log or self.log()).leaves() if is_index(leaf)]
        return IndexLeaf.from_leaf(found[-1]) if found else None

    @contextmanager
    def prover(self) -> Iterator[Prover]:
        """Proofs for one person over everything that is sealed; brings the index up to date first."""
        self.reindex()
        log = self.log()
        with self.index() as index, self.table() as table:
            maps = [RunMap(run, self.keys.segment[0]) for run in index.runs]
            yield Prover(log, self.segments(log), maps, table.person_map())


class _HeldTable:
    """The ordinal table of the writer. It is closed while the writer still holds the lock of the ledger: that is when
    its head goes to the second place, and no other writer's can be there already.
    """

    def __init__(self, table: OrdinalTable, there: TableHead | None, put_head: Callable[[TableHead], None]) -> None:
        """`there`: the head in the second place."""
        self._table = table
        self._there = there
        self._put_head = put_head

    @property
    def reserved(self) -> int:
        """See `appender.Ordinals`."""
        return self._table.reserved

    def allocate(self, pseudonyms: NDArray[np.uint64], older: Sequence[NDArray[np.uint64]] = ()) -> NDArray[np.uint32]:
        """See `appender.Ordinals`."""
        return self._table.allocate(pseudonyms, older)

    def close(self) -> None:
        """Let go of the table. One that has changed is compacted where that is due, and its head put there first."""
        with self._table as table:
            if table.head() == self._there:
                return
            if table.compaction_due:
                with suppress(UnreachableError):  # no room for a second table: this one stays as it is
                    table.compact()
            self._put_head(table.head())


def check_end(place: Place, end: int, head: Head | None) -> None:
    """Raises `IntegrityError` where the ledger ends at disclosure `end`, before the head in the second place."""
    if head is not None and end < head.point.sequence:
        raise IntegrityError(
            f"{place.folder / WAL}: ends at disclosure {end:,}, but {head.point.sequence:,} were acknowledged in "
            f"{place.second}: it was cut short or restored from a backup",
            hint=_RESTORE,
        )


def holds(journal: Journal, head: JournalHead) -> bool:
    """Whether a journal holds a head that was recorded elsewhere; reads what others appended where it must."""
    if head.sequence > journal.head().sequence:
        journal.refresh()
    return head.sequence <= journal.head().sequence and journal.head_at(head.sequence).digest == head.digest


def _last(segments: Sequence[LoggedSegment]) -> int:
    return segments[-1].manifest.last if segments else 0
