"""Exposure runs of a workspace: what the register and the ledger add to a measured extract."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from language.offices import Office, write_table
from muniment.errors import InputError
from muniment.exposure.result import Exposure
from muniment.table import Table
from muniment.workspace.exposing import Question
from muniment.workspace.measuring import Depth, Exposures, read_rules, read_values

YOUNG = "birth_date > '1990'"


def _asked(office: Office, depth: Depth | None = None, **given: object) -> Exposure:
    settings: dict[str, object] = {"what": "persons", "purpose": "p", "quasi": ("sex", "birth_date")} | given
    return Exposures(office.parts).examine(Question(**settings), depth)  # type: ignore[arg-type]


def _named_by_their_first(persons: Table) -> Table:
    """The household of each person is the key of its first member."""
    first: dict[str | None, str | None] = {}
    for home, key in zip(persons["household_id"], persons["person_id"], strict=True):
        first.setdefault(home, key)
    cells = {name: persons[name] for name in persons.columns}
    cells["household_id"] = [first[home] for home in persons["household_id"]]
    return Table(persons.columns, tuple(cells.values()))


def test_classes_in_the_register_are_those_of_all_its_persons(office: Office) -> None:
    found = _asked(office, quasi=("sex",), columns=("sex",), where=YOUNG)
    everybody = Counter(office.persons["sex"])
    both = zip(office.persons["sex"], office.persons["birth_date"], strict=True)
    young = Counter(sex for sex, born in both if born and born > "1990")
    journalist = found.measures.classes.journalist
    assert found.measures.rows == sum(young.values()) < sum(everybody.values())
    assert journalist is not None
    told = pytest.approx(sum(young[sex] / everybody[sex] for sex in young) / young.total(), rel=1e-3)  # four digits
    assert journalist.average == told
    assert found.measures.classes.prosecutor.average == pytest.approx(len(young) / young.total(), rel=1e-3)


def test_a_key_is_no_column_that_is_measured_but_may_declare_a_relation(office: Office) -> None:
    depth = Depth(relations=("household_id",))
    found = _asked(office, depth, columns=("sex", "birth_date"))
    homes = Counter(office.persons["household_id"])
    assert found.subject.columns == ("sex", "birth_date")
    assert found.subject.relations == depth.relations
    assert found.household[0].households.at_least == len(homes)
    office.change(_named_by_their_first)
    by_key = _asked(office, Depth(relations=("household_id->person_id",)), columns=("sex", "birth_date"))
    assert by_key.household[0].households == found.household[0].households
    assert by_key.household[0].joint == found.household[0].joint


def test_the_policy_of_the_settings_decides_and_what_a_recipient_holds_is_counted(office: Office) -> None:
    out = office.folder / "a.csv"
    office.workspace.release("persons", to="A", purpose="study", out=out, columns=("birth_date",))
    settings = office.folder / "office" / "muniment.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("share_below_k = 0.05", "share_below_k = 1.0"), encoding="utf-8")
    strict = _asked(office, quasi=("sex",), columns=("sex",), to=("A",))
    assert strict.cumulative is not None and strict.cumulative.held == 1
    assert [one.code for one in strict.decision.reasons] == ["held"]
    office.reopen()
    assert Exposures(office.parts).policy.share == 1.0
    assert _asked(office, quasi=("sex",), columns=("sex",), to=("A",)).decision.verdict == "release"


def test_a_file_has_no_register_and_its_population_is_modelled(office: Office) -> None:
    path = write_table(office.folder / "other.csv", office.persons)
    found = _asked(office, Depth(sample=0.1, deep=True), what=str(path), quasi=("sex", "birth_date"))
    assert found.measures.classes.journalist is None and found.minimal is not None
    assert len(found.population) == 1
    assert "no_register" in found.notes
    assert found == _asked(office, Depth(sample=0.1, deep=True), what=str(path), quasi=("sex", "birth_date"))


def test_files_of_values_and_hierarchies(tmp_path: Path) -> None:
    values, levels = tmp_path / "values.txt", tmp_path / "levels.csv"
    values.write_bytes(b"\xef\xbb\xbfM\r\nF\r\n\r\n")
    levels.write_text("M,any\nF,any\n", encoding="utf-8")
    assert read_values({"sex": values}) == {"sex": ("M", "F")}
    assert read_rules({"sex": levels})["sex"].ancestors("F") == ("any",)
    with pytest.raises(InputError, match=r"--values sex=.*no such file"):
        read_values({"sex": tmp_path / "nowhere"})
    values.write_bytes(b"M\nF\xff\n")
    with pytest.raises(InputError, match="no UTF-8 at byte 3"):
        read_values({"sex": values})
