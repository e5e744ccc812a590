"""The folder of the index: it covers what it is given, in few runs, and no fault leaves it in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from language.faults import Faults, names_in
from language.rings import segment_keys
from language.streams import batch_of, disclosures, source_of
from muniment.errors import IntegrityError, UnreachableError
from muniment.ledger.index import runs as runs_module
from muniment.ledger.index.pages import PageCache
from muniment.ledger.index.runs import RecordIndex
from muniment.ledger.sources import BatchSource

KEYS = segment_keys(2)
SPAN = 200


def _source(number: int, rows: int = 20) -> BatchSource:
    return source_of(batch_of(disclosures(rows, SPAN, seed=number, dumps=number % 2)), 2 * number, SPAN)


def _open(folder: Path) -> RecordIndex:
    return RecordIndex.open(folder, KEYS, PageCache(0))


def _covered(index: RecordIndex) -> list[int]:
    return [leaf for run in index.runs for leaf in run.coverage.leaves.tolist()]


def _postings(index: RecordIndex) -> list[list[tuple[int, int]]]:
    """For each ordinal the (leaf, row) pairs of all runs."""
    found: list[list[tuple[int, int]]] = [[] for _ in range(SPAN)]
    for run in index.runs:
        bounds, leaves = run.coverage.bounds, run.coverage.leaves
        for ordinal in range(SPAN):
            for event in run.events(*run.find(np.array([ordinal], np.uint32))).tolist():
                segment = int(np.searchsorted(bounds, event, "right")) - 1
                found[ordinal].append((int(leaves[segment]), event - int(bounds[segment])))
    return found


def _expected(sources: Sequence[BatchSource]) -> list[list[tuple[int, int]]]:
    found: list[list[tuple[int, int]]] = [[] for _ in range(SPAN)]
    for source in sources:
        for row in range(source.rows):
            if row not in source.spans():
                for ordinal in source.batch().records(row).tolist():
                    found[ordinal].append((source.leaf, row))
    return found


def test_updates_one_by_one_keep_few_runs(tmp_path: Path) -> None:
    sources = [_source(number) for number in range(40)]
    index = _open(tmp_path / "index")
    most = 0
    for number in range(1, len(sources) + 1):
        index.update(sources[:number])
        assert _covered(index) == [source.leaf for source in sources[:number]]
        assert len(names_in(tmp_path / "index")) == len(index.runs) + 2  # and catalogue and lock
        most = max(most, len(index.runs))
    assert most <= 6
    assert _postings(index) == _expected(sources)
    again = _open(tmp_path / "index")
    assert _postings(again) == _expected(sources)
    assert [run.id for run in again.runs] == [run.id for run in index.runs]


def test_an_update_without_news_writes_nothing(tmp_path: Path) -> None:
    sources = [_source(number) for number in range(3)]
    index = _open(tmp_path)
    index.update(sources)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir() if path.name != "lock"}
    index.update(sources)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir() if path.name != "lock"} == before


def test_many_segments_at_once_become_one_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs_module, "BATCH_POSTINGS", 100)
    monkeypatch.setattr(runs_module, "OPEN_RUNS", 4)
    sources = [_source(number) for number in range(30)]
    index = _open(tmp_path)
    index.rebuild(sources)
    assert len(index.runs) <= 3
    assert _postings(index) == _expected(sources)
    assert len(names_in(tmp_path)) == len(index.runs) + 2


def test_a_pruned_prefix_goes_and_the_rest_stays(tmp_path: Path) -> None:
    sources = [_source(number) for number in range(9)]
    index = _open(tmp_path)
    for number in range(1, 10):
        index.update(sources[:number])
    index.update(sources[4:])
    assert _covered(index) == [source.leaf for source in sources[4:]]
    assert _postings(index) == _expected(sources[4:])
    index.update([])
    assert index.runs == ()


def test_segments_of_another_log_are_built_anew(tmp_path: Path) -> None:
    sources = [_source(number) for number in range(4)]
    index = _open(tmp_path)
    index.update(sources)
    other = source_of(batch_of(disclosures(20, SPAN, seed=77)), 2, SPAN)
    index.update([sources[0], other, *sources[2:]])
    assert _postings(index) == _expected([sources[0], other, *sources[2:]])


def test_a_lost_or_altered_run_is_found_and_rebuilt(tmp_path: Path) -> None:
    sources = [_source(number) for number in range(3)]
    index = _open(tmp_path)
    index.update(sources)
    (run,) = (path for path in tmp_path.iterdir() if path.suffix == ".run")
    whole = run.read_bytes()
    run.unlink()
    with pytest.raises(IntegrityError, match="missing"):
        _open(tmp_path)
    run.write_bytes(whole[:-1])
    with pytest.raises(IntegrityError, match="index"):
        _open(tmp_path)
    (tmp_path / "catalogue").write_bytes(b"x")
    with pytest.raises(IntegrityError, match="catalogue"):
        _open(tmp_path)
    fresh = RecordIndex.empty(tmp_path, KEYS, PageCache(0))
    fresh.rebuild(sources)
    assert _postings(_open(tmp_path)) == _expected(sources)


def test_another_key_ring_does_not_open_it(tmp_path: Path) -> None:
    index = _open(tmp_path)
    index.update([_source(1)])
    with pytest.raises(IntegrityError, match="catalogue"):
        RecordIndex.open(tmp_path, KEYS[:1])
    with pytest.raises(ValueError, match="segment key"):
        RecordIndex.open(tmp_path, [])


def test_roots_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = [_source(number) for number in range(5)]
    index = _open(tmp_path)
    index.update(sources[:4])
    roots = index.roots()
    assert roots == tuple(run.root for run in index.maps())
    monkeypatch.setattr(runs_module, "RunMap", None)
    assert index.roots() == _open(tmp_path).roots() == roots
    monkeypatch.undo()
    index.update(sources)
    assert index.roots() == tuple(run.root for run in index.maps())


@pytest.mark.parametrize("mode", ["undone", "done"])
def test_no_fault_leaves_the_index_in_between(tmp_path: Path, mode: str) -> None:
    sources = [_source(number) for number in range(4)]
    index = _open(tmp_path)
    index.update(sources[:3])
    with pytest.MonkeyPatch.context() as patch:
        counted = Faults(patch, None, mode)
        probe = _open(tmp_path)
        probe.update(sources)
        steps = len(counted.calls)
    assert steps > 8
    probe.update(sources[:3])
    for step in range(steps):
        index = _open(tmp_path)
        index.update(sources[:3])
        with pytest.MonkeyPatch.context() as patch:
            faults = Faults(patch, step, mode)
            try:
                index.update(sources)
            except UnreachableError:
                pass
            else:
                assert faults.calls[step] in ("ftruncate", "pwrite")  # the courtesy number in the lock file
        assert _covered(index) in ([0, 2, 4], [0, 2, 4, 6])
        assert _covered(_open(tmp_path)) in ([0, 2, 4], [0, 2, 4, 6])
        index.update(sources)
        assert _postings(index) == _postings(_open(tmp_path)) == _expected(sources)
        assert len(names_in(tmp_path)) == len(index.runs) + 2


def test_a_killed_update_leaves_an_index_that_opens(tmp_path: Path) -> None:
    sources = [_source(number) for number in range(3)]
    index = _open(tmp_path)
    index.update(sources)
    script = (
        "import sys; sys.path[:0] = [*sys.argv[2:]]\n"
        "from pathlib import Path\n"
        "from ledger_runs_child import go\n"
        "go(Path(sys.argv[1]))\n"
    )
    child = tmp_path.parent / "ledger_runs_child.py"
    child.write_text(
        "from language.streams import *\n"
        "from language.rings import segment_keys\n"
        "from muniment.ledger.index.pages import PageCache\n"
        "from muniment.ledger.index.runs import RecordIndex\n"
        "def go(folder):\n"
        "    made = [batch_of(disclosures(20, 200, seed=n, dumps=n % 2)) for n in range(60)]\n"
        "    sources = [source_of(batch, 2 * n, 200) for n, batch in enumerate(made)]\n"
        "    index = RecordIndex.open(folder, segment_keys(2), PageCache(0))\n"
        "    print('ready', flush=True)\n"
        "    for _ in range(1000):\n"
        "        for n in range(3, 61):\n"
        "            index.update(sources[:n])\n"
    )
    places = [str(child.parent), *(path for path in sys.path if path)]
    for wait in (0.02, 0.05, 0.11):
        process = subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path), *places], stdout=subprocess.PIPE, env={**os.environ}
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        index = _open(tmp_path)
        assert _covered(index) == [2 * n for n in range(len(_covered(index)))]
        index.update(sources)
        assert _postings(index) == _expected(sources)
        assert len(names_in(tmp_path)) == len(index.runs) + 2


def test_two_processes_go_on_from_each_other(tmp_path: Path) -> None:
    sources = [_source(number) for number in range(9)]
    first, second = _open(tmp_path), _open(tmp_path)
    for number in range(1, 9, 2):
        first.update(sources[:number])
        second.update(sources[: number + 1])
    second.roots()
    first.update(sources)
    assert first.roots() == tuple(run.root for run in first.maps())
    second.roots()  # of the runs it still has open; the catalogue of the other stays as it is
    assert _postings(first) == _postings(_open(tmp_path)) == _expected(sources)
    (tmp_path / "catalogue").write_bytes(b"x")
    second.update(sources)
    assert _postings(_open(tmp_path)) == _expected(sources)


def test_a_reader_keeps_what_it_opened(tmp_path: Path) -> None:
    sources = [_source(number) for number in range(6)]
    index = _open(tmp_path)
    index.update(sources[:3])
    with _open(tmp_path) as reader:
        index.update(sources)
        index.rebuild(sources)
        assert _postings(reader) == _expected(sources[:3])
