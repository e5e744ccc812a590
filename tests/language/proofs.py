"""A small sealed ledger with an index in its log: what proofs for one person are made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from language.rings import NOW, segment_keys
from language.segments import disclosures, numbered
from muniment.disclosure import Disclosure
from muniment.ledger.batch import Batch, concatenated
from muniment.ledger.frames import Head
from muniment.ledger.index.pages import PageCache
from muniment.ledger.index.runs import RecordIndex
from muniment.ledger.log.folder import LogFolder
from muniment.ledger.log.note import Signer, VerifierKey
from muniment.ledger.log.second import FolderStore
from muniment.ledger.logged import LoggedSegment
from muniment.ledger.ordinals.persons import PersonMap
from muniment.ledger.proving import Prover, index_leaf
from muniment.ledger.segments.manifest import Manifest
from muniment.ledger.segments.segment import Segment, write_segment

KEYS = segment_keys()
SPAN = 8_000
SIGNER = Signer("muniment/0123456789abcdef", b"s" * 32)


@dataclass(frozen=True)
class SealedLedger:
    """Segments, log, index and the map of persons; ordinal o has the pseudonym 3 o + 1."""

    log: LogFolder
    segments: tuple[LoggedSegment, ...]
    index: RecordIndex
    persons: PersonMap
    batch: Batch

    @property
    def vkeys(self) -> tuple[VerifierKey, ...]:
        return (SIGNER.verifier,)

    def prover(self) -> Prover:
        return Prover(self.log, self.segments, self.index.maps(), self.persons)

    def holding(self, ordinal: int) -> list[int]:
        """Sequence numbers of the disclosures that held an ordinal."""
        rows = range(len(self.batch))
        return [int(self.batch.sequence[row]) for row in rows if ordinal in self.batch.records(row).tolist()]


def persons_of(span: int) -> PersonMap:
    """A table of persons, made up."""
    ordinals = np.arange(span, dtype=np.uint32)
    return PersonMap(3 * ordinals.astype(np.uint64) + np.uint64(1), ordinals, b"t" * 32)


def sealed_ledger(folder: Path, *, segments: int = 3, rows: int = 60, dumps: int = 1) -> SealedLedger:
    """Seal generated disclosures into some segments, log them, index them and log the index."""
    made = [disclosures(seed, rows, SPAN, dumps=dumps) for seed in range(segments)]
    return seal_ledger(folder, made)


def seal_ledger(folder: Path, made: Sequence[list[Disclosure]], *, span: int = SPAN) -> SealedLedger:
    """The same of given disclosures, one list a segment."""
    log = LogFolder.create(folder / "log", SIGNER.name, SIGNER, FolderStore(folder / "second", "checkpoint"))
    (folder / "segments").mkdir()

    def opened(manifest: Manifest) -> Segment:
        return Segment.open(folder / "segments" / manifest.file, KEYS, manifest)

    logged, parts, first = [], [], 1
    for disclosed in made:
        batch = numbered(disclosed, first)
        manifest = write_segment(
            folder / "segments", batch, key=KEYS[-1], span=span, chain=bytes(32), journal=Head(0, "0" * 64)
        )
        leaf = log.append([manifest.to_leaf()]).size - 1
        logged.append(LoggedSegment(leaf, manifest.to_leaf(), opened))
        parts.append(batch)
        first += len(batch)
    index = RecordIndex.open(folder / "index", KEYS, PageCache(0))
    index.update(logged)
    persons = persons_of(span)
    log.append([index_leaf(index, logged, persons, NOW).to_leaf()])
    whole = concatenated(parts)
    return SealedLedger(log, tuple(logged), index, persons, whole)


