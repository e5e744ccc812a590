"""Sealing: closed write-ahead files become segments, their manifests become leaves of the log.

Steps, each of which may be the last before a crash
1. Segments are written, each under a fresh id: without a leaf they are nothing, and are swept at the next sealing.
2. The leaves are appended: the checkpoint goes to the second place, then to the folder. From here on they are sealed.
3. The write-ahead file is given up. Where that failed, its disclosures are found in the log later, and passed over.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from muniment.durable import storage_faults
from muniment.keys import Key
from muniment.ledger.batch import Batch
from muniment.ledger.frames import Head
from muniment.ledger.log.folder import LogFolder
from muniment.ledger.segments.manifest import SUFFIX, Manifest
from muniment.ledger.segments.segment import write_segment
from muniment.ledger.wal.frames import Point

SEGMENT_RECORDS: Final = 2**24
"""Records from which on a segment takes no more rows: some 40 MB on disk, 400 MB while it is sealed."""
SEGMENT_ROWS: Final = 2**21
"""Rows of a segment at most: single reads, of which each row has one."""
_PARTIAL = ".partial"
"""What `durable.replace_file` calls a file that is not whole yet."""


class ClosedFiles(Protocol):
    """What sealing needs of the writer that holds the write-ahead files (`ledger.writer.LocalWriter` is one)."""

    def rotate(self) -> int:
        """Close the current file; later appends go to a new one."""
        ...

    def closed(self) -> Sequence[int]:
        """The numbers of the closed files, ascending."""
        ...

    def unsealed(self, number: int) -> tuple[Batch, Point]:
        """The disclosures of the closed files up to `number`, and the point after them."""
        ...

    def sealed(self, number: int) -> None:
        """Give up the closed files up to `number`."""
        ...


def seal_closed(
    files: ClosedFiles,
    segments: Path,
    log: LogFolder,
    *,
    key: Key,
    after: int,
    keep: Collection[str],
    span: Callable[[], int],
    journal: Head,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> tuple[Manifest, ...]:
    """Seal everything that was appended so far; returns the new manifests, whose leaves are durable in the log.

    `key`: the newest segment key; `after`: the newest disclosure that is sealed, pruned ones included; `keep`: the
    files of the segments in the log; `span`: ordinals reserved so far, asked for once the rows are known; `journal`:
    the head to tie to the log. Raises `UnreachableError` where a disk fails, `IntegrityError` where the files do not
    verify: nothing is lost.
    """
    _sweep(segments, keep)
    newest = files.rotate()
    done: list[Manifest] = []
    last = after
    for number in [closed for closed in files.closed() if closed <= newest]:
        batch, point = files.unsealed(number)
        fresh = batch.take(np.flatnonzero(batch.sequence > last)) if (batch.sequence <= last).any() else batch
        reserved = span()
        manifests = [
            write_segment(
                segments, part, key=key, span=reserved, chain=point.chain, journal=journal, random_bytes=random_bytes
            )
            for part in _parts(fresh)
        ]
        if manifests:
            log.append([manifest.to_leaf() for manifest in manifests])
            last = manifests[-1].last
        files.sealed(number)
        done += manifests
    return tuple(done)


def _parts(batch: Batch) -> Iterator[Batch]:
    """Runs of rows that each fill a segment."""
    start = 0
    while start < len(batch):
        full = int(np.searchsorted(batch.starts, batch.starts[start] + SEGMENT_RECORDS, side="left"))
        end = min(max(full, start + 1), start + SEGMENT_ROWS, len(batch))
        yield batch if end - start == len(batch) else batch.take(np.arange(start, end))
        start = end


def _sweep(segments: Path, keep: Collection[str]) -> None:
    """Remove what an interrupted sealing left: segments that never got into the log (step 1), and parts of files."""
    with storage_faults(segments, "sweep"):
        segments.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in segments.iterdir():
            if path.suffix in (SUFFIX, _PARTIAL) and path.name not in keep:
                path.unlink()
