"""`muniment register`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from muniment.marks.suggest import REASONS
from muniment.messages import catalogue

if TYPE_CHECKING:
    from conftest import Office


def test_add_says_what_is_allowed(office: Office) -> None:
    value = office.added.json("register")
    assert (value["rows"], value["key"], value["coalition"]) == (300, ["person_id"], 10)
    assert value["carriers"]["birth_date"] == ["date-layout"]
    assert "name_zh" not in value["carriers"]


def test_suggest_has_examples_and_reasons(office: Office) -> None:
    value = office.run("register", "suggest", "people", "--json").json("suggest")
    by_column = {one["column"]: one for one in value["suggestions"]}
    assert by_column["birth_date"]["examples"]
    assert by_column["sex"]["carrier"] is None
    assert by_column["sex"]["reason"]
    assert "accepted" not in value


def test_suggest_for_a_person_allows_nothing(office: Office) -> None:
    before = (office.folder / "muniment.toml").read_bytes()
    outcome = office.run("register", "suggest", "people")
    assert outcome.code == 0
    assert "date-layout (equivalent)" in outcome.out
    assert "is written as" in outcome.out
    assert "--accept equivalent" in outcome.err
    assert (office.folder / "muniment.toml").read_bytes() == before


def test_accept_later(office: Office) -> None:
    value = office.run("register", "suggest", "people", "--accept", "equivalent", "--json").json("suggest")
    assert value["accepted"]["birth_date"] == ["date-layout"]


def test_check_and_list(office: Office) -> None:
    assert office.run("register", "check", "people", "--json").json("register")["rows"] == 300
    listed = office.run("register", "list", "--json").json("registers")["registers"]
    assert [(one["register"], one["key"]) for one in listed] == [("people", ["person_id"])]
    assert office.run("register", "list", "--quiet").out == "people\n"
    assert office.run("register", "list").out.splitlines()[0].split() == "register key coalition copies source".split()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "people", "x.csv", "--key", "id"), "is there already"),
        (("add", "other", "nowhere.csv", "--key", "id"), "nowhere.csv"),
        (("add", "other", "{people}", "--key", "no_such"), "no_such"),
        (("add", "other", "{people}", "--key", "sex"), "key"),
        (("add", "other", "{people}", "--key", "person_id", "--coalition", "3"), "coalition"),
        (("add", "other", "{people}", "--key", "person_id", "--kind", "sex=colour"), "unknown kind"),
        (("add", "other", "{people}", "--key", "person_id", "--kind", "sex"), "expected two names with ="),
        (("check", "nobody"), "nobody"),
    ],
)
def test_errors_name_what_is_wrong(office: Office, arguments: tuple[str, ...], said: str) -> None:
    before = (office.folder / "muniment.toml").read_bytes()
    outcome = office.run("register", *(word.format(people=office.people) for word in arguments), "--json")
    assert outcome.code == 2
    assert said in outcome.error()["error"]
    assert (office.folder / "muniment.toml").read_bytes() == before


def test_every_reason_has_its_words() -> None:
    codes = {key.removeprefix("cli.reason_") for key in catalogue("en") if key.startswith("cli.reason_")}
    assert codes == set(REASONS)
