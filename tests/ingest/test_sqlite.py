"""SQLite files as a source."""

import sqlite3
from contextlib import closing

import pytest

from muniment.errors import InputError, UnreachableError
from muniment.ingest.sqlite import SqliteSource
from muniment.limits import BATCH_ROWS


def made(path, *statements):
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    return path


@pytest.fixture
def people(tmp_path):
    return made(
        tmp_path / "people.sqlite",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, x REAL, b BLOB, day DATE)",
        "INSERT INTO t VALUES (2, 'b', 0.1, x'00ff', '2020-01-01'), (1, 'a', NULL, NULL, ''), (3, '', 1e300, 7, 2020)",
    )


def rows(source, *args):
    return [row for table in source.batches(*args) for row in table.iter_rows()]


def test_values_become_text(people):
    source = SqliteSource(people)
    assert source.location == f"{people}::t"
    assert rows(source) == [
        ("1", "a", None, None, ""),
        ("2", "b", "0.1", "00FF", "2020-01-01"),
        ("3", "", "1e+300", "7", "2020"),
    ]
    assert source.types == {"id": "BIGINT", "name": "VARCHAR", "x": "DOUBLE", "b": "VARCHAR", "day": "VARCHAR"}


def test_floats_are_exact(tmp_path):
    value = 0.1 + 0.2
    path = made(tmp_path / "x.sqlite", "CREATE TABLE t (x REAL)")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO t VALUES (?)", (value,))
        connection.commit()
    assert rows(SqliteSource(path)) == [(repr(value),)]


def test_a_condition_may_use_other_columns(people):
    assert rows(SqliteSource(people), ["name"], "id > 1 -- all but one") == [("b",), ("",)]


def test_order_does_not_follow_an_index(tmp_path):
    path = made(
        tmp_path / "x.sqlite",
        "CREATE TABLE t (k TEXT)",
        "INSERT INTO t VALUES ('z'), ('a'), ('m')",
        "CREATE INDEX i ON t (k)",
    )
    assert rows(SqliteSource(path), None, "k > ''") == [("z",), ("a",), ("m",)]


def test_tables_without_row_numbers_and_views(tmp_path):
    path = made(
        tmp_path / "x.sqlite",
        "CREATE TABLE w (v INT, k TEXT, PRIMARY KEY (k)) WITHOUT ROWID",
        "INSERT INTO w VALUES (1, 'z'), (2, 'a')",
        "CREATE VIEW vv AS SELECT k FROM w",
    )
    assert rows(SqliteSource(path, "w")) == [("2", "a"), ("1", "z")]
    assert sorted(rows(SqliteSource(path, "vv"))) == [("a",), ("z",)]
    with pytest.raises(InputError, match="holds 2 tables: vv, w"):
        SqliteSource(path)


def test_names_that_need_quotes(tmp_path):
    path = made(tmp_path / "o'hara.sqlite", 'CREATE TABLE "a ""b" ("c d" TEXT)', "INSERT INTO \"a \"\"b\" VALUES ('x')")
    assert rows(SqliteSource(path)) == [("x",)]


def test_batches_are_bounded(tmp_path):
    path = made(
        tmp_path / "x.sqlite",
        "CREATE TABLE t AS WITH RECURSIVE r(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM r"
        f" WHERE n < {BATCH_ROWS}) SELECT n FROM r",
    )
    assert [table.rows for table in SqliteSource(path).batches()] == [BATCH_ROWS, 1]


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("zz = 1", "no such column: zz; the columns are id, name"),
        ("id = (", "syntax error"),
        ("1=1); DROP TABLE t; SELECT (1", "more than one statement"),
    ],
)
def test_bad_conditions(people, where, message):
    with pytest.raises(InputError, match=message):
        rows(SqliteSource(people), None, where)
    assert len(rows(SqliteSource(people))) == 3


def test_an_unknown_column(people):
    with pytest.raises(InputError, match="no column 'zz'"):
        rows(SqliteSource(people), ["zz"])


def test_text_that_is_not_utf_8_is_not_quoted(tmp_path):
    path = made(tmp_path / "x.sqlite", "CREATE TABLE t (a TEXT)", "INSERT INTO t VALUES (CAST(x'53454352ff' AS TEXT))")
    with pytest.raises(InputError, match="not UTF-8") as caught:
        rows(SqliteSource(path))
    assert "SECR" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_file_that_is_cut_short(tmp_path):
    path = made(
        tmp_path / "x.sqlite",
        "CREATE TABLE t AS WITH RECURSIVE r(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM r"
        " WHERE n < 50000) SELECT n, 'some text' AS s FROM r",
    )
    path.write_bytes(path.read_bytes()[:100_001])
    with pytest.raises(InputError, match=r"x\.sqlite.*malformed"):
        rows(SqliteSource(path))


def test_a_file_that_is_not_sqlite(tmp_path):
    path = tmp_path / "x.sqlite"
    path.write_bytes(b"SQLite format 3\0" + b"nonsense" * 100)
    with pytest.raises(InputError, match=r"x\.sqlite"):
        SqliteSource(path)


def test_a_file_that_is_gone(tmp_path):
    with pytest.raises(UnreachableError, match="unable to open"):
        SqliteSource(tmp_path / "none.sqlite")
