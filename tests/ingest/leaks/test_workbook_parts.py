"""Names, texts and number formats of workbooks."""

from __future__ import annotations

import io
from datetime import datetime
from typing import BinaryIO

import pytest

from muniment.errors import InputError, LimitError
from muniment.ingest.leaks.workbook_parts import Parts, Sheet, number_text, read_parts, unescaped
from muniment.limits import CELL_CHARACTERS, ZIP_MEMBERS

EPOCH = datetime(1899, 12, 30)
WORKBOOK = '<x:workbook xmlns:x="m" xmlns:r="r"><x:workbookPr date1904="1"/><x:sheets>{}</x:sheets></x:workbook>'
RELATIONS = (
    '<Relationships><Relationship Id="a" Type="http://x/worksheet" Target="worksheets/s1.xml"/>'
    '<Relationship Id="b" Type="http://x/worksheet" Target="/xl/s2.xml"/>'
    '<Relationship Id="c" Type="http://x/chartsheet" Target="c.xml"/></Relationships>'
)


def parts_of(**content: str) -> Parts:
    sheets = '<x:sheet name="一" r:id="a"/><x:sheet name="two" r:id="b"/><x:sheet name="c" r:id="c"/>'
    files = {"xl/workbook.xml": WORKBOOK.format(sheets), "xl/_rels/workbook.xml.rels": RELATIONS, **content}

    def open_part(name: str) -> BinaryIO | None:
        return io.BytesIO(files[name].encode()) if name in files else None

    return read_parts(open_part, "f")


def test_sheets_by_their_relations() -> None:
    parts = parts_of()
    assert parts.sheets == (Sheet("一", "xl/worksheets/s1.xml"), Sheet("two", "xl/s2.xml"))
    assert parts.epoch == datetime(1904, 1, 1)


def test_texts_without_phonetic_readings() -> None:
    xml = "<sst><si><t>a</t></si><si><r><t>b</t></r><r><t> c</t></r><rPh><t>no</t></rPh></si><si/></sst>"
    assert parts_of(**{"xl/sharedStrings.xml": xml}).texts == ["a", "b c", ""]
    long = f"<sst><si><t>{'x' * (CELL_CHARACTERS + 1)}</t></si></sst>"
    with pytest.raises(LimitError, match="a cell of more"):
        parts_of(**{"xl/sharedStrings.xml": long})


CODES = {
    "yyyy\\-mm\\-dd": "date",
    "[$-404]e/m/d": "date",
    "h:mm:ss": "time",
    "[h]:mm": "elapsed",
    "00000": "00000",
    "0.00E+00": "",
    '#,##0.00 "days"': "",
    "[Red]0": "",
    "General": "",
    "mmm": "date",
}


def test_number_formats() -> None:
    formats = "".join(f"<numFmt numFmtId='{200 + i}' formatCode='{code}'/>" for i, code in enumerate(CODES))
    styles = "".join(f"<xf numFmtId='{200 + i}'/>" for i in range(len(CODES))) + "<xf numFmtId='14'/><xf numFmtId='0'/>"
    others = "<cellStyleXfs><xf numFmtId='9'/></cellStyleXfs>"
    xml = f"<s><numFmts>{formats}</numFmts>{others}<cellXfs>{styles}</cellXfs></s>"
    assert parts_of(**{"xl/styles.xml": xml}).formats == [*CODES.values(), "date", ""]


@pytest.mark.parametrize(
    ("found", "meaning", "expected"),
    [
        ("5", "", "5"),
        ("5.0", "", "5"),
        ("1.1000000000000001", "", "1.1"),
        ("1E-07", "", "0.0000001"),
        ("1e999", "", "1e999"),
        ("nan", "", "nan"),
        ("x", "date", "x"),
        ("43831", "date", "2020-01-01"),
        ("43831.5", "date", "2020-01-01 12:00:00"),
        ("1", "date", "1900-01-01"),
        ("60.0", "date", "1900-02-28"),
        ("1e9", "date", "1e9"),
        ("0.5", "time", "12:00:00"),
        ("1.5", "elapsed", "36:00:00"),
        ("123", "00000", "00123"),
        ("9" * 400, "", "9" * 400),
    ],
)
def test_numbers(found: str, meaning: str, expected: str) -> None:
    assert number_text(found, meaning, EPOCH) == expected


def test_escaped_characters() -> None:
    assert unescaped("a_x000D_b_xD800_c_x") == "a\rb\ufffdc_x"


def test_bounds_and_gaps() -> None:
    many = WORKBOOK.format('<sheet name="s" r:id="a"/>' * (ZIP_MEMBERS + 1))
    with pytest.raises(LimitError, match="sheets"):
        parts_of(**{"xl/workbook.xml": many})
    with pytest.raises(InputError, match=r"f: a workbook without xl/workbook\.xml"):
        read_parts(lambda name: None, "f")
