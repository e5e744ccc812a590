"""Workbooks: as openpyxl writes them, and as nobody should."""

from __future__ import annotations

import zipfile
from datetime import date, datetime, time
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language.leak_files import PEOPLE, leak_of, rows_of, table_of, workbook_bytes, zipped
from muniment.errors import InputError, LimitError
from muniment.limits import COLUMNS

BOOK = workbook_bytes({"people": [PEOPLE.columns, *PEOPLE.iter_rows()]})
CONTENT = (
    '<?xml version="1.0"?>{doctype}<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    "<sheetData>{rows}</sheetData></worksheet>"
)


def changed(part: str, content: str | bytes) -> bytes:
    """The small workbook with one part replaced."""
    with zipfile.ZipFile(BytesIO(BOOK)) as archive:
        return zipped({**{name: archive.read(name) for name in archive.namelist()}, part: content})


def with_rows(rows: str, doctype: str = "") -> bytes:
    """The small workbook with other rows in its sheet."""
    return changed("xl/worksheets/sheet1.xml", CONTENT.format(rows=rows, doctype=doctype))


def test_a_sheet_is_a_table(tmp_path: Path) -> None:
    found = table_of(tmp_path, BOOK)
    assert (found.name, found.header) == ("people", True)
    assert found.table == PEOPLE


def test_each_sheet_apart(tmp_path: Path) -> None:
    sheets = {"a": [["id", "name"], [1, "x"]], "空": [], "乙": [["id", "name"], [2, "y"]]}
    leak = leak_of(tmp_path, workbook_bytes(sheets))
    assert [(table.name, rows_of(table)) for table in leak.tables] == [("a", [("1", "x")]), ("乙", [("2", "y")])]


def test_numbers_and_dates_are_plain_text(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["id", "value_a"],
        [1, 5.0],
        [2, 0.1],
        [3, 1e20],
        [4, True],
        [5, date(2020, 2, 29)],
        [6, datetime(2020, 1, 2, 3, 4, 5)],
        [7, time(3, 4, 5)],
        [8, datetime(1900, 1, 1)],
        [9, 123],
        [10, 1 / 3],
    ]
    found = table_of(tmp_path, workbook_bytes({"s": rows}, {"B10": "00000"}))
    assert found.table["value_a"] == [
        "5", "0.1", "100000000000000000000", "true", "2020-02-29", "2020-01-02 03:04:05", "03:04:05",
        "1900-01-01", "00123", "0.3333333333333333",
    ]  # fmt: skip


def test_rows_of_any_length(tmp_path: Path) -> None:
    rows: list[list[object]] = [["id", "name"], *[[i, f"P{i}"] for i in range(20)], [20, None, "late", "later"], [21]]
    found = table_of(tmp_path, workbook_bytes({"s": rows}))
    assert found.table.columns == ("id", "name", "column 3", "column 4")
    assert rows_of(found)[-2:] == [("20", None, "late", "later"), ("21", None, None, None)]
    assert found.mended == 0


def test_a_row_number_beyond_all_bounds_costs_nothing(tmp_path: Path) -> None:
    found = table_of(tmp_path, with_rows('<row r="999999999999"><c r="B999999999" t="str"><v>x</v></c></row>'))
    assert rows_of(found) == [(None, "x")]


def test_a_column_beyond_the_bound(tmp_path: Path) -> None:
    with pytest.raises(LimitError, match=f"more than {COLUMNS:,} columns"):
        table_of(tmp_path, with_rows('<row r="1"><c r="XFD1" t="str"><v>x</v></c></row>'))
    assert rows_of(table_of(tmp_path, with_rows('<row><c r="XFD1"/><c r="A1" t="str"><v>x</v></c></row>'))) == [("x",)]


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE r [<!ENTITY a "x"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE r SYSTEM "http://127.0.0.1:9/x.dtd">',
    ],
)
def test_entities_are_refused(tmp_path: Path, doctype: str) -> None:
    book = with_rows('<row><c t="str"><v>&a;</v></c></row>', doctype)
    with pytest.raises(InputError, match="document type"):
        table_of(tmp_path, book)


def test_an_undefined_entity_is_damage(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="damaged XML"):
        table_of(tmp_path, with_rows('<row><c t="str"><v>&a;</v></c></row>'))


def test_one_part_under_many_names_is_read_once(tmp_path: Path) -> None:
    sheets = "".join(f'<sheet name="s{i}" sheetId="{i + 1}" r:id="rId1"/>' for i in range(500))
    book = changed(
        "xl/workbook.xml",
        '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
        f'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>{sheets}</sheets></workbook>',
    )
    assert len(leak_of(tmp_path, book).tables) == 1


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.99])
def test_truncated(tmp_path: Path, cut: float) -> None:
    with pytest.raises(InputError, match=r"leak\.bin"):
        table_of(tmp_path, BOOK[: int(len(BOOK) * cut)])


def test_damaged_inside(tmp_path: Path) -> None:
    with zipfile.ZipFile(BytesIO(BOOK)) as archive:
        place = archive.getinfo("xl/worksheets/sheet1.xml").header_offset + 60
    with pytest.raises(InputError, match=r"leak\.bin"):
        table_of(tmp_path, BOOK[:place] + b"\xff\xff\xff" + BOOK[place + 3 :])


def test_a_bomb_is_refused_while_it_unpacks(tmp_path: Path) -> None:
    rows = f'<row><c t="str"><v>{"x" * 99_000}</v></c></row>' * 400
    with pytest.raises(LimitError, match="unpacks to more than"):
        table_of(tmp_path, with_rows(rows))


def test_nothing_in_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="without a row"):
        table_of(tmp_path, workbook_bytes({"s": []}))
    with pytest.raises(InputError, match="shared text"):
        table_of(tmp_path, with_rows('<row><c t="s"><v>99999</v></c></row>'))


_CHARACTERS = st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="\ufffe\uffff")
_TEXT = st.text(_CHARACTERS, min_size=1, max_size=9)


@settings(max_examples=25)
@given(st.lists(st.tuples(_TEXT, _TEXT), min_size=1, max_size=5))
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]]) -> None:
    typed = [[f"'{cell}" if cell.startswith("=") else cell for cell in row] for row in rows]
    found = table_of(tmp_path_factory.getbasetemp(), workbook_bytes({"s": [["id", "name"], *typed]}))
    assert rows_of(found) == [tuple(row) for row in typed]
