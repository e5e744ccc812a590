"""Sealed boxes and files open whole, under their key and for their purpose, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.faults import Faults, names_in
from muniment import limits, sealed
from muniment.errors import InputError, IntegrityError, LimitError, UnreachableError
from muniment.sealed import iter_sealed, read_sealed, seal, unseal, write_sealed

KEY, OTHER = b"k" * 32, b"o" * 32
HEADER = len(sealed.MAGIC) + 32


@pytest.fixture
def small_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames of 16 bytes: every border is met with little data."""
    monkeypatch.setattr(limits, "SEALED_FRAME_BYTES", 16)


@given(st.binary(max_size=100), st.binary(max_size=20))
def test_box_round_trip(plaintext: bytes, associated: bytes) -> None:
    assert unseal(KEY, seal(KEY, plaintext, associated), associated) == plaintext


@given(st.integers(0, 32), st.integers(0, 7))
def test_a_flipped_bit_does_not_open(byte: int, bit: int) -> None:
    box = bytearray(seal(KEY, b"words", b"place"))
    box[byte] ^= 1 << bit
    with pytest.raises(IntegrityError, match="the box of a test does not verify"):
        unseal(KEY, bytes(box), b"place", what="the box of a test")


def test_box_opens_under_its_key_and_place_only() -> None:
    box = seal(KEY, b"words", b"place")
    for key, associated in ((OTHER, b"place"), (KEY, b"elsewhere")):
        with pytest.raises(IntegrityError):
            unseal(key, box, associated)
    with pytest.raises(IntegrityError, match="cut short"):
        unseal(KEY, box[:27], b"place")


@pytest.mark.usefixtures("small_frames")
@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 31, 32, 33, 100])
@pytest.mark.parametrize("step", [1, 7, 16, 1000])
def test_file_round_trip_at_every_border(tmp_path: Path, size: int, step: int) -> None:
    data = bytes(range(size))
    write_sealed(tmp_path / "f", KEY, (data[i : i + step] for i in range(0, size, step)), "test")
    assert read_sealed(tmp_path / "f", KEY, "test") == data
    frames = list(iter_sealed(tmp_path / "f", KEY, "test"))
    assert [len(frame) for frame in frames[:-1]] == [16] * (len(frames) - 1)
    assert len(frames) == max(1, -(-size // 16))


@pytest.mark.usefixtures("small_frames")
def test_cut_anywhere_is_found(tmp_path: Path) -> None:
    path = tmp_path / "f"
    write_sealed(path, KEY, [bytes(48)], "test")
    whole = path.read_bytes()
    assert len(whole) == HEADER + 3 * 32
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(IntegrityError):
            read_sealed(path, KEY, "test")


@pytest.mark.usefixtures("small_frames")
def test_frames_exchanged_repeated_or_appended_are_found(tmp_path: Path) -> None:
    path = tmp_path / "f"
    write_sealed(path, KEY, [bytes(48)], "test")
    whole = path.read_bytes()
    head, frames = whole[:HEADER], [whole[i : i + 32] for i in range(HEADER, len(whole), 32)]
    for order in ((1, 0, 2), (0, 0, 2), (0, 2), (0, 1, 2, 2), (2,)):
        path.write_bytes(head + b"".join(frames[i] for i in order))
        with pytest.raises(IntegrityError):
            read_sealed(path, KEY, "test")


def test_other_key_other_purpose_and_foreign_file_do_not_open(tmp_path: Path) -> None:
    path = tmp_path / "f"
    write_sealed(path, KEY, [b"words"], "test")
    for key, purpose in ((OTHER, "test"), (KEY, "tests")):
        with pytest.raises(IntegrityError, match="frame 0"):
            read_sealed(path, key, purpose)
    path.write_bytes(b"PK\3\4 a zip")
    with pytest.raises(IntegrityError, match="no sealed file"):
        read_sealed(path, KEY, "test")
    with pytest.raises(InputError, match="no such file"):
        read_sealed(tmp_path / "none", KEY, "test")


def test_file_over_the_bound_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_sealed(tmp_path / "f", KEY, [bytes(1000)], "test")
    monkeypatch.setattr(limits, "SEALED_BYTES", 999)
    with pytest.raises(LimitError, match="at most 999"):
        read_sealed(tmp_path / "f", KEY, "test")


def test_the_same_content_is_never_sealed_alike(tmp_path: Path) -> None:
    write_sealed(tmp_path / "a", KEY, [b"words"], "test")
    write_sealed(tmp_path / "b", KEY, [b"words"], "test")
    assert (tmp_path / "a").read_bytes() != (tmp_path / "b").read_bytes()


def test_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    write_sealed(tmp_path / "f", KEY, [b"old"], "test")
    for step in range(3):
        with pytest.MonkeyPatch.context() as patch:
            Faults(patch, step, "undone")
            with pytest.raises(UnreachableError, match="no space left"):
                write_sealed(tmp_path / "f", KEY, [b"new"], "test")
    assert read_sealed(tmp_path / "f", KEY, "test") == b"old"
    assert names_in(tmp_path) == {"f"}
