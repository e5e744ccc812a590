"""Hardened DuckDB: what a condition may do, and files as batches of text."""

from pathlib import Path

import duckdb
import pytest

from muniment.engine.duck import Condition, connect, duck_errors, folded_names, matching_rows, open_duckdb, open_parquet
from muniment.errors import InputError, UnreachableError
from muniment.limits import BATCH_ROWS
from muniment.table import Table

PEOPLE = Table(("name", "age"), (["Anna", "Bert", None, ""], ["31", "9", "40", "x"]))


def made(path: Path, *statements: str) -> Path:
    """A DuckDB file in which these statements were run."""
    with duckdb.connect(str(path)) as connection:
        for statement in statements:
            connection.execute(statement)
    return path


# --- conditions ------------------------------------------------------------------------------------------------


def test_rows_that_meet_a_condition():
    assert matching_rows(PEOPLE, "TRY_CAST(age AS INTEGER) > 30") == [0, 2]
    assert matching_rows(PEOPLE, "name IS NULL") == [2]
    assert matching_rows(PEOPLE, "name = ''") == [3]


def test_a_comment_does_not_swallow_the_bracket():
    assert matching_rows(PEOPLE, "name = 'Anna' -- the first") == [0]


def test_a_column_of_nulls_is_still_text():
    table = Table(("a",), ([None] * 3,))
    assert matching_rows(table, "a IS NULL AND length(coalesce(a, 'xy')) = 2") == [0, 1, 2]


def test_a_column_called_like_the_row_number():
    table = Table(("#row", "#ROW#"), (["a", "b"], ["c", "d"]))
    assert matching_rows(table, "\"#row\" = 'b'") == [1]


def test_one_condition_serves_many_batches():
    condition = Condition("a >= '2'", ["a"])
    assert condition.rows(Table(("a",), (["1", "2"],))) == [1]
    assert condition.rows(Table(("a",), (["3"],))) == [0]
    assert condition.rows(Table(("a",), ([],))) == []


def test_an_unknown_column_lists_the_columns_before_any_row_is_read():
    with pytest.raises(InputError, match=r'"zz" not found.*the columns are name, age'):
        Condition("zz = 1", PEOPLE.columns)


@pytest.mark.parametrize("where", ["name =", "(name = 'a'", "name = 'a')"])
def test_bad_syntax(where):
    with pytest.raises(InputError, match="the condition: Parser Error"):
        matching_rows(PEOPLE, where)


@pytest.mark.parametrize("where", ["1=1); DROP TABLE batch; SELECT (1=1", "1=1); SELECT (1"])
def test_a_second_statement_is_refused(where):
    with pytest.raises(InputError, match="more than one statement"):
        matching_rows(PEOPLE, where)


def test_an_empty_condition_is_refused():
    with pytest.raises(InputError, match="the condition is empty"):
        matching_rows(PEOPLE, "  ")


def test_a_cell_that_does_not_convert_is_not_quoted():
    table = Table(("age",), (["SECRET-CELL"],))
    with pytest.raises(InputError, match="a value of column 'age' does not convert") as caught:
        matching_rows(table, "CAST(age AS INTEGER) > 30")
    assert "SECRET" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert "TRY_CAST" in caught.value.hint


def test_no_error_text_that_may_quote_a_cell():
    table = Table(("day",), (["SECRET-CELL"],))
    with pytest.raises(InputError) as caught:
        matching_rows(table, "strptime(day, '%Y') > DATE '2000-01-01'")
    assert "SECRET" not in str(caught.value)


