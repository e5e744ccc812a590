"""The Parquet of a segment: our reader, DuckDB and pyarrow read the same rows; a changed file is refused."""

from __future__ import annotations

import contextlib
import functools
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language.segments import a_batch, disclosures, numbered, rows_of
from muniment.disclosure import Disclosure
from muniment.errors import IntegrityError
from muniment.ledger.batch import NUMBERS, TEXTS, Batch, assembled
from muniment.ledger.segments import pages, shapes
from muniment.ledger.segments.parquet import ParquetReader, rendered

SPAN = 10_000
COMMITMENTS = '{"events":"none in these tests"}'


def _written(batch: Batch, span: int = SPAN) -> bytes:
    return b"".join(rendered(*shapes.arranged(batch, span), span, COMMITMENTS))


def _reader(data: bytes) -> ParquetReader:
    return ParquetReader(lambda offset, length: data[offset : offset + length], len(data))


def _as_rows(rows: list[dict[str, Any]]) -> list[tuple[object, ...]]:
    """Rows of another reader in the form of `rows_of`."""
    out: list[tuple[object, ...]] = []
    for row in rows:
        runs = zip(row["run_start"], row["run_length"], strict=True)
        records = sorted([*row["records"], *(start + i for start, length in runs for i in range(length))])
        numbers = (row["sequence"], row["time"], row["rows"], row["size"], row["released"], row["occurred"])
        out.append((*numbers, *(row[name] for name in TEXTS), records))
    return sorted(out)


@pytest.fixture
def mixed() -> Batch:
    return a_batch(rows=300, dumps=3)


def test_our_reader_gives_every_row_back(mixed: Batch) -> None:
    reader = _reader(_written(mixed))
    assert (reader.rows, reader.span, reader.commitments) == (303, SPAN, COMMITMENTS)
    assert rows_of(reader.batch()) == rows_of(mixed)
    assert np.array_equal(reader.numbers("sequence"), shapes.arranged(mixed, SPAN)[0].sequence)
    assert reader.texts("case")[0] == reader.batch().case[0]


@pytest.mark.parametrize(("group_values", "page_rows"), [(shapes.GROUP_VALUES, pages.PAGE_ROWS), (700, 7), (9_999, 64)])
def test_duckdb_and_pyarrow_read_the_same(
    mixed: Batch, tmp_path: Path, group_values: int, page_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shapes, "GROUP_VALUES", group_values)
    monkeypatch.setattr(pages, "PAGE_ROWS", page_rows)
    path = tmp_path / "segment.parquet"
    path.write_bytes(_written(mixed))
    table = pyarrow.parquet.read_table(path)
    assert str(table.schema.field("time").type) == "timestamp[ms, tz=UTC]"
    assert str(table.schema.field("records").type.value_type) == "uint32"
    assert table.schema.metadata[b"muniment.span"] == b"10000"
    table = table.set_column(1, "time", table["time"].cast("int64"))
    assert _as_rows(table.to_pylist()) == rows_of(mixed)
    query = f"select * replace (epoch_ms(time) as time) from '{path}'"
    found = duckdb.sql(query)
    assert _as_rows([dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]) == rows_of(mixed)
    assert duckdb.sql(f"select typeof(records) from '{path}' limit 1").fetchall() == [("UINTEGER[]",)]


