"""Pruning: the notice first, then the files; a notice is read back only as it was written."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language import faults
from language.faults import Faults
from language.ledgers import LedgerFolder, Seconds
from language.rings import NOW
from muniment.errors import IntegrityError, UnreachableError
from muniment.ledger import pruning
from muniment.ledger.frames import Head
from muniment.ledger.pruning import PruneNotice, due, is_prune_notice, notices, remove
from muniment.ledger.segments.manifest import LEAF_BYTES, Manifest

IDS = st.text("0123456789abcdef", min_size=32, max_size=32)
TIMES = st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
NOTICES = st.builds(PruneNotice, st.lists(IDS, max_size=5).map(tuple), TIMES, st.text(max_size=40), TIMES)


def manifest(number: int, end: datetime) -> Manifest:
    """The n-th segment, whose newest disclosure has this time."""
    until = int(end.timestamp() * 1000)
    return Manifest(
        id=f"{number:032x}", sha256="0" * 64, size=1, rows=1, records=0, first=number, last=number, start=until - 10,
        end=until, key="segment-1", events="0" * 64, dumps=(), chain="0" * 64, journal=Head(0, "0" * 64),
    )  # fmt: skip


# --- what is due ---------------------------------------------------------------------------------------------------


def test_only_the_oldest_and_only_whole_segments_are_due() -> None:
    days = [NOW + timedelta(days=n) for n in (0, 1, 2, 1, 3)]
    made = [manifest(n, day) for n, day in enumerate(days)]
    assert due(made, NOW) == ()
    assert due(made, NOW + timedelta(milliseconds=1)) == (made[0],)
    assert due(made, NOW + timedelta(days=1, milliseconds=1)) == tuple(made[:2]), "the one behind a younger one stays"
    assert due(made, NOW + timedelta(days=9)) == tuple(made)
    assert due([], NOW) == ()


def test_a_notice_names_no_more_than_fit_into_a_leaf(monkeypatch: pytest.MonkeyPatch) -> None:
    made = [manifest(n, NOW) for n in range(pruning.NOTICE_SEGMENTS + 1)]
    written = list(notices(made, NOW, "x" * 2_000, NOW))
    assert [len(notice.segments) for notice in written] == [pruning.NOTICE_SEGMENTS, 1]
    assert sum((notice.segments for notice in written), ()) == tuple(one.id for one in made)
    assert all(len(notice.to_leaf()) <= LEAF_BYTES for notice in written)


# --- the leaf ------------------------------------------------------------------------------------------------------


@given(NOTICES)
def test_a_notice_is_read_back(notice: PruneNotice) -> None:
    leaf = notice.to_leaf()
    assert is_prune_notice(leaf)
    assert PruneNotice.from_leaf(leaf) == notice


@given(st.binary(max_size=60) | NOTICES.map(PruneNotice.to_leaf), st.integers(0, 200), st.binary(max_size=3))
@settings(max_examples=150)
def test_other_bytes_are_refused(leaf: bytes, place: int, put: bytes) -> None:
    spoilt = leaf[:place] + put + leaf[place + len(put) :]
    is_prune_notice(spoilt)
    try:
        notice = PruneNotice.from_leaf(spoilt)
    except IntegrityError:
        return
    assert notice.to_leaf() == spoilt


@pytest.mark.parametrize(
    "change",
    [
        {"segments": "0" * 32}, {"segments": ["../../etc/passwd"]}, {"segments": ["0" * 31 + "A"]}, {"segments": [1]},
        {"segments": None}, {"reason": 3}, {"reason": None}, {"before": "yesterday"}, {"before": 3}, {"time": None},
        {"more": 1}, {"kind": "segment"},
    ],
)  # fmt: skip
def test_another_shape_is_refused(change: dict[str, object]) -> None:
    value = json.loads(PruneNotice(("0" * 32,), NOW, "term", NOW).to_leaf()) | change
    leaf = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(IntegrityError, match="no prune notice, although it says so"):
        PruneNotice.from_leaf(leaf)


def test_what_says_that_it_is_a_notice() -> None:
    leaf = PruneNotice((), NOW, "", NOW).to_leaf()
    assert is_prune_notice(leaf + b" ")
    others = (b"", b"{}", b"[]", b"null", b'{"kind":"segment"}', b"[" * 100_000, b"\xff", leaf + b" " * LEAF_BYTES)
    assert not any(is_prune_notice(other) for other in others)
    assert not is_prune_notice(b"[" * 60_000), "nested too deep to be read"


# --- removing ------------------------------------------------------------------------------------------------------


def prune(made: LedgerFolder, count: int = 1) -> None:
    ledger = made.open()
    going = [one.manifest for one in ledger.segments()][:count]
    ledger.log().append([notice.to_leaf() for notice in notices(going, NOW, "term", NOW)])
    remove(made.ledger / "segments", going)


def test_what_is_pruned_is_gone_and_everything_else_still_verifies(tmp_path: Path) -> None:
    made = LedgerFolder.made(tmp_path / "here", None)
    made.clock = Seconds()
    for n in (1, 2, 3):
        made.give(n)
    prune(made)
    made.open().reindex()
    assert made.cases() == [2, 3]
    assert made.history(3) == [2, 3]
    assert made.verify(full=True).faults == ()
    assert made.open().log().leaf(0).startswith(b'{"bytes"'), "the manifest stays"


def test_a_file_that_went_without_a_notice_is_a_fault(tmp_path: Path) -> None:
    made = LedgerFolder.made(tmp_path / "here")
    for n in (1, 2):
        made.give(n)
    remove(made.ledger / "segments", [made.open().segments()[0].manifest])
    (fault,) = made.verify().faults
    assert "the segment is missing, and no notice in the log says that it was pruned" in fault


def test_removing_may_be_repeated(tmp_path: Path) -> None:
    going = [manifest(1, NOW), manifest(2, NOW)]
    (tmp_path / going[0].file).write_bytes(b"x")
    (tmp_path / "kept.seg").write_bytes(b"x")
    for _ in range(2):
        remove(tmp_path, going)
        assert [path.name for path in tmp_path.iterdir()] == ["kept.seg"]


def test_every_fault_of_pruning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = LedgerFolder.made(tmp_path / "kept")
    for n in (1, 2):
        kept.give(n)
    monkeypatch.setattr(faults, "WRITE_CALLS", (*faults.WRITE_CALLS, "unlink"))
    with monkeypatch.context() as patch:
        counted = Faults(patch, None, "undone").calls
        prune(kept.copied(tmp_path / "counted"))
    assert "unlink" in counted
    for step, name in enumerate(counted):
        for mode in ("undone", "done"):
            made = kept.copied(tmp_path / f"{step}-{mode}")
            what = f"call {step} ({name}, {mode})"
            with monkeypatch.context() as patch:
                Faults(patch, step, mode)
                try:
                    prune(made)
                    told = False
                except UnreachableError:
                    told = True
            logged = made.open().log().checkpoint().size == 3
            assert logged or told, what
            assert made.cases() == ([2] if logged else [1, 2]), what
            assert made.verify().faults == (), what
            made.give(3)
            there = {path.name for path in (made.ledger / "segments").iterdir()}
            named = {one.manifest.file for one in made.open().segments()}
            assert there == named, f"{what}: sealing sweeps what is left"


def test_a_notice_of_what_is_not_there_changes_nothing(tmp_path: Path) -> None:
    made = LedgerFolder.made(tmp_path / "here")
    made.give(1)
    strange = PruneNotice(("f" * 32,), NOW, "", NOW)
    made.open().log().append([strange.to_leaf()])
    assert made.cases() == [1]
    assert made.verify(full=True).ok
