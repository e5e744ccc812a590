"""Checking a whole ledger: every fault is named, one fault does not hide another, and a sound ledger has none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from language.appends import disclosure
from language.ledgers import LedgerFolder, pseudonym
from language.rings import NOW, segment_keys
from language.segments import disclosures, numbered
from muniment.disclosure import Kind
from muniment.errors import IntegrityError, UnreachableError
from muniment.ledger.declarations import declare_register
from muniment.ledger.frames import Head
from muniment.ledger.fsck import Verification
from muniment.ledger.log.checkpoint import open_checkpoint
from muniment.ledger.segments.segment import write_segment


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> LedgerFolder:
    """Three segments, an index in the log, somebody unsealed."""
    made = LedgerFolder.made(tmp_path_factory.mktemp("kept") / "here")
    journal = made.journal()
    declare_register(journal, "persons", key=["id"], columns=[("n", Kind.NAME)], coalition=2, law="none", now=NOW)
    for numbers in ((1, 2), (3,), (4, 5)):
        made.give(*numbers)
    made.open().reindex()
    made.give_unsealed(6)
    return made


@pytest.fixture
def made(kept: LedgerFolder, tmp_path: Path) -> LedgerFolder:
    return kept.copied(tmp_path / "here")


def flip(path: Path, place: int = -1) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 0x40
    path.write_bytes(data)


def clear(folder: Path, names: str = "*") -> None:
    for path in folder.glob(names):
        path.unlink()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def segment(made: LedgerFolder, number: int) -> Path:
    return made.ledger / "segments" / made.open().segments()[number].manifest.file


# --- a sound ledger ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("full", [False, True])
def test_a_sound_ledger(made: LedgerFolder, full: bool) -> None:
    found = made.verify(full=full)
    assert found == Verification(
        size=4, segments=3, disclosures=5, records=15, unsealed=1, indexed=3, full=full, checkpoint=found.checkpoint,
        witnessed=0, faults=(),
    )  # fmt: skip
    assert found.ok
    ledger = made.open()
    signed = open_checkpoint(found.checkpoint.encode(), ledger.verifiers, ledger.origin, what="the note")
    assert signed.checkpoint.size == 4
    assert found.to_json()["faults"] == [] and found.to_json()["ok"] is True


def test_an_empty_ledger(tmp_path: Path) -> None:
    found = LedgerFolder.made(tmp_path / "here").verify(full=True)
    assert (found.ok, found.size, found.segments, found.unsealed, found.indexed) == (True, 0, 0, 0, 0)


def test_progress_is_told(made: LedgerFolder) -> None:
    from muniment.ledger.fsck import verify

    told: list[tuple[int, int]] = []
    journal = made.journal()
    verify(made.open(journal=journal), journal, progress=lambda done, of: told.append((done, of)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_whoever_came_after_the_index_was_logged_is_no_fault(made: LedgerFolder) -> None:
    made.give(70, 71)
    found = made.verify(full=True)
    assert found.faults == ()
    assert (found.segments, found.indexed) == (5, 3)


def test_nothing_is_written(made: LedgerFolder) -> None:
    before = {path: path.read_bytes() for path in made.folder.rglob("*") if path.is_file()}
    made.verify(full=True)
    assert {path: path.read_bytes() for path in made.folder.rglob("*") if path.is_file()} == before


# --- one fault each ------------------------------------------------------------------------------------------------


def swap(made: LedgerFolder) -> None:
    first, second = segment(made, 0), segment(made, 1)
    one, other = first.read_bytes(), second.read_bytes()
    first.write_bytes(other)
    second.write_bytes(one)


def forge_segment(made: LedgerFolder, first: int, span: int = 9) -> None:
    """Someone who holds every key logs a segment that the writer never wrote."""
    head = made.journal().head()
    manifest = write_segment(
        made.ledger / "segments", numbered(disclosures(1, 2, span), first), key=segment_keys()[0], span=span,
        chain=bytes(32), journal=Head(head.sequence, head.digest),
    )  # fmt: skip
    made.open().log().append([manifest.to_leaf()])


def forge_index(made: LedgerFolder) -> None:
    leaf = made.open().logged_index()
    assert leaf is not None
    run = leaf.runs[0]
    forged = replace(leaf, runs=(replace(run, map=replace(run.map, root=b"x" * 32)), *leaf.runs[1:]))
    made.open().log().append([forged.to_leaf()])


def forge_table(made: LedgerFolder) -> None:
    made.open().seal()
    made.open().reindex()
    leaf = made.open().logged_index()
    assert leaf is not None
    made.open().log().append([replace(leaf, ordinals=replace(leaf.ordinals, root=b"x" * 32)).to_leaf()])


def shred_without_logging(made: LedgerFolder) -> None:
    from muniment.ledger.ordinals.table import OrdinalTable

    with OrdinalTable.open(made.ledger / "ordinals", made.keys.segment, writing=True) as table:
        assert table.shred(np.array([pseudonym(3)], np.uint64)) == 1


QUICK: dict[str, tuple[Callable[[LedgerFolder], object], str]] = {
    "a flipped bit of a segment": (lambda made: flip(segment(made, 1), 300), "SHA-256|sha256|does not verify|differs"),
    "a segment cut short": (lambda made: cut(segment(made, 1)), "cut short"),
    "segments swapped": (swap, "files were exchanged"),
    "a segment missing": (lambda made: segment(made, 0).unlink(), "no notice in the log says that it was pruned"),
    "a gap between segments": (lambda made: forge_segment(made, 10), "disclosures 6 to 9 are in no segment"),
    "a segment again": (lambda made: forge_segment(made, 4), "holds disclosures 4 to 5 a second time"),
    "a write-ahead file cut short": (
        lambda made: cut(max((made.ledger / "wal").iterdir())),
        "were acknowledged in .*away: it was cut short",
    ),
    "the write-ahead files gone": (
        lambda made: clear(made.ledger / "wal"),
        "ends at disclosure 5, but 6 were acknowledged",
    ),
    "a table altered": (lambda made: flip(made.ledger / "ordinals" / "00000001.base"), "00000001.base"),
    "the head of the table altered": (lambda made: flip(made.away / "ordinals-head"), "head of the ordinal table"),
    "the head of the writer altered": (lambda made: flip(made.away / "wal-head"), "wal-head"),
    "the catalogue altered": (lambda made: flip(made.ledger / "index" / "catalogue"), "the catalogue of the index"),
    "the index gone but its catalogue": (
        lambda made: clear(made.ledger / "index", "*.run"),
        "a file that the index names is missing",
    ),
    "an entry of the log": (
        lambda made: flip(made.ledger / "log" / "tile" / "entries" / "000.p" / "4", 10),
        "not the one that was logged|entries",
    ),
}
FULL: dict[str, tuple[Callable[[LedgerFolder], object], str]] = {
    "a forged index leaf": (forge_index, "does not follow from its segments|not the one that was logged"),
    "a forged map of persons": (forge_table, "the table of ordinals is not the one that was logged"),
    "persons gone without a word": (shred_without_logging, "the table of ordinals is not the one that was logged"),
    "ordinals that nobody has": (lambda made: forge_segment(made, 6, 9_000), "were never given to anybody"),
}


@pytest.mark.parametrize("name", sorted(QUICK))
def test_a_fault_is_named(made: LedgerFolder, name: str) -> None:
    spoil, message = QUICK[name]
    spoil(made)
    found = made.verify()
    assert not found.ok
    with pytest.raises(AssertionError, match=message):
        raise AssertionError("\n".join(found.faults))


@pytest.mark.parametrize("name", sorted(FULL))
def test_what_only_a_full_check_finds(made: LedgerFolder, name: str) -> None:
    spoil, message = FULL[name]
    spoil(made)
    assert made.verify().faults == ()
    with pytest.raises(AssertionError, match=message):
        raise AssertionError("\n".join(made.verify(full=True).faults))


def test_any_bit_of_the_index_shows_in_a_full_check(made: LedgerFolder) -> None:
    (path,) = (made.ledger / "index").glob("*.run")
    whole = path.read_bytes()
    for place in range(0, len(whole), max(1, len(whole) // 12)):
        flip(path, place)
        assert not made.verify(full=True).ok, place
        path.write_bytes(whole)


def test_one_fault_does_not_hide_another(made: LedgerFolder) -> None:
    flip(segment(made, 2), 200)
    segment(made, 0).unlink()
    flip(made.ledger / "ordinals" / "00000001.base")
    flip(made.ledger / "index" / "catalogue")
    faults = made.verify().faults
    assert len(faults) == len(set(faults)) == 4


def test_a_journal_of_someone_else(made: LedgerFolder, tmp_path: Path) -> None:
    from muniment.ledger.fsck import verify

    other = LedgerFolder.made(tmp_path / "other")
    faults = verify(made.open(), other.journal()).faults
    assert len(faults) == 3
    assert all("the journal was exchanged or restored from a backup" in fault for fault in faults)


# --- what ends the check -------------------------------------------------------------------------------------------


def test_a_log_that_cannot_be_opened(made: LedgerFolder) -> None:
    flip(made.ledger / "log" / "checkpoint", 40)
    with pytest.raises(IntegrityError):
        made.verify()


def test_a_disk_that_cannot_be_read(made: LedgerFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    from muniment.ledger.segments.container import Container

    def broken(self: Container, *arguments: object) -> None:
        raise UnreachableError("segments: could not read: input/output error")

    monkeypatch.setattr(Container, "check", broken)
    with pytest.raises(UnreachableError, match="input/output error"):
        made.verify()


def test_while_another_process_writes(made: LedgerFolder) -> None:
    with made.open().writing() as appender:
        appender.append(disclosure(9, [])).result()
        found = made.verify()
        assert (found.faults, found.unsealed) == ((), 2)
    assert made.verify().unsealed == 0