def test_extreme_numbers_are_read_by_all(tmp_path: Path) -> None:
    """Ordinals whose differences pass 31 bits, and the widest numbers there are."""
    top = 2**32 - 2**16 - 1
    records = [(0, top), (5, 2**31, top), (), (top,), (0,), tuple(range(top - 99, top + 1))]
    base = disclosures(1, 1, SPAN)[0]
    made = [Disclosure(base.party, base.template, one, rows=i * (2**63 - 1) // 5) for i, one in enumerate(records)]
    batch = numbered(made, first=2**62)
    path = tmp_path / "segment.parquet"
    path.write_bytes(_written(batch, top + 1))
    assert rows_of(_reader(path.read_bytes()).batch()) == rows_of(batch)
    table = pyarrow.parquet.read_table(path)
    assert _as_rows(table.set_column(1, "time", table["time"].cast("int64")).to_pylist()) == rows_of(batch)
    found = duckdb.sql(f"select * replace (epoch_ms(time) as time) from '{path}'")
    assert _as_rows([dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]) == rows_of(batch)


@pytest.mark.parametrize("codes", [1, 2, 255, 256, 257, 65_535, 65_536, 65_537])
def test_dictionaries_of_every_width(codes: int, tmp_path: Path) -> None:
    base = disclosures(1, 1, SPAN)[0]
    made = [Disclosure(base.party, base.template, (i % 7,), case=f"c{i}") for i in range(codes)]
    batch = numbered(made)
    path = tmp_path / "segment.parquet"
    path.write_bytes(_written(batch))
    assert [_reader(path.read_bytes()).texts("case")[i] for i in (0, codes - 1)] == ["c0", f"c{codes - 1}"]
    assert duckdb.sql(f"select count(distinct \"case\") from '{path}'").fetchall() == [(codes,)]
    assert len(pyarrow.parquet.read_table(path, columns=["case"])["case"].unique()) == codes


@given(st.integers(0, 2**32), st.integers(1, 60), st.integers(0, 2))
@settings(max_examples=25)
def test_any_batch_there_and_back(seed: int, rows: int, dumps: int) -> None:
    batch = a_batch(seed, rows, dumps=dumps)
    assert rows_of(_reader(_written(batch)).batch()) == rows_of(batch)


@given(st.data(), st.integers(1, 90), st.sampled_from([1, 7, 64, 32_768]), st.sampled_from([40, shapes.GROUP_VALUES]))
@settings(max_examples=40)
def test_picked_rows_are_those_of_the_whole(data: st.DataObject, rows: int, page_rows: int, group_values: int) -> None:
    """Any rows, in any order and more than once, of any columns; whatever pages and row groups they lie in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "PAGE_ROWS", page_rows)
        patch.setattr(shapes, "GROUP_VALUES", group_values)
        reader = _reader(_written(a_batch(rows, rows, dumps=1)))
        whole = reader.batch()
        assert rows_of(whole) == rows_of(a_batch(rows, rows, dumps=1))
        chosen = np.array(data.draw(st.lists(st.integers(0, rows), max_size=9)), np.int64)
        names = data.draw(st.sets(st.sampled_from([*NUMBERS, *TEXTS])))
        numbers, texts = reader.pick(chosen, names.intersection(NUMBERS), names.intersection(TEXTS))
    assert {*numbers, *texts} == names
    for name, values in numbers.items():
        assert values.tolist() == getattr(whole, name)[chosen].tolist()
    for name, column in texts.items():
        assert [column[i] for i in range(len(column))] == [getattr(whole, name)[i] for i in chosen.tolist()]
        assert set(column.values) == {column[i] for i in range(len(column))}


def test_a_row_beyond_the_end_is_not_picked(mixed: Batch) -> None:
    for row in (-1, 303):
        with pytest.raises(ValueError, match="of 303"):
            _reader(_written(mixed)).pick(np.array([5, row]), NUMBERS, TEXTS)


def test_picking_passes_over_the_file_once_and_leaves_out_what_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PAGE_ROWS", 64)
    data, places = _written(a_batch(rows=3_000)), []

    def read(offset: int, length: int) -> bytes:
        places.append((offset, length))
        return data[offset : offset + length]

    reader = ParquetReader(read, len(data))
    whole = reader.numbers("size")
    unpicked = sum(length for _, length in places)
    places.clear()
    numbers, _ = reader.pick(np.array([999, 2_900, 1_000]), ("occurred", "size"), ())
    assert numbers["size"].tolist() == whole[[999, 2_900, 1_000]].tolist()
    assert places == sorted(places)
    assert sum(length for _, length in places) < unpicked / 2


def test_the_same_batch_gives_the_same_bytes(mixed: Batch) -> None:
    assert _written(mixed) == _written(mixed)


# --- damage ------------------------------------------------------------------------------------------------------


@functools.cache
def _small() -> bytes:
    return _written(a_batch(rows=20, dumps=1))


@given(st.data())
@settings(max_examples=150)
def test_an_altered_page_is_refused_or_read_as_some_rows(data: st.DataObject) -> None:
    """As above, for columns of several pages, a few rows of them picked or all read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "PAGE_ROWS", 4)
        whole = bytearray(_small_pages())
        for _ in range(data.draw(st.integers(1, 3))):
            whole[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
        with contextlib.suppress(IntegrityError):
            numbers, texts = _reader(bytes(whole)).pick(np.array([19, 3]), NUMBERS, TEXTS)
            assert {len(column) for column in (*numbers.values(), *texts.values())} == {2}
        with contextlib.suppress(IntegrityError):
            assert len(_reader(bytes(whole)).batch()) == 21


@functools.cache
def _small_pages() -> bytes:
    return _written(a_batch(rows=20, dumps=1))


def test_pages_of_another_size_are_refused(mixed: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    data = _written(mixed)
    monkeypatch.setattr(pages, "PAGE_ROWS", 64)
    for name in NUMBERS:
        with pytest.raises(IntegrityError, match="malformed"):
            _reader(data).numbers(name)
    with pytest.raises(IntegrityError, match="malformed"):
        _reader(data).pick(np.array([1]), (), ("party",))


@given(st.data())
@settings(max_examples=200)
def test_an_altered_file_is_refused_or_read_as_some_batch(data: st.DataObject) -> None:
    """The container authenticates every byte; the reader must end with `IntegrityError` all the same, never else."""
    whole = bytearray(_small())
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(IntegrityError):
        assert len(_reader(bytes(whole)).batch()) == 21


@given(st.data())
@settings(max_examples=60)
def test_a_cut_file_is_refused(data: st.DataObject) -> None:
    whole = _small()
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(IntegrityError):
        _reader(whole[:cut]).batch()
    with pytest.raises(IntegrityError):
        _reader(whole[cut + 1 :]).batch()


def test_another_parquet_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.parquet"
    duckdb.sql("select 1 as sequence").write_parquet(str(path))
    with pytest.raises(IntegrityError, match="footer of a segment"):
        _reader(path.read_bytes())


def test_rows_that_do_not_ascend_are_refused() -> None:
    batch = a_batch(rows=5)
    lists = np.array([9, 7], np.uint32)
    starts = np.array([0, 2, 2, 2, 2, 2])
    texts = {name: getattr(batch, name) for name in TEXTS}
    numbers = {name: getattr(batch, name) for name in NUMBERS}
    data = _written(assembled(numbers, texts, starts, lists))
    with pytest.raises(IntegrityError, match="ascend"):
        _reader(data).batch()
