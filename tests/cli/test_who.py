"""`muniment who`: complete, on record, and without a trace of what is withheld."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Office

WHO = ("who", "--register", "people")
"""Other tests add registers to the shared office: the question names the one it is about."""


def _person(office: Office) -> str:
    return office.people.read_text(encoding="utf-8").splitlines()[1].partition(",")[0]


def _recipients(office: Office, *options: str) -> list[str]:
    value = office.run(*WHO, _person(office), "--purpose", "p", "--json", *options).json("who")
    return [one["recipient"] for one in value["disclosures"]]


def test_everyone_who_received_the_person_and_the_question_itself(own_office: Office) -> None:
    value = own_office.run(*WHO, _person(own_office), "--purpose", "request 17", "--json").json("who")
    assert value["complete"] and value["view"] == "person"
    told = value["disclosures"]
    assert [one["recipient"] for one in told[:3]] == ["Tax office", "North, school board", "市政府"]
    assert "name_zh" in told[0]["columns"]
    assert (told[-1]["purpose"], told[-1]["channel"]) == ("request 17", "application")
    assert len({one["staff"] for one in told}) == 1
    again = own_office.run(*WHO, _person(own_office), "--purpose", "request 18", "--json").json("who")
    assert [one["purpose"] for one in again["disclosures"]][-2:] == ["request 17", "request 18"]


def test_staff_is_named_to_the_keeper_only(own_office: Office) -> None:
    asked = (*WHO, _person(own_office), "--purpose", "p")
    kept = own_office.run(*asked, "--keeper", "--json", LOGNAME="clerk-seven").json("who")
    assert (kept["disclosures"][-1]["account"], kept["view"]) == ("clerk-seven", "keeper")
    assert " clerk-seven " in own_office.run(*asked, "--keeper").out
    person = own_office.run(*asked)
    assert "clerk-seven" not in person.out + person.err
    staff = {word for word in person.out.split() if word.startswith("staff-")}
    assert len(staff) == 2


def test_what_is_withheld_leaves_no_trace(own_office: Office) -> None:
    """The answer after an order reads as if the disclosure had never been, but for what changes with every question."""
    order = ("--until", "2100-01-01", "--order", "District court, 9/2026")
    plain = own_office.run(*WHO, _person(own_office), "--purpose", "p", "--quiet").out.splitlines()
    assert any("school board" in line for line in plain)
    assert own_office.run("ledger", "suspend", 2, *order).code == 0
    outcome = own_office.run(*WHO, _person(own_office), "--purpose", "p")
    left = [line.split() for line in plain if "school board" not in line]
    assert [line.split() for line in outcome.out.splitlines()[: len(left)]] == left
    for trace in ("school", "withheld", "court", "number", "order"):
        assert trace not in outcome.out + outcome.err
    value = own_office.run(*WHO, _person(own_office), "--purpose", "p", "--json").json("who")
    assert all("sequence" not in one and "withheld" not in one for one in value["disclosures"])
    assert "North, school board" in _recipients(own_office, "--keeper")
    assert "withheld" in own_office.run(*WHO, _person(own_office), "--purpose", "p", "--keeper").out
    assert own_office.run("ledger", "suspend", 2, "--until", "2020-01-01", *order[2:]).code == 0
    assert "North, school board" in _recipients(own_office)


def test_the_claim_names_the_day_of_the_index(own_office: Office) -> None:
    before = own_office.run(*WHO, _person(own_office), "--purpose", "p")
    assert "no index was logged yet" in before.out
    own_office.run("ledger", "reindex")
    value = own_office.run(*WHO, _person(own_office), "--purpose", "p", "--json").json("who")
    day = value["statement"].rpartition(" ")[2]
    for lang, said in (("en", f"checked against segments on {day}"), ("zh-TW", f"索引已於 {day} 與各區段核對")):
        outcome = own_office.run(*WHO, _person(own_office), "--purpose", "p", "--lang", lang)
        assert said in outcome.out
    assert value["checkpoint"].splitlines()[0] in outcome.out


def test_nobody_received_who_is_not_in_the_ledger(office: Office) -> None:
    outcome = office.run(*WHO, "Z999999999", "--purpose", "p")
    assert outcome.code == 0
    assert "no disclosure of this person" in outcome.out
    assert "查無此當事人" in office.run(*WHO, "Z999999999", "--purpose", "p", "--lang", "zh-TW").out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("A1",), "purpose"),
        (("A1", "--purpose", " "), "purpose"),
        (("A1", "B2", "--purpose", "p"), "1 part"),
        (("A1", "--purpose", "p", "--register", "nobody"), "nobody"),
        (("A1", "--purpose", "p" * 3000), "3,000"),
    ],
)
def test_a_question_that_is_refused_is_not_on_record(office: Office, arguments: tuple[str, ...], said: str) -> None:
    size = office.run("ledger", "head", "--json").json("ledger-head")["size"]
    outcome = office.run(*WHO, *arguments, "--json")
    assert outcome.code == 2
    assert said in outcome.error()["error"]
    assert office.run("ledger", "head", "--json").json("ledger-head")["size"] == size
