"""Building runs: what is refused, and what memory and order a merge keeps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from language.faults import names_in
from language.rings import segment_keys
from language.streams import batch_of, disclosures, source_of
from muniment.disclosure import Disclosure, Party
from muniment.errors import LimitError, UnreachableError
from muniment.ledger.batch import Texts
from muniment.ledger.index import build
from muniment.ledger.index.build import SegmentPart, accounts_of, write_run
from muniment.ledger.index.pages import PageCache
from muniment.ledger.index.postings import Account, Postings
from muniment.ledger.sources import BatchSource

KEYS = segment_keys()


def test_parties_that_differ_by_device_only_are_one_account() -> None:
    parties = [Party("a", "x", "1"), Party("a", "x", "2"), Party("b", "x"), Party("a", "y"), Party("a", "x", "1")]
    codes, accounts = accounts_of(Texts.of([party.to_text() for party in parties]))
    assert codes.tolist() == [0, 0, 1, 2, 0]
    assert accounts == (Account("a", "x"), Account("b", "x"), Account("a", "y"))


def test_slices_of_any_size_give_the_same_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    span = 5_000
    sources = [source_of(batch_of(disclosures(900, span, seed=seed, dumps=1)), seed, span) for seed in range(2)]
    parts = [SegmentPart(source) for source in sources]
    found = []
    for size in (1, 300, 2**20):
        monkeypatch.setattr(build, "SLICE_POSTINGS", size)
        write_run(tmp_path / str(size), parts, KEYS[-1], random_bytes=bytes)
        run = Postings(tmp_path / str(size), KEYS, PageCache(0))
        found.append([run.lists(0, span).events.tolist(), run.find(np.arange(span, dtype=np.uint32))[1].tolist()])
    assert found[0] == found[1] == found[2]


def test_too_many_postings_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "RUN_POSTINGS", 10)
    with pytest.raises(LimitError, match="expected at most 10"):
        write_run(tmp_path / "r", [SegmentPart(source_of(batch_of(disclosures(50, 90)), 0, 90))], KEYS[-1])
    assert names_in(tmp_path) == set()


def test_a_run_without_a_folder_is_a_fault_of_storage(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError):
        write_run(tmp_path / "none" / "r", [SegmentPart(source_of(batch_of(disclosures(5, 90)), 0, 90))], KEYS[-1])


def test_nothing_of_the_ledger_shows_in_a_run(tmp_path: Path) -> None:
    made = [Disclosure(Party("Ministry of Truth", "winston"), disclosures(1, 9)[0].template, tuple(range(64)))] * 900
    write_run(tmp_path / "r", [SegmentPart(BatchSource(batch_of(made), leaf=0))], KEYS[-1])
    data = (tmp_path / "r").read_bytes()
    assert b"winston" not in data and b"Truth" not in data
    counts = np.bincount(np.frombuffer(data[36:], np.uint8), minlength=256)
    expected = (len(data) - 36) / 256
    assert float(((counts - expected) ** 2 / expected).sum()) < 400  # chi squared, 255 degrees: 400 is beyond 1e-7
