"""The reader: every answer equals that of a loop over the disclosures, whatever is indexed and whatever is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language.rings import segment_keys
from language.streams import DAY, batch_of, disclosures, overlap_of, source_of
from muniment.disclosure import Channel, Disclosure
from muniment.errors import IntegrityError
from muniment.ledger import reader as reader_module
from muniment.ledger.index.pages import PageCache
from muniment.ledger.index.runs import RecordIndex
from muniment.ledger.reader import LedgerReader, Rows
from muniment.ledger.sources import BatchSource, ColumnCache

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEYS = segment_keys()
SPAN = 300
COUNT = 400


def _world(folder: Path, *, indexed: int, sealed: int = 4, cache: int = 2**30) -> tuple[LedgerReader, list[Disclosure]]:
    """A ledger of five parts: so many of them sealed, so many of those indexed, the rest the tail."""
    made = disclosures(COUNT, SPAN, seed=3, dumps=2)
    made = [*made[: COUNT // 2], *made[-2:], *made[COUNT // 2 : -2]]  # dumps in the middle
    cuts = np.linspace(0, COUNT, 6).astype(int).tolist()
    parts = [batch_of(made[a:b], first=1 + a) for a, b in pairwise(cuts[: sealed + 1])]
    sources = [source_of(part, 3 * leaf, SPAN) for leaf, part in enumerate(parts)]
    tail = batch_of(made[cuts[sealed] :], first=1 + cuts[sealed]) if sealed < 5 else None
    index = RecordIndex.open(folder, KEYS, PageCache(0))
    for number in range(1, indexed + 1):
        index.update(sources[:number])
    return LedgerReader(sources, index.runs, tail, ColumnCache(cache)), made


@pytest.fixture(params=[(4, 4, 2**30), (2, 4, 2**30), (0, 4, 2**30), (5, 5, 2**30), (4, 4, 1)], ids=str)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[LedgerReader, list[Disclosure]]:
    indexed, sealed, cache = request.param
    return _world(tmp_path, indexed=indexed, sealed=sealed, cache=cache)


def _sequences(rows: Rows) -> list[int]:
    return rows.sequence.tolist()


def test_overlap(world: tuple[LedgerReader, list[Disclosure]]) -> None:
    reader, made = world
    for wanted in ({5}, {5, 6, 7, 200}, set(range(0, SPAN, 3)), set(range(SPAN)), {SPAN + 50, 2**32 - 1}):
        ordinals = np.array(sorted(wanted, reverse=True) * 2, np.uint32)
        found = reader.overlap(ordinals)
        assert {(one.recipient, one.account): one.records for one in found} == overlap_of(made, wanted)
        assert found == sorted(found, key=lambda one: (-one.records, one.recipient, one.account))
        assert reader.overlap(ordinals, most=3) == found[:3]
        groups: dict[str, set[int]] = {}
        for one in made:
            groups.setdefault(one.party.recipient, set()).update(wanted.intersection(one.records))
        by_recipient = {one.recipient: one.records for one in reader.overlap(ordinals, by="recipient")}
        assert by_recipient == {name: len(held) for name, held in groups.items() if held}
    assert reader.overlap(np.zeros(0, np.uint32)) == []


def test_received(world: tuple[LedgerReader, list[Disclosure]]) -> None:
    reader, made = world
    for account, recipient in (("account 2", None), (None, "agency 1"), ("account 2", "agency 1"), ("nobody", None)):
        for since, until in ((0, 2**62), (30 * 3_600_000, 200 * 3_600_000), (DAY, DAY), (2**50, 2**51)):
            wanted = {
                ordinal
                for number, one in enumerate(made, 1)
                if account in (None, one.party.account) and recipient in (None, one.party.recipient)
                if since <= number * 3_600_000 < until
                for ordinal in one.records
            }
            found = reader.received(account=account, recipient=recipient, since=since, until=until)
            assert found.tolist() == sorted(wanted)
    with pytest.raises(ValueError, match="needed"):
        reader.received(since=5)


def test_history(world: tuple[LedgerReader, list[Disclosure]]) -> None:
    reader, made = world
    for wanted in ([5], [6], [7, 200], [5, 6, 7, 8], [SPAN + 9], []):
        rows = reader.history(np.array(wanted, np.uint32))
        expected = [n for n, one in enumerate(made, 1) if set(wanted).intersection(one.records)]
        assert _sequences(rows) == expected
        assert rows.time.tolist() == [n * 3_600_000 for n in expected]


def test_select(world: tuple[LedgerReader, list[Disclosure]]) -> None:
    reader, made = world
    hour = 3_600_000
    cases: Sequence[tuple[dict[str, object], object]] = [
        ({"case": "case 3"}, lambda n, d: d.case == "case 3"),
        ({"channel": "gate"}, lambda n, d: d.template.channel is Channel.GATE),
        ({"account": "account 1", "channel": "file"}, lambda n, d: d.party.account == "account 1" and n % 2 == 0),
        ({"recipient": "agency 2"}, lambda n, d: d.party.recipient == "agency 2"),
        ({"since": 50 * hour, "until": 60 * hour}, lambda n, d: 50 <= n < 60),
        ({"account": "nobody"}, lambda n, d: False),
        ({}, lambda n, d: True),
    ]
    made_channels = {one.template.channel for one in made}
    assert made_channels == {Channel.GATE, Channel.FILE}
    for conditions, meant in cases[:2] + cases[3:]:
        found = reader.select(**conditions)  # type: ignore[arg-type]
        assert _sequences(found) == [n for n, one in enumerate(made, 1) if meant(n, one)]  # type: ignore[operator]
    both = reader.select(account="account 1", channel="file")
    assert _sequences(both) == [
        n
        for n, one in enumerate(made, 1)
        if one.party.account == "account 1" and one.template.channel is Channel.FILE
    ]


def test_batch_gives_the_disclosures_back(world: tuple[LedgerReader, list[Disclosure]]) -> None:
    reader, made = world
    rows = reader.history(np.array([5, 6], np.uint32))
    batch = reader.batch(rows, records=True)
    assert batch.sequence.tolist() == _sequences(rows)
    assert [batch.disclosure(n) for n in range(len(batch))] == [made[n - 1] for n in _sequences(rows)]
    bare = reader.batch(rows)
    assert [bare.case[n] for n in range(len(bare))] == [made[n - 1].case for n in _sequences(rows)]
    assert len(bare.ordinals) == 0
    assert len(reader.batch(reader.select(account="nobody"))) == 0


def test_few_rows_are_picked_until_whole_columns_pay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Picked or not, the answers are the same; and a source that is asked again and again is unpacked once."""
    monkeypatch.setattr(reader_module, "PICK_ROWS", 2)
    picked, whole = [], []
    real_pick, real_column = BatchSource.pick, BatchSource.numbers

    def pick(source: BatchSource, rows: NDArray[np.int64], numbers: Sequence[str], texts: Sequence[str]) -> object:
        picked.append(len(rows))
        return real_pick(source, rows, numbers, texts)

    def column(source: BatchSource, name: str) -> object:
        whole.append(name)
        return real_column(source, name)

    monkeypatch.setattr(BatchSource, "pick", pick)
    reader, made = _world(tmp_path, indexed=4)
    asked = np.array([7], np.uint32)
    expected = [made[n - 1] for n in _sequences(reader.history(asked))]
    assert 0 < len(expected) < 40
    assert picked
    for _ in range(30):
        rows = reader.history(asked)
        batch = reader.batch(rows, records=True)
        assert [batch.disclosure(n) for n in range(len(batch))] == expected
    assert sum(picked) <= COUNT // 2
    seen = len(picked)
    monkeypatch.setattr(BatchSource, "numbers", column)
    assert _sequences(reader.history(asked)) == _sequences(rows)
    assert (len(picked), whole) == (seen, [])


