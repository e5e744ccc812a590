"""Segments: sealed, opened, checked; every exchange is found, and nothing readable is on disk."""

from __future__ import annotations

import os
import subprocess
import sys
import zlib
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from language.faults import Faults, names_in
from language.rings import segment_keys
from language.segments import a_batch, rows_of
from muniment.errors import InputError, IntegrityError, LimitError, UnreachableError
from muniment.keys import Key, Purpose
from muniment.ledger.batch import Batch
from muniment.ledger.frames import Head
from muniment.ledger.segments import segment as segment_module
from muniment.ledger.segments.commit import FIELDS, Committer
from muniment.ledger.segments.manifest import DumpDigest, Manifest
from muniment.ledger.segments.opening import verify_event, verify_record
from muniment.ledger.segments.segment import Segment, write_segment

KEYS = segment_keys(2)
SPAN = 10_000
CHAIN = b"c" * 32
JOURNAL = Head(3, "ab" * 32)


def _seal(folder: Path, batch: Batch, key: Key = KEYS[0]) -> Manifest:
    return write_segment(folder, batch, key=key, span=SPAN, chain=CHAIN, journal=JOURNAL)


@pytest.fixture
def batch() -> Batch:
    return a_batch(rows=500, dumps=2, first=41)


def test_sealed_and_opened(tmp_path: Path, batch: Batch) -> None:
    manifest = _seal(tmp_path, batch)
    assert names_in(tmp_path) == {manifest.file}
    assert (manifest.rows, manifest.records) == (502, len(batch.ordinals))
    assert (manifest.first, manifest.last) == (41, 542)
    assert (manifest.start, manifest.end) == (int(batch.time.min()), int(batch.time.max()))
    assert (manifest.key, manifest.chain, manifest.journal, manifest.dump_count) == ("segment-1", "63" * 32, JOURNAL, 2)
    assert Manifest.from_leaf(manifest.to_leaf()) == manifest
    opened = Segment.open(tmp_path / manifest.file, KEYS, manifest)
    opened.check(full=True)
    assert (opened.id, opened.rows, opened.span) == (manifest.id, 502, SPAN)
    back = opened.batch()
    assert rows_of(back) == rows_of(batch)
    assert np.array_equal(opened.numbers("time"), back.time)
    assert [opened.texts("party")[i] for i in range(502)] == [back.party[i] for i in range(502)]
    assert np.array_equal(opened.records().values, back.ordinals)
    numbers, texts = opened.pick(np.array([501, 3]))
    assert (numbers["sequence"].tolist(), texts["case"][1]) == (back.sequence[[501, 3]].tolist(), back.case[3])
    assert b"".join(opened.parquet())[:4] == b"PAR1"
    assert manifest.id not in {_seal(tmp_path, batch).id}


def test_events_and_records_open_against_the_manifest(tmp_path: Path, batch: Batch) -> None:
    manifest = _seal(tmp_path, batch)
    opened = Segment.open(tmp_path / manifest.file, KEYS)
    rows = opened.batch()
    openings = opened.openings(rows)
    root = bytes.fromhex(manifest.events)
    for row in (0, 250, 501):
        event = verify_event(openings.event(row, FIELDS), root, manifest.rows)
        assert event.numbers["sequence"] == rows.sequence[row]
        assert event.fields["case"] == rows.case[row]
        for ordinal in rows.records(row)[:1].tolist():
            assert verify_record(openings.record(row, ordinal), event).present
    dumps = manifest.dumps
    assert not isinstance(dumps, DumpDigest)
    assert [(dump.row, bytes.fromhex(dump.root)) for dump in dumps] == [
        (row, verify_event(opened.openings().event(row), root, manifest.rows).root) for row in (500, 501)
    ]


def test_a_rotated_key_seals_and_both_open(tmp_path: Path, batch: Batch) -> None:
    old, new = _seal(tmp_path, batch), _seal(tmp_path, batch, KEYS[1])
    assert (old.key, new.key) == ("segment-1", "segment-2")
    for manifest in (old, new):
        Segment.open(tmp_path / manifest.file, KEYS, manifest).check(full=True)
    with pytest.raises(IntegrityError, match="segment-2, which this key ring does not hold"):
        Segment.open(tmp_path / new.file, KEYS[:1], new)


