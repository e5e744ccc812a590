"""Columns as codes: equal value, equal code, whatever the source; no text of a file in Python."""

import csv
import math
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from muniment.engine import coding
from muniment.engine.coding import CodedColumn, codes_of, read_codes
from muniment.errors import InputError, LimitError
from muniment.ingest.sources import open_source
from muniment.table import Table


def parquet(path: Path, select: str) -> str:
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")
    return str(path)


def rows_of(select: str) -> list[tuple[object, ...]]:
    with duckdb.connect() as connection:
        return connection.execute(select).fetchall()


def read(location: str, *names: str, **how: object) -> dict[str, CodedColumn]:
    return {column.name: column for column in read_codes(open_source(location), names or None, **how)}


def texts(column: CodedColumn) -> list[str | None]:
    """The column as it was, by its labels."""
    assert len(column.labels) == column.size
    return [column.labels[code] for code in column.codes.tolist()]


def groups(values: list[object]) -> list[int]:
    """The number of the first row that holds the same value."""
    first: dict[object, int] = {}
    return [first.setdefault(value, row) for row, value in enumerate(values)]


def same_partition(column: CodedColumn, values: list[object]) -> bool:
    codes = column.codes.tolist()
    return groups(codes) == groups(values) and len(set(codes)) == column.size == max(codes, default=-1) + 1


VALUES = {
    "tiny": "CAST(i % 256 - 128 AS TINYINT)",
    "small": "CAST(i * 37 % 65536 - 32768 AS SMALLINT)",
    "far": "CASE i % 3 WHEN 0 THEN -9223372036854775808 WHEN 1 THEN 9223372036854775807 ELSE 0 END",
    "wide": "i * 1000000007 % 77 * 1000000007",
    "unsigned": "CAST(18446744073709551615 - i % 5 AS UBIGINT)",
    "huge": "CAST(i % 5 AS DECIMAL(38, 0)) * 17014118346046923173168730371588410",
    "yes": "i % 3 = 0",
    "born": "DATE '1950-01-01' + CAST(i % 90 AS INTEGER)",
    "endless": "CASE i % 3 WHEN 0 THEN DATE 'infinity' WHEN 1 THEN DATE '-infinity' ELSE DATE '2000-02-29' END",
    "seen": "TIMESTAMP '2020-01-01' + to_hours(i % 50)",
    "price": "CAST(i % 30 AS DECIMAL(9, 2)) / 4",
    "name": "'name ' || (i % 41)",
    "digits": "CAST(i % 120 AS VARCHAR)",
    "zeros": "CASE WHEN i % 2 = 0 THEN '7' ELSE '07' END",
    "empty": "CASE WHEN i % 2 = 0 THEN '' ELSE ' ' END",
    "parts": "[i % 3, i % 2]",
    "bytes": "CAST('\\xAA' || CAST(i % 3 AS VARCHAR) AS BLOB)",
}


@pytest.mark.parametrize("nulls", [False, True])
@pytest.mark.parametrize("name", VALUES)
def test_a_column_of_any_type_is_its_values(tmp_path: Path, name: str, nulls: bool):
    value = f"CASE WHEN i % 7 = 3 THEN NULL ELSE {VALUES[name]} END" if nulls else VALUES[name]
    select = f"SELECT {value} AS v FROM range(2000) t(i)"
    column = read(parquet(tmp_path / "a.parquet", select), labels=True)["v"]
    expected = [row[0] for row in rows_of(f"SELECT CAST(v AS VARCHAR) FROM ({select})")]
    assert texts(column) == expected
    assert same_partition(column, expected)
    assert column.null == (column.size - 1 if nulls else -1)
    assert (column.codes == column.null).tolist() == [text is None for text in expected]


@pytest.mark.parametrize("name", ["tiny", "far", "wide", "yes", "born", "endless", "seen", "price", "digits", "huge"])
def test_codes_of_numbers_and_dates_follow_their_values(tmp_path: Path, name: str):
    kind = "CAST(v AS BIGINT)" if name == "digits" else "v"
    select = f"SELECT {VALUES[name]} AS v FROM range(2000) t(i)"
    column = read(parquet(tmp_path / "a.parquet", select))["v"]
    inner = f"SELECT i, {VALUES[name]} AS v FROM range(2000) t(i)"
    ranks = rows_of(f"SELECT r - 1 FROM (SELECT i, dense_rank() OVER (ORDER BY {kind}) AS r FROM ({inner})) ORDER BY i")
    assert column.ordered and [(code,) for code in column.codes.tolist()] == ranks


def test_floats_are_told_apart_by_their_text(tmp_path: Path):
    select = (
        "SELECT unnest([0.0::DOUBLE, -(0.0::DOUBLE), 'nan', '-nan', 'inf', '-inf', 1, 1.0, "
        "0.1, 0.1::DOUBLE + 0.2::DOUBLE, 0.3, NULL]) AS v"
    )
    column = read(parquet(tmp_path / "a.parquet", select), labels=True)["v"]
    zero, minus, nan, nan_again, *_ = column.codes.tolist()
    assert zero != minus and nan == nan_again
    assert column.codes[6] == column.codes[7] and column.codes[9] != column.codes[10]
    values = [float(label) for label in column.labels if label is not None and not math.isnan(float(label))]
    assert column.ordered and values == sorted(values)


