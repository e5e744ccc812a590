"""Sealing: every fault leaves disclosures where they were or in the log, never in both and never in neither."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from language import faults
from language.appends import MemoryStore, cases, disclosure, opened
from language.faults import Faults
from language.ledgers import LedgerFolder
from language.rings import segment_keys
from language.segments import a_batch
from muniment.errors import IntegrityError, UnreachableError
from muniment.ledger import sealing
from muniment.ledger.batch import Batch
from muniment.ledger.frames import Head
from muniment.ledger.sealing import seal_closed
from muniment.ledger.wal.frames import Point

CALLS = (*faults.WRITE_CALLS, "unlink", "mkdir")
GIVEN = [1, 2, 3]


@pytest.fixture
def made(tmp_path: Path) -> LedgerFolder:
    return LedgerFolder.made(tmp_path / "here")


def seal(made: LedgerFolder) -> None:
    made.open().seal()


def check(made: LedgerFolder, given: list[int], what: str, *, full: bool = False) -> None:
    """Nothing is lost, nothing is there twice; the next sealing puts right whatever was left, and leaves no rests."""
    assert made.cases() == given, what
    made.open().seal()
    if full:
        assert made.cases() == given, what
    verification = made.verify(full=full)
    assert (verification.faults, verification.disclosures, verification.unsealed) == ((), len(given), 0), what
    named = {one.manifest.file for one in made.open().segments()}
    assert {path.name for path in (made.ledger / "segments").iterdir()} == named, what


# --- a fault at every system call ----------------------------------------------------------------------------------


def faulty(folder: Path, monkeypatch: pytest.MonkeyPatch, *, every: bool) -> None:
    """Fail at each call that changes the disk; both ways for `every`, else by turns undone and done."""
    kept = LedgerFolder.made(folder / "kept")
    kept.give_unsealed(*GIVEN)
    monkeypatch.setattr(faults, "WRITE_CALLS", CALLS)
    made = kept.copied(folder / "counted")
    with monkeypatch.context() as patch:
        counted = Faults(patch, None, "undone").calls
        seal(made)
    assert {"open", "write", "pwrite", "fsync", "fdatasync", "replace", "unlink", "mkdir"} <= set(counted)
    refused = 0
    for step, name in enumerate(counted):
        for mode in ("undone", "done") if every else (("undone", "done")[step % 2],):
            made = kept.copied(folder / f"{step}-{mode}")
            with monkeypatch.context() as patch:
                Faults(patch, step, mode)
                try:
                    seal(made)
                except UnreachableError:
                    refused += 1
            check(made, GIVEN, f"call {step} ({name}, {mode})", full=every)
    assert refused > len(counted) // 2, "most faults are told"


def test_faults_of_sealing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faulty(tmp_path, monkeypatch, every=False)


@pytest.mark.soak
def test_every_fault_of_sealing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faulty(tmp_path, monkeypatch, every=True)


def full(descriptor: int, data: bytes) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk(made: LedgerFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    made.give_unsealed(*GIVEN)
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(UnreachableError, match="no space left") as caught:
            seal(made)
        assert "free some space" in caught.value.hint
    check(made, GIVEN, "full")


# --- killed at every system call -----------------------------------------------------------------------------------


def stopped_at(step: int, made: LedgerFolder) -> bool:
    """Seal in a child that kills itself at the n-th call that changes the disk; whether it came that far."""
    child = os.fork()
    if child == 0:
        try:
            count = 0

            def counting(name: str, real: object) -> object:
                def call(*arguments: object, **keywords: object) -> object:
                    nonlocal count
                    if name != "open" or int(str(arguments[1])) & (os.O_WRONLY | os.O_RDWR):
                        if count == step:
                            os.kill(os.getpid(), signal.SIGKILL)
                        count += 1
                    return real(*arguments, **keywords)  # type: ignore[operator]

                return call

            for name in CALLS:
                setattr(os, name, counting(name, getattr(os, name)))
            seal(made)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def killed(folder: Path, stride: int) -> None:
    kept = LedgerFolder.made(folder / "kept")
    kept.give_unsealed(*GIVEN)
    step = 0
    while stopped_at(step, made := kept.copied(folder / str(step))):
        check(made, GIVEN, f"killed at {step}")
        step += stride
    assert step > 90


def test_killed_at_some_steps(tmp_path: Path) -> None:
    killed(tmp_path, 5)


@pytest.mark.soak
def test_killed_at_every_step(tmp_path: Path) -> None:
    killed(tmp_path, 1)


# --- parts ---------------------------------------------------------------------------------------------------------


class Files:
    """Closed files in memory: batches, one a file."""

    def __init__(self, *batches: Batch) -> None:
        self.batches = dict(enumerate(batches, 1))
        self.given_up: list[int] = []

    def rotate(self) -> int:
        return max(self.batches, default=0)

    def closed(self) -> list[int]:
        return [number for number in self.batches if number not in self.given_up]

    def unsealed(self, number: int) -> tuple[Batch, Point]:
        return self.batches[number], Point(0, 0, bytes(32))

    def sealed(self, number: int) -> None:
        self.given_up.append(number)


def sealed(made: LedgerFolder, files: Files, *, after: int = 0) -> Iterator[tuple[int, int]]:
    manifests = seal_closed(
        files, made.ledger / "segments", made.open().log(), key=segment_keys()[0], after=after, keep=(),
        span=lambda: 10_000, journal=Head(0, "0" * 64),
    )  # fmt: skip
    return ((one.first, one.last) for one in manifests)


def test_segments_are_cut_by_rows_and_by_records(made: LedgerFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "SEGMENT_ROWS", 100)
    assert list(sealed(made, Files(a_batch(rows=250)))) == [(1, 100), (101, 200), (201, 250)]
    batch = a_batch(rows=250)
    monkeypatch.setattr(sealing, "SEGMENT_RECORDS", 3_000)
    cut = list(sealed(made, Files(batch)))
    assert cut[0][0] == 1 and cut[-1][1] == 250
    assert all(before[1] + 1 == after[0] for before, after in pairwise(cut))
    assert all(last - first < 100 for first, last in cut)
    for first, last in cut[:-1]:
        assert int(batch.starts[last - 1] - batch.starts[first - 1]) < 3_000, "full before its last row was taken"


def test_one_row_may_be_larger_than_a_segment(made: LedgerFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "SEGMENT_RECORDS", 1)
    assert list(sealed(made, Files(a_batch(rows=3)))) == [(1, 1), (2, 2), (3, 3)]


def test_what_is_sealed_already_is_passed_over(made: LedgerFolder) -> None:
    files = Files(a_batch(rows=10), a_batch(rows=10, first=11))
    assert list(sealed(made, files, after=10)) == [(11, 20)]
    assert files.given_up == [1, 2]
    files = Files(a_batch(rows=10))
    assert list(sealed(made, files, after=4)) == [(5, 10)]


def test_a_file_that_closes_meanwhile_waits(made: LedgerFolder) -> None:
    """Its ordinals may lie beyond the span that was asked for."""

    class Growing(Files):
        def rotate(self) -> int:
            newest = super().rotate()
            self.batches[newest + 1] = a_batch(rows=5, first=11)
            return newest

    files = Growing(a_batch(rows=10))
    assert list(sealed(made, files)) == [(1, 10)]
    assert files.given_up == [1]


def test_the_span_is_asked_for_after_the_rows_are_known(made: LedgerFolder) -> None:
    order: list[str] = []

    class Watched(Files):
        def unsealed(self, number: int) -> tuple[Batch, Point]:
            order.append("rows")
            return super().unsealed(number)

    def span() -> int:
        order.append("span")
        return 10_000

    seal_closed(
        Watched(a_batch()), made.ledger / "segments", made.open().log(), key=segment_keys()[0], after=0, keep=(),
        span=span, journal=Head(0, "0" * 64),
    )  # fmt: skip
    assert order == ["rows", "span"]


def test_a_file_that_does_not_verify_is_not_sealed(made: LedgerFolder) -> None:
    bare = made.folder / "bare"
    bare.mkdir()
    with opened(bare, MemoryStore()) as writer:
        writer.append(disclosure(1)).result()
        number = writer.rotate()
        path = bare / "wal" / f"{number:020d}.wal"
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)
        with pytest.raises(IntegrityError, match="do not verify"):
            seal_closed(
                writer, made.ledger / "segments", made.open().log(), key=segment_keys()[0], after=0, keep=(),
                span=lambda: 1_000_000, journal=Head(0, "0" * 64),
            )  # fmt: skip
        assert made.open().log().checkpoint().size == 0
        data[-1] ^= 1
        path.write_bytes(data)
        assert cases(writer.unsealed(number)[0]) == [1]


def test_the_manifest_ties_the_parts_together(made: LedgerFolder) -> None:
    made.give(*GIVEN)
    head = made.open().acknowledged()
    (segment,) = made.open().segments()
    manifest = segment.manifest
    assert head is not None
    assert (manifest.chain, manifest.last) == (head.point.chain.hex(), head.point.sequence)
    assert manifest.journal == Head(0, made.journal().head().digest)
    assert manifest.records == 9
    assert np.array_equal(segment.numbers("sequence"), [1, 2, 3])
