"""`muniment exposure` and `muniment protect`."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from language.program import muniment, write_csv
from muniment.demo.people import register

if TYPE_CHECKING:
    pass

PERSONS = 1_200
KNOWN = "sex,birth_date"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a register, and one copy of three columns that a recipient holds."""
    home = tmp_path_factory.mktemp("exposure")
    table = register(PERSONS, 3)
    people = write_csv(home / "people.csv", table.columns, list(table.iter_rows()))
    office = home / "office"
    assert muniment("init", office).code == 0
    assert _run(office, "register", "add", "people", people, "--key", "person_id", "--accept", "equivalent").code == 0
    released = _run(
        office, "release", "people", "--to", "North", "--purpose", "p", "--out", home / "copy.csv",
        "--columns", "person_id,birth_date",
    )  # fmt: skip
    assert released.code == 0, released.err
    return home


def _run(office: Path, *arguments: object):  # type: ignore[no-untyped-def]
    return muniment(*arguments, env={"MUNIMENT_WORKSPACE": str(office)})


def test_a_register_is_examined(folder: Path) -> None:
    outcome = _run(
        folder / "office", "exposure", "people", "--purpose", "p", "--quasi", KNOWN, "--sensitive", "phone", "--json"
    )
    assert outcome.code == 1, outcome.err
    found = outcome.json("exposure")
    assert found["rows"] == PERSONS
    assert found["decision"]["verdict"] == "do_not_release"
    assert found["journalist"]["average"] == found["prosecutor"]["average"]
    assert found["cumulative"] is None
    assert {"no_recipient", "no_relations"} <= set(found["notes"])


def test_what_a_recipient_holds_is_counted_in(folder: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    outcome = _run(
        folder / "office", "exposure", "people", "--purpose", "p", "--quasi", "sex", "--columns", "sex",
        "--to", "North", "--report", report, "--json",
    )  # fmt: skip
    found = outcome.json("exposure")
    assert found["cumulative"]["held"] == 1
    assert found["cumulative"]["itself"]["alone"] == 0
    assert found["cumulative"]["together"]["alone"] > PERSONS / 2
    assert [one["code"] for one in found["decision"]["reasons"]] == ["held"]
    assert outcome.code == 1
    page = report.read_text(encoding="utf-8")
    assert "do not release" in page
    assert "<script" not in page


@pytest.mark.parametrize(("lang", "said"), [("en", "release. Nothing"), ("zh-TW", "可以釋出")])
def test_a_safe_extract_is_released(folder: Path, lang: str, said: str) -> None:
    outcome = _run(
        folder / "office", "exposure", "people", "--purpose", "p", "--columns", "sex", "--quasi", "sex", "--lang", lang
    )
    assert outcome.code == 0, outcome.out + outcome.err
    assert said in outcome.out


def test_a_file_is_examined(folder: Path) -> None:
    outcome = _run(
        folder / "office", "exposure", folder / "people.csv", "--purpose", "p", "--quasi", KNOWN, "--sample", 0.1,
        "--relation", "address_zh", "--deep", "--json",
    )  # fmt: skip
    found = outcome.json("exposure")
    assert found["journalist"] is None
    assert len(found["population"]) == 1
    assert found["minimal_uniques"]["largest"] == 2
    assert found["household"]["relations"][0]["relation"] == "address_zh"


def test_a_run_is_on_record(folder: Path) -> None:
    _run(folder / "office", "exposure", "people", "--purpose", "why not", "--quasi", KNOWN)
    shown = _run(folder / "office", "ledger", "show", "--json")
    assert "exposure: why not" in shown.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("people", "--quasi", "nobody"), "no column 'nobody'"),
        (("people", "--quasi", KNOWN, "--to", "Nobody"), "no recipient 'Nobody'"),
        (("people", "--quasi", KNOWN, "--with", "North"), "--with needs --to"),
        (("people", "--quasi", KNOWN, "--where", "person_id IS NULL"), "fewer than 10 rows"),
        (("people", "--quasi", KNOWN, "--relation", "a->"), "expected COLUMN"),
        (("people", "--quasi", KNOWN, "--hierarchy", "sex=no.csv"), "there is no such file"),
        (("people", "--quasi", KNOWN, "--sensitive", "sex"), "both as known and as sensitive"),
        (("release:999", "--quasi", KNOWN), "no release 999"),
        (("people", "--quasi", KNOWN, "--report", "no/where/r.html"), "no folder"),
        (("nowhere.csv",), "nowhere.csv"),
    ],
)
def test_what_may_not_be_asked_is_said(folder: Path, arguments: tuple[str, ...], said: str) -> None:
    outcome = _run(folder / "office", "exposure", *arguments, "--purpose", "p", "--json")
    assert outcome.code == 2
    assert said in outcome.error()["error"], outcome.err


def test_a_safer_table_and_its_plan(folder: Path, tmp_path: Path) -> None:
    out, plan, again = tmp_path / "safer.csv", tmp_path / "plan.json", tmp_path / "again.parquet"
    common = ("people", "--purpose", "p", "--quasi", KNOWN, "--columns", "sex,birth_date,registered_at", "--json")
    first = _run(folder / "office", "protect", *common, "--out", out, "--keep-plan", plan)
    found = first.json("protect")
    assert first.code == 0, found["decision"]
    assert found["after"]["below_k"] == 0
    assert found["before"]["below_k"] > PERSONS / 2
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == found["after"]["rows"]
    assert set(rows[0]) == {"sex", "birth_date", "registered_at"}
    assert json.loads(plan.read_text(encoding="utf-8"))["goal"]["k"] == 5
    second = _run(folder / "office", "protect", *common, "--out", again, "--plan", plan)
    assert second.json("protect")["drift"] == []
    assert second.code == 0
    assert again.exists()


def test_a_table_is_never_written_over(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "there.csv"
    out.write_text("kept", encoding="utf-8")
    outcome = _run(folder / "office", "protect", "people", "--purpose", "p", "--quasi", KNOWN, "--out", out)
    assert outcome.code == 2
    assert out.read_text(encoding="utf-8") == "kept"


def test_keyed_counts_are_the_same_each_time(folder: Path, tmp_path: Path) -> None:
    told = []
    for name in ("one.csv", "two.csv"):
        outcome = _run(
            folder / "office", "protect", "people", "--purpose", "p", "--quasi", KNOWN, "--columns", KNOWN,
            "--counts", "sex", "--out", tmp_path / name, "--json",
        )  # fmt: skip
        assert outcome.json("protect")["way"] == "perturbed", outcome.err
        told.append((tmp_path / name).read_bytes())
    assert told[0] == told[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--out", "x.doc"), "unknown form"),
        (("--out", "x.csv", "--epsilon", "0.1"), "--epsilon is for counts"),
        (("--out", "x.csv", "--counts", "sex", "--by-rows"), "has no plan"),
        (("--out", "x.csv", "--counts", "sex", "--epsilon", "0.1"), "expected its values"),
        (("--out", "x.csv", "--plan", "no.json"), "no such file"),
    ],
)
def test_wishes_that_contradict_themselves(folder: Path, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    given = [str(tmp_path / one) if one.endswith((".csv", ".doc")) else one for one in arguments]
    outcome = _run(folder / "office", "protect", "people", "--purpose", "p", "--quasi", KNOWN, *given, "--json")
    assert outcome.code == 2
    assert said in outcome.error()["error"]
