"""Disks that are full or read-only, processes that are killed, two at once: real ones, in child processes.

A child that is to be stopped at a certain place stops itself there: it waits in the `progress` of a release or trace.
"""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import muniment as mu
from language.places import RECIPIENT, REGISTER, Place, copy_place, demo_table, digests
from language.rings import PASSPHRASE
from muniment.errors import InputError, UnreachableError

SOURCE = Path(mu.__file__).parent.parent
HEAD = f"""
import os, resource, signal, sys, time
import muniment as mu
from muniment.errors import MunimentError
folder, out = sys.argv[1], sys.argv[2]
def wait(*_):
    open(folder + "/reached", "w").close()
    time.sleep(60)
office = mu.open(folder + "/office", {PASSPHRASE!r})
def release(to={RECIPIENT!r}, progress=lambda rows: None):
    office.release_many({REGISTER!r}, to={{to: out}}, purpose="check", progress=progress)
def told(action):
    try:
        action()
    except MunimentError as error:
        print(type(error).__name__, error.exit_code, error.message, "|", error.hint)
"""


def child(place: Place, body: str, out: str | Path = "out.csv", **more: object) -> subprocess.Popen[str]:
    """Run Python of our own on a workspace, in a process of its own."""
    command = [sys.executable, "-c", HEAD + body, str(place.folder), str(place.folder / out)]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more  # type: ignore[call-overload]
    )


def told(process: subprocess.Popen[str]) -> str:
    """What a child said; a traceback fails the test."""
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return output


def until(path: Path, process: subprocess.Popen[str]) -> None:
    """Wait until a child has come to its place."""
    deadline = time.monotonic() + 60
    while not path.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    path.unlink()


def partials(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if "partial" in path.name]


# --- a full disk -----------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 16 KiB; skipped where this user may mount none (the bound on the size of files stands in)."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount("-t", "tmpfs", "-o", "size=16k", "none", str(disk))
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".parquet"])
def test_a_full_disk_where_the_copy_goes(place: Place, small_disk: Path, suffix: str) -> None:
    office = place.open()
    before = digests(place.office)
    with pytest.raises(UnreachableError) as caught:
        place.release(small_disk / f"out{suffix}")
    assert caught.value.exit_code == 4
    assert list(small_disk.iterdir()) == []
    assert digests(place.office) == before
    assert len(office.copies()) == 1


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".parquet"])
def test_a_file_that_may_not_grow(place: Place, suffix: str) -> None:
    """The same by a bound on the size of files, which needs no rights: writing fails with EFBIG."""
    body = """
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (12_000, 12_000))
told(release)
"""
    with place.unchanged():
        assert told(child(place, body, f"out{suffix}")).startswith("UnreachableError 4")


