"""Making what `completeness` verifies: the leaf that logs the index, proofs for one person, and the index held against
the segments once more.

Rules
1. An index leaf covers every segment of the log before it. Log a new one before a proof is made: table and index grow,
   and a proof is made only where they are still what the newest index leaf says.
2. A proof opens nothing of anyone else: other fields, records and neighbours appear as salted digests.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final, Protocol

from muniment.errors import InputError, IntegrityError
from muniment.keys import Key
from muniment.ledger.completeness import FORMAT, statement_of
from muniment.ledger.index.build import write_run
from muniment.ledger.index.leaf import IndexLeaf, LoggedDump, MapRoot, dump_digest, is_index
from muniment.ledger.index.pages import REINDEX, PageCache
from muniment.ledger.index.postings import Postings
from muniment.ledger.index.roots import RunMap
from muniment.ledger.index.runs import RecordIndex
from muniment.ledger.log.checkpoint import Checkpoint
from muniment.ledger.logged import LoggedSegment
from muniment.ledger.ordinals.persons import PersonMap
from muniment.ledger.segments.commit import FIELDS
from muniment.ledger.segments.manifest import Dump
from muniment.ledger.segments.opening import Openings

OPENED: Final = FIELDS
"""The fields that a proof shows by default: all of a disclosure that are not other people's."""
_REDERIVED_CACHE: Final = 256 * 1024**2


class ProofLog(Protocol):
    """What a proof needs of the log."""

    def note(self) -> bytes:
        """The signed note of the newest checkpoint."""
        ...

    def checkpoint(self) -> Checkpoint:
        """That checkpoint."""
        ...

    def leaf(self, index: int) -> bytes:
        """One leaf."""
        ...

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """Its inclusion proof."""
        ...


def index_leaf(
    index: RecordIndex, segments: Sequence[LoggedSegment], persons: PersonMap, time: datetime
) -> IndexLeaf:
    """The leaf that logs an index over these segments, all of the ledger.

    Raises `InputError` where its runs do not cover the segments, one behind another.
    """
    covered = [leaf for run in index.runs for leaf in run.coverage.leaves.tolist()]
    if covered != [segment.leaf for segment in segments]:
        raise InputError("the index does not cover all segments of the log", hint=REINDEX)
    dumps = logged_dumps(segments)
    return IndexLeaf(
        segments=len(segments),
        runs=index.roots(),
        ordinals=_persons_root(persons),
        dumps=len(dumps),
        dump_digest=dump_digest(dumps),
        time=time,
    )


def logged_dumps(segments: Sequence[LoggedSegment]) -> list[LoggedDump]:
    """Every dump of these segments, in the order of the log."""
    return [
        LoggedDump(segment.leaf, dump.row, dump.span, bytes.fromhex(dump.root))
        for segment in segments
        for dump in _dumps(segment)
    ]


