"""Parquet through the engine, on disk and inside an archive."""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import pytest

from language.leak_files import leak_of, rows_of, table_of, zipped
from muniment.errors import InputError


@pytest.fixture
def parquet(tmp_path: Path) -> bytes:
    """A small file with a number, a text with NULL and a date."""
    path = tmp_path / "made.parquet"
    rows = "SELECT i AS id, CASE WHEN i > 1 THEN '臺' || i END AS name, DATE '2020-01-01' AS day FROM range(3) t(i)"
    duckdb.sql(rows).write_parquet(str(path))
    return path.read_bytes()


def test_cells_are_text(tmp_path: Path, parquet: bytes) -> None:
    found = table_of(tmp_path, parquet, "people.parquet")
    assert (found.name, found.header, found.table.columns) == ("people.parquet", True, ("id", "name", "day"))
    assert rows_of(found) == [("0", None, "2020-01-01"), ("1", None, "2020-01-01"), ("2", "臺2", "2020-01-01")]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs memfd_create")
def test_inside_a_zip_without_touching_the_disk(tmp_path: Path, parquet: bytes) -> None:
    found = table_of(tmp_path, zipped({"a.parquet": parquet}))
    assert rows_of(found)[2] == ("2", "臺2", "2020-01-01")


@pytest.mark.parametrize("cut", [8, 100, -4])
def test_truncated(tmp_path: Path, parquet: bytes, cut: int) -> None:
    with pytest.raises(InputError, match=r"leak\.parquet"):
        leak_of(tmp_path, parquet[:cut], "leak.parquet")


def test_errors_name_the_member_and_not_its_place_in_memory(tmp_path: Path, parquet: bytes) -> None:
    broken = parquet[:-12] + b"\xff\x1b\xff\x00" + parquet[-8:]
    with pytest.raises(InputError, match=r"a\.parquet") as caught:
        leak_of(tmp_path, zipped({"a.parquet": broken}))
    assert "/proc" not in caught.value.message
    assert caught.value.message.isprintable()
