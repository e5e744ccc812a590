"""Parquet releases: types come back only where every cell does."""

import duckdb
import pytest

from muniment.engine.parquet import ParquetWriter
from muniment.errors import InputError
from muniment.table import Table

TYPES = {"id": "BIGINT", "code": "INTEGER", "day": "DATE", "m": "DECIMAL(10,2)", "odd": "INTEGER[]"}
TABLE = Table(
    ("id", "code", "day", "m", "odd", "text"),
    (
        ["1", "22", None],
        ["7", "007", "8"],
        ["2020-01-02", None, ""],
        ["1.50", "2.00", None],
        ["[1]"] * 3,
        ["a", "", None],
    ),
)


def written(path, *tables, types=TYPES):
    with ParquetWriter(path, tables[0].columns, types) as writer:
        for table in tables:
            writer.write(table)
    return duckdb.read_parquet(str(path))


def test_types_are_restored_where_every_cell_comes_back(tmp_path):
    relation = written(tmp_path / "out", TABLE)
    assert dict(zip(relation.columns, map(str, relation.types), strict=True)) == {
        "id": "BIGINT",
        "code": "VARCHAR",  # 007 would come back as 7
        "day": "VARCHAR",  # "" is no date
        "m": "DECIMAL(10,2)",
        "odd": "VARCHAR",  # no plain type
        "text": "VARCHAR",
    }


def test_every_cell_comes_back_as_text(tmp_path):
    relation = written(tmp_path / "out", TABLE, TABLE)
    texts = ", ".join(f'CAST("{name}" AS VARCHAR)' for name in TABLE.columns)
    assert relation.project(texts).fetchall() == [*TABLE.iter_rows()] * 2


def test_a_type_that_is_no_type_never_reaches_sql(tmp_path):
    relation = written(tmp_path / "out", Table(("a",), (["1"],)), types={"a": "INTEGER); DROP TABLE gathered; --"})
    assert [str(kind) for kind in relation.types] == ["VARCHAR"]


def test_names_that_need_quotes(tmp_path):
    table = Table(('a"b', "o'c"), (["1"], ["2"]))
    assert written(tmp_path / "o'ut", table).columns == ['a"b', "o'c"]


def test_names_that_differ_in_case_only(tmp_path):
    with pytest.raises(InputError, match="differ in case only"):
        ParquetWriter(tmp_path / "out", ("A", "a"), {})
    assert list(tmp_path.iterdir()) == []


def test_half_a_surrogate_pair(tmp_path):
    good, bad = Table(("a",), (["x"] * 3,)), Table(("a",), (["x", "\ud800"],))
    with pytest.raises(InputError, match="row 5, column 'a'"):
        written(tmp_path / "out", good, bad)
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_an_earlier_crash_is_taken_away(tmp_path):
    (tmp_path / "out.rows").write_bytes(b"left behind")
    assert written(tmp_path / "out", TABLE).count("*").fetchall() == [(3,)]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
