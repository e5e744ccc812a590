"""The files of a generation: sealed for their place, and refused where they are missing, altered or another's."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from language.faults import names_in
from language.rings import segment_keys
from muniment.errors import InputError, IntegrityError, LimitError
from muniment.ledger.ordinals import files
from muniment.ledger.ordinals.files import (
    AppendFile,
    KeyBoxes,
    destroy_older,
    newest_generation,
    path_of,
)
from muniment.ledger.ordinals.frames import Change, Frame
from muniment.ledger.ordinals.ranges import Reserved

KEY = b"t" * 32


def _frame(change: Change, *entries: tuple[int, int]) -> Frame:
    pseudonyms = np.array([entry[0] for entry in entries], np.uint64)
    return Frame(change, pseudonyms, np.array([entry[1] for entry in entries], np.uint32), Reserved(100, 0, 9))


def test_key_files_open_in_their_generation_under_their_ring(tmp_path: Path) -> None:
    boxes = KeyBoxes(segment_keys(2))
    boxes.write(tmp_path, 1, KEY)
    assert boxes.read(tmp_path, 1) == KEY
    assert newest_generation(tmp_path) == 1
    with pytest.raises(IntegrityError, match="does not hold"):
        KeyBoxes(segment_keys()).read(tmp_path, 1)
    data = path_of(tmp_path, 1, "key").read_bytes()
    path_of(tmp_path, 2, "key").write_bytes(data)
    with pytest.raises(IntegrityError, match="does not verify"):
        boxes.read(tmp_path, 2)
    path_of(tmp_path, 1, "key").write_bytes(data[:-1])
    for generation in (1, 3):
        with pytest.raises(IntegrityError, match="missing or cut short"):
            boxes.read(tmp_path, generation)
    assert repr(boxes) == "KeyBoxes()"
    with pytest.raises(ValueError, match="segment key"):
        KeyBoxes([])


def test_no_table_is_said(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(InputError, match="no ordinal table"):
            newest_generation(folder)


def test_older_keys_are_overwritten_before_they_are_removed(tmp_path: Path) -> None:
    boxes = KeyBoxes(segment_keys())
    for generation in (1, 2):
        boxes.write(tmp_path, generation, KEY)
        path_of(tmp_path, generation, "base").write_bytes(b"a base")
    old = path_of(tmp_path, 1, "key")
    kept = tmp_path / "kept"
    os.link(old, kept)
    before = kept.read_bytes()
    for name in (".00000002.key.x.partial", ".00000003.base.x.partial", "00000003.append", "lock", "other"):
        (tmp_path / name).write_bytes(b"left behind by a crash")
    destroy_older(tmp_path, 2, os.urandom)
    assert names_in(tmp_path) == {"00000002.key", "00000002.base", "kept", "lock", "other"}
    assert kept.stat().st_size == len(before)
    assert kept.read_bytes() != before


def _append(folder: Path, *, writing: bool = True) -> AppendFile:
    return AppendFile(folder, 1, KEY, writing=writing)


def test_appended_frames_are_read_back_and_go_on(tmp_path: Path) -> None:
    AppendFile.create(tmp_path, 1, KEY, os.urandom)
    writer, reader = _append(tmp_path), _append(tmp_path, writing=False)
    for n in range(3):
        writer.append([_frame(Change.ALLOCATE, (n, n)), _frame(Change.ALIAS, (n, n))])
        read = reader.read(beyond_head=False)
        assert [frame.pseudonyms.tolist() for frame in read] == [[n], [n]]
        assert reader.point == writer.point == reader.heads()[-1]
    writer.close()
    writer.close()
    assert reader.read(beyond_head=True) == []
    assert "frames=6" in repr(reader)


def test_expected_points_are_checked(tmp_path: Path) -> None:
    AppendFile.create(tmp_path, 1, KEY, os.urandom)
    writer = _append(tmp_path)
    writer.append([_frame(Change.ALLOCATE, (1, 1))])
    first = (1, writer.point.digest)
    writer.append([_frame(Change.ALLOCATE, (2, 2))])
    assert len(_append(tmp_path, writing=False).read(beyond_head=False, expected=[first])) == 2
    for expected in [(1, bytes(32)), (3, bytes(32)), (0, bytes(32))]:
        with pytest.raises(IntegrityError, match="were acknowledged"):
            _append(tmp_path, writing=False).read(beyond_head=False, expected=[expected])
    writer.close()


def test_an_append_file_that_is_none_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(IntegrityError, match="missing"):
        _append(tmp_path)
    AppendFile.create(tmp_path, 1, KEY, os.urandom)
    with pytest.raises(IntegrityError, match="head of the ordinal table"):
        AppendFile(tmp_path, 1, b"u" * 32, writing=False).read(beyond_head=False)
    writer = _append(tmp_path)
    monkeypatch.setattr(files, "APPEND_BYTES", 1_600)
    with pytest.raises(LimitError, match="compact"):
        writer.append([_frame(Change.ALLOCATE, (1, 1))])
    monkeypatch.setattr(files, "APPEND_BYTES", 10)
    with pytest.raises(LimitError, match="at most 10"):
        _append(tmp_path)
    writer.close()
    path_of(tmp_path, 1, "append").write_bytes(bytes(2_000))
    monkeypatch.undo()
    with pytest.raises(IntegrityError, match="altered at its start"):
        _append(tmp_path)