def test_what_no_segment_may_hold_is_refused(tmp_path: Path, batch: Batch) -> None:
    backwards = batch.stamped(batch.sequence[::-1].copy(), batch.time)
    for other in (batch.take(np.zeros(0, np.int64)), backwards, batch.stamped(batch.sequence, -batch.time)):
        with pytest.raises(ValueError, match="one row or more"):
            _seal(tmp_path, other)
    with pytest.raises(ValueError, match="segment key"):
        _seal(tmp_path, batch, Key("mark-1", Purpose.MARK, bytes(32)))
    with pytest.raises(ValueError, match="beyond"):
        write_segment(tmp_path, batch, key=KEYS[0], span=99, chain=CHAIN, journal=JOURNAL)
    assert names_in(tmp_path) == set()


def test_a_batch_over_the_bound_is_refused(tmp_path: Path, batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment_module, "SEGMENT_RECORDS", 100)
    with pytest.raises(LimitError, match="too large for a segment"):
        _seal(tmp_path, batch)
    assert names_in(tmp_path) == set()


def test_nothing_readable_is_on_disk_and_bytes_look_random(tmp_path: Path, batch: Batch) -> None:
    manifest = _seal(tmp_path, batch)
    data = (tmp_path / manifest.file).read_bytes()
    for text in ("office", "care", "PAR1", "case", "sequence", "查詢", "10.0.0", "events"):
        assert text.encode() not in data
    body = data[36:]
    assert len(zlib.compress(body, 9)) > len(body)
    expected = len(body) / 256
    statistic = sum((count - expected) ** 2 / expected for count in (Counter(body)[byte] for byte in range(256)))
    assert 120 < statistic < 420  # chi-square of 255 degrees: beyond that once in some 10**9 runs


# --- damage ------------------------------------------------------------------------------------------------------


