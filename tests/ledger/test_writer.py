"""The writer: nothing confirmed is lost, whatever fails, at every step."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from language import faults
from language.appends import KEYS, MemoryStore, Table, cases, disclosure, opened, tail
from language.faults import Faults
from language.rings import NOW, segment_keys
from muniment.errors import InputError, IntegrityError, UnreachableError
from muniment.ledger import writer as module
from muniment.ledger.batch import Batch
from muniment.ledger.log.second import CheckpointStore, FolderStore
from muniment.ledger.ordinals.table import OrdinalTable
from muniment.ledger.wal.files import file_path, read_tail
from muniment.ledger.wal.frames import Head, SegmentKeys, open_head
from muniment.ledger.writer import LocalWriter

WRITE_CALLS = (*faults.WRITE_CALLS, "unlink", "mkdir")


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def _head(second: MemoryStore) -> Head:
    assert second.value is not None
    return open_head(second.value, SegmentKeys(KEYS), what="head")


def test_sequence_and_time_go_on_over_openings(tmp_path: Path) -> None:
    second = MemoryStore()
    for n in range(4):
        with opened(tmp_path, second, clock=lambda n=n: NOW + timedelta(seconds=n)) as writer:  # type: ignore[misc]
            assert writer.append(disclosure(n)).result().first == n + 1
    batch = read_tail(tmp_path / "wal", KEYS)
    assert batch.sequence.tolist() == [1, 2, 3, 4]
    assert (batch.time - batch.time[0]).tolist() == [0, 1000, 2000, 3000]


def test_a_clock_that_goes_back_does_not_take_time_back(tmp_path: Path) -> None:
    moments = iter([NOW, NOW - timedelta(hours=1), NOW - timedelta(minutes=1), NOW + timedelta(seconds=1)])
    second = MemoryStore()
    with opened(tmp_path, second, clock=lambda: next(moments)) as writer:
        for n in range(3):
            writer.append(disclosure(n)).result()
        assert writer.clock_steps == 2
    with opened(tmp_path, second, clock=lambda: next(moments)) as writer:
        writer.append(disclosure(3)).result()
        assert writer.clock_steps == 0
    times = read_tail(tmp_path / "wal", KEYS).time
    assert (times - times[0]).tolist() == [0, 0, 0, 1000]


def test_the_clock_is_held_over_sealing_too(tmp_path: Path) -> None:
    second = MemoryStore()
    with opened(tmp_path, second) as writer:
        writer.append(disclosure(0)).result()
        writer.sealed(writer.rotate())
    with opened(tmp_path, second, clock=lambda: NOW - timedelta(days=1)) as writer:
        receipt = writer.append(disclosure(1)).result()
    assert (receipt.first, receipt.time) == (2, int(NOW.timestamp() * 1000))


def test_many_appends_at_once_need_few_syncs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(tmp_path, MemoryStore()) as writer:
        steps = Faults(monkeypatch, None, "undone")
        futures = [writer.append(disclosure(n)) for n in range(1000)]
        for future in futures:
            future.result()
        assert 1 <= steps.calls.count("fdatasync") == steps.calls.count("pwrite") < 500


def test_two_writers_keep_each_other_out(tmp_path: Path) -> None:
    second = MemoryStore()
    with opened(tmp_path, second) as writer:
        writer.append(disclosure(0)).result()
        with pytest.raises(UnreachableError, match=f"held by another process .*pid {os.getpid()}"):
            opened(tmp_path, second)
    with opened(tmp_path, second) as writer:
        assert writer.append(disclosure(1)).result().first == 2


def test_ordinals_beyond_the_table_are_refused(tmp_path: Path) -> None:
    with opened(tmp_path, MemoryStore(), reserved=10) as writer:
        with pytest.raises(InputError, match="ordinal 10 was never given: the table has reserved 10"):
            writer.append_many(Batch.of([disclosure(0, [3, 10])])).result()
        assert writer.append(disclosure(1, [3, 9])).result().first == 1


def test_the_table_is_closed_with_the_writer(tmp_path: Path) -> None:
    table = Table()
    with LocalWriter.open(tmp_path, KEYS, second=MemoryStore(), table=lambda: table, clock=lambda: NOW) as writer:
        assert not table.closed
    assert table.closed
    with pytest.raises(UnreachableError, match="closed"):
        writer.ordinals(np.array([1], np.uint64))


def test_ordinals_of_the_real_table_are_durable_before_what_names_them(tmp_path: Path) -> None:
    folder, second = tmp_path / "ordinals", FolderStore(tmp_path / "second", "wal-head")
    OrdinalTable.create(folder, KEYS).close()
    people = np.arange(50, dtype=np.uint64) << np.uint64(50)

    def writing() -> LocalWriter:
        return LocalWriter.open(
            tmp_path, KEYS, second=second, table=lambda: OrdinalTable.open(folder, KEYS, writing=True, wait=0),
            clock=lambda: NOW,
        )  # fmt: skip

    with writing() as writer:
        given = writer.ordinals(people)
        writer.append(disclosure(0, sorted(given.tolist()))).result()
        with pytest.raises(InputError, match="never given"):
            writer.append(disclosure(1, [2**32 - 2])).result()
    with writing() as writer:
        assert np.array_equal(writer.ordinals(people), given)
        assert writer.append(disclosure(2, [int(given[3])])).result().first == 2
    batch = read_tail(tmp_path / "wal", KEYS)
    assert batch.records(0).tolist() == sorted(given.tolist())


def test_a_table_that_does_not_open_leaves_the_lock_free(tmp_path: Path) -> None:
    def broken() -> Table:
        raise IntegrityError("the table does not verify")

    second = MemoryStore()
    with pytest.raises(IntegrityError, match="the table"):
        LocalWriter.open(tmp_path, KEYS, second=second, table=broken, clock=lambda: NOW)
    opened(tmp_path, second).close()


# --- sealing -----------------------------------------------------------------------------------------------------


def test_rotate_seal_and_go_on(tmp_path: Path) -> None:
    second = MemoryStore()
    with opened(tmp_path, second) as writer:
        assert (writer.rotate(), writer.closed()) == (0, ())
        writer.append_many(Batch.of([disclosure(n) for n in range(3)])).result()
        number = writer.rotate()
        assert (number, writer.rotate(), writer.closed()) == (1, 1, (1,))
        assert _head(second).point == writer.point()
        writer.append(disclosure(3)).result()
        batch, point = writer.unsealed(number)
        assert cases(batch) == [0, 1, 2]
        assert point.sequence == 3
        writer.sealed(number)
        assert tail(tmp_path) == [3]
        assert _head(second).oldest == 2
        assert writer.closed() == ()
    with opened(tmp_path, second) as writer:
        assert writer.append(disclosure(4)).result().first == 5
        number = writer.rotate()
        batch, after = writer.unsealed(number)
        assert cases(batch) == [3, 4]
        writer.sealed(number)
    assert tail(tmp_path) == []
    with opened(tmp_path, second) as writer:
        assert writer.point() == after
        assert writer.append(disclosure(5)).result().first == 6


def test_files_of_an_earlier_opening_can_be_sealed_at_once(tmp_path: Path) -> None:
    second = MemoryStore()
    with opened(tmp_path, second) as writer:
        writer.append(disclosure(0)).result()
    with opened(tmp_path, second) as writer:
        number = writer.rotate()
        assert cases(writer.unsealed(number)[0]) == [0]
        writer.sealed(number)
    with opened(tmp_path, second) as writer:
        assert writer.append(disclosure(1)).result().first == 2
    assert tail(tmp_path) == [1]


# --- the second place --------------------------------------------------------------------------------------------


def test_the_head_is_there_a_second_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEAD_SECONDS", 0.02)
    second = MemoryStore()
    with opened(tmp_path, second) as writer:
        swaps = second.swaps
        writer.append(disclosure(0)).result()
        _wait(lambda: _head(second).point.sequence == 1)
        time.sleep(0.1)
        assert second.swaps == swaps + 1  # nothing new: nothing to say
        writer.append(disclosure(1)).result()
        _wait(lambda: _head(second).point.sequence == 2)


def test_while_the_second_place_is_away_nothing_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEAD_SECONDS", 0.02)
    second = MemoryStore()
    with opened(tmp_path, second) as writer:
        second.unreachable = True
        writer.append(disclosure(0)).result()

        def refused() -> bool:
            try:
                writer.append(disclosure(1)).result()
            except UnreachableError as error:
                return "could not reach" in error.message
            return False

        _wait(refused)
        second.unreachable = False
        _wait(lambda: not refused())
        _wait(lambda: _head(second).point == writer.point())


def test_a_swap_whose_answer_was_lost_is_taken_for_done(tmp_path: Path) -> None:
    second = MemoryStore()
    with opened(tmp_path, second) as writer:
        writer.append(disclosure(0)).result()
        second.lose_answer = True
        with pytest.raises(UnreachableError, match="lost"):
            writer.rotate()
        assert writer.rotate() == 1
        writer.append(disclosure(1)).result()
    assert _head(second).point.sequence == 2


def test_another_value_in_the_second_place_ends_the_writer(tmp_path: Path) -> None:
    second = MemoryStore()
    writer = opened(tmp_path, second)
    writer.append(disclosure(0)).result()
    second.value = b"of another ledger"
    with pytest.raises(IntegrityError, match="another value"):
        writer.rotate()
    with pytest.raises(IntegrityError, match="another value"):
        writer.append(disclosure(1))
    writer.close()
    assert second.value == b"of another ledger"
    with pytest.raises(IntegrityError, match=r"does not hold|does not verify|cut short"):
        opened(tmp_path, second)


def test_restored_states_are_refused(tmp_path: Path) -> None:
    folder, second = tmp_path / "ledger", MemoryStore()
    folder.mkdir()
    with opened(folder, second) as writer:
        writer.append(disclosure(0)).result()
    shutil.copytree(folder, tmp_path / "backup")
    early = second.value
    with opened(folder, second) as writer:
        writer.append(disclosure(1)).result()
        writer.sealed(1)
    # 1. the folder of an earlier day beside the second place of today
    with pytest.raises(IntegrityError, match="missing"):
        opened(tmp_path / "backup", MemoryStore(second.value))
    # 2. the second place of an earlier day
    with pytest.raises(IntegrityError, match="missing"):
        opened(folder, MemoryStore(early))
    # 3. no second place at all
    with pytest.raises(IntegrityError, match="no head of them"):
        opened(folder, MemoryStore())
    # 4. no folder
    with pytest.raises(IntegrityError, match="missing"):
        opened(tmp_path, MemoryStore(second.value))
    # 5. another key
    with pytest.raises(IntegrityError, match="does not hold"):
        opened(folder, MemoryStore(second.value), keys=segment_keys(2)[1:])
    with opened(folder, second) as writer:
        assert writer.append(disclosure(2)).result().first == 3


def test_a_cut_file_is_refused_after_closing(tmp_path: Path) -> None:
    second = MemoryStore()
    with opened(tmp_path, second) as writer:
        for n in range(3):
            writer.append(disclosure(n)).result()
    path = file_path(tmp_path / "wal", 1)
    os.truncate(path, path.stat().st_size - 1)
    with pytest.raises(IntegrityError, match="were acknowledged"):
        opened(tmp_path, second)


# --- faults of the disk ------------------------------------------------------------------------------------------


def _failing(call: str, number: int) -> Callable[..., int]:
    def fail(*_: object, **__: object) -> int:
        raise OSError(number, f"{call}: {os.strerror(number)}")

    return fail


def test_a_failed_sync_ends_the_writer_until_it_is_opened_again(tmp_path: Path) -> None:
    second = MemoryStore()
    writer = opened(tmp_path, second)
    writer.append(disclosure(0)).result()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fdatasync", _failing("fdatasync", 5))
        with pytest.raises(UnreachableError, match="input/output error"):
            writer.append(disclosure(1)).result()
    for _ in range(2):
        with pytest.raises(UnreachableError) as caught:
            writer.append(disclosure(2)).result()
    assert "open the ledger again" in caught.value.hint
    writer.close()
    with opened(tmp_path, second) as writer:
        writer.append(disclosure(3)).result()
    assert [n for n in tail(tmp_path) if n != 1] == [0, 3]


def test_a_full_disk_fails_what_met_it_and_no_more(tmp_path: Path) -> None:
    second = MemoryStore()
    real = os.pwrite
    with opened(tmp_path, second) as writer:
        writer.append(disclosure(0)).result()
        size = file_path(tmp_path / "wal", 1).stat().st_size

        def half(descriptor: int, data: bytes, offset: int) -> int:
            if offset > size or len(data) < 20:
                raise OSError(28, os.strerror(28))
            return real(descriptor, data[: len(data) // 2], offset)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "pwrite", half)
            for _ in range(2):
                with pytest.raises(UnreachableError, match="no space left on device") as caught:
                    writer.append(disclosure(1)).result()
                assert "free some space" in caught.value.hint
        assert file_path(tmp_path / "wal", 1).stat().st_size == size
        assert writer.append(disclosure(2)).result().first == 2
    assert tail(tmp_path) == [0, 2]


def test_a_read_only_folder_is_told(tmp_path: Path) -> None:
    second = MemoryStore()
    opened(tmp_path, second).close()
    real = os.open

    def read_only(path: str, flags: int, *arguments: int) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR):
            raise OSError(30, os.strerror(30))
        return real(path, flags, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "open", read_only)
        with pytest.raises(UnreachableError, match="read-only file system") as caught:
            opened(tmp_path, second)
    assert "mount it writable" in caught.value.hint


# --- every step, failing and dying ----------------------------------------------------------------------------------


class Day:
    """What a writer does in a day, and what it was told of it. `sealed`: kept apart, as a segment would be."""

    def __init__(self, folder: Path, second: CheckpointStore, told: Callable[[int], None] = lambda n: None) -> None:
        self.folder, self.second, self.tell = folder, second, told
        self.confirmed: list[int] = []
        self.sealed: list[int] = []

    def run(self) -> None:
        """All of it. Storage that fails is passed over, as its callers would."""
        with contextlib.suppress(UnreachableError):
            writer = opened(self.folder, self.second)
            for action in (self._one, self._three, self._seal, self._one, lambda w: w.rotate(), self._one):
                with contextlib.suppress(UnreachableError):
                    action(writer)
            writer.close()

    def _one(self, writer: LocalWriter) -> None:
        self._append(writer, [100 + len(self.confirmed)])

    def _three(self, writer: LocalWriter) -> None:
        self._append(writer, [200, 201, 202])

    def _append(self, writer: LocalWriter, numbers: list[int]) -> None:
        writer.append_many(Batch.of([disclosure(n) for n in numbers])).result()
        for n in numbers:
            self.confirmed.append(n)
            self.tell(n)

    def _seal(self, writer: LocalWriter) -> None:
        number = writer.rotate()
        if number:
            self.sealed = cases(writer.unsealed(number)[0])
            for n in self.sealed:
                self.tell(1000 + n)
            writer.sealed(number)


def _check(folder: Path, second: CheckpointStore, confirmed: list[int], sealed: list[int], what: str) -> None:
    """It opens; nothing confirmed is lost, in order, without doubles; and it goes on."""
    with opened(folder, second) as writer:
        writer.append(disclosure(999)).result()
    now = tail(folder)
    kept = sealed + [n for n in now if n not in sealed]
    assert [n for n in kept if n in confirmed] == confirmed, what
    assert set(kept) <= {100, 101, 102, 103, 104, 105, 200, 201, 202, 999}, what
    assert (now[-1], len(set(now))) == (999, len(now)), what


@pytest.mark.parametrize("mode", ["undone", "done"])
def test_every_step_may_fail_and_nothing_confirmed_is_lost(
    tmp_path: Path, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faults, "WRITE_CALLS", WRITE_CALLS)

    def day(name: str, fail_at: int | None) -> tuple[Day, Faults]:
        folder = tmp_path / name / "ledger"
        folder.mkdir(parents=True)
        made = Day(folder, FolderStore(folder.parent / "second", "wal-head"))
        with pytest.MonkeyPatch.context() as patch:
            steps = Faults(patch, fail_at, mode)
            made.run()
        return made, steps

    whole, steps = day("whole", None)
    assert whole.confirmed == [100, 200, 201, 202, 104, 105]
    assert {"open", "pwrite", "fdatasync", "fsync", "replace", "write", "unlink", "mkdir"} <= set(steps.calls)
    for step, call in enumerate(steps.calls):
        made, _ = day(str(step), step)
        _check(made.folder, made.second, made.confirmed, made.sealed, f"{call}, step {step}")


def _dies(folder: Path, second: CheckpointStore, step: int, after: bool, pipe: int) -> None:
    """In a child: run a day, and be killed by signal 9 before or after the given step."""
    count = 0

    def dying(real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **keywords: object) -> object:
            nonlocal count
            count += 1
            mine = count - 1
            if mine == step and not after:
                os.kill(os.getpid(), signal.SIGKILL)
            result = real(*arguments, **keywords)
            if mine == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call

    write = os.write
    for name in WRITE_CALLS:
        setattr(os, name, dying(getattr(os, name)))
    Day(folder, second, lambda n: (write(pipe, f"{n}\n".encode()), None)[1]).run()


def _child(folder: Path, second: CheckpointStore, step: int, after: bool) -> tuple[list[int], bool]:
    """What the child was told before it was killed, and whether it was killed at all."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            _dies(folder, second, step, after, writing)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        told = [int(line) for line in file]
    return told, os.WIFSIGNALED(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_every_step_and_nothing_confirmed_is_lost(tmp_path: Path, after: bool) -> None:
    assert threading.active_count() == 1
    step, killed = 0, True
    while killed:
        folder = tmp_path / str(step) / "ledger"
        folder.mkdir(parents=True)
        second = FolderStore(folder.parent / "second", "wal-head")
        told, killed = _child(folder, second, step, after)
        confirmed, sealed = [n for n in told if n < 1000], [n - 1000 for n in told if n >= 1000]
        _check(folder, second, confirmed, sealed, f"step {step}")
        step += 1
    assert step > 40
