"""One run: every list, account and dump comes back, dense and sparse, from segments and from other runs."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language.rings import segment_keys
from language.streams import batch_of, disclosures, source_of
from muniment.disclosure import Disclosure, Party
from muniment.ledger.index.build import SegmentPart, write_run
from muniment.ledger.index.pages import PageCache
from muniment.ledger.index.postings import Account, Postings
from muniment.ledger.sources import BatchSource

KEYS = segment_keys()
SPAN = 900


def _sources(dumps: int = 2) -> list[BatchSource]:
    return [
        source_of(batch_of(disclosures(300, SPAN, seed=seed, dumps=dumps), first=1 + 300 * seed), 3 + 2 * seed, SPAN)
        for seed in range(3)
    ]


def _run(path: Path, sources: list[BatchSource]) -> Postings:
    write_run(path, [SegmentPart(source) for source in sources], KEYS[-1])
    return Postings(path, KEYS, PageCache(0))


def _check(run: Postings, sources: list[BatchSource]) -> None:
    """Compare a run with a loop over the rows of its segments."""
    lists, dumps, accounts = defaultdict(list), {}, []
    for source in sources:
        batch = source.batch()
        for row in range(len(batch)):
            event = len(accounts)
            party = Party.from_text(batch.party[row])
            accounts.append(Account(party.recipient, party.account))
            if row in source.spans():
                dumps[event] = set(batch.records(row).tolist())
                continue
            for ordinal in batch.records(row).tolist():
                lists[ordinal].append(event)
    ordinals = np.arange(max(run.coverage.span, SPAN) + 200, dtype=np.uint32)
    starts, counts = run.find(ordinals)
    wanted = [lists.get(ordinal, []) for ordinal in ordinals.tolist()]
    assert counts.tolist() == list(map(len, wanted))
    assert run.events(starts, counts).tolist() == [event for events in wanted for event in events]
    assert [run.coverage.accounts[n] for n in run.accounts_of(np.arange(len(accounts))).tolist()] == accounts
    assert {e: set(np.flatnonzero(h).tolist()) for e, h in run.dumps_with(ordinals)} == dumps
    for ordinal, events in enumerate(wanted):
        assert run.events_of(ordinal) == [*events, *(event for event, held in dumps.items() if ordinal in held)]
    assert run.coverage.events == len(accounts)
    assert run.entries == len(lists)
    whole = run.lists(0, 2**32)
    assert (whole.ordinals.tolist(), whole.counts.sum()) == (sorted(lists), run.coverage.postings)
    part = run.lists(100, 333)
    assert part.events.tolist() == [event for ordinal in range(100, 333) for event in lists.get(ordinal, [])]


def test_a_run_over_segments(tmp_path: Path) -> None:
    sources = _sources()
    run = _run(tmp_path / "a", sources)
    _check(run, sources)
    assert run.coverage.leaves.tolist() == [3, 5, 7]
    assert run.coverage.bounds.tolist() == [0, 300, 600, 900]
    assert [row.tobytes() for row in run.coverage.identities] == [source.identity for source in sources]


def test_merged_runs_equal_one_built_at_once(tmp_path: Path) -> None:
    sources = _sources()
    runs = [_run(tmp_path / str(number), [source]) for number, source in enumerate(sources)]
    write_run(tmp_path / "both", runs[:2], KEYS[-1])
    both = Postings(tmp_path / "both", KEYS, PageCache(0))
    write_run(tmp_path / "all", [both, runs[2]], KEYS[-1])
    _check(Postings(tmp_path / "all", KEYS, PageCache(0)), sources)


def test_sparse_and_empty_runs(tmp_path: Path) -> None:
    far = [Disclosure(Party("a"), disclosures(1, 9)[0].template, (7, 2**32 - 2**16)), *disclosures(3, 2_000)]
    sources = [BatchSource(batch_of(far), leaf=0)]
    run = _run(tmp_path / "sparse", sources)
    assert run.find(np.array([0, 7, 2**32 - 2**16, 2**32 - 1], np.uint32))[1].tolist() == [0, 1, 1, 0]
    assert (tmp_path / "sparse").stat().st_size < 2_000
    merged = [run, _run(tmp_path / "other", [source_of(batch_of(disclosures(40, 50)), 1, 50)])]
    write_run(tmp_path / "merged", merged, KEYS[-1])
    assert Postings(tmp_path / "merged", KEYS, PageCache(0)).find(np.array([7], np.uint32))[1][0] > 1
    nothing = _run(tmp_path / "empty", [BatchSource(batch_of(disclosures(2, 9, most=1)[1:]), leaf=4)])
    assert nothing.find(np.array([0, 5], np.uint32))[1].tolist() == [0, 0]
    assert nothing.lists(0, 100).ordinals.tolist() == []
    assert nothing.coverage.events == 1


@pytest.mark.parametrize("count", [14, 15, 16, 64, 200])
def test_lengths_around_the_escape(tmp_path: Path, count: int) -> None:
    made = [Disclosure(Party("a"), disclosures(1, 9)[0].template, (3, 64, 65)) for _ in range(count)]
    sources = [BatchSource(batch_of(made), leaf=0)]
    _check(_run(tmp_path / "r", sources), sources)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sets(st.integers(0, 300), max_size=12), min_size=1, max_size=60), st.integers(0, 59))
def test_any_sets(tmp_path_factory: pytest.TempPathFactory, sets: list[set[int]], cut: int) -> None:
    template = disclosures(1, 9)[0].template
    made = [Disclosure(Party("a", str(len(one))), template, tuple(sorted(one))) for one in sets]
    cut = min(cut, len(made) - 1)
    parts = enumerate((made[:cut], made[cut:]))
    sources = [source_of(batch_of(part), leaf, 301, dump=8) for leaf, part in parts if part]
    folder = tmp_path_factory.mktemp("any")
    _check(_run(folder / "at once", sources), sources)
    runs = [_run(folder / str(n), [source]) for n, source in enumerate(sources)]
    write_run(folder / "merged", runs, KEYS[-1])
    _check(Postings(folder / "merged", KEYS, PageCache(0)), sources)