class Prover:
    """Proofs under the newest index leaf of a log. Building the maps hashes the whole index once."""

    def __init__(
        self, log: ProofLog, segments: Sequence[LoggedSegment], maps: Sequence[RunMap], persons: PersonMap
    ) -> None:
        """Raises `InputError` where no index leaf is logged, or index or table have grown since; `IntegrityError` where
        the index is about the logged segments, but says otherwise than it was logged.
        """
        self._log = log
        self._place = _newest_index(log)
        self._index = IndexLeaf.from_leaf(log.leaf(self._place))
        self._segments = {segment.leaf: segment for segment in segments if segment.leaf < self._place}
        self._maps = tuple(maps)
        self._persons = persons
        self._check()

    def __repr__(self) -> str:
        return f"Prover(index leaf {self._place})"

    def prove(self, pseudonym: int, fields: Sequence[str] = OPENED) -> dict[str, object]:
        """The proof for a pseudonym, with these fields of each disclosure opened (`commit.FIELDS`)."""
        person = self._persons.prove(pseudonym)
        proof: dict[str, object] = {
            "format": FORMAT,
            "checkpoint": self._log.note().decode(),
            "index": self._included(self._place),
            "person": person.to_json(),
            "runs": [],
            "manifests": [],
            "dumps": [],
            "events": [],
            "statement": statement_of(self._index),
        }
        return proof if person.ordinal is None else proof | self._of_ordinal(person.ordinal, fields)

    def _of_ordinal(self, ordinal: int, fields: Sequence[str]) -> dict[str, object]:
        runs = [run.prove(ordinal) for run in self._maps]
        rows: dict[int, list[int]] = defaultdict(list)
        for run in runs:
            for leaf, row in run.postings:
                rows[leaf].append(row)
        dumps: list[dict[str, object]] = []
        events: list[dict[str, object]] = []
        leaves = [leaf for leaf, segment in self._segments.items() if leaf in rows or segment.manifest.dump_count]
        for leaf in leaves:
            openings = self._segments[leaf].segment.openings()
            events += [_event(leaf, row, openings, fields, openings.record(row, ordinal)) for row in rows[leaf]]
            for dump in logged_dumps([self._segments[leaf]]):
                opening = openings.record(dump.row, ordinal) if ordinal < dump.span else None
                dumps.append(_dump_value(dump, opening))
                if opening is not None and opening["bit"] == 1:
                    events.append(_event(leaf, dump.row, openings, fields, None))
        return {
            "runs": [run.to_json() for run in runs],
            "manifests": [self._included(leaf) for leaf in leaves],
            "dumps": dumps,
            "events": events,
        }

    def _included(self, place: int) -> dict[str, object]:
        path = [digest.hex() for digest in self._log.inclusion(place)]
        return {"index": place, "leaf": self._log.leaf(place).decode(), "path": path}

    def _check(self) -> None:
        logged = self._index
        ends = [(run.root.first, run.root.last) for run in self._maps]
        if ends != [(run.first, run.last) for run in logged.runs] or len(self._persons) != logged.ordinals.entries:
            raise InputError(
                "the index or the table of ordinals has grown since it was logged", hint="muniment ledger reindex"
            )
        if [run.root for run in self._maps] != list(logged.runs):
            raise IntegrityError("the index is not the one that was logged for these segments", hint=REINDEX)
        if _persons_root(self._persons) != logged.ordinals:
            raise InputError("the table of ordinals has changed since it was logged", hint="muniment ledger reindex")


def rederive(
    logged: IndexLeaf,
    segments: Sequence[LoggedSegment],
    persons: PersonMap | None,
    *,
    folder: Path,
    keys: Sequence[Key],
    done: Callable[[int], None] = lambda number: None,
) -> None:
    """Hold a logged index against segments and table: build every run again in an empty `folder`, and compare roots.

    `persons`: `None` where the table has grown since. `done` is called with the number of runs compared. Raises
    `IntegrityError` that says which part differs.
    """
    own = [segment for segment in segments if any(run.first <= segment.leaf <= run.last for run in logged.runs)]
    dumps = logged_dumps(own)
    if (len(dumps), dump_digest(dumps), len(own)) != (logged.dumps, logged.dump_digest, logged.segments):
        raise IntegrityError("the logged index is about other segments or dumps than the log holds", hint=REINDEX)
    if persons is not None and _persons_root(persons) != logged.ordinals:
        raise IntegrityError("the table of ordinals is not the one that was logged with the index", hint=REINDEX)
    cache = PageCache(_REDERIVED_CACHE)
    for number, run in enumerate(logged.runs):
        covered = [segment for segment in own if run.first <= segment.leaf <= run.last]
        with RecordIndex.open(folder / str(number), keys, cache) as index:
            index.update(covered)
            write_run(folder / f"{number}.whole", index.runs, keys[-1])
        whole = Postings(folder / f"{number}.whole", keys, cache)
        try:
            if RunMap(whole, keys[0]).root != run:
                raise IntegrityError(
                    f"run {number + 1} of the logged index does not follow from its segments: the index was wrong",
                    hint=REINDEX,
                )
        finally:
            whole.close()
        done(number + 1)


def _event(
    leaf: int, row: int, openings: Openings, fields: Sequence[str], record: Mapping[str, object] | None
) -> dict[str, object]:
    return {"leaf": leaf, "event": openings.event(row, fields), "record": record}


def _dump_value(dump: LoggedDump, opening: Mapping[str, object] | None) -> dict[str, object]:
    return {"leaf": dump.leaf, "row": dump.row, "span": dump.span, "root": dump.root.hex(), "opening": opening}


def _dumps(segment: LoggedSegment) -> Sequence[Dump]:
    listed = segment.manifest.dumps
    return listed if isinstance(listed, tuple) else segment.segment.commitments().dump_list()


def _persons_root(persons: PersonMap) -> MapRoot:
    return MapRoot(persons.root, len(persons), sha256(persons.prove(0).map_salt).digest())


def _newest_index(log: ProofLog) -> int:
    for place in range(log.checkpoint().size - 1, -1, -1):
        if is_index(log.leaf(place)):
            return place
    raise InputError("the log holds no leaf of an index yet", hint="muniment ledger reindex")
