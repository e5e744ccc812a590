"""Segments as the rest of the ledger sees them: a batch is sealed into a file, and a file opens to a batch.

Rules
1. A segment is written once, as a whole, and never changed. Its manifest, which goes into the log, is made from what
   was written; no plaintext is on disk at any time.
2. Rows stand in the order of `shapes`: row i of `batch()` is row i of every opening.
3. `open` verifies the header, the last frame and the footer; every other frame is verified when it is read. `check`
   compares with the manifest: the bytes of the file, and in full what they hold.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from muniment import limits
from muniment.errors import IntegrityError, LimitError
from muniment.keys import Key, Purpose
from muniment.ledger.batch import NUMBERS, TEXTS, Batch, Texts
from muniment.ledger.frames import Head
from muniment.ledger.segments import parquet
from muniment.ledger.segments.commit import Commitments, Committer
from muniment.ledger.segments.container import Container, SegmentKey, Written, write_container
from muniment.ledger.segments.manifest import SUFFIX, Dump, DumpDigest, Manifest
from muniment.ledger.segments.opening import Openings
from muniment.ledger.segments.shapes import SEGMENT_RECORDS, Lists, arranged

if TYPE_CHECKING:
    from numpy.typing import NDArray


def write_segment(
    folder: Path,
    batch: Batch,
    *,
    key: Key,
    span: int,
    chain: bytes,
    journal: Head,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> Manifest:
    """Seal a batch into a new file of a folder; return its manifest, which is not in the log yet.

    `span` is the number of ordinals reserved so far, `chain` the head of the write-ahead chain after the last row.
    A crash leaves the whole file or none. Raises `UnreachableError` on a full or read-only disk, `LimitError` for a
    batch that is too large, `ValueError` for one that is empty, not numbered in ascending order or not canonical.
    """
    _check(batch, key, chain)
    own = SegmentKey.fresh(random_bytes)
    ordered, groups = arranged(batch, span)
    commitments = Committer(ordered, span, own.secret).commitments()
    chunks = parquet.rendered(ordered, groups, span, commitments.to_text())
    path = folder / (own.id.hex() + SUFFIX)
    written = write_container(path, chunks, own=own, key=key, random_bytes=random_bytes)
    return Manifest(
        id=own.id.hex(),
        sha256=written.sha256,
        size=written.size,
        rows=len(batch),
        records=len(batch.ordinals),
        first=int(batch.sequence[0]),
        last=int(batch.sequence[-1]),
        start=int(batch.time.min()),
        end=int(batch.time.max()),
        key=key.id,
        events=commitments.events.root.hex(),
        dumps=commitments.dump_list(),
        chain=chain.hex(),
        journal=Head(journal.sequence, journal.digest),
    )


def _check(batch: Batch, key: Key, chain: bytes) -> None:
    if key.purpose != Purpose.SEGMENT or len(chain) != 32:
        raise ValueError("a segment is sealed under a segment key, after a chain head of 32 bytes")
    if not len(batch) or int(batch.sequence[0]) < 0 or int(batch.time.min()) < 0 or (np.diff(batch.sequence) < 1).any():
        raise ValueError("a segment holds one row or more, numbered in ascending order")
    if int(batch.counts.max()) > limits.RECORD_SET or len(batch.ordinals) > SEGMENT_RECORDS:
        most = f"{limits.RECORD_SET:,} records of a disclosure, {SEGMENT_RECORDS:,} of a segment"
        raise LimitError(f"{len(batch.ordinals):,} records are too large for a segment; expected at most {most}")
    batch.check()


class Segment:
    """An open segment. Columns, or some rows of them, are read, verified and decoded when they are asked for."""

    def __init__(self, path: Path, container: Container, manifest: Manifest | None) -> None:
        """For `open` only."""
        self._path = path
        self._container = container
        self.manifest = manifest
        with self._named():
            self._reader = parquet.ParquetReader(container.read, container.size)

    def __repr__(self) -> str:
        return f"Segment({str(self._path)!r})"

    @classmethod
    def open(cls, path: Path, keys: Sequence[Key], manifest: Manifest | None = None) -> Segment:
        """Open a file with the segment keys of the ring.

        Raises `InputError` where there is none; `IntegrityError` where it was altered or cut short, is another segment
        than the manifest says, or is sealed under a key that is not given; `UnreachableError` where it cannot be read.
        """
        segment = cls(path, Container.open(path, keys), manifest)
        if manifest is not None and (manifest.id, manifest.rows) != (segment.id, segment.rows):
            raise IntegrityError(
                f"{path}: it holds segment {segment.id}; the log says {manifest.id}: files were exchanged",
                hint="restore the segments from a copy: each lies under its own id",
            )
        return segment

    @property
    def id(self) -> str:
        """The id of the segment, in hex."""
        return self._container.own.id.hex()

    @property
    def rows(self) -> int:
        """Disclosures in the segment."""
        return self._reader.rows

    @property
    def span(self) -> int:
        """Ordinals that were reserved when it was sealed."""
        return self._reader.span

    @property
    def secret(self) -> bytes:
        """The key of this one segment (32 bytes), for whoever may read it and no other; see docs/open_segment.py."""
        return self._container.own.secret

    def numbers(self, name: str) -> NDArray[np.int64]:
        """One numeric column (of `batch.NUMBERS`), shape (n,)."""
        with self._named():
            return self._reader.numbers(name)

    def texts(self, name: str) -> Texts:
        """One column of texts (of `batch.TEXTS`)."""
        with self._named():
            return self._reader.texts(name)

    def pick(
        self, rows: NDArray[np.int64], numbers: Collection[str] = NUMBERS, texts: Collection[str] = TEXTS
    ) -> tuple[dict[str, NDArray[np.int64]], dict[str, Texts]]:
        """Some rows of some columns by name, in the order of `rows`, without unpacking the others; errors as `open`."""
        with self._named():
            return self._reader.pick(rows, numbers, texts)

    def records(self) -> Lists:
        """The records of every row, ascending."""
        with self._named():
            return self._reader.records()

    def batch(self) -> Batch:
        """All columns. Raises `IntegrityError` as `open`."""
        with self._named():
            return self._reader.batch()

    def parquet(self) -> Iterator[bytes]:
        """The Parquet file in verified parts of at most 1 MiB."""
        return self._container.chunks()

    def commitments(self) -> Commitments:
        """What the segment says it committed to; `check(full=True)` computes it anew."""
        with self._named():
            return Commitments.from_text(self._reader.commitments, self.span)

    def openings(self, batch: Batch | None = None) -> Openings:
        """What opens events and records of this segment; `batch` where the caller has it from `batch()` already."""
        rows = self.batch() if batch is None else batch
        with self._named():
            return Openings(rows, self.commitments(), self._container.own.secret)

    def check(self, *, full: bool = False) -> None:
        """Compare with the manifest: size and SHA-256 of the file; in full also rows, records and every commitment.

        Raises `IntegrityError` that says what differs, `ValueError` where the segment was opened without a manifest.
        """
        if self.manifest is None:
            raise ValueError("the segment was opened without a manifest")
        self._container.check(Written(self.manifest.sha256, self.manifest.size))
        if full:
            with self._named():
                self._check_content(self.manifest)

    def _check_content(self, manifest: Manifest) -> None:
        batch = self.batch()
        try:
            commitments = Committer(batch, self.span, self._container.own.secret).commitments()
        except ValueError as error:
            raise IntegrityError("it holds rows that it cannot have been sealed with") from error
        if commitments != self.commitments():
            raise IntegrityError("its rows do not hash to the commitments that are stored in it")
        listed: tuple[Dump, ...] | DumpDigest = commitments.dump_list()
        if isinstance(manifest.dumps, DumpDigest):
            listed = DumpDigest.of(commitments.dump_list())
        order = np.argsort(batch.sequence)
        found = {
            "events root": (commitments.events.root.hex(), manifest.events),
            "dumps": (listed, manifest.dumps),
            "records": (len(batch.ordinals), manifest.records),
            "sequence": (batch.sequence[order[[0, -1]]].tolist(), [manifest.first, manifest.last]),
            "time": ([int(batch.time.min()), int(batch.time.max())], [manifest.start, manifest.end]),
        }
        for name, (came, expected) in found.items():
            if came != expected:
                raise IntegrityError(f"its {name} differs from what the log says")

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Put the file's name in front of a fault that was found below, where no name is known."""
        try:
            yield
        except IntegrityError as error:
            if error.message.startswith(str(self._path)):
                raise
            raise IntegrityError(f"{self._path}: {error.message}", hint=error.hint) from error