def test_one_and_one_point_nought_of_a_text_column_differ(tmp_path: Path):
    column = read(parquet(tmp_path / "a.parquet", "SELECT unnest(['1', '1.0', '1', '01']) AS v"))["v"]
    assert groups(column.codes.tolist()) == [0, 1, 0, 3] and not column.ordered


@pytest.mark.parametrize("count", [0, 1])
def test_no_rows_one_row_and_all_null(tmp_path: Path, count: int):
    select = f"SELECT CAST(NULL AS INTEGER) AS a, CAST(NULL AS VARCHAR) AS b, 5 AS c, 'x' AS d FROM range({count})"
    found = read(parquet(tmp_path / "a.parquet", select), labels=True)
    assert [found[name].size for name in "abcd"] == [count] * 4
    assert [found[name].null for name in "abcd"] == ([0, 0, -1, -1] if count else [-1] * 4)
    assert all(len(column.codes) == count for column in found.values())


def test_many_values_are_coded_by_a_hash_that_is_proved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(coding, "DICTIONARY", 10)
    select = "SELECT CASE WHEN i % 9 = 0 THEN NULL ELSE 'n' || (i * 7 % 1000) END AS v FROM range(5000) t(i)"
    column = read(parquet(tmp_path / "a.parquet", select), labels=True)["v"]
    expected = [row[0] for row in rows_of(select)]
    assert same_partition(column, expected) and texts(column) == expected
    assert column.null == column.size - 1


def test_a_hash_that_collides_is_refused_without_the_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(coding, "DICTIONARY", 1)
    monkeypatch.setattr(coding._Coder, "_array", lambda self, sql: np.zeros(100, np.uint64))
    with pytest.raises(InputError, match=r"column 'v': two of its 100 values have one hash") as refused:
        read(parquet(tmp_path / "a.parquet", "SELECT 'anna' || i AS v FROM range(100) t(i)"))
    assert "anna" not in str(refused.value)


def test_labels_of_too_many_values_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(coding, "LABELS", 99)
    place = parquet(tmp_path / "a.parquet", "SELECT 'x' || i AS v, i FROM range(100) t(i)")
    assert read(place)["v"].labels == ()
    for name in ("v", "i"):
        with pytest.raises(LimitError, match=f"column '{name}' has 100 values"):
            read(place, name, labels=True)


def test_four_hundred_columns(tmp_path: Path):
    listed = ", ".join(f"(i + {number}) % {number + 2} AS c{number}" for number in range(400))
    found = read(parquet(tmp_path / "a.parquet", f"SELECT {listed} FROM range(500) t(i)"))
    assert [column.size for column in found.values()] == [number + 2 for number in range(400)]


def test_a_table_and_a_view_of_a_duckdb_file(tmp_path: Path):
    path = tmp_path / "a.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE t AS SELECT i, 'n' || (i % 5) AS n FROM range(3000) t(i)")
        connection.execute("CREATE VIEW w AS SELECT * FROM t WHERE i >= 1000")
    table, view = read(f"{path}::t", labels=True), read(f"{path}::w", labels=True)
    assert texts(table["n"]) == [f"n{i % 5}" for i in range(3000)]
    pairs = zip(texts(view["i"]), texts(view["n"]), strict=True)
    assert sorted(pairs) == sorted((str(i), f"n{i % 5}") for i in range(1000, 3000))


def test_a_condition_chooses_the_rows(tmp_path: Path):
    place = parquet(tmp_path / "a.parquet", "SELECT i, 'n' || (i % 3) AS n FROM range(100) t(i)")
    found = read(place, "n", where="i % 2 = 1 -- odd", labels=True)
    assert texts(found["n"]) == [f"n{i % 3}" for i in range(1, 100, 2)]
    with pytest.raises(InputError, match="the condition"):
        read(place, "n", where="i = ")


@pytest.mark.parametrize(("names", "message"), [
    (("zz",), r"no column 'zz'; the columns are i, n"),
    (("i", "i"), r"column 'i' is asked for twice"),
])
def test_columns_that_are_not_there(tmp_path: Path, names: tuple[str, ...], message: str):
    place = parquet(tmp_path / "a.parquet", "SELECT i, 'a' AS n FROM range(3) t(i)")
    with pytest.raises(InputError, match=message):
        read(place, *names)


def test_a_memory_limit_is_kept(tmp_path: Path):
    place = parquet(tmp_path / "a.parquet", "SELECT md5(CAST(i AS VARCHAR)) AS v FROM range(600000) t(i)")
    with pytest.raises(Exception, match="out of memory") as refused:
        read_codes(open_source(place), memory_limit="8MB")
    assert refused.type.__name__ == "UnreachableError"


