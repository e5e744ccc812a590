"""The folder of write-ahead files: at any cut it opens with what was acknowledged, or not at all."""

from __future__ import annotations

import os
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from language.appends import KEYS, cases, disclosure
from language.rings import segment_keys
from muniment.errors import IntegrityError, UnreachableError
from muniment.ledger.batch import Batch
from muniment.ledger.wal import folder as module
from muniment.ledger.wal.files import file_numbers, file_path, read_tail
from muniment.ledger.wal.folder import WalFolder
from muniment.ledger.wal.frames import HEADER_BYTES, Head


class Written:
    """A folder to which disclosures 0, 1, 2 ... were appended, one a frame, with its head after each."""

    def __init__(self, folder: Path, frames: int, *, rotations: tuple[int, ...] = ()) -> None:
        self.folder = folder
        self.wal = WalFolder(folder, KEYS)
        self.wal.recover(None)
        self.heads = [self.wal.head]
        self.ends = [HEADER_BYTES]
        for n in range(frames):
            if n in rotations:
                self.wal.rotate()
            append(self.wal, n)
            self.heads.append(self.wal.head)
            self.ends.append(file_path(folder, self.wal.head.file).stat().st_size)
        self.wal.close()

    def reopen(self, head: Head | None) -> WalFolder:
        wal = WalFolder(self.folder, KEYS)
        wal.recover(head)
        return wal


def append(wal: WalFolder, n: int, count: int = 1) -> None:
    batch = Batch.of([disclosure(n + i) for i in range(count)])
    wal.append(batch.numbered(wal.point.sequence + 1, wal.point.time))


def found(folder: Path) -> list[int]:
    return cases(read_tail(folder, KEYS))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "wal"


def test_each_opening_writes_a_file_of_its_own_and_the_chain_goes_on(folder: Path) -> None:
    written = Written(folder, 2)
    wal = written.reopen(written.heads[-1])
    assert wal.point == written.heads[-1].point
    assert (wal.closed(), file_numbers(folder)) == ((1,), [1])
    append(wal, 2)
    assert (wal.closed(), file_numbers(folder)) == ((1,), [1, 2])
    wal.close()
    again = written.reopen(wal.head)
    assert again.point == wal.point
    assert found(folder) == [0, 1, 2]


