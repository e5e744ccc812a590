"""The fault matrix of the ledger as a whole: nothing acknowledged is lost, nothing forged is accepted.

Each fault has its own message, and exit code 3 where stored data does not verify, 4 where a disk cannot be used. What
is refused stays as it is: once the damaged part is put back, everything is there. The matrices of the single parts are
with their tests (`tests/ledger`).
"""

from __future__ import annotations

import errno
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from language import faults
from language.appends import disclosure
from language.faults import Faults
from language.ledgers import SIGNING, LedgerFolder, files, ledger_keys, persons, pseudonym
from language.rings import NOW, segment_keys
from muniment.disclosure import Kind
from muniment.errors import IntegrityError, MunimentError, UnreachableError
from muniment.ledger.declarations import declare_register
from muniment.ledger.ordinals.frames import Change, Frame
from muniment.ledger.ordinals.table import OrdinalTable

CALLS = (*faults.WRITE_CALLS, "unlink", "mkdir")
SEALED, UNSEALED = [1, 2, 3, 4], [50]
GIVEN = SEALED + UNSEALED


@dataclass(frozen=True)
class States:
    """One ledger now and earlier, one that went on from the earlier state by itself, and one of another keeper."""

    now: LedgerFolder
    old: LedgerFolder
    fork: LedgerFolder
    other: LedgerFolder


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> States:
    folder = tmp_path_factory.mktemp("states")
    now = LedgerFolder.made(folder / "now")
    journal = now.journal()
    declare_register(journal, "persons", key=["id"], columns=[("n", Kind.NAME)], coalition=2, law="none", now=NOW)
    now.give(1, 2)
    now.open().reindex()
    old = now.copied(folder / "old")
    journal = now.journal()
    declare_register(journal, "staff", key=["id"], columns=[("n", Kind.NAME)], coalition=2, law="none", now=NOW)
    now.give(3, 4, journal=journal)
    now.open().reindex()
    now.give_unsealed(*UNSEALED)
    fork = old.copied(folder / "fork")
    fork.give(8, 9)
    fork.open().reindex()
    other = LedgerFolder.made(folder / "other")
    other.give(1, 2)
    other.give(3, 4)
    other.open().reindex()
    other.give_unsealed(*UNSEALED)
    return States(now, old, fork, other)


@pytest.fixture
def made(states: States, tmp_path: Path) -> LedgerFolder:
    return states.now.copied(tmp_path / "here")


# --- what was altered, cut, exchanged or put back ------------------------------------------------------------------


def flip(path: Path, share: float = 0.5) -> None:
    """One bit of the byte at this share of the file."""
    data = bytearray(path.read_bytes())
    data[min(int(len(data) * share), len(data) - 1)] ^= 0x10
    path.write_bytes(data)


def segment(made: LedgerFolder, number: int) -> Path:
    return made.ledger / "segments" / made.open().segments()[number].manifest.file


def wal(made: LedgerFolder) -> Path:
    """The file that holds the unsealed disclosure."""
    return max((made.ledger / "wal").iterdir(), key=lambda path: path.stat().st_size)


def swap_segments(made: LedgerFolder) -> None:
    first, second = segment(made, 0), segment(made, 1)
    one, two = first.read_bytes(), second.read_bytes()
    first.write_bytes(two)
    second.write_bytes(one)


def foreign_segment(made: LedgerFolder, states: States) -> None:
    segment(made, 1).write_bytes(segment(states.other, 1).read_bytes())


def two_ordinals(made: LedgerFolder) -> None:
    """Somebody who holds every key gives a person a second ordinal, and hides the first disclosure behind it."""
    with OrdinalTable.open(made.ledger / "ordinals", made.keys.segment, writing=True) as table:
        free = table.allocate(persons(900))
        ordinals = np.array([int(free.max()) + 1 if int(free.max()) + 1 < table.reserved else 0], np.uint32)
        who = np.array([pseudonym(1)], np.uint64)
        table._opened.append([Frame(Change.ALLOCATE, who, ordinals, table._layers.contents.state)])


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def clear(folder: Path) -> None:
    for path in files(folder):
        path.unlink()


@dataclass(frozen=True)
class Row:
    """One fault. `part` is what it damages, and what is put back afterwards; `says`: a fragment of the message."""

    part: str
    spoil: Callable[[LedgerFolder, States], object]
    says: str


