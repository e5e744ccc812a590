"""`muniment protect` from end to end: the safer table is counted here, not believed."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from language.program import Outcome, muniment, write_csv
from muniment.demo.people import register

PERSONS = 300
KNOWN = "sex,birth_date"
ASKED = ("--purpose", "p", "--quasi", KNOWN, "--columns", f"{KNOWN},phone")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a register, a safer table of it, and the plan that made that."""
    folder = tmp_path_factory.mktemp("protect")
    table = register(PERSONS, 3)
    people = write_csv(folder / "people.csv", table.columns, list(table.iter_rows()))
    assert muniment("init", folder / "office").code == 0
    added = _run(folder, "register", "add", "people", people, "--key", "person_id", "--accept", "equivalent")
    assert added.code == 0, added.err
    made = _run(folder, "protect", "people", *ASKED, "--out", folder / "safer.csv", "--keep-plan", folder / "plan.json")
    assert made.code == 0, made.err
    return folder


def _run(home: Path, *arguments: object) -> Outcome:
    return muniment(*arguments, env={"MUNIMENT_WORKSPACE": str(home / "office")})


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_everybody_in_the_safer_table_has_four_who_look_alike(home: Path) -> None:
    alike = Counter((row["sex"], row["birth_date"]) for row in _rows(home / "safer.csv"))
    assert min(alike.values()) >= 5
    assert sum(alike.values()) >= 0.98 * PERSONS
    before = Counter((row["sex"], row["birth_date"]) for row in _rows(home / "people.csv"))
    assert min(before.values()) == 1


def test_a_kept_plan_makes_the_same_table_again(home: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.csv"
    outcome = _run(home, "protect", "people", *ASKED, "--out", again, "--plan", home / "plan.json", "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.json("protect")["drift"] == []
    assert again.read_bytes() == (home / "safer.csv").read_bytes()


def test_a_plan_that_no_longer_fits_is_said_and_ends_with_one(home: Path, tmp_path: Path) -> None:
    rows = _rows(home / "people.csv")
    unread = [[*({**row, "birth_date": "unknown"} if number % 5 else row).values()] for number, row in enumerate(rows)]
    drifted = write_csv(tmp_path / "next.csv", list(rows[0]), unread)
    outcome = _run(home, "protect", drifted, *ASKED, "--out", tmp_path / "out.csv", "--plan", home / "plan.json")
    assert outcome.code == 1, outcome.err
    assert "values that the plan's hierarchies do not know" in outcome.out
    alike = Counter((row["sex"], row["birth_date"]) for row in _rows(tmp_path / "out.csv"))
    assert min(alike.values()) >= 5


def test_counts_stand_in_place_of_rows(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "counts.csv"
    outcome = _run(home, "protect", "people", *ASKED, "--counts", "sex", "--out", out, "--json")
    assert outcome.code == 0, outcome.err
    found, cells = outcome.json("protect"), _rows(out)
    assert (found["way"], found["after"], found["budget"]) == ("perturbed", None, None)
    exact = Counter(row["sex"] for row in _rows(home / "people.csv"))
    assert {row["sex"] for row in cells} == set(exact)
    assert all(abs(int(row["count"]) - exact[row["sex"]]) <= 5 for row in cells)  # counts.Perturbation.most


def test_errors_name_what_was_expected_and_leave_no_table(home: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text('{"columns": []}', encoding="utf-8")
    for arguments, said in (
        (("people", "--plan", other), "expected the form 'muniment-release-plan/1'"),
        (("people", "--keep-plan", other), "there is a file already"),
        (("people", "--values", "sex"), "expected two names with ="),
        ((home / "people.csv", "--counts", "sex"), "counts are of a register"),
    ):
        outcome = _run(home, "protect", *arguments, *ASKED, "--out", tmp_path / "out.csv", "--json")
        assert outcome.code == 2
        assert said in outcome.error()["error"]
    assert [path.name for path in tmp_path.iterdir()] == ["other.json"]
