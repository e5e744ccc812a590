"""The zip of a bundle: the same bytes every time, whole or not at all, and not to be fooled."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.errors import InputError, IntegrityError, LimitError, UnreachableError
from muniment.trace import archive
from muniment.trace.archive import read_archive, write_archive

NAMES = st.from_regex(r"[a-z0-9][a-z0-9.-]{0,20}", fullmatch=True)


@given(members=st.dictionaries(NAMES, st.binary(max_size=200), max_size=6))
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, members: dict[str, bytes]) -> None:
    path = tmp_path_factory.mktemp("zip") / "a.zip"
    write_archive(path, members)
    assert read_archive(path) == members


def test_the_same_members_give_the_same_bytes(tmp_path: Path) -> None:
    write_archive(tmp_path / "a.zip", {"a": b"1", "b": b"2"})
    write_archive(tmp_path / "b.zip", {"b": b"2", "a": b"1"})
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    assert stat.S_IMODE((tmp_path / "a.zip").stat().st_mode) == 0o600


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError, match="cannot be written"):
        write_archive(tmp_path / "no" / "a.zip", {"a": b"1"})


def test_a_crash_while_writing_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_archive(tmp_path / "a.zip", {"a": b"old"})

    def fail(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive.os, "fsync", fail)
    with pytest.raises(UnreachableError, match="No space left"):
        write_archive(tmp_path / "a.zip", {"a": b"new"})
    assert read_archive(tmp_path / "a.zip") == {"a": b"old"}
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def _zip(path: Path, members: list[tuple[str, bytes]], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as out:
        for name, data in members:
            out.writestr(name, data)
    return path


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="same name"):
        read_archive(_zip(tmp_path / "a.zip", [("a", b"1"), ("a", b"2")]))


@pytest.mark.parametrize("name", ["../a", "/etc/passwd", "a/b", "A", "a b", "a\\b", "x" * 101])
def test_a_name_that_no_bundle_uses(tmp_path: Path, name: str) -> None:
    with pytest.raises(IntegrityError, match="name that no bundle uses"):
        read_archive(_zip(tmp_path / "a.zip", [(name, b"1")]))


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="packed"):
        read_archive(_zip(tmp_path / "a.zip", [("a", bytes(10_000_000))], zipfile.ZIP_DEFLATED))


def test_too_many_members(tmp_path: Path) -> None:
    with pytest.raises(LimitError, match="65 members"):
        read_archive(_zip(tmp_path / "a.zip", [(str(n), b"") for n in range(65)]))


def test_overlapping_members_claim_more_than_the_file_has(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    write_archive(path, {"a": bytes(4_000), "b": b""})
    data = path.read_bytes()
    place = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 1)
    lying = data[: place + 20] + (4_000).to_bytes(4, "little") * 2 + data[place + 28 :]
    path.write_bytes(lying)
    with pytest.raises(IntegrityError, match="more bytes than the file has"):
        read_archive(path)


def test_a_file_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_archive(tmp_path / "a.zip", {"a": bytes(1_000)})
    monkeypatch.setattr(archive, "BUNDLE_BYTES", 500)
    with pytest.raises(LimitError, match="expected at most 500"):
        read_archive(tmp_path / "a.zip")


def test_no_such_file_and_no_zip(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_archive(tmp_path / "a.zip")
    (tmp_path / "b.zip").write_bytes(b"hello")
    with pytest.raises(IntegrityError, match="no whole bundle"):
        read_archive(tmp_path / "b.zip")


def test_every_cut_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    write_archive(path, {"a": b"12345", "b": b"678"})
    data = path.read_bytes()
    for end in range(0, len(data), 7):
        path.write_bytes(data[:end])
        with pytest.raises(IntegrityError):
            read_archive(path)