def from_state(part: str, state: str) -> Callable[[LedgerFolder, States], object]:
    return lambda made, states: made.put_back(getattr(states, state), part)


READ = {
    # the log and its two places
    "the whole folder rolled back": Row("ledger", from_state("ledger", "old"), "restored from a backup, or cut"),
    "the log rolled back": Row("ledger/log", from_state("ledger/log", "old"), "restored from a backup, or cut"),
    "the second place rolled back": Row("away", from_state("away", "old"), "the second place stands at 2 leaves"),
    "a forked log": Row("ledger", from_state("ledger", "fork"), "the log was forked|different roots"),
    "a forked second place": Row("away", from_state("away", "fork"), "the log was forked|different roots"),
    "a log of another keeper": Row("ledger/log", from_state("ledger/log", "other"), "belongs to the log"),
    "log and second place of another keeper": Row(
        ".", lambda made, states: made.put_back(states.other, "ledger/log", "away"), "belongs to the log"
    ),
    "no second place": Row("away", lambda made, _: clear(made.away), "holds no checkpoint"),
    "the checkpoint altered": Row(
        "ledger/log", lambda made, _: flip(made.ledger / "log/checkpoint"), "does not verify|malformed|signed"
    ),
    "the checkpoint missing": Row(
        "ledger/log", lambda made, _: (made.ledger / "log/checkpoint").unlink(), "the checkpoint is missing"
    ),
    "the second checkpoint altered": Row(
        "away", lambda made, _: flip(made.away / "checkpoint"), "away/checkpoint|does not verify|malformed|signed"
    ),
    "a tile altered": Row(
        "ledger/log", lambda made, _: flip(made.ledger / "log/tile/0/000.p/4"), "do not hash to the root"
    ),
    "a tile missing": Row(
        "ledger/log", lambda made, _: (made.ledger / "log/tile/0/000.p/4").unlink(), "tile/0/000.p/4: this file of"
    ),
    "a bundle altered": Row(
        "ledger/log", lambda made, _: flip(made.ledger / "log/tile/entries/000.p/4"), "cut short within entry"
    ),
    "a bundle missing": Row(
        "ledger/log", lambda made, _: (made.ledger / "log/tile/entries/000.p/4").unlink(), "entries/000.p/4: this file"
    ),
    # segments
    "a segment altered": Row("ledger/segments", lambda made, _: flip(segment(made, 0)), "does not verify"),
    "a segment's head altered": Row("ledger/segments", lambda made, _: flip(segment(made, 0), 0), "no segment of this"),
    "a segment cut short": Row("ledger/segments", lambda made, _: cut(segment(made, 0)), "altered or cut short"),
    "a segment empty": Row("ledger/segments", lambda made, _: segment(made, 0).write_bytes(b""), "no segment of this"),
    "segments swapped": Row("ledger/segments", lambda made, _: swap_segments(made), "files were exchanged"),
    "a segment of another keeper": Row("ledger/segments", foreign_segment, "files were exchanged"),
    "a segment missing": Row("ledger/segments", lambda made, _: segment(made, 0).unlink(), "no notice in the log says"),
    # write-ahead files
    "the write-ahead files rolled back": Row("ledger/wal", from_state("ledger/wal", "old"), "acknowledged in|missing"),
    "write-ahead files of another ledger": Row(
        "ledger/wal", from_state("ledger/wal", "other"), "other disclosures than|not where the file|does not|exchanged"
    ),
    "a write-ahead file altered": Row("ledger/wal", lambda made, _: flip(wal(made), 0.9), "were acknowledged"),
    "a write-ahead file's head altered": Row("ledger/wal", lambda made, _: flip(wal(made), 0.1), "its header|altered"),
    "a write-ahead file cut short": Row("ledger/wal", lambda made, _: cut(wal(made)), "were acknowledged"),
    "a write-ahead file missing": Row("ledger/wal", lambda made, _: wal(made).unlink(), "missing|were acknowledged"),
    # the heads in the second place
    "the head of the writer altered": Row("away", lambda made, _: flip(made.away / "wal-head"), "wal-head"),
    "the head of the table altered": Row("away", lambda made, _: flip(made.away / "ordinals-head"), "ordinals-head"),
    # the ordinal table
    "the table rolled back": Row("ledger/ordinals", from_state("ledger/ordinals", "old"), "were acknowledged|older"),
    "the table of another keeper": Row("ledger/ordinals", from_state("ledger/ordinals", "other"), "ordinal"),
    "the table key altered": Row("ledger/ordinals", lambda made, _: flip(newest(made, "key")), r"\.key"),
    "the table's base altered": Row("ledger/ordinals", lambda made, _: flip(newest(made, "base")), r"\.base"),
    "the table's additions altered": Row("ledger/ordinals", lambda made, _: flip(newest(made, "append"), 1), "ordinal"),
    "two ordinals for one person": Row("ledger/ordinals", lambda made, _: two_ordinals(made), "two ordinals"),
    # the journal
    "the journal altered": Row("ledger/journal.bin", lambda made, _: flip(made.ledger / "journal.bin"), "journal.bin"),
    "the journal's head altered": Row("ledger/head", lambda made, _: flip(made.ledger / "head"), "ledger/head"),
    "the journal rolled back": Row(
        ".", lambda made, states: made.put_back(states.old, "ledger/journal.bin", "ledger/head"), "restored from a back"
    ),
    "the journal of another keeper": Row(
        ".", lambda made, states: made.put_back(states.other, "ledger/journal.bin", "ledger/head"), "belongs to the log"
    ),
}  # fmt: skip
"""Faults that whoever reads all of the ledger is told of."""
LATER = {"a segment altered", "a segment's head altered", "a segment cut short", "a segment empty", "segments swapped",
         "a segment of another keeper", "a segment missing"}  # fmt: skip
