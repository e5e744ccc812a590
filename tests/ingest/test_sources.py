"""`open_source`: each kind of place is known by its first bytes."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import duckdb
import pytest

from muniment.errors import InputError
from muniment.ingest.sources import open_source


@pytest.fixture
def places(tmp_path):
    """The same two records at every kind of place, under names that do not give it away."""
    (tmp_path / "text.csv").write_text("id,name\n1,Anna\n2,Bert\n")
    query = "SELECT * FROM (VALUES (1, 'Anna'), (2, 'Bert')) AS t(id, name)"
    duckdb.sql(f"COPY ({query}) TO '{tmp_path / 'table.bin'}' (FORMAT parquet)")
    with duckdb.connect(str(tmp_path / "duck.db")) as duck:
        duck.execute(f"CREATE TABLE people AS {query}")
    with closing(sqlite3.connect(tmp_path / "lite.db")) as lite:
        lite.execute("CREATE TABLE people AS SELECT 1 AS id, 'Anna' AS name UNION SELECT 2, 'Bert'")
        lite.commit()
    return tmp_path


@pytest.mark.parametrize("place", ["text.csv", "table.bin", "duck.db", "duck.db::people", "lite.db", "lite.db::people"])
def test_the_same_records_from_every_place(places, place):
    source = open_source(str(places / place))
    for _ in range(2):
        assert [row for table in source.batches() for row in table.iter_rows()] == [("1", "Anna"), ("2", "Bert")]
    assert [row for table in source.batches(["id"], "name = 'Bert'") for row in table.iter_rows()] == [("2",)]
    assert open_source(source.location).columns == ("id", "name")
    assert set(source.types) == {"id", "name"}


def test_a_file_whose_name_holds_two_colons(tmp_path):
    (tmp_path / "a::b.csv").write_text("id,name\n1,x\n")
    assert open_source(str(tmp_path / "a::b.csv")).columns == ("id", "name")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.csv", b"", "the file is empty"),
        ("x.parquet", b"", "not a Parquet file"),
        ("x.parquet", b"nonsense", "not a Parquet file"),
        ("x.parquet", b"PAR1" + b"\0" * 200, "cut short"),
        ("x.csv", b"PAR1" + b"\0" * 200, "cut short"),
        ("x.parquet", b"PAR1" + b"\0" * 200 + b"PAR1", r"x\.parquet"),
        ("x.xlsx", b"PK\x03\x04" + b"\0" * 50, "spreadsheet"),
        ("x.duckdb", b"nonsense" * 9, "neither a DuckDB nor a SQLite file"),
        ("x.sqlite", b"nonsense" * 9, "neither a DuckDB nor a SQLite file"),
    ],
)
def test_damaged_and_foreign_files(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        open_source(str(path))
    assert str(path) in str(caught.value)


def test_a_truncated_parquet_file(places):
    path = places / "table.bin"
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(InputError, match="cut short"):
        open_source(str(path))


def test_a_table_of_a_text_file(places):
    with pytest.raises(InputError, match="neither a DuckDB nor a SQLite file"):
        open_source(f"{places / 'text.csv'}::people")


@pytest.mark.parametrize("place", ["duck.db", "lite.db"])
def test_a_missing_table(places, place):
    with pytest.raises(InputError, match="no table 'nope'; its tables are people"):
        open_source(f"{places / place}::nope")


def test_nothing_there(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        open_source(str(tmp_path / "none.csv"))
    with pytest.raises(InputError, match="is a folder"):
        open_source(str(tmp_path))
    with pytest.raises(InputError, match="no such file"):
        open_source(str(tmp_path / "none.duckdb") + "::t")


def test_a_text_file_loads_no_database(places):
    code = (
        "import sys; from muniment.ingest.sources import open_source\n"
        f"list(open_source({str(places / 'text.csv')!r}).batches())\n"
        "print([name for name in ('duckdb', 'psycopg', 'sqlite3', 'numpy') if name in sys.modules])"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert done.stdout.strip() == "[]"
