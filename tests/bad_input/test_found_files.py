"""Found files that are broken or hostile, through the whole of a trace; `test_leaks` has the faults of each format.

A file that cannot be read is no examination: nothing is logged. A file that holds nothing of the register is one.
"""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from language.leak_files import workbook_bytes
from language.places import RECIPIENT, Place, demo_table, digests
from muniment.engine.writers import open_writer
from muniment.errors import InputError, LimitError

FIVE_GB = 5 * 1000**3
LEDGER = {"ledger/journal.bin", "ledger/head"}
CSV = "id,name,city\n" + "".join(f"{i},Person {i},Town {i % 7}\n" for i in range(60))
NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
ENTITIES = '<!ENTITY a "ha"><!ENTITY b "' + "&a;" * 100 + '"><!ENTITY c "' + "&b;" * 100 + '">'
LAUGHS = (
    f'<?xml version="1.0"?><!DOCTYPE w [{ENTITIES}]><worksheet xmlns="{NAMESPACE}"><sheetData><row r="1">'
    '<c t="inlineStr"><is><t>&c;</t></is></c></row></sheetData></worksheet>'
)
OUTSIDE = LAUGHS.replace('<!ENTITY a "ha">', '<!ENTITY a "ha"><!ENTITY c SYSTEM "file:///etc/passwd">')


def form(folder: Path, suffix: str) -> bytes:
    table = demo_table(60)
    path = folder / f"whole{suffix}"
    with open_writer(path, table.columns, {}, suffix.removeprefix(".")) as writer:  # type: ignore[arg-type]
        writer.write(table)
    data = path.read_bytes()
    path.unlink()
    return data


def with_sheet(xml: str) -> Callable[[Path], bytes]:
    """A workbook whose first sheet is this XML."""

    def make(folder: Path) -> bytes:
        whole, path = folder / "whole.xlsx", folder / "made.xlsx"
        whole.write_bytes(workbook_bytes({"s": [["id"], ["1"]]}))
        with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
            for name in old.namelist():
                new.writestr(name, xml if name.endswith("sheet1.xml") else old.read(name))
        data = path.read_bytes()
        whole.unlink()
        path.unlink()
        return data

    return make


def bomb(folder: Path, inside: str = "rows.csv", size: int = 60_000_000) -> bytes:
    path, line = folder / "bomb.zip", b"a" * 997 + b",b\n"
    archive = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)
    with archive, archive.open(inside, "w", force_zip64=True) as member:
        for _ in range(size // 1_000_000):
            member.write(line * 1_000)
    data = path.read_bytes()
    path.unlink()
    return data


def nested(folder: Path) -> bytes:
    """An archive in an archive in an archive."""
    path, data = folder / "nested.zip", bomb(folder, size=1_000_000)
    for level in range(3):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"{level}.zip", data)
        data = path.read_bytes()
    path.unlink()
    return data


FAULTS: dict[str, tuple[str, Callable[[Path], bytes], str]] = {
    "empty": ("x.csv", lambda folder: b"", "empty"),
    "binary": ("x.csv", lambda folder: bytes(range(256)) * 20, "binary data"),
    "truncated Parquet": ("x.parquet", lambda folder: form(folder, ".parquet")[:-60], "cut short"),
    "truncated workbook": ("x.xlsx", lambda folder: form(folder, ".xlsx")[:-60], "not a whole zip file"),
    "zip bomb": ("x.zip", bomb, "a bomb, or more than a trace can use"),
    "workbook bomb": ("x.xlsx", with_sheet("<worksheet>" + " " * 50_000_000 + "</worksheet>"), "x.xlsx"),
    "archives in archives": ("x.zip", nested, "an archive inside 2 archives"),
    "billion laughs": ("x.xlsx", with_sheet(LAUGHS), "x.xlsx"),
    "outside entity": ("x.xlsx", with_sheet(OUTSIDE), "x.xlsx"),
}


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_a_file_that_cannot_be_read(place: Place, fault: str) -> None:
    name, content, said = FAULTS[fault]
    path = place.folder / name
    path.write_bytes(content(place.folder))
    started = time.process_time()
    with place.unchanged(), pytest.raises(InputError) as caught:
        place.open().trace(path)
    assert said in caught.value.message
    assert name in caught.value.message
    assert caught.value.hint
    assert "root:" not in caught.value.message
    assert time.process_time() - started < 10