"""Faults that a writer does not see: he goes on, and nothing of his is lost by it."""


def newest(made: LedgerFolder, kind: str) -> Path:
    return max((made.ledger / "ordinals").glob(f"*.{kind}"))


def read_all(made: LedgerFolder) -> list[int]:
    """Everything that anybody asks: all disclosures, and those of each person."""
    seen = made.cases()
    ledger = made.open()
    reader = ledger.reader()
    assert len(reader.batch(reader.select(), records=True).ordinals) == 3 * len(seen)
    for n in seen:
        assert n in made.history(n)
    return seen


@pytest.mark.parametrize("name", sorted(READ))
def test_a_fault_is_refused_with_its_own_message(made: LedgerFolder, states: States, name: str) -> None:
    row = READ[name]
    row.spoil(made, states)
    with pytest.raises(IntegrityError, match=row.says) as caught:
        read_all(made)
    assert caught.value.exit_code == 3
    if name not in LATER:
        with pytest.raises(IntegrityError):
            made.give(77)
    with suppress(IntegrityError):
        assert made.verify().faults
    made.put_back(states.now, *(("ledger", "away") if row.part == "." else (row.part,)))
    assert read_all(made) == GIVEN
    assert made.give(60) == [6]
    assert made.verify(full=True).faults == ()


INDEX: dict[str, Callable[[LedgerFolder, States], object]] = {
    "a run altered": lambda made, states: flip(next((made.ledger / "index").glob("*.run")), 0.1),
    "the end of a run altered": lambda made, states: flip(next((made.ledger / "index").glob("*.run")), 0.95),
    "a run missing": lambda made, states: next((made.ledger / "index").glob("*.run")).unlink(),
    "the catalogue altered": lambda made, states: flip(made.ledger / "index/catalogue"),
    "an index of another log": from_state("ledger/index", "other"),
    "an index rolled back": from_state("ledger/index", "old"),
    "no index": lambda made, states: clear(made.ledger / "index"),
}


@pytest.mark.parametrize("name", sorted(INDEX))
def test_a_wrong_index_never_makes_an_answer_smaller(made: LedgerFolder, states: States, name: str) -> None:
    INDEX[name](made, states)
    refused: list[IntegrityError] = []
    try:
        assert read_all(made) == GIVEN
    except IntegrityError as error:
        refused.append(error)
    assert all("index" in error.message and "reindex" in error.hint for error in refused)
    made.open().reindex(anew=True)
    assert made.open().reader().unindexed == 1, "the tail"
    assert read_all(made) == GIVEN
    assert made.verify(full=True).faults == ()


