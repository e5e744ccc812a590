"""The second place: what was acknowledged comes back, whatever fails; what was altered is found."""

from __future__ import annotations

import fcntl
import itertools
import os
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from language.appends import KEYS, TEMPLATE, MemoryStore, Table, opened, tail
from language.faults import Faults
from language.rings import segment_keys
from muniment.disclosure import Disclosure, Party
from muniment.errors import InputError, IntegrityError, UnreachableError
from muniment.gate.server import spool as spooling
from muniment.gate.server.persons import PROVISIONAL
from muniment.gate.server.spool import Spool
from muniment.gate.session.commands import Entry
from muniment.ledger.appender import Receipt
from muniment.ledger.batch import Batch
from muniment.ledger.wal.files import read_tail

NOW = 1_800_000_000_000
TOP = 2**32 - 2


class Ledger:
    """An appender in memory. `fail_at`: the n-th append fails; `lose_answer`: it is done and fails."""

    def __init__(self, *, fail_at: int | None = None, lose_answer: bool = False) -> None:
        self.taken: list[Disclosure] = []
        self.appends = 0
        self.fail_at = fail_at
        self.lose_answer = lose_answer
        self.table = Table()

    def ordinals(self, pseudonyms: NDArray[np.uint64], older: Sequence[NDArray[np.uint64]] = ()) -> NDArray[np.uint32]:
        return self.table.allocate(pseudonyms, older)

    def append(self, disclosure: Disclosure) -> Future[Receipt]:
        return self.append_many(Batch.of([disclosure]))

    def append_many(self, batch: Batch) -> Future[Receipt]:
        batch.check()
        future: Future[Receipt] = Future()
        fails = self.appends == self.fail_at
        self.appends += 1
        if not fails or self.lose_answer:
            self.taken += [batch.disclosure(row) for row in range(len(batch))]
        if fails:
            future.set_exception(UnreachableError("the ledger is down"))
        else:
            future.set_result(Receipt(1, len(batch), NOW))
        return future

    def holds(self, batch: Batch) -> bool:
        """Whether every disclosure of a batch was taken."""
        return all(batch.disclosure(row) in self.taken for row in range(len(batch)))

    def close(self) -> None:
        return


def cases(ledger: Ledger) -> list[str]:
    return [one.case for one in ledger.taken]


def entry(n: int, *ordinals: int) -> Entry:
    return Entry(Party("agency", "clerk"), TEMPLATE, np.array(ordinals or (n,), np.uint32), f"case {n}", "f", 1, 10, 1)


def made(folder: Path, ledger: Ledger | None = None) -> Spool:
    """A spool; with `ledger`, one that looks there before it hands a group over again."""
    numbers = itertools.count(1)
    recorded = None if ledger is None else ledger.holds
    return Spool(folder, KEYS, lambda: NOW, lambda size: next(numbers).to_bytes(size, "big"), recorded=recorded)


# --- what goes in comes out ---


def test_what_was_spooled_comes_to_the_ledger_with_its_own_time(tmp_path: Path) -> None:
    spool, ledger = made(tmp_path / "second"), Ledger()
    assert spool.drain(ledger) == 0
    spool.append([entry(1), entry(2, 3, 5)], {})
    spool.append([entry(3)], {})
    assert spool.drain(ledger) == 3
    assert cases(ledger) == ["case 1", "case 2", "case 3"]
    assert ledger.taken[1] == Disclosure(Party("agency", "clerk"), TEMPLATE, (3, 5), "case 2", "f", 1, 10, 1, NOW)
    assert not spool.files() and spool.drain(ledger) == 0
    spool.append([entry(4)], {})
    assert spool.drain(ledger) == 1


def test_a_later_process_drains_what_an_ended_one_left(tmp_path: Path) -> None:
    ended = made(tmp_path)
    ended.append([entry(1)], {})
    ended.close()
    ledger = Ledger()
    assert made(tmp_path).drain(ledger) == 1


def test_a_live_writer_keeps_its_file(tmp_path: Path) -> None:
    live, ledger = made(tmp_path), Ledger()
    live.append([entry(1)], {})
    other = Spool(tmp_path, KEYS, lambda: NOW, bytes)
    other.append([entry(2)], {})
    assert other.drain(ledger) == 1 and cases(ledger) == ["case 2"]
    live.append([entry(3)], {})
    assert live.drain(ledger) == 2


def test_provisional_ordinals_become_real_ones(tmp_path: Path) -> None:
    spool, ledger = made(tmp_path), Ledger()
    known = ledger.ordinals(np.array([100, 200], np.uint64)).tolist()
    meant = {TOP: ("persons", (100, 101)), TOP - 1: ("persons", (7, 8)), TOP - 2: ("other", (9,))}
    spool.append([entry(1, known[0], TOP - 2, TOP - 1, TOP), entry(2), entry(3, TOP)], meant)
    spool.drain(ledger)
    new, other = (int(ledger.ordinals(np.array([one], np.uint64))[0]) for one in (8, 9))
    assert ledger.taken[0].records == tuple(sorted({known[0], new, other}))
    assert ledger.taken[1].records == (2,)
    assert ledger.taken[2].records == (known[0],)


