"""XLSX releases, read back by openpyxl."""

import openpyxl
import pytest

from muniment.engine.xlsx import XlsxWriter
from muniment.errors import InputError, LimitError
from muniment.limits import SHEET_CELL_CHARACTERS, SHEET_COLUMNS, SHEET_ROWS
from muniment.table import Table


def written(path, table):
    with XlsxWriter(path, table.columns) as writer:
        writer.write(table)
    rows = openpyxl.load_workbook(path)["Sheet1"].iter_rows()
    return [[(cell.value, cell.data_type) for cell in row] for row in rows]


def test_cells_are_strings_whatever_they_begin_with(tmp_path):
    cells = ["=1+1", "+1", "-1", "@x", "007", "1e5", "TRUE", "2020-01-01"]
    rows = written(tmp_path / "x.xlsx", Table(("a",), (cells,)))
    assert rows == [[("a", "s")], *[[(cell, "s")] for cell in cells]]


def test_text_that_xml_would_change(tmp_path):
    cells = ["<&>\"'", " blanks ", "a\nb", "陳小明", "𠮷", ""]
    rows = written(tmp_path / "x.xlsx", Table(("<名>",), (cells,)))
    assert [row[0][0] for row in rows] == ["<名>", *cells]


def test_null_is_an_empty_cell(tmp_path):
    rows = written(tmp_path / "x.xlsx", Table(("a", "b"), ([None, "x"], ["1", None])))
    assert [[value for value, _ in row] for row in rows] == [["a", "b"], [None, "1"], ["x", None]]


def test_spelling_of_characters_by_number(tmp_path):
    # ECMA-376: `_x000D_` stands for a carriage return, so a cell that holds these seven letters is escaped.
    rows = written(tmp_path / "x.xlsx", Table(("a",), (["a\rb", "_x000D_", "_x"],)))
    assert [row[0][0] for row in rows[1:]] == ["a_x000D_b", "_x005F_x000D_", "_x"]


def test_many_columns_and_batches(tmp_path):
    names = tuple(f"c{number}" for number in range(703))  # past ZZ
    table = Table(names, tuple([name.upper()] for name in names))
    path = tmp_path / "x.xlsx"
    with XlsxWriter(path, names) as writer:
        writer.write(table)
        writer.write(table)
    sheet = openpyxl.load_workbook(path)["Sheet1"]
    assert (sheet.max_row, sheet.max_column) == (3, 703)
    assert sheet["AAA3"].value == "C702"


def test_the_same_rows_give_the_same_bytes(tmp_path):
    table = Table(("a",), (["x"],))
    for name in ("one", "two"):
        written(tmp_path / f"{name}.xlsx", table)
    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "two.xlsx").read_bytes()


def test_a_control_character_is_named(tmp_path):
    path = tmp_path / "x.xlsx"
    writer = XlsxWriter(path, ("a", "b"))
    writer.write(Table(("a", "b"), (["x"], ["y"])))
    with pytest.raises(InputError, match="row 3, column 'b' holds a control character"), writer:
        writer.write(Table(("a", "b"), (["x", "x"], ["y", "\x01"])))
    assert not path.exists()


def test_a_column_name_that_a_sheet_cannot_hold(tmp_path):
    with pytest.raises(InputError, match="control character"):
        XlsxWriter(tmp_path / "x.xlsx", ("a\x00",))
    assert list(tmp_path.iterdir()) == []


def test_a_cell_too_long(tmp_path):
    with pytest.raises(LimitError, match="32,767"), XlsxWriter(tmp_path / "x.xlsx", ("a",)) as writer:
        writer.write(Table(("a",), (["x" * (SHEET_CELL_CHARACTERS + 1)],)))


def test_too_many_rows_are_refused_before_anything_is_written(tmp_path):
    with pytest.raises(LimitError, match="1,048,575 rows") as caught:
        XlsxWriter(tmp_path / "x.xlsx", ("a",), rows=SHEET_ROWS + 1)
    assert ".csv" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_row_too_many_is_refused_with_its_batch(tmp_path):
    writer = XlsxWriter(tmp_path / "x.xlsx", ("a",))
    writer._rows = SHEET_ROWS  # as if a million rows had been written
    with pytest.raises(LimitError, match="1,048,575 rows"), writer:
        writer.write(Table(("a",), (["x"],)))


def test_too_many_columns(tmp_path):
    with pytest.raises(LimitError, match="16,384 columns"):
        XlsxWriter(tmp_path / "x.xlsx", [f"c{n}" for n in range(SHEET_COLUMNS + 1)])