def test_a_large_file_is_followed_by_another(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAL_FILE_BYTES", 1000)
    written = Written(folder, 12)
    assert len(file_numbers(folder)) > 2
    assert found(folder) == list(range(12))
    assert written.reopen(written.heads[3]).point == written.heads[-1].point


@pytest.mark.parametrize("acknowledged", [1, 2])
def test_cut_at_every_byte_of_the_last_frame(folder: Path, acknowledged: int) -> None:
    """Cut in the last frame after the head: dropped, and written on. Cut before the head: refused, nothing changed."""
    written = Written(folder, 2)
    path = file_path(folder, 1)
    whole = path.read_bytes()
    for cut in range(written.ends[1], written.ends[2]):
        path.write_bytes(whole[:cut])
        if acknowledged == 2:
            with pytest.raises(IntegrityError, match="2 frames, up to disclosure 2, were acknowledged"):
                written.reopen(written.heads[2])
            assert path.stat().st_size == cut
            continue
        assert found(folder) == [0]
        wal = written.reopen(written.heads[1])
        assert wal.point == written.heads[1].point
        assert path.stat().st_size == written.ends[1]
        append(wal, 9)
        wal.close()
        assert found(folder) == [0, 9]
        file_path(folder, 2).unlink()


@pytest.mark.parametrize("fill", [b"\0", b"\xff"])
def test_torn_at_every_byte_with_the_length_already_there(folder: Path, fill: bytes) -> None:
    """A file system may write the length before the content: what is missing then reads as zeros or old bytes."""
    written = Written(folder, 2)
    path = file_path(folder, 1)
    whole = path.read_bytes()
    for cut in range(written.ends[1], written.ends[2] - 1):
        torn = whole[:cut] + fill * (len(whole) - cut)
        if torn == whole:
            continue
        path.write_bytes(torn)
        assert found(folder) == [0]
        wal = written.reopen(written.heads[1])
        assert (wal.point, path.stat().st_size) == (written.heads[1].point, written.ends[1])


def test_flipped_bit_anywhere_before_the_last_frame_is_refused(folder: Path) -> None:
    """Even after the head: a crash tears the last frame alone. In the last frame it looks like a torn append."""
    written = Written(folder, 3)
    path = file_path(folder, 1)
    whole = path.read_bytes()
    for place in range(0, len(whole), 3):
        altered = bytearray(whole)
        altered[place] ^= 4
        path.write_bytes(altered)
        if place < written.ends[2]:
            with pytest.raises(IntegrityError):
                written.reopen(written.heads[0])
            with pytest.raises(IntegrityError):
                found(folder)
        else:
            assert found(folder) == [0, 1]
        with pytest.raises(IntegrityError):
            written.reopen(written.heads[3])


def test_frames_after_the_head_are_kept_and_brought_to_disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = Written(folder, 3)
    synced: list[int] = []
    monkeypatch.setattr(module, "sync_data", synced.append)
    wal = written.reopen(written.heads[0])
    assert wal.point == written.heads[3].point
    assert wal.head == written.heads[3]
    assert len(synced) == 1


def test_files_cut_short_exchanged_or_missing_are_told_apart(folder: Path, tmp_path: Path) -> None:
    written = Written(folder, 4, rotations=(1, 2, 3))
    keep = tmp_path / "keep"
    shutil.copytree(folder, keep)

    def damaged(match: str) -> None:
        with pytest.raises(IntegrityError, match=match):
            written.reopen(written.heads[4])
        shutil.rmtree(folder)
        shutil.copytree(keep, folder)

    os.truncate(file_path(folder, 2), HEADER_BYTES)
    damaged("not where the file before it ends")
    os.truncate(file_path(folder, 2), HEADER_BYTES + 30)
    damaged("bytes after frame 0 of a closed file")
    os.truncate(file_path(folder, 2), 50)
    damaged("cut short in its header")
    with file_path(folder, 2).open("ab") as file:
        file.write(b"more")
    damaged("4 bytes after frame 1 of a closed file")
    file_path(folder, 1).unlink()
    damaged("1.wal: missing; the second place names files 1 to 4")
    file_path(folder, 3).unlink()
    damaged("3.wal: missing")
    shutil.copy(file_path(folder, 2), file_path(folder, 3))
    damaged("holds file 2: renamed or exchanged")
    shutil.rmtree(folder)
    damaged("missing")
    assert written.reopen(written.heads[4]).point == written.heads[4].point


def test_rolled_back_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    written = Written(folder, 2)
    shutil.copytree(folder, tmp_path / "backup")
    wal = written.reopen(written.heads[2])
    append(wal, 2)
    wal.close()
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "backup", folder)
    with pytest.raises(IntegrityError, match=r"2\.wal: missing; the second place names files 1 to 2"):
        written.reopen(wal.head)
    # ... and so is one that went on after it was put back
    wal_of_fork = written.reopen(written.heads[2])
    append(wal_of_fork, 3)
    wal_of_fork.close()
    with pytest.raises(IntegrityError, match="other disclosures than were acknowledged"):
        written.reopen(wal.head)


def test_files_of_another_ledger_are_refused(folder: Path, tmp_path: Path) -> None:
    written, other = Written(folder, 2), Written(tmp_path / "other", 2)
    with pytest.raises(IntegrityError, match="other disclosures than were acknowledged"):
        other.reopen(written.heads[2])
    with pytest.raises(IntegrityError, match="no head of them"):
        written.reopen(None)


def test_wrong_key_is_refused(folder: Path) -> None:
    written = Written(folder, 2)
    with pytest.raises(IntegrityError, match="does not hold"):
        WalFolder(folder, segment_keys(2)[1:]).recover(written.heads[2])


def test_rotated_key_goes_on(folder: Path) -> None:
    written = Written(folder, 2)
    wal = WalFolder(folder, segment_keys(2))
    wal.recover(written.heads[2])
    append(wal, 2)
    wal.close()
    assert cases(read_tail(folder, segment_keys(2))) == [0, 1, 2]
    with pytest.raises(IntegrityError, match="does not hold"):
        found(folder)


