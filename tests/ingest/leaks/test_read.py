"""The one door: digest, progress, and steps in order."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from language.leak_files import PEOPLE, json_lines, rows_of, zipped
from muniment.ingest.leaks import read_leak


def test_the_digest_is_of_the_bytes_as_found(tmp_path: Path) -> None:
    content = zipped({"a.jsonl": json_lines(PEOPLE)})
    (tmp_path / "leak.zip").write_bytes(content)
    leak = read_leak(tmp_path / "leak.zip")
    assert (leak.file, leak.digest) == ("leak.zip", hashlib.sha256(content).hexdigest())
    assert leak.tables[0].table == PEOPLE


def test_progress_ends_at_the_size(tmp_path: Path) -> None:
    path = tmp_path / "leak.csv"
    path.write_text("id,name\n" + "1,Person\n" * 400_000)
    seen: list[int] = []
    read_leak(path, progress=seen.append)
    assert seen == sorted(seen)
    assert len(seen) > 2
    assert seen[-1] == path.stat().st_size


def test_a_path_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "leak.csv").write_text("id,name\n1,x\n2,y\n")
    (tmp_path / "link").symlink_to(tmp_path / "leak.csv")
    assert rows_of(read_leak(tmp_path / "link").tables[0]) == [("1", "x"), ("2", "y")]


@pytest.mark.shared_data
def test_reference_files(shared_data: Path) -> None:
    sizes = [("febrl_dataset4a.csv.gz", (5_000, 11)), ("adult_train.csv.gz", (32_561, 15))]
    for name, size in [*sizes, ("historical_50k.parquet", (50_578, 11))]:
        (found,) = read_leak(shared_data / name).tables
        assert (found.table.rows, len(found.table.columns)) == size
        assert (found.header, found.mended, found.unreadable) == (True, 0, 0)