def test_the_wrong_encoding(place: Place) -> None:
    path = place.folder / "x.csv"
    path.write_bytes(("編號,姓名\n" + "1,王小明\n" * 50).encode("cp950"))
    with place.unchanged(), pytest.raises(InputError, match="do not fit the encoding utf-8") as caught:
        place.open().trace(path, encoding="utf-8")
    assert "--encoding" in caught.value.hint


@pytest.mark.parametrize("head", [b"", CSV.encode()], ids=["all zeros", "a table, then zeros"])
def test_five_gigabytes_of_nothing(place: Place, head: bytes) -> None:
    path = place.folder / "x.csv"
    with path.open("wb") as file:
        file.write(head)
        file.truncate(FIVE_GB)
    started = time.process_time()
    with place.unchanged(), pytest.raises(InputError, match=r"x\.csv"):
        place.open().trace(path)
    assert time.process_time() - started < 3


def test_more_than_is_read_at_all(place: Place) -> None:
    path = place.folder / "x.csv"
    with path.open("wb") as file:
        file.truncate(2 * FIVE_GB)
    with place.unchanged(), pytest.raises(LimitError, match="at most 8,589,934,592 are read"):
        place.open().trace(path)


@pytest.mark.parametrize(
    "content",
    [CSV, "x,y\n" + "".join(f"{i * i},{i}\n" for i in range(50)), "id,name\n", "one line of prose\n"],
    ids=["other persons", "numbers", "a header alone", "prose"],
)
def test_nothing_of_this_register_is_a_verdict(place: Place, content: str) -> None:
    path = place.folder / "x.csv"
    path.write_text(content)
    before = digests(place.office)
    verdict = place.open().trace(path)
    assert (verdict.verdict, verdict.named, verdict.rows_aligned, verdict.symbols_read) == ("none", (), 0, 0)
    assert verdict.shown_histogram is None
    assert verdict.to_json()["rows"] == {"read": verdict.rows_read, "aligned": 0}
    changed = {name for name, digest in digests(place.office).items() if before.get(name) != digest}
    assert changed == LEDGER, "one examination, and nothing else"


def test_ragged_rows_are_read_as_far_as_they_go(place: Place) -> None:
    """What a thief pasted together is no reason to refuse it: short rows are filled, and the rest still names."""
    path = place.folder / "x.csv"
    lines = place.copy.read_text().splitlines()
    path.write_text("\n".join([*lines[:200], "a,b", "x," * 40, "", *lines[200:], lines[5] + ",more,cells"]))
    verdict = place.open().trace(path)
    assert [named.recipient for named in verdict.named] == [RECIPIENT]
    assert verdict.rows_aligned >= 290


def test_a_file_named_like_a_trap(place: Place) -> None:
    path = place.folder / "\x1b[31m<script>alert(1)</script>.csv".replace("/", "\u2215")
    path.write_text(CSV)
    verdict = place.open().trace(path)
    assert verdict.file.isprintable()


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ({"mapping": {"no such": "name_zh"}}, "no such"),
        ({"mapping": {"name_zh": "no such"}}, "no such"),
        ({"register": "no such"}, "no such"),
        ({"alpha": 2.0}, "alpha"),
        ({"alpha": float("nan")}, "alpha"),
        ({"leads_purpose": "  "}, "purpose"),
    ],
    ids=["mapped from nothing", "mapped to nothing", "no register", "alpha of two", "alpha that is none", "no purpose"],
)
def test_a_question_that_is_none(place: Place, question: dict[str, object], said: str) -> None:
    with place.unchanged(), pytest.raises(InputError, match=said):
        place.open().trace(place.copy, **question)  # type: ignore[arg-type]


def test_a_bundle_where_there_is_something(place: Place) -> None:
    for bundle, said in (("copy-1.csv", "a file already"), ("no/b.zip", "no folder"), ("b" * 300, "no file can have")):
        with place.unchanged(), pytest.raises(InputError, match=said) as caught:
            place.open().trace(place.copy, bundle=place.folder / bundle)
        assert caught.value.hint
