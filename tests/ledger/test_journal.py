"""The journal: durable when it says so, whole at any cut, and one writer at a time."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from language.faults import Faults, names_in
from language.rings import NOW, Clock, segment_keys
from muniment import durable, limits
from muniment.errors import InputError, IntegrityError, LimitError, UnreachableError
from muniment.ledger.frames import HEADER_BYTES
from muniment.ledger.journal import Journal

KEYS = segment_keys()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    Journal.create(tmp_path / "ledger" / "journal.bin", KEYS)
    return tmp_path / "ledger" / "journal.bin"


def _numbers(journal: Journal) -> list[object]:
    return [entry.body["n"] for entry in journal.entries()]


def _filled(path: Path, count: int) -> Journal:
    journal = Journal.open(path, KEYS)
    for n in range(count):
        journal.append("copy", {"n": n}, NOW)
    return journal


def test_entries_are_read_back_in_order(path: Path) -> None:
    journal = Journal.open(path, KEYS)
    first = journal.append("copy", {"to": "王小明"}, NOW)
    both = journal.append_many([("copy", {}), ("key", {})], NOW + timedelta(hours=1))
    again = Journal.open(path, KEYS)
    assert again.entries() == journal.entries() == (first, *both)
    assert again.entries("copy") == (first, both[0])
    assert again.entries(after=2) == (both[1],)
    assert again.head() == journal.head()
    assert again.head().sequence == 3
    assert again.head().time == NOW + timedelta(hours=1)
    assert again.append_many([], NOW) == ()
    assert names_in(path.parent) == {"journal.bin", "head", "lock"}


def test_create_and_open_tell_what_is_there(path: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="already"):
        Journal.create(path, KEYS)
    with pytest.raises(InputError, match="no journal"):
        Journal.open(tmp_path / "none" / "journal.bin", KEYS)
    assert Journal.open(path, KEYS).head().sequence == 0
    assert Journal.open(path, KEYS).head().time is None


def test_head_before_is_the_longest_prefix_not_later(path: Path) -> None:
    journal = Journal.open(path, KEYS)
    for minutes in (0, 10, 20, 5):  # the last one under a clock that was put back
        journal.append("copy", {}, NOW + timedelta(minutes=minutes))
    before = {m: journal.head_before(NOW + timedelta(minutes=m)).sequence for m in (-1, 0, 9, 10, 15, 20, 99)}
    assert before == {-1: 0, 0: 1, 9: 1, 10: 2, 15: 2, 20: 4, 99: 4}
    assert journal.head_at(2) == journal.head_before(NOW + timedelta(minutes=12))
    with pytest.raises(InputError, match="no entry 5"):
        journal.head_at(5)


def test_another_writer_is_read_in_before_appending(path: Path) -> None:
    first, second = Journal.open(path, KEYS), Journal.open(path, KEYS)
    first.append("copy", {"n": 0}, NOW)
    second.append("copy", {"n": 1}, NOW)
    with first.writing():
        assert _numbers(first) == [0, 1]
        with first.writing():
            first.append("copy", {"n": 2}, NOW)
    second.refresh()
    assert _numbers(second) == _numbers(Journal.open(path, KEYS)) == [0, 1, 2]


def test_waiting_for_a_writer_is_bounded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(durable.locked.__wrapped__.__kwdefaults__, "wait", 0.05)  # type: ignore[attr-defined]
    first, second = Journal.open(path, KEYS), Journal.open(path, KEYS)
    with first.writing(), pytest.raises(UnreachableError, match=f"pid {os.getpid()}"):
        second.append("copy", {}, NOW)
    assert second.append("copy", {}, NOW).sequence == 1


def test_read_only_folder_can_be_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _filled(path, 2)
    path.write_bytes(path.read_bytes() + b"torn")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, os.strerror(30))

    # Tests may run as root, whom no mode bit stops: refuse the system calls instead.
    for name in ("write", "pwrite", "replace", "ftruncate", "mkdir", "unlink"):
        monkeypatch.setattr(os, name, refuse)
    journal = Journal.open(path, KEYS)
    journal.refresh()
    assert _numbers(journal) == [0, 1]
    with pytest.raises(UnreachableError, match="read-only file system"):
        journal.append("copy", {}, NOW)


def test_rotated_key_goes_on_in_the_same_file(path: Path) -> None:
    _filled(path, 1)
    Journal.open(path, segment_keys(2)).append("copy", {"n": 1}, NOW)
    assert _numbers(Journal.open(path, segment_keys(2))) == [0, 1]
    with pytest.raises(IntegrityError, match="does not hold"):
        Journal.open(path, KEYS)


# --- damage ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[bytes, bytes]]:
    """Journal and head after 0, 1, ... 4 entries."""
    path = tmp_path_factory.mktemp("history") / "journal.bin"
    journal, states = Journal.create(path, KEYS), []
    for n in range(5):
        states.append((path.read_bytes(), path.with_name("head").read_bytes()))
        journal.append("copy", {"n": n}, NOW)
    return states


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(data=st.data())
def test_cut_anywhere_opens_with_a_prefix_or_not_at_all(
    tmp_path: Path, history: list[tuple[bytes, bytes]], data: st.DataObject
) -> None:
    """`acknowledged` entries stand in the head; the others were written, but the crash came before the head."""
    path = tmp_path / "journal.bin"
    ends = [len(state) for state, _ in history]
    acknowledged = data.draw(st.integers(0, 4), "acknowledged")
    cut = data.draw(st.integers(0, ends[-1]), "cut")
    path.with_name("head").write_bytes(history[acknowledged][1])
    path.write_bytes(history[-1][0][:cut])
    whole = sum(end <= cut for end in ends) - 1
    if whole < acknowledged or cut < HEADER_BYTES:
        with pytest.raises(IntegrityError):
            Journal.open(path, KEYS)
        return
    reader = Journal.open(path, KEYS)
    assert _numbers(reader) == list(range(whole))
    reader.append("copy", {"n": "next"}, NOW)
    assert _numbers(Journal.open(path, KEYS)) == [*range(whole), "next"]


def test_altered_entry_or_head_does_not_open(path: Path) -> None:
    _filled(path, 3)
    whole, head = path.read_bytes(), path.with_name("head").read_bytes()
    for place in range(0, len(whole), 7):
        altered = bytearray(whole)
        altered[place] ^= 1
        path.write_bytes(altered)
        with pytest.raises(IntegrityError):
            Journal.open(path, KEYS)
    path.write_bytes(whole)
    for content in (head[:-1] + bytes([head[-1] ^ 1]), b"", head[:10]):
        path.with_name("head").write_bytes(content)
        with pytest.raises(IntegrityError):
            Journal.open(path, KEYS)
    path.with_name("head").unlink()
    with pytest.raises(IntegrityError, match="head of the journal is missing"):
        Journal.open(path, KEYS)


def test_journal_exchanged_under_an_open_one_is_found(path: Path, tmp_path: Path) -> None:
    journal = _filled(path, 1)
    saved = path.read_bytes(), path.with_name("head").read_bytes()
    journal.append("copy", {"n": 1}, NOW)
    path.write_bytes(saved[0])
    path.with_name("head").write_bytes(saved[1])
    with pytest.raises(IntegrityError, match="up to 2 are gone"):
        journal.append("copy", {"n": 2}, NOW)


def test_other_key_does_not_open(path: Path) -> None:
    _filled(path, 1)
    with pytest.raises(IntegrityError):
        Journal.open(path, segment_keys(2)[1:])


def test_reader_gives_up_what_its_writer_took_back(path: Path) -> None:
    """A reader may see frames that the writer has not acknowledged; when they are cut off it follows."""
    writer = _filled(path, 1)
    head = path.with_name("head").read_bytes()
    writer.append("copy", {"n": "in flight"}, NOW)
    path.with_name("head").write_bytes(head)
    reader = Journal.open(path, KEYS)
    assert _numbers(reader) == [0, "in flight"]
    os.truncate(path, HEADER_BYTES + (path.stat().st_size - HEADER_BYTES) // 2)
    Journal.open(path, KEYS).append("copy", {"n": "other"}, NOW)
    reader.refresh()
    assert _numbers(reader) == [0, "other"]


def test_journal_over_the_bound_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _filled(path, 1)
    monkeypatch.setattr(limits, "JOURNAL_BYTES", 50)
    with pytest.raises(LimitError, match="at most 50"):
        Journal.open(path, KEYS)


# --- the fault matrix --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["undone", "done"])
def test_every_write_step_may_fail_and_nothing_acknowledged_is_lost(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "ledger" / "journal.bin"
    Journal.create(path, KEYS).append("copy", {"n": "first"}, NOW)
    with pytest.MonkeyPatch.context() as patch:
        steps = Faults(patch, None, mode)
        Journal.open(path, KEYS).append_many([("copy", {"n": "a"}), ("copy", {"n": "b"})], NOW)
    assert {"pwrite", "fdatasync", "replace", "fsync"} <= set(steps.calls)
    acknowledged = ["first", "a", "b"]
    for step, call in enumerate(steps.calls):
        failed: list[object] = [f"{step}a", f"{step}b"]
        journal = Journal.open(path, KEYS)
        with pytest.MonkeyPatch.context() as patch:
            Faults(patch, step, mode)
            with contextlib.suppress(UnreachableError):
                journal.append_many([("copy", {"n": n}) for n in failed], NOW)
                acknowledged += failed
        # 1. a fresh reader and 2. the writer itself see all that was acknowledged, then at most what was attempted
        for seen in (_numbers(Journal.open(path, KEYS)), _numbers(journal)):
            assert seen[: len(acknowledged)] == acknowledged, call
            assert seen[len(acknowledged) :] in ([], failed[:1], failed) or seen == acknowledged, call
        # 3. the same object goes on
        journal.append("copy", {"n": f"{step}c"}, NOW)
        now = _numbers(Journal.open(path, KEYS))
        assert now[: len(acknowledged)] == acknowledged
        assert now[-1] == f"{step}c"
        acknowledged = now


def test_full_disk_takes_the_half_written_frame_back(path: Path) -> None:
    journal = _filled(path, 1)
    size = path.stat().st_size
    real = os.pwrite

    def half(descriptor: int, data: bytes, offset: int) -> int:
        if offset > size or len(data) < 20:
            raise OSError(28, os.strerror(28))
        return real(descriptor, data[: len(data) // 2], offset)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "pwrite", half)
        with pytest.raises(UnreachableError, match="no space left on device") as caught:
            journal.append("copy", {"n": 1}, NOW)
    assert "free some space" in caught.value.hint
    assert path.stat().st_size == size
    journal.append("copy", {"n": 2}, NOW)
    assert _numbers(Journal.open(path, KEYS)) == [0, 2]


WRITER = """
import sys, pathlib
from datetime import datetime, timezone
from language.rings import segment_keys
from muniment.ledger.journal import Journal
journal = Journal.open(pathlib.Path(sys.argv[1]), segment_keys())
n = 0
while True:
    journal.append_many([("copy", {"n": n}), ("copy", {"n": n + 1})], datetime.now(timezone.utc))
    n += 2
    print(n, flush=True)
