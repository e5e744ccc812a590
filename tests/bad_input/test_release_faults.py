"""A fault matrix of release: every system call that changes the disk fails, undone and done-but-reported-failed.

After each fault: no file without a copy on record, nothing half-written beside it, a workspace that opens, and a next
release that works and is traced.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from language import faults
from language.faults import Faults
from language.offices import PURPOSE, people, template, write_table
from language.rings import PASSPHRASE, Clock
from muniment.errors import UnreachableError
from muniment.keys import KeyRing
from muniment.ledger.journal import Journal
from muniment.workspace.office import Workspace, open_parts

CALLS = (*faults.WRITE_CALLS, "link", "rename", "mkdir")


class Desk:
    """A folder that is put back before every trial; the key ring is opened once, for scrypt takes its time."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.kept = folder, folder.with_name("kept")
        template(folder)
        write_table(folder / "persons.csv", people(40))
        self.ring = KeyRing.open(folder / "office" / "keys" / "ring.json", PASSPHRASE)
        self.workspace().release("persons", to="Tax", purpose=PURPOSE, out=folder / "tax.csv")
        shutil.copytree(folder, self.kept)
        self.on_record = 1

    def put_back(self) -> None:
        shutil.rmtree(self.folder)
        shutil.copytree(self.kept, self.folder)

    def workspace(self) -> Workspace:
        office = self.folder / "office"
        journal = Journal.open(office / "ledger" / "journal.bin", self.ring.all("segment"))
        return Workspace(open_parts(office, self.ring, journal, Clock()))

    @property
    def outs(self) -> dict[str, Path]:
        return {name: self.folder / f"{name}.csv" for name in ("Health", "Police")}

    def release(self) -> None:
        self.workspace().release_many("persons", to=self.outs, purpose=PURPOSE)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    folder = tmp_path_factory.mktemp("faults") / "here"
    folder.mkdir()
    return Desk(folder)


def trials(desk: Desk, calls: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, str, str]]:
    """Fail at each call in turn; yields after each with the office as the fault left it."""
    monkeypatch.setattr(faults, "WRITE_CALLS", calls)
    desk.put_back()
    with monkeypatch.context() as patch:
        counted = Faults(patch, None, "undone")
        desk.release()
    assert set(counted.calls) == set(calls) - {"rename"}, "every kind of call is met"
    for step, name in enumerate(counted.calls):
        for mode in ("undone", "done"):
            desk.put_back()
            with monkeypatch.context() as patch:
                Faults(patch, step, mode)
                with suppress(UnreachableError):  # any other error would fail the test
                    desk.release()
            yield step, name, mode


def test_no_fault_lets_a_file_out_that_is_not_on_record(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    appeared = 0
    for step, name, mode in trials(desk, CALLS, monkeypatch):
        what = f"call {step} ({name}, {mode})"
        workspace = desk.workspace()
        digests = {copy.file_digest for copy in workspace.copies()}
        for path in desk.outs.values():
            if path.exists():
                appeared += 1
                assert hashlib.sha256(path.read_bytes()).hexdigest() in digests, what
        assert not [*desk.folder.glob(".*")], what
        out = desk.folder / "coroner.csv"
        workspace.release("persons", to="Coroner", purpose=PURPOSE, out=out)
        assert workspace.copies()[-1].recipient.name == "Coroner", what
        if name in ("replace", "link") and mode == "done":
            assert [named.recipient for named in workspace.trace(out).named] == ["Coroner"], what
    assert appeared, "some faults come after the file has appeared"


def test_the_first_release_makes_its_folder_or_says_why_not(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.put_back()
    shutil.rmtree(desk.folder / "office" / "baseline")

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr("os.mkdir", refused)
        with pytest.raises(UnreachableError, match="permission denied"):
            desk.release()
    assert not any(path.exists() for path in desk.outs.values())
    assert len(desk.workspace().copies()) == 1


def test_a_file_system_without_links(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.put_back()

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", refused)
    desk.release()
    assert all(path.exists() for path in desk.outs.values())
    assert not [*desk.folder.glob(".*")]
