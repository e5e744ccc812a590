"""Reading write-ahead files without a lock: the tail, the closed files, and what a writer does meanwhile."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from language.appends import KEYS, cases, disclosure
from muniment.errors import IntegrityError, UnreachableError
from muniment.ledger.batch import Batch
from muniment.ledger.wal import files
from muniment.ledger.wal.files import FileReader, MissingFileError, file_numbers, file_path, read_closed, read_tail
from muniment.ledger.wal.folder import WalFolder
from muniment.ledger.wal.frames import HEADER_BYTES, SegmentKeys


def _written(folder: Path, sizes: list[list[int]]) -> WalFolder:
    """A folder whose files hold frames of so many disclosures; it stays open."""
    wal, n = WalFolder(folder, KEYS), 0
    wal.recover(None)
    for frames in sizes:
        wal.rotate()
        for count in frames:
            batch = Batch.of([disclosure(n + i) for i in range(count)])
            wal.append(batch.numbered(n + 1, 1000 + n))
            n += count
    return wal


def test_tail_after_a_number(tmp_path: Path) -> None:
    _written(tmp_path, [[1, 3], [2]])
    for after in range(7):
        assert cases(read_tail(tmp_path, KEYS, after=after)) == list(range(after, 6))
    assert cases(read_tail(tmp_path, KEYS)) == list(range(6))
    assert len(read_tail(tmp_path / "none", KEYS)) == 0


def test_tail_that_was_sealed_meanwhile(tmp_path: Path) -> None:
    wal = _written(tmp_path, [[1, 3], [2]])
    wal.retire(1)
    wal.remove_retired()
    assert cases(read_tail(tmp_path, KEYS)) == cases(read_tail(tmp_path, KEYS, after=4)) == [4, 5]
    with pytest.raises(UnreachableError, match="up to number 4 were sealed since"):
        read_tail(tmp_path, KEYS, after=3)


def test_a_file_that_goes_while_it_is_read_is_looked_for_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wal = _written(tmp_path, [[1], [2], [1]])
    listed = files.file_numbers

    def stale(folder: Path) -> list[int]:
        numbers = listed(folder)
        wal.retire(1)
        wal.remove_retired()
        return numbers

    monkeypatch.setattr(files, "file_numbers", stale)
    assert cases(read_tail(tmp_path, KEYS)) == [1, 2, 3]
    monkeypatch.setattr(files, "file_numbers", lambda _: [1])
    with pytest.raises(UnreachableError, match="sealed while they were read"):
        read_tail(tmp_path, KEYS)


def test_other_names_are_passed_over(tmp_path: Path) -> None:
    _written(tmp_path, [[1]])
    for name in ("1.wal", f"{2:020d}.wal.bak", "notes"):
        (tmp_path / name).write_bytes(b"x")
    assert file_numbers(tmp_path) == [1]


def test_closed_files_give_a_batch_and_the_point_after_it(tmp_path: Path) -> None:
    wal = _written(tmp_path, [[1, 3], [2], [1]])
    batch, point = read_closed(tmp_path, KEYS, [1, 2])
    assert cases(batch) == list(range(6))
    with FileReader(file_path(tmp_path, 3), SegmentKeys(KEYS)) as reader:
        assert reader.header.start == point
    assert read_closed(tmp_path, KEYS, [3])[1] == wal.point
    with pytest.raises(MissingFileError, match="missing"):
        read_closed(tmp_path, KEYS, [3, 4])
    with pytest.raises(IntegrityError, match="not where the file before it ends"):
        read_closed(tmp_path, KEYS, [1, 3])
    with pytest.raises(ValueError, match="one closed file"):
        read_closed(tmp_path, KEYS, [])
    with file_path(tmp_path, 2).open("ab") as file:
        file.write(b"x")
    with pytest.raises(IntegrityError, match="1 bytes after frame 1 of a closed file"):
        read_closed(tmp_path, KEYS, [1, 2])


def test_reading_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _written(tmp_path, [[1], [2]])
    with file_path(tmp_path, 2).open("ab") as file:
        file.write(b"torn")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, os.strerror(30))

    for name in ("write", "pwrite", "replace", "ftruncate", "mkdir", "unlink", "fsync", "fdatasync"):
        monkeypatch.setattr(os, name, refuse)
    assert cases(read_tail(tmp_path, KEYS)) == [0, 1, 2]


def test_frame_seen_while_it_is_written_is_no_alteration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader meets frame 1 half written; when it looks again, frame 1 is whole and frame 2 stands after it."""
    _written(tmp_path, [[1, 1, 1]])
    path = file_path(tmp_path, 1)
    with FileReader(path, SegmentKeys(KEYS)) as reader:
        seen = reader._frame
        calls = iter(range(10))
        monkeypatch.setattr(reader, "_frame", lambda: None if next(calls) == 1 else seen())
        assert [cases(batch) for batch in reader.batches()] == [[0]]
        assert reader.rest() > 0
    monkeypatch.undo()
    assert cases(read_tail(tmp_path, KEYS)) == [0, 1, 2]


def test_a_tail_stuffed_with_frame_numbers_costs_little(tmp_path: Path) -> None:
    _written(tmp_path, [[1]])
    with file_path(tmp_path, 1).open("ab") as file:
        file.write(bytes([0, 0, 1, 0, 0, 0, 0, 2]) * 100_000)
    assert cases(read_tail(tmp_path, KEYS)) == [0]


def test_a_length_from_nowhere_is_not_believed(tmp_path: Path) -> None:
    _written(tmp_path, [[1]])
    path = file_path(tmp_path, 1)
    whole = path.read_bytes()
    for length in (b"\xff" * 4, b"\x00\x00\x00\x00", b"\x00\x00\x00\x0f"):
        path.write_bytes(whole + length + b"\x00\x00\x00\x01" + b"x" * 40)
        assert cases(read_tail(tmp_path, KEYS)) == [0]
    path.write_bytes(whole[: HEADER_BYTES + 4])
    assert cases(read_tail(tmp_path, KEYS)) == []