def test_any_bit_of_any_file(made: LedgerFolder) -> None:
    """Whatever is flipped: the whole truth, or a refusal. `verify` sees it, unless the file says nothing any more."""
    for path in files(made.folder):
        whole = path.read_bytes()
        told = set()
        for place in {0, len(whole) // 3, len(whole) // 2, len(whole) - 1} if whole else ():
            flip(path, place / len(whole))
            with suppress(IntegrityError):
                assert read_all(made) == GIVEN, (path, place)
            try:
                told.add(not made.verify(full=True).faults)
            except IntegrityError:
                told.add(False)
            path.write_bytes(whole)
        says_nothing = path.name.endswith("lock") or (path.parent.name.endswith(".p") and path.name != "4")
        # The append file of the table has two heads, and goes on with the one that verifies.
        if not says_nothing and "wal" not in path.parts and path.suffix != ".append":
            assert told == {False}, path
    assert read_all(made) == GIVEN


def test_wrong_keys(made: LedgerFolder) -> None:
    made.keys = ledger_keys(segment=[replace(segment_keys()[0], secret=b"?" * 32)])
    with pytest.raises(IntegrityError, match=r"does not verify|another key"):
        made.cases()
    made.keys = ledger_keys(segment=segment_keys(2)[1:])
    with pytest.raises(IntegrityError, match=r"key"):
        made.cases()
    made.keys = ledger_keys(signing=replace(SIGNING, secret=b"?" * 32))
    with pytest.raises(IntegrityError, match=r"does not verify|no signature|signed by") as caught:
        made.cases()
    assert caught.value.exit_code == 3
    made.keys = ledger_keys()
    assert read_all(made) == GIVEN


# --- torn, full, read-only -----------------------------------------------------------------------------------------


def test_a_write_torn_at_every_byte(states: States, tmp_path: Path) -> None:
    """The last record was written but never acknowledged: it is there as a whole, or not at all."""
    made = states.now.copied(tmp_path / "here")
    made.give_unsealed(61)
    path = max((made.ledger / "wal").iterdir())
    whole = path.read_bytes()
    made.put_back(states.now, "away/wal-head")
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        if length % 4 == 0 or len(whole) - length < 20:
            assert made.cases() == GIVEN, length
        if length % 40 == 0:
            torn = made.copied(tmp_path / f"torn-{length}")
            assert torn.give(62) == [6]
            assert torn.cases() == [*GIVEN, 62]
            assert torn.verify().faults == ()
    path.write_bytes(whole)
    assert made.cases() == [*GIVEN, 61]
    assert made.give(62) == [7]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_disk_that_takes_nothing_more(made: LedgerFolder, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """From each point on, every write fails: told with exit code 4; answers are still given; later all goes on."""
    for start in range(0, 30, 5):
        with monkeypatch.context() as patch:
            calls = 0

            def failing(name: str, patch: pytest.MonkeyPatch = patch, start: int = start) -> None:
                real = getattr(os, name)

                def call(*arguments: object, **keywords: object) -> object:
                    nonlocal calls
                    if name == "open" and not int(str(arguments[1])) & (os.O_WRONLY | os.O_RDWR):
                        return real(*arguments, **keywords)
                    calls += 1
                    if calls > start:
                        raise OSError(number, os.strerror(number))
                    return real(*arguments, **keywords)

                patch.setattr(os, name, call)

            for name in CALLS:
                failing(name)
            with pytest.raises(UnreachableError) as caught:
                made.give(70)
            assert caught.value.exit_code == 4
            assert set(made.cases()) >= set(GIVEN), "reading writes nothing"
        assert set(made.cases()) >= set(GIVEN)
    made.give(71)
    assert made.cases()[-1] == 71
    assert made.verify(full=True).faults == ()


# --- a fault at every system call, from handing out to the index ----------------------------------------------------


def hand_out(made: LedgerFolder, confirmed: list[int]) -> None:
    """Append, seal, log, index; `confirmed` takes what was acknowledged on the way."""
    ledger = made.open()
    with ledger.writing() as appender:
        for n in (61, 62):
            ordinals = sorted(appender.ordinals(persons(n)).tolist())
            appender.append(disclosure(n, ordinals)).result()
            confirmed.append(n)
    made.open().reindex()


def trials(kept: LedgerFolder, folder: Path, monkeypatch: pytest.MonkeyPatch, *, every: bool) -> Iterator[str]:
    monkeypatch.setattr(faults, "WRITE_CALLS", CALLS)
    with monkeypatch.context() as patch:
        counted = Faults(patch, None, "undone").calls
        hand_out(kept.copied(folder / "counted"), [])
    assert set(counted) == set(CALLS), "every kind of call is met"
    for step, name in enumerate(counted):
        for mode in ("undone", "done") if every else (("undone", "done")[step % 2],) if step % 5 == 0 else ():
            made, confirmed = kept.copied(folder / f"{step}-{mode}"), list[int]()
            what = f"call {step} ({name}, {mode})"
            with monkeypatch.context() as patch:
                Faults(patch, step, mode)
                with suppress(UnreachableError):  # any other error would fail the test
                    hand_out(made, confirmed)
            seen = made.cases()
            assert seen[: len(GIVEN)] == GIVEN and set(confirmed) <= set(seen) <= {*GIVEN, 61, 62}, what
            again: list[int] = []
            hand_out(made, again)
            assert again == [61, 62], what
            assert made.cases() == [*seen, 61, 62], what
            found = made.verify(full=True)
            assert (found.faults, found.unsealed, found.indexed) == ((), 0, found.segments), what
            yield what


def test_some_faults_from_handing_out_to_the_index(
    states: States, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(list(trials(states.now, tmp_path, monkeypatch, every=False))) > 20


@pytest.mark.soak
def test_every_fault_from_handing_out_to_the_index(
    states: States, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(list(trials(states.now, tmp_path, monkeypatch, every=True))) > 200


# --- killed --------------------------------------------------------------------------------------------------------


class Worker:
    """A child that hands out, seals and asks until it is killed; it says what was confirmed before it goes on."""

    def __init__(self, made: LedgerFolder, first: int) -> None:
        self._reading, writing = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._reading)
            with suppress(BaseException):
                self._work(made, first, writing)
            os._exit(1)
        os.close(writing)

    @staticmethod
    def _work(made: LedgerFolder, n: int, writing: int) -> None:
        while True:
            with suppress(UnreachableError), made.open().writing() as appender:
                for _ in range(3):
                    n += 1
                    ordinals = sorted(appender.ordinals(persons(n)).tolist())
                    appender.append(disclosure(n, ordinals)).result()
                    os.write(writing, f"{n}\n".encode())
            with suppress(UnreachableError):
                made.history(n)
                made.open().reindex()

    def kill(self) -> list[int]:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        with os.fdopen(self._reading, "rb") as file:
            return [int(line) for line in file.read().split(b"\n") if line]


def killed(made: LedgerFolder, rounds: int, workers: int) -> int:
    """Kill workers at random moments, over and over; returns how many disclosures were confirmed."""
    chance, confirmed = random.Random(1), list[int](GIVEN)
    for number in range(rounds):
        working = [Worker(made, 1_000 * (number * workers + one) + 1_000) for one in range(workers)]
        time.sleep(chance.uniform(0.02, 0.4))
        for worker in working:
            confirmed += worker.kill()
        seen = made.cases()
        assert set(confirmed) <= set(seen), f"round {number}: lost"
        assert len(seen) == len(set(seen)), f"round {number}: twice"
        assert made.verify().faults == ()
    made.open().seal()
    made.open().reindex()
    assert made.verify(full=True).faults == ()
    assert set(confirmed) <= set(made.cases())
    return len(confirmed) - len(GIVEN)


def test_killed_a_few_times(made: LedgerFolder) -> None:
    assert killed(made, 4, 1) > 0


@pytest.mark.soak
@pytest.mark.parametrize("workers", [1, 3])
def test_killed_over_and_over(made: LedgerFolder, workers: int) -> None:
    assert killed(made, 60, workers) > 100


def test_the_matrix_would_see_a_loss(made: LedgerFolder, states: States) -> None:
    """The same questions on a ledger that lost a disclosure and says nothing: they must not pass."""
    with pytest.raises(AssertionError):
        assert read_all(states.old.copied(made.folder.with_name("lost"))) == GIVEN
    assert issubclass(IntegrityError, MunimentError) and IntegrityError.exit_code == 3
