"""`muniment release` and `muniment copies`."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from language.program import started, write_csv
from muniment.demo.people import register

if TYPE_CHECKING:
    from conftest import Office


def test_many_copies_in_one_pass(office: Office) -> None:
    copies = office.released.json("release-many")["copies"]
    assert [one["recipient"] for one in copies] == ["Tax office", "North, school board", "市政府"]
    assert [Path(one["file"]).name for one in copies] == ["copy-0001.csv", "copy-0002.csv", "copy-0003.csv"]
    assert {one["meaning_changed"] for one in copies} == {0}
    assert all(one["rows"] == 300 and one["symbols"] > 300 and 0 < one["rows_to_trace"] < 100 for one in copies)


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("en", ("meaning changed: 0 cells", "leaked rows", "symbols written", "birth_date: ")),
        ("zh-TW", ("意義有變動：0 格", "足以比對出", "寫入符號", "birth_date：")),
    ],
)
def test_one_copy_for_a_person(office: Office, tmp_path: Path, lang: str, said: tuple[str, ...]) -> None:
    out = tmp_path / "copy.xlsx"
    outcome = office.run(
        "release", "people", "--to", "Tax office", "--purpose", "p", "--out", out, "--lang", lang,
        "--columns", "person_id,birth_date,address_zh", "--where", "sex = '男' OR sex = 'M'",
    )  # fmt: skip
    assert outcome.code == 0
    assert out.read_bytes()[:2] == b"PK"
    for words in said:
        assert words in outcome.out


def test_json_of_one_copy_and_of_all(office: Office, tmp_path: Path) -> None:
    out = tmp_path / "copy.csv"
    outcome = office.run("--json", "release", "people", "--to", "City", "--purpose", "p", "--out", out)
    value = outcome.json("release")
    assert {"copy", "recipient", "rows", "symbols", "meaning_changed"} <= value.keys()
    copies = office.run("copies", "--json", "--register", "people").json("copies")["copies"]
    assert copies[0]["recipient"] == "Tax office"
    assert next(one for one in copies if one["copy"] == value["copy"])["sha256"] == value["sha256"]
    assert "yearly check" in office.run("copies").out


def test_a_copy_without_marks_says_so(office: Office, tmp_path: Path) -> None:
    outcome = office.run(
        "release", "people", "--to", "City", "--purpose", "p", "--out", tmp_path / "c.csv", "--columns", "person_id,sex"
    )
    assert outcome.code == 0
    assert "no mark was written" in outcome.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--to", "A"), "expected --to with --out"),
        (("--to", "A", "--out", "a.csv", "--to-file", "r.csv"), "expected --to with --out"),
        (("--to", "A", "--out", "{tmp}/a.doc"), "unknown form"),
        (("--to", "A", "--out", "{copy}"), "a file already"),
        (("--to", "A", "--out", "{tmp}/none/a.csv"), "no folder"),
        (("--to", "A" * 300, "--out", "{tmp}/a.csv"), "300 characters"),
        (("--to", "A", "--out", "{tmp}/a.csv", "--columns", "a,,b"), "expected column names"),
        (("--to", "A", "--out", "{tmp}/a.csv", "--where", "sex ="), "condition"),
    ],
)
def test_a_refused_release_leaves_nothing(
    office: Office, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    before = len(office.run("copies", "--json").json("copies")["copies"])
    words = (word.format(tmp=tmp_path, copy=office.copy(1)) for word in arguments)
    outcome = office.run("release", "people", "--purpose", "p", *words, "--json")
    assert outcome.code == 2
    assert said in outcome.error()["error"]
    assert list(tmp_path.iterdir()) == []
    assert len(office.run("copies", "--json").json("copies")["copies"]) == before


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_no_file(office: Office, tmp_path: Path, number: int, code: int) -> None:
    people = register(20_000, 1)
    source = write_csv(tmp_path / "many.csv", people.columns, list(people.iter_rows()))
    name = f"many-{number}"
    added = office.run("register", "add", name, source, "--key", "person_id", "--accept", "equivalent", "--quiet")
    assert added.code == 0
    out = tmp_path / "out"
    out.mkdir()
    at = {"MUNIMENT_WORKSPACE": str(office.folder)}
    arguments = ("release", name, "--to", "A", "--purpose", "p", "--out", out / "a.csv")
    with started(*arguments, env=at) as running:
        while not any(out.iterdir()) and running.poll() is None:
            time.sleep(0.01)
        running.send_signal(number)
        said, err = running.communicate(timeout=60)
    assert (running.returncode, said) == (code, "")
    assert "interrupted" in err
    assert list(out.iterdir()) == []
