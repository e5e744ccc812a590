"""The log on disk: whole at any cut, refused when it went back, and read by whoever holds the format."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from language.faults import Faults, names_in
from muniment.errors import InputError, IntegrityError, LimitError, MunimentError, UnreachableError
from muniment.ledger.log import folder as folder_module
from muniment.ledger.log import tree
from muniment.ledger.log.checkpoint import Checkpoint, cosign, sign_checkpoint
from muniment.ledger.log.folder import LogFolder
from muniment.ledger.log.note import Kind, Signer
from muniment.ledger.log.second import FolderStore
from muniment.ledger.log.tiles import Tile

ORIGIN = "muniment/0123456789abcdef"
SIGNER = Signer(ORIGIN, bytes(range(32)))
WITNESS = Signer("witness.example", bytes(32), Kind.COSIGNATURE)


class Place:
    """A log and its second place below one folder of a test."""

    def __init__(self, root: Path, *witnesses: Signer) -> None:
        self.keys = [witness.verifier for witness in witnesses]
        self.log = root / "log"
        self.second = FolderStore(root / "second", "checkpoint")

    def create(self) -> LogFolder:
        return LogFolder.create(self.log, ORIGIN, SIGNER, self.second, self.keys)

    def open(self, signer: Signer | None = SIGNER) -> LogFolder:
        return LogFolder(self.log, ORIGIN, signer, [SIGNER.verifier], self.second, self.keys)

    def grown(self, size: int) -> LogFolder:
        log = self.create() if not self.log.exists() else self.open()
        if size > log.checkpoint().size:
            log.append([b"leaf %d" % n for n in range(log.checkpoint().size, size)])
        return log

    def copy(self, name: str) -> Place:
        root = self.log.parent
        shutil.copytree(self.log, root / name / "log")
        shutil.copytree(root / "second", root / name / "second")
        return Place(root / name)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def witnessed(tmp_path: Path) -> Place:
    return Place(tmp_path, WITNESS)


def _leaves(log: LogFolder) -> list[bytes]:
    return list(log.leaves())


def test_leaves_are_read_back(place: Place) -> None:
    log = place.create()
    assert log.checkpoint() == Checkpoint(ORIGIN, 0, tree.EMPTY)
    assert _leaves(log) == []
    assert log.append([b"a"]).size == 1
    assert log.append([]).size == 1
    checkpoint = log.append([b"", b"c" * 65_535])
    for opened in (log, place.open(), place.open(None)):
        assert _leaves(opened) == [b"a", b"", b"c" * 65_535]
        assert opened.leaf(2) == b"c" * 65_535
        assert list(opened.leaves(1, 2)) == [b""]
        assert opened.checkpoint() == checkpoint
        assert opened.note() == (place.log / "checkpoint").read_bytes() == place.second.read()
    hashes = [tree.leaf_hash(leaf) for leaf in _leaves(log)]
    assert log.inclusion(1) == tree.inclusion_proof(hashes, 1)
    assert log.inclusion(0, 2) == tree.inclusion_proof(hashes[:2], 0)
    assert log.consistency(1) == tree.consistency_proof(hashes, 1)
    assert "size=3" in repr(log)


def test_the_folder_is_a_tlog_tiles_folder(place: Place) -> None:
    log = place.grown(3)
    log.append([b"x"])
    assert names_in(place.log) == {
        "checkpoint", "lock", "tile/0/000.p/3", "tile/0/000.p/4", "tile/entries/000.p/3", "tile/entries/000.p/4",
    }  # fmt: skip
    place.grown(300)
    assert names_in(place.log) == {
        "checkpoint", "lock", "tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000",
        "tile/entries/001.p/44",
    }  # fmt: skip
    assert {path.stat().st_mode & 0o077 for path in place.log.rglob("*")} == {0}
    assert place.open().verify().size == 300


def test_create_and_open_tell_what_is_there(place: Place) -> None:
    with pytest.raises(InputError, match="there is no log"):
        place.open()
    place.create()
    with pytest.raises(InputError, match="there is a log already"):
        place.create()
    with pytest.raises(InputError, match="without a signing key"):
        place.open(None).append([b"x"])
    with pytest.raises(InputError, match="kind 0x04"):
        LogFolder(place.log, ORIGIN, SIGNER, [], place.second, [SIGNER.verifier])
    # The second place of another ledger is not taken over.
    other = LogFolder.create
    with pytest.raises(IntegrityError, match="another value"):
        other(place.log.with_name("other"), "muniment/other", SIGNER, place.second)


def test_a_leaf_that_is_too_long_changes_nothing(place: Place) -> None:
    log = place.grown(2)
    with pytest.raises(LimitError, match="65,536 bytes"):
        log.append([b"x", bytes(65_536)])
    assert place.open().verify().size == 2


def test_another_writer_is_read_in_before_appending(place: Place) -> None:
    first, second = place.create(), place.open()
    first.append([b"0"])
    second.append([b"1"])
    first.append([b"2"])
    assert second.refresh().size == 3
    assert _leaves(first) == _leaves(second) == [b"0", b"1", b"2"]


def test_a_rotated_key_goes_on_in_the_same_log(place: Place) -> None:
    place.grown(2)
    new = Signer(ORIGIN, b"\7" * 32)
    keys = [SIGNER.verifier, new.verifier]
    LogFolder(place.log, ORIGIN, new, keys, place.second).append([b"x"])
    assert LogFolder(place.log, ORIGIN, None, keys, place.second).verify().size == 3
    with pytest.raises(IntegrityError, match="by none of the keys"):
        place.open()


# --- the two places ----------------------------------------------------------------------------------------------


def _restore_log(place: Place, older: Place) -> None:
    shutil.rmtree(place.log)
    shutil.copytree(older.log, place.log)


def _fork(place: Place, older: Place, leaves: list[bytes]) -> None:
    """Grow an older copy of both places another way, and put its folder in place of ours."""
    older.open().append(leaves)
    _restore_log(place, older)


def _put_checkpoint(place: Place, checkpoint: Checkpoint, signer: Signer = SIGNER) -> None:
    (place.log / "checkpoint").write_bytes(sign_checkpoint(checkpoint, signer))


def _hide_checkpoint(place: Place, _: Place) -> None:
    (place.log / "checkpoint").unlink()


def _empty_second(place: Place, _: Place) -> None:
    Path(str(place.second)).unlink()


def _restore_second(place: Place, older: Place) -> None:
    Path(str(place.second)).write_bytes(older.second.read() or b"")


def _garbage_second(place: Place, _: Place) -> None:
    Path(str(place.second)).write_bytes(b"garbage")


def _oversized_second(place: Place, _: Place) -> None:
    Path(str(place.second)).write_bytes(bytes(70_000))


def _other_keeper(place: Place, _: Place) -> None:
    _put_checkpoint(place, Checkpoint("muniment/ffffffffffffffff", 4, bytes(32)), Signer("muniment/f", bytes(32)))


def _forged_checkpoint(place: Place, _: Place) -> None:
    _put_checkpoint(place, Checkpoint(ORIGIN, 4, bytes(32)), Signer(ORIGIN, bytes(32)))


def _other_root(place: Place, _: Place) -> None:
    _put_checkpoint(place, Checkpoint(ORIGIN, 4, bytes(32)))


def _other_older_root(place: Place, _: Place) -> None:
    _put_checkpoint(place, Checkpoint(ORIGIN, 3, bytes(32)))


FAULTS: list[tuple[Callable[[Place, Place], None], str]] = [
    (_restore_log, "ends at 2 leaves, but 4 were acknowledged in .*second.*restored from a backup"),
    (lambda place, older: _fork(place, older, [b"x", b"y"]), "forked: its checkpoint of 4 leaves"),
    (lambda place, older: _fork(place, older, [b"x"]), "ends at 3 leaves, but 4 were acknowledged"),
    (lambda place, older: _fork(place, older, [b"x"] * 3), "second place stands at 4 leaves, the log at 5"),
    (_restore_second, "second place stands at 2 leaves, the log at 4"),
    (_hide_checkpoint, "checkpoint is missing, but 4 leaves were acknowledged"),
    (_empty_second, "second place holds no checkpoint, but this log has 4 leaves"),
    (_garbage_second, "second.*malformed"),
    (_oversized_second, "second.*more than 65,536 bytes"),
    (_other_keeper, "belongs to the log 'muniment/ffffffffffffffff'"),
    (_forged_checkpoint, "signature of muniment/|by none of the keys"),
    (_other_root, "forked: its checkpoint of 4 leaves"),
    (_other_older_root, "forked: its checkpoint of 3 leaves is no prefix of the one of 4"),
]


@pytest.mark.parametrize(("fault", "message"), FAULTS)
def test_a_log_that_does_not_agree_is_refused(
    place: Place, fault: Callable[[Place, Place], None], message: str
) -> None:
    place.grown(2)
    older = place.copy("older")
    writer = place.grown(4)
    fault(place, older)
    for opened in (place.open, lambda: place.open(None), writer.verify):
        with pytest.raises(IntegrityError, match=message) as caught:
            opened()
        assert caught.value.exit_code == 3
    before = names_in(place.log)
    with pytest.raises(IntegrityError):
        writer.append([b"more"])
    assert names_in(place.log) == before


def test_tiles_that_are_cut_or_lost_are_named(place: Place) -> None:
    log, tile = place.grown(4), place.log / "tile/0/000.p/4"
    os.truncate(tile, 96)
    for opened in (place.open, log.verify):
        with pytest.raises(IntegrityError, match=r"log: tile/0/000\.p/4: 96 bytes; expected 4 hashes"):
            opened()
    tile.unlink()
    for opened in (place.open, log.verify):
        with pytest.raises(IntegrityError, match=r"log: tile/0/000\.p/4: this file of the log is missing"):
            opened()
    log.append([b"x"])  # a writer that knows the tree does not need what it wrote before
    assert log.verify().size == 5


def test_both_places_restored_together_open_but_not_under_an_open_log(place: Place) -> None:
    """Only a copy of the checkpoint kept elsewhere tells: a witness, or a reader that was open."""
    place.grown(2)
    older = place.copy("older")
    reader = place.grown(4)
    _restore_log(place, older)
    _restore_second(place, older)
    assert place.open().checkpoint().size == 2
    with pytest.raises(IntegrityError, match="went back from 4 to 2"):
        reader.refresh()
    place.open().append([b"other"] * 3)
    with pytest.raises(IntegrityError, match="first 4 leaves are not those"):
        reader.refresh()


def test_a_crash_between_the_two_places_is_rolled_forward(place: Place) -> None:
    log = place.grown(2)
    before = (place.log / "checkpoint").read_bytes()
    log.append([b"x"])
    (place.log / "checkpoint").write_bytes(before)
    reader = place.open(None)
    assert _leaves(reader)[2:] == [b"x"]
    assert (place.log / "checkpoint").read_bytes() == before  # readers write nothing
    place.open().append([])
    assert (place.log / "checkpoint").read_bytes() == place.second.read()
    place.open().append([b"y"])
    assert _leaves(place.open()) == [b"leaf 0", b"leaf 1", b"x", b"y"]


def test_what_is_ahead_must_be_borne_out_by_its_leaves(place: Place) -> None:
    log = place.grown(2)
    before = (place.log / "checkpoint").read_bytes()
    log.append([b"x"])
    (place.log / "checkpoint").write_bytes(before)
    bundle = place.log / "tile/entries/000.p/3"
    bundle.write_bytes(bundle.read_bytes()[:-1] + b"y")
    with pytest.raises(IntegrityError, match="ends at 2 leaves, but 3 were acknowledged"):
        place.open()


def test_a_start_that_crashed_is_taken_up(place: Place) -> None:
    place.create()
    (place.log / "checkpoint").unlink()
    with pytest.raises(InputError, match="there is no log"):
        place.open()
    assert place.create().append([b"x"]).size == 1


def test_altered_leaves_are_found_when_read(place: Place) -> None:
    log = place.grown(300)
    for name in ("tile/entries/000", "tile/entries/001.p/44"):
        path = place.log / name
        whole = path.read_bytes()
        path.write_bytes(whole.replace(b"leaf 2", b"Leaf 2"))
        for call in (lambda: _leaves(log), log.verify):
            with pytest.raises(IntegrityError, match=rf"{name}: entry \d+ is not the one that was logged"):
                call()
        path.write_bytes(whole)
    assert log.verify().size == 300


def test_a_second_place_that_fails_lets_nothing_be_appended(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    log = place.grown(2)

    def fails(*_: object) -> None:
        raise UnreachableError("the disk of the second place is gone")

    with monkeypatch.context() as patch:
        patch.setattr(FolderStore, "swap", fails)
        with pytest.raises(UnreachableError):
            log.append([b"x"])
    assert log.refresh().size == place.open().checkpoint().size == 2
    log.append([b"y"])  # over the tiles that the failed append left
    assert _leaves(place.open())[2:] == [b"y"]
    assert place.open().verify().size == 3


def test_a_writer_that_lost_the_race_for_the_second_place_stops(place: Place) -> None:
    """Two copies of the folder share one second place: the slower one is refused, and signs nothing more."""
    place.grown(2)
    shutil.copytree(place.log, place.log.with_name("twin"))
    twin = LogFolder(place.log.with_name("twin"), ORIGIN, SIGNER, [], place.second)
    place.open().append([b"x"])
    with pytest.raises(IntegrityError, match="ends at 2 leaves, but 3 were acknowledged"):
        twin.append([b"y"])


def test_two_copies_that_append_at_once_are_told_by_the_second_place(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.grown(2)
    shutil.copytree(place.log, place.log.with_name("twin"))
    twin = LogFolder(place.log.with_name("twin"), ORIGIN, SIGNER, [], place.second)
    real = twin._put_files

    def late(files: dict[Tile, bytes]) -> None:
        real(files)
        place.open().append([b"x"])  # between the twin's look at the second place and its swap

    monkeypatch.setattr(twin, "_put_files", late)
    with pytest.raises(IntegrityError, match="another value is there than was put last"):
        twin.append([b"y"])
    assert _leaves(place.open())[2:] == [b"x"]


# --- witnesses ---------------------------------------------------------------------------------------------------


def test_cosignatures_are_kept_while_the_log_grows(witnessed: Place) -> None:
    place, log = witnessed, witnessed.grown(2)
    with pytest.raises(IntegrityError, match=r"witness\.example is configured, but has signed no checkpoint"):
        log.verify()
    log.add_cosignature(cosign(log.note(), WITNESS, 100))
    assert log.witnessed() == place.open().witnessed() == {"witness.example": (2, 100)}
    log.append([b"x"])
    log.append([b"y"])
    assert place.open().witnessed() == {"witness.example": (2, 100)}
    assert log.verify().size == 4
    with pytest.raises(IntegrityError, match="does not verify"):
        log.add_cosignature(cosign((place.log / "cosigned").read_bytes(), WITNESS, 101))
    log.add_cosignature(cosign(log.note(), WITNESS, 102))
    assert log.witnessed() == {"witness.example": (4, 102)}
    with pytest.raises(InputError, match="no such witness"):
        log.add_cosignature(cosign(log.note(), Signer("other", bytes(32), Kind.COSIGNATURE), 1))


def test_a_witness_of_another_tree_is_heard(witnessed: Place) -> None:
    place, log = witnessed, witnessed.grown(2)
    for other in (Checkpoint(ORIGIN, 2, bytes(32)), Checkpoint(ORIGIN, 9, bytes(32))):
        note = sign_checkpoint(other, SIGNER)
        (place.log / "cosigned").write_bytes(note + cosign(note, WITNESS, 5).encode())
        with pytest.raises(IntegrityError, match="the witnesses signed another tree"):
            log.verify()
    (place.log / "cosigned").write_bytes(log.note() + cosign(log.note(), WITNESS, 5)[:-8].encode() + b"AAAAAA=\n")
    with pytest.raises(IntegrityError, match="cosigned"):
        log.verify()


# --- pruning -----------------------------------------------------------------------------------------------------


def test_pruning_keeps_what_comes_after(place: Place) -> None:
    log = place.grown(600)
    known = log.consistency(512), log.inclusion(599)
    assert log.prune(511) == 2
    assert log.prune(512) == 2
    assert log.prune(512) == 0
    assert not list(place.log.glob("tile/[0e]*/000*"))
    opened = place.open()
    assert (opened.consistency(512), opened.inclusion(599)) == known
    assert opened.verify(512).size == 600
    assert next(opened.leaves(512)) == b"leaf 512"
    with pytest.raises(IntegrityError, match="missing"):
        opened.verify()
    with pytest.raises(IntegrityError, match="tile/entries/000: this file of the log is missing"):
        opened.leaf(3)
    assert opened.append([b"x"]).size == 601
    assert place.open().verify(512).size == 601
    with pytest.raises(ValueError, match="minimum index 602"):
        opened.prune(602)


# --- faults ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["undone", "done"])
@pytest.mark.parametrize("size", [1, 255])
def test_every_write_step_may_fail_and_nothing_acknowledged_is_lost(place: Place, mode: str, size: int) -> None:
    place.grown(size)
    with pytest.MonkeyPatch.context() as patch:
        steps = Faults(patch, None, mode)
        place.copy("counted").open().append([b"a", b"b"])
    assert {"write", "replace", "fsync"} <= set(steps.calls)
    assert len(steps.calls) > 20
    acknowledged = _leaves(place.open())
    for step, call in enumerate(steps.calls):
        attempted = [b"%d a" % step, b"%d b" % step]
        log = place.open()
        with pytest.MonkeyPatch.context() as patch:
            Faults(patch, step, mode)
            try:
                log.append(attempted)
                acknowledged += attempted
            except UnreachableError:
                pass
        # 1. a reader and 2. the writer itself see all that was acknowledged, then all that was attempted or nothing
        for seen in (place.open(None), log):
            seen.refresh()
            assert _leaves(seen) in (acknowledged, acknowledged + attempted), call
        # 3. the same object goes on
        log.append([b"%d c" % step])
        now = _leaves(place.open())
        assert now[: len(acknowledged)] == acknowledged
        assert now[-1] == b"%d c" % step
        acknowledged = now
    assert place.open().verify().size == len(acknowledged)


@pytest.mark.parametrize("mode", ["undone", "done"])
def test_every_step_of_a_start_may_fail(tmp_path: Path, mode: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        steps = Faults(patch, None, mode)
        Place(tmp_path / "counted").create()
    for step in range(len(steps.calls)):
        place = Place(tmp_path / str(step))
        with pytest.MonkeyPatch.context() as patch, contextlib.suppress(UnreachableError):
            Faults(patch, step, mode)
            place.create()
        with contextlib.suppress(InputError):  # it may have been made all the same
            place.create()
        assert place.open().append([b"x"]).size == 1


@pytest.mark.parametrize("number", [28, 30])
def test_full_and_read_only_disks_say_so(place: Place, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    log = place.grown(2)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        for name in ("write", "replace", "mkdir", "unlink"):
            patch.setattr(os, name, refuse)
        with pytest.raises(UnreachableError, match=os.strerror(number).lower()) as caught:
            log.append([b"x"])
        assert caught.value.exit_code == 4
        assert caught.value.hint
        assert place.open(None).checkpoint().size == 2
    assert log.append([b"y"]).size == 3


def test_torn_files_of_the_last_append_at_every_byte(place: Place) -> None:
    """No file is written in place, so a torn one is a damaged disk: refused at each length, and never a shorter log."""
    place.grown(2)
    place.grown(3)
    for name in ("tile/0/000.p/3", "tile/entries/000.p/3", "checkpoint"):
        path = place.log / name
        whole = path.read_bytes()
        for length in range(len(whole)):
            path.write_bytes(whole[:length])
            with pytest.raises(IntegrityError):
                list(place.open(None).leaves())
        path.write_bytes(whole)
    assert place.open().checkpoint().size == 3


WRITER = """
import sys, pathlib
from muniment.ledger.log.folder import LogFolder
from muniment.ledger.log.note import Signer
from muniment.ledger.log.second import FolderStore
from muniment.ledger.log.tiles import Tile
root = pathlib.Path(sys.argv[1])
signer = Signer("muniment/0123456789abcdef", bytes(range(32)))
log = LogFolder(root / "log", signer.name, signer, [], FolderStore(root / "second", "checkpoint"))
n = 0
while True:
    log.append([b"child %d" % n, b"child %d" % (n + 1)])
    n += 2
    print(n, flush=True)
