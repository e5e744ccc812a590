"""Workspaces for tests of the whole program: one is made for the run, each test works on a copy of its own.

`unchanged` is the promise of every error: the folder holds the same files with the same bytes as before. Lock files are
left out (they hold the number of the last process that took them), and nothing else.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path

import muniment as mu
from language.rings import PASSPHRASE
from muniment.config import set_structural
from muniment.demo import numbers, people
from muniment.engine.writers import open_writer
from muniment.table import Table

PERSONS = 300
REGISTER = "persons"
RECIPIENT, PURPOSE = "Tax office of Mühlheim 稅務局", "yearly check of tax numbers"
OWNER = "Head of the registry"
_LOCKS = ("lock", "writer.lock", ".muniment.toml.lock")


@dataclass(frozen=True)
class Place:
    """A folder with a workspace, the register's file and one copy that was handed out."""

    folder: Path

    @property
    def office(self) -> Path:
        return self.folder / "office"

    @property
    def source(self) -> Path:
        return self.folder / "people.csv"

    @property
    def copy(self) -> Path:
        return self.folder / "copy-1.csv"

    def open(self) -> mu.Workspace:
        return mu.open(self.office, PASSPHRASE)

    def release(self, out: str | Path, to: str = RECIPIENT, purpose: str = PURPOSE, **more: object) -> object:
        return self.open().release(REGISTER, to=to, purpose=purpose, out=self.folder / out, **more)  # type: ignore[arg-type]

    def register_from(self, table: Table) -> None:
        """Put another table into the register's file."""
        write_csv(self.source, table)

    @contextmanager
    def unchanged(self, *, recorded: bool = False) -> Iterator[None]:
        """Whatever the block does, the workspace keeps its files and bytes, and no file appears beside it.

        `recorded`: a disclosure may be on record that did not take place; journal, keys and copies stay all the same.
        """
        before, around = digests(self.office), {path.name for path in self.folder.iterdir()}
        yield
        after = digests(self.office)
        if recorded:
            before, after = ({n: d for n, d in one.items() if not n.startswith(_RECORD)} for one in (before, after))
        assert after == before
        assert {path.name for path in self.folder.iterdir()} == around


_RECORD = tuple(f"ledger/{name}/" for name in ("wal", "ordinals", "segments", "log", "index", "second"))
"""Where a disclosure is recorded, durable before whatever may still fail."""


def digests(folder: Path) -> dict[str, str]:
    """The digest of every file below a folder, lock files left out."""
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in _LOCKS
    }


def write_csv(path: Path, table: Table) -> None:
    with open_writer(path, table.columns, dict.fromkeys(table.columns, "VARCHAR"), "csv") as writer:
        writer.write(table)


def demo_table(rows: int = PERSONS) -> Table:
    return people.register(rows, 7)


def make_place(folder: Path, *, custodians: tuple[str, str] | None = None) -> Place:
    """A new workspace with a register and one copy."""
    place = Place(folder)
    write_csv(place.source, demo_table())
    office = mu.init(place.office, PASSPHRASE, custodians=custodians)
    office.register(REGISTER, place.source, key=people.KEY, accept="equivalent")
    office.release(REGISTER, to=RECIPIENT, purpose=PURPOSE, out=place.copy)
    return place


def copy_place(place: Place, folder: Path) -> Place:
    """A copy of everything, its register's file included: the settings name the new place."""
    shutil.copytree(place.folder, folder, dirs_exist_ok=True)
    settings = folder / "office" / "muniment.toml"
    settings.write_text(settings.read_text().replace(str(place.folder), str(folder)))
    return Place(folder)


def furnish(place: Place) -> None:
    """Decoys, omission and order of rows, and a second copy that has them."""
    office = place.open()
    office.plan_decoys(
        REGISTER,
        count=8,
        reserved=numbers.reserve_ids(400, seed=7, key=bytes(32)),
        expires=date(2099, 1, 1),
        owner=OWNER,
        consent="agreed in writing",
        share=0.5,
    )
    set_structural(place.office / "muniment.toml", REGISTER, ["decoy", "omission", "order"])
    place.release("copy-2.csv")