def test_retired_files_go_after_the_head_and_leftovers_at_the_next_opening(folder: Path) -> None:
    written = Written(folder, 3, rotations=(1, 2))
    wal = written.reopen(written.heads[3])
    with pytest.raises(ValueError, match="not closed"):
        wal.retire(9)
    wal.retire(2)
    assert wal.head.oldest == 3
    assert file_numbers(folder) == [1, 2, 3]
    wal.close()
    wal = written.reopen(wal.head)
    assert file_numbers(folder) == [3]
    assert found(folder) == [2]
    wal.retire(3)
    wal.remove_retired()
    assert (wal.head.oldest, wal.closed(), file_numbers(folder)) == (4, (), [4])
    wal.close()
    again = written.reopen(wal.head)
    append(again, 3)
    assert again.point.sequence == 4


def test_stopped_while_a_file_was_made(folder: Path) -> None:
    written = Written(folder, 2)
    for size in (0, 1, HEADER_BYTES - 1, HEADER_BYTES):
        file_path(folder, 2).write_bytes(bytes(size))
        assert written.reopen(written.heads[2]).point == written.heads[2].point
        assert file_numbers(folder) == [1]
    for size in (0, 10, HEADER_BYTES):
        fresh = folder.parent / f"fresh-{size}"
        fresh.mkdir()
        file_path(fresh, 1).write_bytes(bytes(size))
        wal = WalFolder(fresh, KEYS)
        wal.recover(None)
        append(wal, 0)
        assert found(fresh) == [0]


@pytest.mark.parametrize("failures", [1, 9])
def test_a_failed_sync_breaks_the_folder(folder: Path, monkeypatch: pytest.MonkeyPatch, failures: int) -> None:
    """Also where only that one failed: after it a sync that succeeds proves nothing."""
    written = Written(folder, 1)
    wal = written.reopen(written.heads[1])
    append(wal, 1)
    left = iter(range(failures))

    def fail(_: int) -> None:
        if next(left, None) is not None:
            raise OSError(5, os.strerror(5))

    with monkeypatch.context() as patch:
        patch.setattr(module, "sync_data", fail)
        with pytest.raises(UnreachableError, match="input/output error"):
            append(wal, 2)
    assert wal.broken
    with pytest.raises(UnreachableError, match="a sync failed before"):
        append(wal, 3)
    assert found(folder) == [0, 1]


def test_no_frame_number_is_used_twice_under_one_key(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that failed may have left bytes somewhere: the same nonce never seals anything else."""
    written = Written(folder, 1)
    wal = written.reopen(written.heads[1])
    append(wal, 1)
    assert file_numbers(folder) == [1, 2]
    real = os.pwrite

    def half(descriptor: int, data: bytes, offset: int) -> int:
        if offset > HEADER_BYTES + 400:
            raise OSError(28, os.strerror(28))
        return real(descriptor, data[:10], offset)

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", half)
        with pytest.raises(UnreachableError, match="no space left"):
            append(wal, 2)
    assert not wal.broken
    append(wal, 3)
    assert file_numbers(folder) == [1, 2, 3]
    assert found(folder) == [0, 1, 3]
    assert written.reopen(wal.head).point == wal.point


def test_nothing_of_a_disclosure_shows_in_the_files(folder: Path) -> None:
    """Neither texts nor ordinals; and beyond the header the bytes are spread as random ones are (chi-square)."""
    written = Written(folder, 40)
    data = file_path(folder, 1).read_bytes()[HEADER_BYTES:]
    for text in (b"agency", b"account", b"persons", b"a purpose", b"case ", b"shape", b"columns"):
        assert text not in data
    # in clear for each frame: its length and its own number, 8 bytes
    boxes = b"".join(data[start - HEADER_BYTES + 8 : end - HEADER_BYTES] for start, end in pairwise(written.ends))
    counts = np.bincount(np.frombuffer(boxes, np.uint8), minlength=256)
    expected = len(boxes) / 256
    assert ((counts - expected) ** 2 / expected).sum() < 400  # 255 degrees of freedom: one in 10**8 is above
