"""Files are replaced whole or not at all, faults become errors with a hint, and the lock names its holder."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from language.faults import Faults, names_in
from muniment.durable import (
    check_target,
    hint_for,
    locked,
    read_file,
    replace_file,
    storage_faults,
    take_name,
    write_all,
)
from muniment.errors import InputError, LimitError, UnreachableError


def test_replaced_file_has_the_new_content_and_the_mode(tmp_path: Path) -> None:
    path = tmp_path / "a"
    replace_file(path, [b"old"])
    replace_file(path, [b"n", b"ew"], mode=0o640)
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert names_in(tmp_path) == {"a"}


@pytest.mark.parametrize("mode", ["undone", "done"])
def test_every_failing_step_leaves_the_old_or_the_new_file_and_nothing_else(tmp_path: Path, mode: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        steps = Faults(patch, None, mode)
        replace_file(tmp_path / "a", [b"old"])
    assert len(steps.calls) >= 5
    for step, call in enumerate(steps.calls):
        (tmp_path / "a").write_bytes(b"old")
        with pytest.MonkeyPatch.context() as patch:
            Faults(patch, step, mode)
            with pytest.raises(UnreachableError) as caught:
                replace_file(tmp_path / "a", [b"new"])
        assert "free some space" in caught.value.hint
        assert (tmp_path / "a").read_bytes() in (b"old", b"new"), call
        if (call, mode) != ("open", "done"):  # a file that was made although open failed cannot be known of
            assert names_in(tmp_path) == {"a"}, call
        for path in tmp_path.glob(".a.*"):
            path.unlink()


def test_a_failing_source_of_chunks_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")

    def chunks():  # type: ignore[no-untyped-def]
        yield b"new"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        replace_file(tmp_path / "a", chunks())
    assert (tmp_path / "a").read_bytes() == b"old"
    assert names_in(tmp_path) == {"a"}


def test_short_writes_are_carried_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:1]))
    descriptor = os.open(tmp_path / "a", os.O_WRONLY | os.O_CREAT)
    write_all(descriptor, b"whole")
    os.close(descriptor)
    assert (tmp_path / "a").read_bytes() == b"whole"


def test_fault_names_path_and_reason(tmp_path: Path) -> None:
    expected = pytest.raises(UnreachableError, match=r"ring\.json: could not write: read-only file system")
    with expected as caught, storage_faults(tmp_path / "ring.json", "write"):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))
    assert "read-only" in caught.value.hint
    assert isinstance(caught.value.__cause__, OSError)


def test_read_is_bounded_and_a_missing_file_is_none(tmp_path: Path) -> None:
    assert read_file(tmp_path / "a", 3) is None
    (tmp_path / "a").write_bytes(b"1234")
    assert read_file(tmp_path / "a", 4) == b"1234"
    with pytest.raises(LimitError, match="more than 3 bytes"):
        read_file(tmp_path / "a", 3)


def test_lock_is_exclusive_within_a_process_and_is_let_go(tmp_path: Path) -> None:
    refused = pytest.raises(UnreachableError, match=f"pid {os.getpid()}")
    with locked(tmp_path / "lock"), refused, locked(tmp_path / "lock", wait=0.05):
        pass
    with locked(tmp_path / "lock", wait=0.05):
        pass


def test_lock_of_another_process_names_its_pid_and_ends_with_it(tmp_path: Path) -> None:
    script = "import sys,pathlib\nfrom muniment.durable import locked\n"
    script += "with locked(pathlib.Path(sys.argv[1])):\n print('held', flush=True)\n sys.stdin.read()\n"
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(UnreachableError, match=f"pid {child.pid}"), locked(tmp_path / "lock", wait=0.05):
            pass
        child.kill()
    with locked(tmp_path / "lock", wait=5):
        pass


def test_a_target_must_be_free_have_a_folder_and_a_name(tmp_path: Path) -> None:
    check_target(tmp_path / "new.csv", "--out")
    (tmp_path / "old.csv").write_text("x")
    (tmp_path / "dangling.csv").symlink_to(tmp_path / "nowhere")
    wrong = {"old.csv": "already", "dangling.csv": "already", "no/x.csv": "no folder", "x" * 300: "no file can"}
    for name, said in {**wrong, "nul\0": "a NUL"}.items():
        with pytest.raises(InputError, match=said) as caught:
            check_target(tmp_path / name, "--out")
        assert caught.value.hint


def test_hints_are_chosen_by_the_fault() -> None:
    assert "free some space" in hint_for(OSError(errno.ENOSPC, ""))
    assert "read-only" in hint_for(OSError(errno.EROFS, ""))
    assert hint_for(OSError()) == ""


@pytest.mark.parametrize("links", [True, False], ids=["with links", "without links"])
def test_a_name_is_taken_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    if not links:
        monkeypatch.setattr(os, "link", refused)
    for name in ("first", "second"):
        (tmp_path / name).write_text(name)
    take_name(tmp_path / "first", tmp_path / "out")
    with pytest.raises(FileExistsError):
        take_name(tmp_path / "second", tmp_path / "out")
    assert (tmp_path / "out").read_text() == "first"