"""


def _start_writer(root: Path) -> subprocess.Popen[bytes]:
    child = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(root)],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"2\n"
    return child


def _kill(child: subprocess.Popen[bytes]) -> int:
    """End it with signal 9; returns how many of its leaves it was told are durable."""
    child.send_signal(signal.SIGKILL)
    told, _ = child.communicate()
    return max([2, *map(int, told.split(b"\n")[:-1])])


def test_kill_9_loses_nothing_that_was_acknowledged(place: Place) -> None:
    place.create()
    for delay in (0.0, 0.007, 0.019, 0.05):
        before = place.open().checkpoint().size
        child = _start_writer(place.log.parent)
        time.sleep(delay)
        told = _kill(child)
        log = place.open()
        assert log.checkpoint().size - before in (told, told + 2)
        log.append([b"after"])
        assert len(_leaves(log)) == log.checkpoint().size


def test_two_writers_and_a_reader_at_once(place: Place) -> None:
    place.create()
    children = [_start_writer(place.log.parent) for _ in range(2)]
    reader, seen = place.open(None), 0
    for _ in range(20):
        size = reader.refresh().size
        assert size >= seen
        assert len(list(reader.leaves(seen))) == size - seen
        seen = size
    told = sum(map(_kill, children))
    size = place.open().checkpoint().size
    assert told >= 4 and told <= size <= told + 4


@pytest.mark.parametrize("step", ["bundles", "swap", "checkpoint"])
def test_a_crash_at_each_step_leaves_a_log_that_opens(
    place: Place, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    class CrashError(Exception):
        """The power goes: nothing after this line runs."""

    def crash(*_: object, **__: object) -> None:
        raise CrashError

    log = place.grown(5)
    with monkeypatch.context() as patch:
        if step == "bundles":
            real, calls = folder_module.replace_file, iter(range(99))
            patch.setattr(
                folder_module, "replace_file", lambda *given: crash() if next(calls) else real(*given)
            )
        elif step == "swap":
            patch.setattr(FolderStore, "swap", crash)
        else:
            patch.setattr(LogFolder, "_settle", crash)
        with pytest.raises(CrashError):
            log.append([b"x"])
    expected = 6 if step == "checkpoint" else 5
    assert place.open(None).checkpoint().size == expected
    assert place.open().append([b"y"]).size == expected + 1


def test_errors_name_no_leaf(place: Place) -> None:
    secret = b"a leaf that nobody may see in a message"
    log = place.create()
    log.append([secret])
    path = place.log / "tile/entries/000.p/1"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(MunimentError) as caught:
        log.verify()
    assert "nobody" not in f"{caught.value} {caught.value.hint} {caught.value!r} {log!r}"
