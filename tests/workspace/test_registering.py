from __future__ import annotations

from pathlib import Path

import pytest

from language.offices import MARKED, Office, people, stacked, write_table
from muniment.config import load
from muniment.errors import InputError


def settings(office: Office) -> str:
    return (office.folder / "office" / "muniment.toml").read_text(encoding="utf-8")


def test_only_carriers_that_keep_the_meaning_are_accepted(office: Office) -> None:
    found = {column.name: column.carriers for column in office.parts.config.register("persons").columns}
    assert tuple(name for name, carriers in found.items() if carriers) == MARKED
    assert "dither" not in str(found)
    assert not found["name_zh"]
    assert not found["person_id"]


def test_nothing_is_allowed_by_default(office: Office) -> None:
    result = office.workspace.register("plain", office.source, key="person_id")
    assert result.carriers == {}
    assert result.rows == 150
    assert not any(column.carriers for column in office.parts.config.register("plain").columns)


def test_suggestions_allow_nothing_and_accepting_them_later_is_the_same(office: Office) -> None:
    office.workspace.register("plain", office.source, key="person_id", coalition=1)
    before = settings(office)
    assert {s.column for s in office.workspace.suggest("plain") if s.accepted} == set(MARKED)
    assert settings(office) == before
    accepted = office.workspace.accept_equivalent("plain").carriers
    at_once = {column.name: column.carriers for column in office.parts.config.register("persons").columns}
    assert accepted == {name: at_once[name] for name in MARKED}
    plain = load(office.folder / "office" / "muniment.toml").register("plain")
    assert {column.name: column.carriers for column in plain.columns} == at_once


def test_a_register_is_logged_with_its_law_and_column_numbers(office: Office) -> None:
    office.workspace.register("ten", office.source, key=["person_id", "household_id"], coalition=10)
    body = office.parts.journal.entries("register")[-1].body
    assert body["coalition"] == 10
    assert body["law"] == "arcsine-0.025"
    register = office.parts.register("ten")
    assert register.key == ("person_id", "household_id")
    assert register.column("points").number == 10


def test_a_path_is_kept_whole_so_that_any_folder_will_do(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(office.folder)
    office.workspace.register("here", "persons.csv", key="person_id")
    assert Path(office.parts.register("here").source) == office.source.resolve()


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"name": "persons"}, "is there already"),
        ({"key": "number"}, "number"),
        ({"key": "sex"}, "sex"),
        ({"coalition": 3}, "expected 1 or 10"),
        ({"source": "nowhere.csv"}, "nowhere.csv"),
        ({"kinds": {"shoes": "text"}}, "no column 'shoes'"),
    ],
)
def test_what_is_refused_leaves_settings_and_journal_as_they_were(office: Office, options: dict, wrong: str) -> None:
    before, entries = settings(office), len(office.parts.journal.entries())
    asked = {"name": "new", "source": office.source, "key": "person_id", **options}
    with pytest.raises(InputError, match=wrong):
        office.workspace.register(asked.pop("name"), asked.pop("source"), **asked)
    assert settings(office) == before
    assert len(office.parts.journal.entries()) == entries


def test_check_reads_the_register_again(office: Office) -> None:
    result = office.workspace.check("persons")
    assert result.rows == 150
    assert set(result.carriers) == set(MARKED)
    write_table(office.source, stacked([people(20), people(3)]))
    with pytest.raises(InputError, match="person_id"):
        office.workspace.check("persons")
