"""An office that the tests of commands share: a register of 300 invented persons and three copies of it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from language.program import Outcome, muniment, write_csv
from muniment.demo.people import register

RECIPIENTS = ("Tax office", "North, school board", "市政府")


@dataclass(frozen=True, slots=True)
class Office:
    """A workspace with register `people`, and what the commands said while it was made."""

    folder: Path
    people: Path
    init: Outcome
    added: Outcome
    released: Outcome

    def run(self, *arguments: object, **env: str) -> Outcome:
        """Run a command on this workspace."""
        return muniment(*arguments, env={"MUNIMENT_WORKSPACE": str(self.folder), **env})

    def copy(self, number: int) -> Path:
        """The file of one of the three copies, from 1."""
        return self.folder.parent / "copies" / f"copy-{number:04}.csv"

    def leak(self, path: Path, number: int, rows: int = 80) -> Path:
        """Some rows of a copy, without the key column."""
        lines = self.copy(number).read_text(encoding="utf-8").splitlines()
        kept = (line.partition(",")[2] for line in [lines[0], *lines[-rows:]])
        path.write_text("\n".join(kept) + "\n", encoding="utf-8")
        return path


def made(folder: Path) -> Office:
    """Make an office below `folder`, as a person would."""
    people = register(300, 5)
    source = write_csv(folder / "people.csv", people.columns, list(people.iter_rows()))
    recipients = folder / "recipients.csv"
    recipients.write_text('recipient\nTax office\n"North, school board"\n市政府\n', encoding="utf-8")
    office = folder / "office"
    at = {"MUNIMENT_WORKSPACE": str(office)}
    init = muniment("init", office, "--name", "Test office", "--json")
    accept = ("--accept", "equivalent", "--json")
    added = muniment("register", "add", "people", source, "--key", "person_id", *accept, env=at)
    released = muniment(
        "release", "people", "--to-file", recipients, "--out-dir", folder / "copies",
        "--purpose", "yearly check", "--json", env=at,
    )  # fmt: skip
    return Office(office, source, init, added, released)


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """The office as it was made; nobody works in it."""
    return made(tmp_path_factory.mktemp("fresh"))


@pytest.fixture(scope="session")
def office(fresh: Office, tmp_path_factory: pytest.TempPathFactory) -> Office:
    """The shared office; a test that changes its keys makes one of its own."""
    return _copied(fresh, tmp_path_factory.mktemp("office") / "own")


@pytest.fixture
def own_office(fresh: Office, tmp_path: Path) -> Office:
    """An office as it was made, for a test that counts its disclosures or changes its ledger for good."""
    return _copied(fresh, tmp_path / "own")


def _copied(office: Office, folder: Path) -> Office:
    shutil.copytree(office.folder.parent, folder)
    return replace(office, folder=folder / "office")