def test_a_condition_reads_no_file(tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    with pytest.raises(InputError, match="Permission Error"):
        matching_rows(PEOPLE, f"EXISTS (SELECT * FROM read_csv('{secret}'))")


def test_a_condition_sees_no_python_variable():
    with pytest.raises(InputError, match="PEOPLE"):
        matching_rows(PEOPLE, "EXISTS (SELECT * FROM PEOPLE)")


def test_columns_that_differ_in_case_only():
    assert folded_names(["A", "b"]) == {"a", "b"}
    with pytest.raises(InputError, match="'ID' and 'id' differ in case only"):
        matching_rows(Table(("ID", "id"), (["1"], ["2"])), "id = '1'")


def test_settings_are_locked():
    with connect() as connection, pytest.raises(duckdb.Error, match="locked"):
        connection.execute("SET enable_external_access = true")


def test_a_full_disk_is_not_the_callers_fault():
    with pytest.raises(UnreachableError), duck_errors("x"):
        raise duckdb.IOException("IO Error: No space left on device")


# --- files -----------------------------------------------------------------------------------------------------

TYPED = (
    "CREATE TABLE t"
    " (age INTEGER, d DATE, ts TIMESTAMP, tz TIMESTAMPTZ, x DOUBLE, m DECIMAL(10,2), b BOOLEAN, s VARCHAR)",
    "INSERT INTO t VALUES (31, '2020-01-02', '2020-01-02 03:04:05', '2020-01-02 03:04:05+08', 0.1, 1.50, true, ''),"
    " (9, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
)


def test_typed_values_become_text_and_null_stays_null(tmp_path):
    source = open_duckdb(made(tmp_path / "x.duckdb", *TYPED), "t")
    (table,) = source.batches()
    assert list(table.iter_rows()) == [
        ("31", "2020-01-02", "2020-01-02 03:04:05", "2020-01-01 19:04:05+00", "0.1", "1.50", "true", ""),
        ("9", None, None, None, None, None, None, None),
    ]
    assert source.types["m"] == "DECIMAL(10,2)"
    assert source.types["tz"] == "TIMESTAMP WITH TIME ZONE"


def test_a_condition_sees_the_types_and_the_columns_that_are_not_selected(tmp_path):
    source = open_duckdb(made(tmp_path / "x.duckdb", *TYPED), None)
    (table,) = source.batches(["d"], "age > 30 AND d - 1 = DATE '2020-01-01'")
    assert list(table.iter_rows()) == [("2020-01-02",)]


def test_views_and_schemas(tmp_path):
    path = made(
        tmp_path / "x.duckdb", "CREATE SCHEMA s", "CREATE TABLE s.o AS SELECT 1 AS a", "CREATE VIEW v AS SELECT 2 AS b"
    )
    assert [list(t.iter_rows()) for t in open_duckdb(path, "s.o").batches()] == [[("1",)]]
    assert [list(t.iter_rows()) for t in open_duckdb(path, "v").batches()] == [[("2",)]]


def test_a_view_of_a_foreign_file_reads_nothing_else(tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    path = made(tmp_path / "x.duckdb", f"CREATE VIEW v AS SELECT * FROM read_csv('{secret}')")
    with pytest.raises(InputError, match="Permission Error"):
        list(open_duckdb(path, "v").batches())


def test_batches_keep_order_and_bound_over_gaps(tmp_path):
    rows = 2 * BATCH_ROWS + 5
    path = made(
        tmp_path / "x.duckdb",
        f"CREATE TABLE t AS SELECT range AS n FROM range({rows})",
        f"DELETE FROM t WHERE n BETWEEN {BATCH_ROWS} AND {2 * BATCH_ROWS - 1}",  # a whole range of row numbers is gone
    )
    tables = list(open_duckdb(path, None).batches())
    numbers = [int(cell) for table in tables for cell in table["n"]]
    assert numbers == [*range(BATCH_ROWS), *range(2 * BATCH_ROWS, rows)]
    assert [table.rows for table in tables] == [BATCH_ROWS, 5]


def test_parquet_batches_are_the_same_twice(tmp_path):
    path = tmp_path / "x.parquet"
    rows = BATCH_ROWS + 7
    duckdb.sql(f"COPY (SELECT range AS n, 'v' || range AS s FROM range({rows})) TO '{path}' (FORMAT parquet)")
    source = open_parquet(path)
    assert source.columns == ("n", "s")
    first, second = list(source.batches(["s"])), list(source.batches(["s"]))
    assert first == second
    assert [cell for table in first for cell in table["s"]] == [f"v{n}" for n in range(rows)]
    assert sum(table.rows for table in source.batches(where="n < 10")) == 10


def test_a_parquet_file_with_a_quote_in_its_name(tmp_path):
    path = tmp_path / "o'hara.parquet"
    duckdb.sql("SELECT 1 AS a").write_parquet(str(path))
    assert [list(t.iter_rows()) for t in open_parquet(path).batches()] == [[("1",)]]


def test_a_parquet_file_damaged_in_the_middle_shows_no_cell(tmp_path):
    path = tmp_path / "x.parquet"
    duckdb.sql(f"COPY (SELECT 'cell' || range AS s FROM range(50000)) TO '{path}' (FORMAT parquet)")
    raw = bytearray(path.read_bytes())
    raw[100:2000] = b"\xff" * 1900
    path.write_bytes(raw)
    with pytest.raises(InputError, match=r"x\.parquet") as caught:
        list(open_parquet(path).batches())
    assert "cell1" not in str(caught.value)


def test_an_unknown_column(tmp_path):
    with pytest.raises(InputError, match="no column 'zz'; the columns are age"):
        list(open_duckdb(made(tmp_path / "x.duckdb", *TYPED), "t").batches(["zz"]))


def test_a_cut_duckdb_file(tmp_path):
    path = made(tmp_path / "x.duckdb", *TYPED)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(InputError, match=r"x\.duckdb"):
        open_duckdb(path, "t")


@pytest.mark.parametrize("name", ["a*.parquet", "a?.parquet", "a[1].parquet"])
def test_a_path_that_would_be_a_pattern_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="may not hold"):
        open_parquet(tmp_path / name)