def test_exchanged_and_altered_segments_are_found(tmp_path: Path, batch: Batch) -> None:
    one, two = _seal(tmp_path, batch), _seal(tmp_path, a_batch(rows=502, first=41))
    path = tmp_path / one.file
    whole = path.read_bytes()
    path.write_bytes((tmp_path / two.file).read_bytes())
    with pytest.raises(IntegrityError, match="files were exchanged") as caught:
        Segment.open(path, KEYS, one)
    assert caught.value.hint
    path.write_bytes(whole)
    for place in (len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(IntegrityError, match=r"does not verify|SHA-256 differs"):
            Segment.open(path, KEYS, one).check(full=True)
    path.unlink()
    with pytest.raises(InputError, match="no such segment"):
        Segment.open(path, KEYS, one)


def test_a_segment_sealed_anew_under_the_same_id_is_found(
    tmp_path: Path, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has the key can seal other rows under the old id; the log's digest tells."""
    fixed = {16: b"i" * 16, 32: b"s" * 32, 12: b"n" * 12}
    manifest = write_segment(
        tmp_path, batch, key=KEYS[0], span=SPAN, chain=CHAIN, journal=JOURNAL, random_bytes=fixed.__getitem__
    )
    size = batch.size.copy()
    size[3] += 1
    other = replace(batch, size=size)
    write_segment(tmp_path, other, key=KEYS[0], span=SPAN, chain=CHAIN, journal=JOURNAL, random_bytes=fixed.__getitem__)
    forged = Segment.open(tmp_path / manifest.file, KEYS, manifest)
    with pytest.raises(IntegrityError, match=r"SHA-256 differs|the log says"):
        forged.check()
    monkeypatch.setattr(segment_module.Container, "check", lambda *_: None)
    with pytest.raises(IntegrityError, match="events root differs"):
        forged.check(full=True)


@pytest.mark.parametrize(
    ("name", "value", "match"),
    [
        ("events", "00" * 32, "events root"),
        ("dumps", (), "dumps"),
        ("dumps", DumpDigest(2, "00" * 32), "dumps"),
        ("records", 5, "records"),
        ("first", 40, "sequence"),
        ("last", 600, "sequence"),
        ("start", 0, "time"),
    ],
)
def test_a_manifest_that_says_otherwise_is_found(
    tmp_path: Path, batch: Batch, name: str, value: object, match: str
) -> None:
    manifest = _seal(tmp_path, batch)
    other = replace(manifest, **{name: value})  # type: ignore[arg-type]
    opened = Segment.open(tmp_path / manifest.file, KEYS, other)
    opened.check()
    with pytest.raises(IntegrityError, match=rf"{manifest.file}: its {match} differs"):
        opened.check(full=True)


def test_a_long_list_of_dumps_is_checked_by_its_digest(tmp_path: Path, batch: Batch) -> None:
    manifest = _seal(tmp_path, batch)
    assert not isinstance(manifest.dumps, DumpDigest)
    short = replace(manifest, dumps=DumpDigest.of(manifest.dumps))
    Segment.open(tmp_path / manifest.file, KEYS, short).check(full=True)


def test_stored_commitments_that_do_not_fit_are_found(
    tmp_path: Path, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Committer.commitments

    def wrong(committer: Committer) -> object:
        found = real(committer)
        return replace(found, events=replace(found.events, pages=(bytes(32),)))

    with monkeypatch.context() as patch:
        patch.setattr(Committer, "commitments", wrong)
        manifest = _seal(tmp_path, batch)
    opened = Segment.open(tmp_path / manifest.file, KEYS, manifest)
    with pytest.raises(IntegrityError, match="do not hash to the commitments"):
        opened.check(full=True)
    with pytest.raises(IntegrityError, match="commitments that are stored"):
        opened.openings().event(0)


def test_check_needs_a_manifest(tmp_path: Path, batch: Batch) -> None:
    manifest = _seal(tmp_path, batch)
    with pytest.raises(ValueError, match="without a manifest"):
        Segment.open(tmp_path / manifest.file, KEYS).check()


@pytest.mark.parametrize("mode", ["undone", "done"])
def test_every_step_of_sealing_may_fail(tmp_path: Path, batch: Batch, mode: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        steps = Faults(patch, None, mode)
        _seal(tmp_path, batch)
    for step, call in enumerate(steps.calls):
        folder = tmp_path / f"{step}"
        folder.mkdir()
        with pytest.MonkeyPatch.context() as patch:
            Faults(patch, step, mode)
            with pytest.raises(UnreachableError, match=f"{folder}"):
                _seal(folder, batch)
        for name in names_in(folder):  # a whole segment that no leaf names, or an empty name
            left = folder / name
            assert left.stat().st_size == 0 or rows_of(Segment.open(left, KEYS).batch()) == rows_of(batch), call
        _seal(folder, batch)


SEALER = """
import sys
from pathlib import Path
from language.rings import segment_keys
from language.segments import a_batch
from muniment.ledger.frames import Head
from muniment.ledger.segments.segment import write_segment
batch, head = a_batch(rows=200, dumps=1), Head(0, "00" * 32)
while True:
    write_segment(Path(sys.argv[1]), batch, key=segment_keys()[0], span=10_000, chain=bytes(32), journal=head)
    print("sealed", flush=True)
"""


def test_killed_while_sealing_leaves_whole_segments(tmp_path: Path) -> None:
    """Whatever signal 9 leaves is a whole segment or a partial file that no segment is named like."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", SEALER, str(tmp_path)], stdout=subprocess.PIPE, env=environment
        )  # fmt: skip
        assert child.stdout is not None
        assert child.stdout.readline() == b"sealed\n"
        child.kill()
        child.communicate()
    segments = [path for path in tmp_path.iterdir() if path.suffix == ".seg"]
    assert len(segments) >= 3
    for path in segments:
        assert Segment.open(path, KEYS).batch().sequence.size == 201
    assert all(path.suffix == ".partial" for path in tmp_path.iterdir() if path not in segments)


def test_a_full_disk_says_so_and_leaves_nothing(tmp_path: Path, batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(UnreachableError, match="no space left") as caught:
        _seal(tmp_path, batch)
    assert "free some space" in caught.value.hint
    assert names_in(tmp_path) == set()
