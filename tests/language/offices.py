"""A small office: a workspace with one register of invented persons, its copies, and leaks made of them.

Making a workspace costs a second (scrypt); `template` makes it once, and every test works on a copy of the folder.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from language.rings import CUSTODIANS, PASSPHRASE, Clock
from muniment.config import set_carriers, set_structural
from muniment.demo.people import register
from muniment.table import Table
from muniment.trace.verdict import Verdict
from muniment.workspace.office import Workspace, init, open_workspace
from muniment.workspace.parts import Parts

COLUMNS = (
    "person_id", "household_id", "name_zh", "name_en", "sex", "birth_date", "address_zh", "address_en", "phone",
    "points",
)  # fmt: skip
MARKED = ("birth_date", "address_zh", "address_en", "phone")
"""The columns that `accept="equivalent"` marks."""
PERSONS = 150
PURPOSE = "yearly check"


def people(rows: int = PERSONS, seed: int = 1) -> Table:
    """The register: ten columns of the demo's persons."""
    return register(rows, seed).select(COLUMNS)


def write_table(path: Path, table: Table) -> Path:
    """Write a table as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(table.columns)
        writer.writerows([["" if cell is None else cell for cell in row] for row in table.iter_rows()])
    return path


def read_table(path: Path) -> Table:
    """Read a CSV as a table; an empty cell is NULL."""
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    return Table.from_rows(header, [[cell or None for cell in row] for row in rows])


def template(folder: Path, *, accept: str = "equivalent", custodians: bool = False) -> Path:
    """Make an office with its register, to be copied: the register's path is relative to the workspace."""
    source = write_table(folder / "persons.csv", people())
    words = CUSTODIANS if custodians else None
    workspace = init(folder / "office", PASSPHRASE, custodians=words, clock=Clock())
    workspace.register("persons", source, key="person_id", coalition=1, accept=accept)  # type: ignore[arg-type]
    settings = folder / "office" / "muniment.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace(str(source), "../persons.csv"), encoding="utf-8")
    return folder


@dataclass
class Office:
    """One copy of the template. `workspace` is opened when it is first used, and again after the settings changed."""

    folder: Path
    clock: Clock = field(default_factory=Clock)
    custodians: tuple[str, str] | None = None
    _workspace: Workspace | None = None

    @classmethod
    def copied(cls, made: Path, folder: Path, **options: Any) -> Office:
        shutil.copytree(made, folder)
        return cls(folder, **options)

    @property
    def workspace(self) -> Workspace:
        if self._workspace is None:
            self.reopen()
        assert self._workspace is not None
        return self._workspace

    @property
    def parts(self) -> Parts:
        return self.workspace._parts

    def reopen(self) -> Workspace:
        self._workspace = open_workspace(
            self.folder / "office", PASSPHRASE, custodians=self.custodians, clock=self.clock
        )
        return self._workspace

    # --- the register and what is allowed ------------------------------------------------------------------------

    @property
    def source(self) -> Path:
        return self.folder / "persons.csv"

    @property
    def persons(self) -> Table:
        return read_table(self.source)

    def change(self, change: Callable[[Table], Table]) -> None:
        """The register is changed by somebody else."""
        write_table(self.source, change(self.persons))

    def allow(self, column: str, *carriers: str, tolerance: str | None = None) -> None:
        """The owner writes carriers, and a tolerance, into muniment.toml."""
        settings = self.folder / "office" / "muniment.toml"
        if tolerance is not None:
            head = f"[registers.persons.columns.{column}]\n"
            text = settings.read_text(encoding="utf-8")
            settings.write_text(text.replace(head, f'{head}tolerance = "{tolerance}"\n'), encoding="utf-8")
        set_carriers(settings, "persons", column, carriers)
        self._workspace = None

    def allow_rows(self, *structural: str) -> None:
        """The owner allows marks that are rows."""
        set_structural(self.folder / "office" / "muniment.toml", "persons", structural)
        self._workspace = None

    def allow_no_cells(self) -> None:
        for column in MARKED:
            self.allow(column)

    # --- copies and leaks ------------------------------------------------------------------------------------------

    def out(self, name: str) -> Path:
        folder = self.folder / "out"
        folder.mkdir(exist_ok=True)
        return folder / name

    def release(self, *names: str, prefix: str = "", **options: Any) -> list[Path]:
        """A copy for each of these recipients, in one release."""
        to = {name: self.out(f"{prefix}{name}.csv") for name in names}
        self.workspace.release_many("persons", to=to, purpose=PURPOSE, **options)
        return list(to.values())

    def leak(self, table: Table, name: str = "found.csv") -> Path:
        """A file turned up outside."""
        return write_table(self.out(name), table)

    def trace(self, file: Path, **options: Any) -> Verdict:
        return self.workspace.trace(file, **options)

    def named(self, file: Path, **options: Any) -> list[str]:
        return [named.recipient for named in self.trace(file, **options).named]


def stacked(tables: Iterable[Table]) -> Table:
    """The rows of several tables with the same columns."""
    parts = list(tables)
    return Table(parts[0].columns, tuple([cell for part in parts for cell in part[name]] for name in parts[0].columns))


def without(table: Table, columns: Sequence[str]) -> Table:
    """The table without some columns."""
    return table.select([name for name in table.columns if name not in columns])


def in_order(table: Table, column: str) -> Table:
    """The rows sorted by one column."""
    return table.take(sorted(range(table.rows), key=lambda row: table[column][row] or ""))