def test_imports_are_found_by_when_they_happened(tmp_path: Path) -> None:
    made = disclosures(40, SPAN, seed=4)
    late = [replace(one, occurred=7_000 + number) for number, one in enumerate(made[:10])]
    sources = [source_of(batch_of(made), 0, SPAN), source_of(batch_of([*made[30:], *late], first=41), 1, SPAN)]
    reader = LedgerReader(sources, (), batch_of([replace(made[0], occurred=7_002)], first=61))
    assert _sequences(reader.select(since=7_000, until=7_003)) == [51, 52, 53, 61]
    assert _sequences(reader.select(since=41 * 3_600_000)) == list(range(41, 51))
    wanted = {ordinal for one in late[:3] if one.party.account == "account 1" for ordinal in one.records}
    assert reader.received(account="account 1", since=7_000, until=7_003).tolist() == sorted(wanted)


def test_what_is_not_indexed_is_counted(tmp_path: Path) -> None:
    reader, _ = _world(tmp_path, indexed=2)
    assert (reader.unindexed, len(reader.sources)) == (3, 5)
    empty = LedgerReader([])
    assert empty.overlap(np.array([1], np.uint32)) == []
    assert empty.received(account="a").tolist() == []
    assert len(empty.history(np.array([1], np.uint32))) == len(empty.select()) == empty.unindexed == 0