def test_an_ordinal_that_nobody_can_resolve_is_not_spooled(tmp_path: Path) -> None:
    spool = made(tmp_path)
    with pytest.raises(ValueError):
        spool.append([entry(1, PROVISIONAL)], {})
    assert not spool.files()


def test_nameless_rows_are_spooled_too(tmp_path: Path) -> None:
    spool, ledger = made(tmp_path), Ledger()
    nobody = Entry(Party("agency", "clerk"), TEMPLATE, np.empty(0, np.uint32), "", "f", 17, 10, 1)
    spool.append([nobody, entry(1, TOP)], {TOP: ("persons", (1,))})
    spool.drain(ledger)
    assert [one.records for one in ledger.taken] == [(), (0,)]


def test_a_real_writer_takes_them(tmp_path: Path) -> None:
    spool = made(tmp_path / "second")
    spool.append([entry(1), entry(2, TOP)], {TOP: ("persons", (5, 6))})
    (tmp_path / "ledger").mkdir()
    writer = opened(tmp_path / "ledger", MemoryStore())
    try:
        assert spool.drain(writer) == 2
        assert tail(tmp_path / "ledger") == [1, 2]
        assert read_tail(tmp_path / "ledger" / "wal", KEYS).occurred.tolist() == [NOW, NOW]
    finally:
        writer.close()


def test_many_files_and_groups_keep_the_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spooling, "FILE_BYTES", 2_000)
    monkeypatch.setattr(spooling, "GROUP", 4)
    spool, ledger = made(tmp_path), Ledger()
    for n in range(20):
        spool.append([entry(n)], {})
    assert len(spool.files()) > 2
    assert spool.drain(ledger) == 20
    assert cases(ledger) == [f"case {n}" for n in range(20)]
    assert 5 <= ledger.appends < 20


def test_the_second_place_is_bounded_until_it_is_drained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spooling, "SPOOL_BYTES", 1_500)
    spool, ledger = made(tmp_path), Ledger()
    spool.append([entry(1), entry(2)], {})
    with pytest.raises(UnreachableError, match="full"):
        spool.append([entry(n) for n in range(40)], {})
    assert spool.drain(ledger) == 2
    spool.append([entry(99)], {})


# --- a ledger that is still down ---


@pytest.mark.parametrize("lose_answer", [False, True])
@pytest.mark.parametrize("fail_at", range(5))
def test_what_the_ledger_did_not_confirm_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fail_at: int, lose_answer: bool
) -> None:
    monkeypatch.setattr(spooling, "GROUP", 2)
    spool = made(tmp_path)
    for n in range(10):
        spool.append([entry(n)], {})
    ledger = Ledger(fail_at=fail_at, lose_answer=lose_answer)
    with pytest.raises(UnreachableError):
        spool.drain(ledger)
    made(tmp_path).drain(ledger)
    expected = [f"case {n}" for n in range(10)]
    twice = expected[2 * fail_at : 2 * fail_at + 2] if lose_answer else []
    assert sorted(cases(ledger)) == sorted(expected + twice)


@pytest.mark.parametrize("lose_answer", [False, True])
@pytest.mark.parametrize("fail_at", range(5))
def test_nothing_is_lost_or_doubled_where_the_ledger_can_be_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fail_at: int, lose_answer: bool
) -> None:
    monkeypatch.setattr(spooling, "GROUP", 2)
    ledger = Ledger(fail_at=fail_at, lose_answer=lose_answer)
    spool = made(tmp_path, ledger)
    for n in range(10):
        spool.append([entry(n)], {})
    with pytest.raises(UnreachableError):
        spool.drain(ledger)
    monkeypatch.setattr(spooling, "GROUP", 3)  # another version: the group that was tried stays what it was
    assert made(tmp_path, ledger).drain(ledger) == 10 - 2 * fail_at
    assert cases(ledger) == [f"case {n}" for n in range(10)]


def test_two_equal_releases_are_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spooling, "GROUP", 1)
    ledger = Ledger(fail_at=1)
    spool = made(tmp_path, ledger)
    for _ in range(2):
        spool.append([entry(1)], {})
    with pytest.raises(UnreachableError):
        spool.drain(ledger)
    made(tmp_path, ledger).drain(ledger)
    assert cases(ledger) == ["case 1"] * 2


def test_what_the_ledger_cannot_take_is_said_and_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool, ledger = made(tmp_path), Ledger()
    spool.append([entry(1)], {})

    def refused(_: Batch) -> Future[Receipt]:
        raise InputError("an ordinal was never given")

    monkeypatch.setattr(ledger, "append_many", refused)
    with pytest.raises(IntegrityError, match="never given"):
        spool.drain(ledger)
    assert spool.files()


