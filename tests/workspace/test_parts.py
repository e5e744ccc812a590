from pathlib import Path

import pytest

from language.offices import Office
from muniment.errors import InputError
from muniment.workspace.parts import located


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("persons.csv", "/srv/office/persons.csv"),
        ("../persons.duckdb::main.persons", "/srv/office/../persons.duckdb::main.persons"),
        ("/data/persons.csv", "/data/persons.csv"),
        ("postgresql://clerk@host/db/persons", "postgresql://clerk@host/db/persons"),
    ],
)
def test_a_relative_source_is_taken_from_the_workspace(source: str, found: str) -> None:
    assert located(Path("/srv/office"), source) == found


def test_columns_are_those_that_were_logged_and_the_source_is_that_of_the_settings(office: Office) -> None:
    settings = office.folder / "office" / "muniment.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace('kind = "phone"', 'kind = "text"'))
    office.reopen()
    register = office.parts.register("persons")
    assert register.source == "../persons.csv"
    assert [column.number for column in register.columns] == list(range(1, 11))
    assert register.column("phone").kind == "phone", "the kind is logged with the number"


def test_a_register_that_was_never_logged_says_how_to_add_it(office: Office) -> None:
    settings = office.folder / "office" / "muniment.toml"
    block = '\n[registers.ghost]\nsource = "persons.csv"\nkey = ["person_id"]\ncoalition = 10\n'
    settings.write_text(settings.read_text(encoding="utf-8") + block)
    office.reopen()
    with pytest.raises(InputError, match="was never logged") as raised:
        office.parts.register("ghost")
    assert "muniment register add ghost" in raised.value.hint


@pytest.mark.parametrize(("old", "new"), [("coalition = 1\n", "coalition = 10\n"), ('["person_id"]', '["name_zh"]')])
def test_a_key_or_coalition_that_was_changed_by_hand_is_refused(office: Office, old: str, new: str) -> None:
    settings = office.folder / "office" / "muniment.toml"
    head, mark, tail = settings.read_text(encoding="utf-8").rpartition("[registers.persons]\n")
    settings.write_text(head + mark + tail.replace(old, new, 1))
    office.reopen()
    with pytest.raises(InputError, match="untraceable"):
        office.release("Tax")
