"""docs/open_segment.py opens a segment without muniment, and stops at an altered byte."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from language.rings import segment_keys
from language.segments import a_batch
from muniment.ledger.frames import Head
from muniment.ledger.segments.segment import Segment, write_segment

SCRIPT = Path(__file__).parents[2] / "docs" / "open_segment.py"
KEY = segment_keys()[0]


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a segment of more than one frame."""
    folder = tmp_path_factory.mktemp("sealed")
    batch = a_batch(rows=40_000)
    manifest = write_segment(folder, batch, key=KEY, span=10_000, chain=bytes(32), journal=Head(0, "00" * 32))
    assert manifest.size > 1024**2
    return (folder / manifest.file).read_bytes()


@pytest.fixture
def segment(tmp_path: Path, sealed: bytes) -> Path:
    path = tmp_path / "one.seg"
    path.write_bytes(sealed)
    (tmp_path / "key.hex").write_text(Segment.open(path, [KEY]).secret.hex() + "\n")
    return path


def _run(segment: Path) -> subprocess.CompletedProcess[bytes]:
    key = segment.with_name("key.hex")
    return subprocess.run([sys.executable, "-I", str(SCRIPT), str(key), str(segment)], capture_output=True, check=False)


def test_the_script_gives_the_same_parquet(segment: Path, tmp_path: Path) -> None:
    done = _run(segment)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == b"".join(Segment.open(segment, [KEY]).parquet())
    path = tmp_path / "opened.parquet"
    path.write_bytes(done.stdout)
    assert duckdb.sql(f"select count(*) from '{path}'").fetchall() == [(40_000,)]


def test_the_query_of_the_page_finds_records_in_lists_and_dumps(tmp_path: Path) -> None:
    batch = a_batch(rows=300, dumps=2)
    head = Head(0, "00" * 32)
    manifest = write_segment(tmp_path, batch, key=KEY, span=10_000, chain=bytes(32), journal=head)
    path = tmp_path / "disclosures.parquet"
    path.write_bytes(b"".join(Segment.open(tmp_path / manifest.file, [KEY]).parquet()))
    page = SCRIPT.with_name("segments.md").read_text(encoding="utf-8")
    query = page[page.index("    select ") : page.index(";", page.index("    select "))]
    for ordinal in (0, 17, 4711, 9_999):
        asked = query.replace("disclosures.parquet", str(path)).replace("4711", str(ordinal))
        expected = [row for row in range(len(batch)) if ordinal in batch.records(row)]
        accounts = [batch.disclosure(row).party.account for row in expected]
        assert [account for account, in duckdb.sql(f"select account from ({asked})").fetchall()] == accounts


@pytest.mark.parametrize("place", [0, 20, 100, 1024**2 + 200, -1])
def test_the_script_stops_at_an_altered_byte(segment: Path, place: int) -> None:
    whole = bytearray(segment.read_bytes())
    whole[place] ^= 1
    segment.write_bytes(whole)
    done = _run(segment)
    assert done.returncode == 1
    assert segment.name.encode() in done.stderr
    assert b"altered" in done.stderr or b"no segment" in done.stderr


@pytest.mark.parametrize("length", [0, 30, 96, 97, 96 + 1024**2 + 16, -1])
def test_the_script_stops_at_a_cut(segment: Path, length: int) -> None:
    segment.write_bytes(segment.read_bytes()[:length])
    assert _run(segment).returncode == 1


def test_the_script_is_short_and_needs_nothing_of_muniment() -> None:
    text = SCRIPT.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 60
    assert "import muniment" not in text and "from muniment" not in text