# --- faults of the disk ---


def _spooled(folder: Path) -> list[int]:
    """Append five times, whatever fails; which were acknowledged."""
    spool, acknowledged = made(folder), []
    for n in range(5):
        try:
            spool.append([entry(n)], {})
        except UnreachableError:
            continue
        acknowledged.append(n)
    spool.close()
    return acknowledged


def test_every_failing_call_of_an_append(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as counted:
        calls = Faults(counted, None, "undone")
        _spooled(tmp_path / "counted")
    for number, mode in itertools.product(range(len(calls.calls)), ("undone", "done")):
        folder = tmp_path / f"{number}-{mode}"
        with pytest.MonkeyPatch.context() as patched:
            Faults(patched, number, mode)
            acknowledged = _spooled(folder)
        ledger = Ledger()
        made(folder).drain(ledger)
        given = {int(case.split()[1]) for case in cases(ledger)}
        assert set(acknowledged) <= given, (number, mode, calls.calls[number])
        assert len(acknowledged) == 4 and len(cases(ledger)) == len(given)


@pytest.mark.parametrize("looks", [False, True])
def test_every_failing_call_of_a_drain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, looks: bool) -> None:
    monkeypatch.setattr(spooling, "GROUP", 2)
    for number, mode in itertools.product(range(14), ("undone", "done")):
        folder = tmp_path / f"{number}-{mode}"
        acknowledged = _spooled(folder)
        ledger = Ledger()
        seen = ledger if looks else None
        with pytest.MonkeyPatch.context() as patched:
            faults = Faults(patched, number, mode)
            try:
                made(folder, seen).drain(ledger)
            except UnreachableError:
                assert len(faults.calls) > number
        made(folder, seen).drain(ledger)
        assert {int(case.split()[1]) for case in cases(ledger)} == set(acknowledged)
        assert len(ledger.taken) <= len(acknowledged) + (0 if looks else 2)
        assert not made(folder).files()


@pytest.mark.parametrize("cut", range(0, 900, 7))
def test_a_torn_end_loses_only_what_was_not_acknowledged(tmp_path: Path, cut: int) -> None:
    spool = made(tmp_path)
    sizes = []
    for n in range(3):
        spool.append([entry(n)], {})
        sizes.append(spool.files()[0].stat().st_size)
    spool.close()
    (path,) = spool.files()
    os.truncate(path, max(sizes[-1] - cut, 0))
    ledger = Ledger()
    assert made(tmp_path).drain(ledger) == sum(size <= sizes[-1] - cut for size in sizes)


# --- somebody at the disk ---


def _one_file(folder: Path, frames: int = 3) -> tuple[Path, Spool]:
    spool = made(folder)
    for n in range(frames):
        spool.append([entry(n)], {})
    return spool.files()[0], spool


def test_its_own_writer_misses_frames_that_were_cut_off(tmp_path: Path) -> None:
    path, spool = _one_file(tmp_path)
    os.truncate(path, path.stat().st_size - 1)
    with pytest.raises(IntegrityError, match="cut short"):
        spool.drain(Ledger())
    assert spool.files() == [path]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_no_altered_byte_passes(tmp_path: Path, place: int, flip: int) -> None:
    for old in tmp_path.glob("*"):
        old.unlink()
    path, spool = _one_file(tmp_path)
    spool.close()
    data = bytearray(path.read_bytes())
    data[place % len(data)] ^= flip
    path.write_bytes(bytes(data))
    ledger = Ledger()
    try:
        made(tmp_path).drain(ledger)
    except IntegrityError:
        assert made(tmp_path).files() and not ledger.taken
        return
    assert cases(ledger) == ["case 0", "case 1"]  # the last frame alone may look torn to another process


def test_a_file_says_nothing_to_who_lacks_the_key(tmp_path: Path) -> None:
    path, spool = _one_file(tmp_path)
    spool.close()
    data = path.read_bytes()
    assert b"case" not in data and b"clerk" not in data and path.stat().st_mode & 0o777 == 0o600
    stranger = Spool(tmp_path, (segment_keys(2)[1],), lambda: NOW, os.urandom)
    with pytest.raises(IntegrityError, match="key ring does not hold"):
        stranger.drain(Ledger())


def test_an_older_key_still_opens_what_it_sealed(tmp_path: Path) -> None:
    _, spool = _one_file(tmp_path)
    spool.close()
    assert Spool(tmp_path, segment_keys(2), lambda: NOW, os.urandom).drain(Ledger()) == 3


def test_a_file_that_was_moved_by_another_process_meanwhile_is_let_be(tmp_path: Path) -> None:
    path, spool = _one_file(tmp_path)
    spool.close()
    descriptor = os.open(path, os.O_RDONLY)
    try:
        ledger = Ledger()
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        assert made(tmp_path).drain(ledger) == 0
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        assert made(tmp_path).drain(ledger) == 3
        assert not spooling._ours(path, descriptor)
    finally:
        os.close(descriptor)
