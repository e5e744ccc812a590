"""Segments as the log lists them: nothing is opened before it is asked for."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from language.rings import segment_keys
from language.segments import a_batch, rows_of
from muniment.errors import IntegrityError
from muniment.ledger.frames import Head
from muniment.ledger.logged import LoggedSegment
from muniment.ledger.segments import manifest as manifest_module
from muniment.ledger.segments.manifest import DumpDigest, Manifest
from muniment.ledger.segments.segment import Segment, write_segment
from muniment.ledger.sources import SegmentSource

KEYS = segment_keys()
SPAN = 10_000


class Folder:
    """A folder with one segment, and how often it was opened."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.opened = folder, 0
        self.batch = a_batch(rows=60, span=SPAN, dumps=2)
        self.manifest = write_segment(
            folder, self.batch, key=KEYS[0], span=SPAN, chain=bytes(32), journal=Head(0, "0" * 64)
        )

    def open(self, manifest: Manifest) -> Segment:
        self.opened += 1
        return Segment.open(self.folder / manifest.file, KEYS, manifest)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_it_opens_once_and_late(folder: Folder) -> None:
    leaf = folder.manifest.to_leaf()
    logged = LoggedSegment(7, leaf, folder.open)
    source: SegmentSource = logged
    assert (source.leaf, source.rows, source.identity) == (7, 62, sha256(leaf).digest())
    assert source.window == (int(folder.batch.time.min()), int(folder.batch.time.max()))
    assert set(source.spans().values()) == {SPAN} and len(source.spans()) == 2
    assert repr(logged) == f"LoggedSegment(7, {folder.manifest.id})"
    assert folder.opened == 0
    assert rows_of(source.batch()) == rows_of(folder.batch)
    starts, ordinals = source.records()
    assert (len(starts), len(ordinals)) == (63, folder.manifest.records)
    assert np.array_equal(np.sort(source.numbers("sequence")), folder.batch.sequence)
    assert len(source.texts("case")) == 62
    assert folder.opened == 1


def test_dumps_that_do_not_fit_into_a_leaf_are_read_from_the_segment(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = LoggedSegment(0, folder.manifest.to_leaf(), folder.open).spans()
    monkeypatch.setattr(manifest_module, "LEAF_BYTES", 700)
    logged = LoggedSegment(0, folder.manifest.to_leaf(), folder.open)
    assert isinstance(logged.manifest.dumps, DumpDigest)
    assert logged.spans() == listed
    assert folder.opened == 1


@pytest.mark.parametrize("leaf", [b"", b"{}", b'{"kind":"segment"}', b"\xff" * 40])
def test_another_leaf_is_no_segment(folder: Folder, leaf: bytes) -> None:
    with pytest.raises(IntegrityError, match="no manifest of a segment"):
        LoggedSegment(0, leaf, folder.open)


def test_a_segment_that_cannot_be_opened_is_tried_again(folder: Folder) -> None:
    path = folder.folder / folder.manifest.file
    whole = path.read_bytes()
    path.write_bytes(b"?" + whole[1:])
    logged = LoggedSegment(0, folder.manifest.to_leaf(), folder.open)
    with pytest.raises(IntegrityError):
        logged.batch()
    path.write_bytes(whole)
    assert len(logged.batch()) == 62