# --- text --------------------------------------------------------------------------------------------------------

CELLS = st.text(st.sampled_from("ab 1,;\"'\n\r\té中\u00a0#\\"), max_size=5)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=12), st.sampled_from([",", ";", "\t"]))
def test_duckdb_reads_a_text_file_as_the_batches_do(tmp_path: Path, rows: list[tuple[str, ...]], delimiter: str):
    path = tmp_path / "a.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(["first", "second", "third"])
        writer.writerows([("padding", "x", "y"), *rows])
    try:
        source = open_source(str(path), encoding="utf-8")
        expected = codes_of(source.batches(), source.columns, labels=True)
    except InputError:
        return
    for ours, theirs in zip(read_codes(source, labels=True), expected, strict=True):
        assert texts(ours) == texts(theirs)
        assert ours.codes.tolist() == theirs.codes.tolist() and ours[2:] == theirs[2:]


@pytest.mark.parametrize("quoted", [False, True])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_plain_text_file_is_read_by_duckdb(tmp_path: Path, quoted: bool, end: str, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "a.csv"
    mark = '"' if quoted else ""
    rows = [f"{mark}name {i % 50}{mark},{i}" for i in range(1000)]
    path.write_bytes(end.join(["name,number", *rows, ""]).encode())
    monkeypatch.setattr(coding, "codes_of", lambda *_, **__: pytest.fail("read by batches"))
    found = read(str(path), labels=True)
    assert texts(found["name"]) == [f"name {i % 50}" for i in range(1000)]
    assert found["number"].ordered and found["number"].codes.tolist() == list(range(1000))


@pytest.mark.parametrize("text", [
    "\nname,age\nAnna,31\nBert,9\n",
    "\ufeffname,age\nAnna,31\nBert,9\n",
    "name,age\n\nAnna,31\n\nBert,9",
    "name , age\nAnna,31\nBert,9\n",
    "name,age\nAnna,31\n#Bert,9\n",
    "name,age\nNULL,31\nnan,\n",
    "name;age\n 'Anna';31,5\nBert;9\n",
])
def test_text_files_with_a_habit_of_their_own(tmp_path: Path, text: str):
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8")
    source = open_source(str(path))
    expected = codes_of(source.batches(), source.columns, labels=True)
    for ours, theirs in zip(read_codes(source, labels=True), expected, strict=True):
        assert texts(ours) == texts(theirs)


def test_a_text_file_that_is_packed(tmp_path: Path):
    import gzip

    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"name,age\nAnna,31\nBert,9\n"))
    assert texts(read(str(path), labels=True)["name"]) == ["Anna", "Bert"]


def test_columns_with_the_names_of_our_own_queries(tmp_path: Path):
    names = ["t", "o", "v", "code", "held", "rows", 'quote"d', "rowid", "file_row_number2", "a b"]
    quoted = ", ".join('\'x\' || (i % 7) AS "' + name.replace('"', '""') + '"' for name in names)
    found = read(parquet(tmp_path / "a.parquet", f"SELECT {quoted} FROM range(100) t(i)"), labels=True)
    for name in names:
        assert texts(found[name]) == [f"x{i % 7}" for i in range(100)]


def test_an_empty_cell_is_a_value_and_not_null(tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_text('name,age\nAnna,31\n,\n"",40\n', encoding="utf-8")
    found = read(str(path), labels=True)
    assert texts(found["name"]) == ["Anna", "", ""] and found["name"].null == -1


def test_a_fault_in_a_text_file_has_its_line(tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_text("name,age\nAnna,31\nBert,1,2\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 3: expected 2 fields, found 3"):
        read(str(path))


def test_text_in_another_encoding_comes_by_batches(tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_bytes("name,town\n王小明,臺北\n陳,臺北\n".encode("big5"))
    found = {column.name: column for column in read_codes(open_source(str(path), encoding="big5"), labels=True)}
    assert texts(found["town"]) == ["臺北", "臺北"]


# --- batches -----------------------------------------------------------------------------------------------------


def test_batches_share_their_codes_and_null_is_the_last():
    tables = [Table(("a", "b"), (["10", None, "9"], ["x", "y", "x"])), Table(("a", "b"), (["9", "-1"], ["z", "x"]))]
    first, second = codes_of(tables, ("a", "b"), labels=True)
    assert first.labels == ("-1", "9", "10", None) and first.ordered and first.null == 3
    assert first.codes.tolist() == [2, 3, 1, 1, 0]
    assert second.labels == ("x", "y", "z") and not second.ordered and second.null == -1


def test_no_batch():
    (column,) = codes_of([], ("a",))
    assert column.size == 0 and column.codes.dtype == np.uint8 and not len(column.codes)


def test_types_widen_with_the_number_of_values():
    (column,) = codes_of((Table(("a",), ([str(i) for i in range(n)],)) for n in (256, 257, 70_000)), ("a",))
    assert column.codes.dtype == np.uint32 and column.size == 70_000
    assert column.codes[256 + 257 :].tolist() == list(range(70_000))
