"""Pasted text: one person a line or block, in the punctuation of two scripts."""

from __future__ import annotations

from pathlib import Path

import pytest

from language.leak_files import rows_of, table_of

PERSONS = [("王小明", "0912345678", "臺北市"), ("李大華", "0922333444", "高雄市"), ("陳美玲", "0933555666", "臺中市")]


@pytest.mark.parametrize("divider", ["\t", "   ", "\u3000", "、", "，", "；", ";", "|", " | ", ",", ", "])
def test_fields_by_their_divider(tmp_path: Path, divider: str) -> None:
    found = table_of(tmp_path, "\n".join(divider.join(person) for person in PERSONS) + "\n")
    assert [tuple((cell or "").strip() for cell in row) for row in rows_of(found)] == PERSONS
    assert not found.header


def test_a_header_is_seen(tmp_path: Path) -> None:
    found = table_of(tmp_path, "姓名、電話、城市\n" + "".join("、".join(person) + "\n" for person in PERSONS))
    assert (found.table.columns, rows_of(found)) == (("姓名", "電話", "城市"), PERSONS)


LABELLED = (
    "姓名：王小明\n電話：0912345678\n地址：臺北市\n中山路1號\n\n\n"
    "姓名：李大華\n電話：0922\n\n"
    "姓名：陳美玲\nE-mail: a@b.tw\n"
)


def test_labelled_blocks(tmp_path: Path) -> None:
    found = table_of(tmp_path, LABELLED)
    assert (found.header, found.table.columns) == (True, ("姓名", "電話", "地址", "E-mail"))
    assert rows_of(found) == [
        ("王小明", "0912345678", "臺北市\n中山路1號", None),
        ("李大華", "0922", None, None),
        ("陳美玲", None, None, "a@b.tw"),
    ]


def test_labelled_blocks_without_blank_lines(tmp_path: Path) -> None:
    found = table_of(tmp_path, "Name: Ann\nPhone: 1\nName: Bob\nPhone: 2\nPhone: 3\n")
    assert found.table.columns == ("Name", "Phone", "Phone (2)")
    assert rows_of(found) == [("Ann", "1", None), ("Bob", "2", "3")]


def test_blocks_without_labels(tmp_path: Path) -> None:
    text = "Ann Smith\n12 High Street\nLeeds\n\nBob Jones\n3 Low Road\nYork\n\nCy\n4 Mid Way\n"
    found = table_of(tmp_path, text)
    assert rows_of(found) == [
        ("Ann Smith", "12 High Street", "Leeds"),
        ("Bob Jones", "3 Low Road", "York"),
        ("Cy", "4 Mid Way", None),
    ]


def test_lines_that_nothing_divides(tmp_path: Path) -> None:
    found = table_of(tmp_path, "Ann lives in Leeds.\nBob, who is 40, left\nCy\n")
    assert (found.table.columns, found.header) == (("line",), False)
    assert found.table["line"] == ["Ann lives in Leeds.", "Bob, who is 40, left", "Cy"]


def test_a_table_drawn_by_psql(tmp_path: Path) -> None:
    text = " id | name   | city \n----+--------+------\n  1 | Ann    | Leeds\n  2 | Bob J. | \n"
    found = table_of(tmp_path, text)
    assert found.table.columns == ("id", "name", "city")
    assert rows_of(found) == [("1", "Ann", "Leeds"), ("2", "Bob J.", "")]


def test_a_table_drawn_by_mysql(tmp_path: Path) -> None:
    text = "+----+------+\n| id | name |\n+----+------+\n|  1 | Ann  |\n|  2 | Bob  |\n+----+------+\n"
    found = table_of(tmp_path, text)
    assert (found.table.columns, rows_of(found)) == (("id", "name"), [("1", "Ann"), ("2", "Bob")])