def test_an_index_from_another_log_is_refused(tmp_path: Path) -> None:
    sources = [source_of(batch_of(disclosures(30, SPAN, seed=seed)), seed, SPAN) for seed in range(3)]
    index = RecordIndex.open(tmp_path, KEYS, PageCache(0))
    index.update(sources)
    other = source_of(batch_of(disclosures(30, SPAN, seed=9)), 1, SPAN)
    moved = BatchSource(sources[1].batch(), leaf=7, spans=sources[1].spans())
    for segments in ([sources[0], other, sources[2]], sources[:2], sources[1:], [sources[0], moved, sources[2]], []):
        with pytest.raises(IntegrityError, match="other segments"):
            LedgerReader(segments, index.runs)


def test_an_altered_page_is_an_error_and_no_answer(tmp_path: Path) -> None:
    sources = [source_of(batch_of(disclosures(300, SPAN, dumps=1)), 0, SPAN)]
    RecordIndex.open(tmp_path, KEYS, PageCache(0)).update(sources)
    (run,) = (path for path in tmp_path.iterdir() if path.suffix == ".run")
    whole = run.read_bytes()
    for at in range(0, len(whole), 501):
        run.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(IntegrityError, match="index"):
            _ask(RecordIndex.open(tmp_path, KEYS, PageCache(0)), sources)


def _ask(index: RecordIndex, sources: Sequence[BatchSource]) -> None:
    reader = LedgerReader(sources, index.runs)
    reader.overlap(np.arange(SPAN, dtype=np.uint32))


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.sets(st.integers(0, 40), max_size=9)), min_size=1, max_size=40),
    st.sets(st.integers(0, 45), max_size=12),
    st.data(),
)
def test_any_ledger(
    tmp_path_factory: pytest.TempPathFactory,
    events: list[tuple[int, set[int]]],
    wanted: set[int],
    data: st.DataObject,
) -> None:
    template = disclosures(1, 9)[0].template
    party = [one.party for one in disclosures(4, 9)]
    made = [Disclosure(party[who], template, tuple(sorted(records))) for who, records in events]
    cuts = sorted({0, len(made), *data.draw(st.lists(st.integers(0, len(made)), max_size=3))})
    parts = [batch_of(made[a:b], first=1 + a) for a, b in pairwise(cuts)]
    sources = [source_of(part, leaf, 41, dump=7) for leaf, part in enumerate(parts[:-1])]
    index = RecordIndex.open(tmp_path_factory.mktemp("any"), KEYS, PageCache(0))
    index.update(sources[: data.draw(st.integers(0, len(sources)))])
    reader = LedgerReader(sources, index.runs, parts[-1])
    ordinals = np.array(sorted(wanted), np.uint32)
    found = {(one.recipient, one.account): one.records for one in reader.overlap(ordinals)}
    assert found == overlap_of(made, wanted)
    assert _sequences(reader.history(ordinals)) == [n for n, one in enumerate(made, 1) if wanted & set(one.records)]
