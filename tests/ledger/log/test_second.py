"""The second place: compare-and-swap, and what a fault in the middle of it leaves."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

import pytest

from language.faults import Faults, names_in
from muniment.errors import IntegrityError, LimitError, UnreachableError
from muniment.ledger.log.second import VALUE_BYTES, FolderStore


def test_a_value_is_replaced_by_who_knows_it(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "disk" / "second", "checkpoint")
    assert store.read() is None
    store.swap(None, b"one")
    store.swap(b"one", b"two")
    store.swap(b"one", b"two")  # tried again after a lost acknowledgement
    assert FolderStore(tmp_path / "disk" / "second", "checkpoint").read() == b"two"
    assert names_in(tmp_path) == {"disk/second/checkpoint", "disk/second/checkpoint.lock"}
    assert (tmp_path / "disk/second/checkpoint").stat().st_mode & 0o777 == 0o600
    assert str(store) in repr(store) or str(store) == str(tmp_path / "disk/second/checkpoint")


def test_who_does_not_know_it_is_refused(tmp_path: Path) -> None:
    store = FolderStore(tmp_path, "checkpoint")
    store.swap(None, b"one")
    for expected in (None, b"", b"zero", b"on", b"two"):
        with pytest.raises(IntegrityError, match="another value is there"):
            store.swap(expected, b"new")
    assert store.read() == b"one"
    with pytest.raises(IntegrityError, match="no value is there"):
        FolderStore(tmp_path, "wal-head").swap(b"one", b"two")
    assert FolderStore(tmp_path, "wal-head").read() is None


def test_a_disk_that_is_not_mounted_gets_no_twin(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "gone", "checkpoint")
    with pytest.raises(UnreachableError, match="no such file"):
        store.swap(b"one", b"two")
    assert not (tmp_path / "gone").exists()


def test_bounds_and_names(tmp_path: Path) -> None:
    store = FolderStore(tmp_path, "checkpoint")
    with pytest.raises(LimitError, match="65,537 bytes"):
        store.swap(None, bytes(VALUE_BYTES + 1))
    (tmp_path / "checkpoint").write_bytes(bytes(VALUE_BYTES + 1))
    with pytest.raises(IntegrityError, match="more than 65,536"):
        store.read()
    for name in ("", "../x", "a/b", "A", "x" * 65):
        with pytest.raises(ValueError, match="a name of"):
            FolderStore(tmp_path, name)


@pytest.mark.parametrize("mode", ["undone", "done"])
def test_every_write_step_may_fail(tmp_path: Path, mode: str) -> None:
    store = FolderStore(tmp_path, "checkpoint")
    store.swap(None, b"0")
    with pytest.MonkeyPatch.context() as patch:
        steps = Faults(patch, None, mode)
        store.swap(b"0", b"1")
    assert {"write", "fsync", "replace"} <= set(steps.calls)
    for step, call in enumerate(steps.calls):
        old, new = store.read(), f"step {step}".encode()
        with pytest.MonkeyPatch.context() as patch, contextlib.suppress(UnreachableError):
            Faults(patch, step, mode)
            store.swap(old, new)
        assert store.read() in (old, new), call
        store.swap(store.read(), new)
        assert store.read() == new


def test_of_many_at_once_one_wins(tmp_path: Path) -> None:
    FolderStore(tmp_path, "checkpoint").swap(None, b"start")
    won: list[bytes] = []
    barrier = threading.Barrier(8)

    def contend(n: int) -> None:
        barrier.wait()
        with contextlib.suppress(IntegrityError):
            FolderStore(tmp_path, "checkpoint").swap(b"start", b"%d" % n)
            won.append(b"%d" % n)

    threads = [threading.Thread(target=contend, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == [FolderStore(tmp_path, "checkpoint").read()]


def test_read_only_place_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FolderStore(tmp_path, "checkpoint")
    store.swap(None, b"one")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, os.strerror(30))

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(UnreachableError, match="read-only"):
        store.swap(b"one", b"two")
    assert store.read() == b"one"
