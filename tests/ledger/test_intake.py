"""The queue before the writer: grouped, bounded, in order, and an answer for everybody."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from language.appends import cases, disclosure
from muniment.errors import InputError, MunimentError, UnreachableError
from muniment.ledger import intake as module
from muniment.ledger.appender import Receipt
from muniment.ledger.batch import Batch
from muniment.ledger.intake import OUTSTANDING, Intake


class Disk:
    """Commits into memory; `gate` holds a commit back, `fault` is raised by the next ones."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Semaphore(0)
        self.fault: Exception | None = None
        self.count = 0

    def commit(self, batch: Batch) -> Receipt:
        self.entered.release()
        assert self.gate.wait(10)
        if self.fault is not None:
            raise self.fault
        self.groups.append(cases(batch))
        self.count += len(batch)
        return Receipt(self.count - len(batch) + 1, self.count, 5)


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def intake(disk: Disk) -> Iterator[Intake]:
    made = Intake("test", disk.commit, lambda: None)
    yield made
    disk.gate.set()
    made.close(lambda: None)


def _held(intake: Intake, disk: Disk) -> Future[Receipt]:
    """One append whose commit is under way, and stays so until the gate opens."""
    disk.gate.clear()
    future = intake.append(disclosure(0))
    assert disk.entered.acquire(timeout=10)
    return future


def test_what_waits_goes_together(intake: Intake, disk: Disk) -> None:
    first = _held(intake, disk)
    batch = Batch.of([disclosure(2), disclosure(3)])
    rest = [intake.append(one) for one in (disclosure(1), batch, disclosure(4))]
    disk.gate.set()
    assert first.result() == Receipt(1, 1, 5)
    assert [future.result() for future in rest] == [Receipt(2, 2, 5), Receipt(3, 4, 5), Receipt(5, 5, 5)]
    assert disk.groups == [[0], [1, 2, 3, 4]]


def test_a_large_group_is_divided(intake: Intake, disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "COMMIT_BYTES", 1000)
    first = _held(intake, disk)
    rest = [intake.append(disclosure(n)) for n in range(1, 6)]
    disk.gate.set()
    assert [future.result().first for future in [first, *rest]] == [1, 2, 3, 4, 5, 6]
    assert disk.groups == [[0], [1, 2], [3, 4], [5]]


def test_the_window_holds_callers_up_until_there_is_room(intake: Intake, disk: Disk) -> None:
    _held(intake, disk)
    futures = [intake.append(disclosure(n)) for n in range(1, OUTSTANDING)]
    beyond: list[Future[Receipt]] = []
    waiter = threading.Thread(target=lambda: beyond.append(intake.append(disclosure(OUTSTANDING))))
    waiter.start()
    intake.append(Batch.of([disclosure(9999)]), bounded=False)  # a client of the socket has a window of its own
    assert beyond == []
    disk.gate.set()
    waiter.join(10)
    assert beyond[0].result().first == OUTSTANDING + 2
    assert futures[-1].result().first == OUTSTANDING


def test_tasks_run_in_their_place(intake: Intake, disk: Disk) -> None:
    _held(intake, disk)
    second = intake.append(disclosure(1))
    seen: list[int] = []
    task = threading.Thread(target=lambda: seen.append(intake.run(lambda: disk.count)))
    task.start()
    while intake._queue[-1].__class__.__name__ != "_Task":
        time.sleep(0.001)
    third = intake.append(disclosure(2))
    disk.gate.set()
    task.join(10)
    assert seen == [2]
    assert (second.result().first, third.result().first) == (2, 3)
    with pytest.raises(ZeroDivisionError):
        intake.run(lambda: 1 // 0)


def test_a_fault_of_the_disk_fails_the_group_and_no_other(intake: Intake, disk: Disk) -> None:
    disk.fault = UnreachableError("disk: full", hint="free some space")
    failed = [intake.append(disclosure(n)) for n in range(2)]
    for future in failed:
        with pytest.raises(UnreachableError, match="full") as caught:
            future.result()
        assert caught.value.hint == "free some space"
        assert caught.value is not disk.fault
    disk.fault = None
    assert intake.append(disclosure(2)).result().first == 1


def test_an_input_error_is_traced_to_its_own(intake: Intake, disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = disk.commit

    def picky(batch: Batch) -> Receipt:
        if 2 in cases(batch):
            raise InputError("not this one")
        return commit(batch)

    monkeypatch.setattr(intake, "_commit", picky)
    first = _held(intake, disk)
    rest = [intake.append(disclosure(n)) for n in range(1, 4)]
    disk.gate.set()
    with pytest.raises(InputError, match="not this one"):
        rest[1].result()
    assert [future.result().first for future in (first, rest[0], rest[2])] == [1, 2, 3]


def test_after_refuse_everybody_hears_it(intake: Intake, disk: Disk) -> None:
    first = _held(intake, disk)
    waiting = intake.append(disclosure(1))
    intake.refuse(UnreachableError("poisoned"))
    intake.refuse(UnreachableError("a later error"))
    disk.gate.set()
    assert first.result().first == 1
    with pytest.raises(UnreachableError, match="poisoned"):
        waiting.result()
    for refused in (lambda: intake.append(disclosure(2)), lambda: intake.run(lambda: None)):
        with pytest.raises(UnreachableError, match="poisoned"):
            refused()


def test_a_bug_in_the_commit_ends_the_writer_and_leaves_nobody_waiting(intake: Intake, disk: Disk) -> None:
    disk.fault = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        intake.append(disclosure(0)).result()
    with pytest.raises(UnreachableError, match=r"fault of its own \(ZeroDivisionError\)"):
        intake.append(disclosure(1))


def test_who_waits_for_room_hears_of_the_end(intake: Intake, disk: Disk) -> None:
    _held(intake, disk)
    for n in range(1, OUTSTANDING):
        intake.append(disclosure(n))
    heard: list[MunimentError] = []

    def wait() -> None:
        try:
            intake.append(disclosure(0))
        except MunimentError as error:
            heard.append(error)

    waiter = threading.Thread(target=wait)
    waiter.start()
    intake.refuse(UnreachableError("poisoned"))
    waiter.join(10)
    assert [error.message for error in heard] == ["poisoned"]


def test_tick_is_called_when_it_asked_for_it(disk: Disk) -> None:
    called: list[float] = []
    enough = threading.Event()

    def tick() -> float | None:
        called.append(time.monotonic())
        if len(called) == 3:
            enough.set()
            return None
        return called[-1] + 0.01

    made = Intake("test", disk.commit, tick)
    assert enough.wait(10)
    made.close(lambda: None)
    assert called[1] - called[0] >= 0.01


def test_a_tick_that_fails_refuses_what_comes(disk: Disk) -> None:
    def tick() -> float | None:
        raise UnreachableError("no second place")

    made = Intake("test", disk.commit, tick)
    made.close(lambda: None)
    assert made.refusal is not None
    assert made.refusal.message == "no second place"