"""


def _start_writer(path: Path) -> subprocess.Popen[bytes]:
    child = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"2\n"
    return child


def _kill(child: subprocess.Popen[bytes]) -> int:
    """End it with signal 9; returns how many of its entries it was told are durable."""
    child.send_signal(signal.SIGKILL)
    told, _ = child.communicate()
    return max([2, *map(int, told.split(b"\n")[:-1])])


def test_kill_9_loses_nothing_that_was_acknowledged(path: Path) -> None:
    for delay in (0.0, 0.013, 0.04):
        before = len(Journal.open(path, KEYS).entries())
        child = _start_writer(path)
        time.sleep(delay)
        told = _kill(child)
        journal = Journal.open(path, KEYS)
        assert len(journal.entries()) - before in (told, told + 1, told + 2)
        journal.append("copy", {"n": "after"}, NOW)


def test_two_writers_at_once_lose_nothing(path: Path) -> None:
    children = [_start_writer(path) for _ in range(2)]
    time.sleep(0.2)
    told = sum(map(_kill, children))
    journal = Journal.open(path, KEYS)
    assert told >= 4
    assert told <= len(journal.entries()) <= told + 4
    assert journal.append("copy", {"n": "after"}, NOW).sequence == len(journal.entries())


def test_a_thousand_entries_in_one_go_need_few_syncs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = Faults(monkeypatch, None, "undone")
    clock = Clock()
    journal = Journal.open(path, KEYS)
    journal.append_many([("copy", {"n": n}) for n in range(1000)], clock())
    assert steps.calls.count("fdatasync") == 1
    assert steps.calls.count("fsync") == 2
    assert len(Journal.open(path, KEYS).entries()) == 1000


def test_next_writer_acknowledges_what_a_crash_left_written(path: Path) -> None:
    head = path.with_name("head").read_bytes()
    _filled(path, 1)
    path.with_name("head").write_bytes(head)
    with Journal.open(path, KEYS).writing():
        pass
    os.truncate(path, path.stat().st_size - 1)
    with pytest.raises(IntegrityError, match="1 entries were acknowledged"):
        Journal.open(path, KEYS)