def test_a_full_disk_where_the_workspace_lies(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal cannot take the copy up: the file does not appear."""
    import errno

    from muniment.ledger import journal

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    office = place.open()
    monkeypatch.setattr(journal, "write_all_at", full)
    with place.unchanged(recorded=True), pytest.raises(UnreachableError, match="no space left") as caught:
        office.release(REGISTER, to="Somebody new", purpose="check", out=place.folder / "out.csv")
    assert "free some space" in caught.value.hint
    with place.unchanged(recorded=True), pytest.raises(UnreachableError, match="no space left"):
        office.trace(place.copy)
    monkeypatch.undo()
    assert office.trace(place.copy).verdict == "named"


# --- killed ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_kill_9_during_a_release(place: Place, suffix: str) -> None:
    before = digests(place.office)
    process = child(place, "release(progress=wait)", f"out{suffix}")
    until(place.folder / "reached", process)
    process.kill()
    process.communicate()
    assert not (place.folder / f"out{suffix}").exists()
    changed = {name for name, digest in digests(place.office).items() if before.get(name) != digest}
    assert not changed
    office = place.open()
    assert len(office.copies()) == 1
    # What lies about is for its owner alone, and is in nobody's way.
    left = partials(place.folder)
    assert left
    assert all(stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 for path in left)
    place.release(f"out{suffix}")
    assert len(office.copies()) == 1
    assert len(place.open().copies()) == 2


STEPS = ["muniment.workspace.releasing.extend_baseline", "os.replace", "os.link"]


@pytest.mark.parametrize("step", STEPS)
def test_kill_9_at_each_step_of_recording(place: Place, step: str) -> None:
    """At any step the copy is either not handed out, or on record; the workspace opens, and the next release works."""
    module, _, name = step.rpartition(".")
    body = f"""
import {module}
setattr({module}, {name!r}, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
release("Somebody new")
"""
    process = child(place, body)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    office = place.open()
    assert not (place.folder / "out.csv").exists() or len(office.copies()) == 2
    place.release("out.csv")
    assert office.trace(place.copy).verdict == "named"


@pytest.mark.parametrize("what", ["release(progress=wait)", 'office.trace(folder + "/copy-1.csv", progress=wait)'])
def test_control_c(place: Place, what: str) -> None:
    with place.unchanged():
        process = child(place, f"try:\n    {what}\nexcept KeyboardInterrupt:\n    print('interrupted')")
        until(place.folder / "reached", process)
        process.send_signal(signal.SIGINT)
        assert told(process) == "interrupted\n"


# --- two at once, and none allowed -----------------------------------------------------------------------------------


def test_two_releases_at_once(place: Place) -> None:
    both = [child(place, f'release("Office {n}")', f"out-{n}.csv") for n in range(2)]
    assert [told(process) for process in both] == ["", ""]
    office = place.open()
    new = office.copies()[1:]
    assert {copy.number for copy in new} == {2, 3}
    assert {copy.recipient.name for copy in new} == {"Office 0", "Office 1"}
    assert len({copy.recipient.number for copy in office.copies()}) == 3
    for n in range(2):
        assert [named.recipient for named in office.trace(place.folder / f"out-{n}.csv").named] == [f"Office {n}"]


def test_two_releases_to_one_file(place: Place) -> None:
    """The second one finds the name taken when it comes to give it: the first one's file stays."""
    slow = child(place, "told(lambda: release('Slow', progress=lambda rows: (wait() if rows else None)))")
    until(place.folder / "reached", slow)
    place.release("out.csv", to="Quick")
    kept = (place.folder / "out.csv").read_bytes()
    slow.kill()
    slow.communicate()
    assert (place.folder / "out.csv").read_bytes() == kept
    with pytest.raises(InputError, match="a file already"):
        place.release("out.csv", to="Late")


def test_a_name_that_is_taken_meanwhile(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from muniment.workspace import releasing

    def meanwhile(*_: object) -> None:
        (place.folder / "out.csv").write_text("another's")

    monkeypatch.setattr(releasing, "extend_baseline", meanwhile)
    with pytest.raises(InputError, match="appeared there meanwhile"):
        place.release("out.csv")
    assert (place.folder / "out.csv").read_text() == "another's"
    assert not partials(place.folder)


def test_a_writer_that_holds_the_journal(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    process = child(place, "with office._parts.journal.writing():\n    wait()")
    until(place.folder / "reached", process)
    office = place.open()  # reading takes no lock
    assert len(office.copies()) == 1
    monkeypatch.setattr("muniment.durable.limits.LOCK_SECONDS", 0.2)
    monkeypatch.setattr("muniment.durable.locked.__wrapped__.__kwdefaults__", {"wait": 0.2})
    with pytest.raises(UnreachableError, match=rf"held by another process .*\(pid {process.pid}\)"):
        place.release("out.csv")
    process.kill()
    process.communicate()
    place.release("out.csv")


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Make a folder read-only for this user: by its rights, and for root, who has them all, by a mount."""
    if os.geteuid():
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o500 if path.is_dir() else 0o400)
        yield
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o700 if path.is_dir() else 0o600)
        return
    mount("--bind", str(folder), str(folder))
    try:
        mount("-o", "remount,ro,bind", str(folder))
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def mount(*options: str) -> None:
    mounted = subprocess.run(["mount", *options], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"this user may not mount: {mounted.stderr.decode().strip()}")


def test_a_read_only_workspace(place: Place) -> None:
    with place.unchanged(), read_only(place.office):
        office = place.open()
        assert len(office.copies()) == 1, "reading is enough for reading"
        for action in (
            lambda: place.release("out.csv"),
            lambda: office.trace(place.copy),  # an examination that cannot be logged is none
            lambda: office.register("other", place.source, key="person_id"),
            lambda: office.rotate("mark"),
        ):
            with pytest.raises(UnreachableError, match="could not") as caught:
                action()
            assert "read-only" in caught.value.hint or "chmod u+rwx" in caught.value.hint


def test_an_output_folder_that_is_read_only(place: Place) -> None:
    outside = place.folder / "outside"
    outside.mkdir()
    with place.unchanged(), read_only(outside), pytest.raises(UnreachableError, match="cannot be written"):
        place.release("outside/out.csv")
    with place.unchanged(), read_only(outside), pytest.raises(UnreachableError) as caught:
        mu.init(outside / "office", PASSPHRASE)
    assert caught.value.hint


def test_the_copies_of_a_place_are_alike(place: Place, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The other tests rest on this."""
    again = copy_place(place, tmp_path_factory.mktemp("again"))
    assert digests(again.office).keys() == digests(place.office).keys()
    assert demo_table().rows == 300
