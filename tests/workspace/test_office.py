"""The workspace as a folder: made, opened, with keys, custodians, and a ring that cannot sign."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

import muniment as mu
from language.offices import Office, template
from language.rings import CUSTODIANS, PASSPHRASE
from muniment.errors import InputError, PassphraseError


def test_a_new_workspace_opens_and_commits_to_every_key(office: Office) -> None:
    keys = office.workspace.keys()
    assert {key.id for key in keys} == {"mark-1", "pseudonym-1", "segment-1", "signing-1"}
    assert all(key.logged_at and len(key.commitment) == 64 for key in keys)


def test_a_workspace_is_for_its_owner_alone(office: Office) -> None:
    for path in (office.folder / "office" / "keys" / "ring.json", office.folder / "office" / "ledger" / "journal.bin"):
        assert path.stat().st_mode & 0o077 == 0, path.name


def test_init_leaves_a_workspace_that_is_there(office: Office) -> None:
    before = (office.folder / "office" / "keys" / "ring.json").read_bytes()
    with pytest.raises(InputError, match="there is a workspace already"):
        mu.init(office.folder / "office", PASSPHRASE)
    assert (office.folder / "office" / "keys" / "ring.json").read_bytes() == before


def test_opening_what_is_none_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no workspace") as raised:
        mu.open(tmp_path, PASSPHRASE)
    assert raised.value.hint == f"muniment init {tmp_path}"


def test_a_wrong_passphrase_opens_nothing_and_changes_nothing(office: Office) -> None:
    folder = office.folder / "office"
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(PassphraseError):
        mu.open(folder, PASSPHRASE + "!")
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_short_passphrase_makes_no_workspace(tmp_path: Path) -> None:
    with pytest.raises(PassphraseError):
        mu.init(tmp_path / "office", "short")
    with pytest.raises(InputError, match="there is no workspace"):
        mu.open(tmp_path / "office", "short")


def test_a_workspace_may_be_moved_and_used_from_any_folder(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = office.release("Tax", "Health")[:1]
    shutil.move(office.folder, tmp_path / "elsewhere")
    monkeypatch.chdir(tmp_path / "elsewhere")
    workspace = mu.open("office", PASSPHRASE)
    assert [named.recipient for named in workspace.trace(Path("out") / path.name).named] == ["Tax"]


def test_repr_shows_the_folder_and_no_secret(office: Office) -> None:
    secret = office.parts.ring.current("mark").secret
    shown = repr(office.workspace) + repr(office.parts)
    assert secret.hex() not in shown
    assert repr(secret)[2:-1] not in shown
    assert PASSPHRASE not in shown


def test_one_name_for_a_key_column_is_enough_and_kinds_can_be_corrected(office: Office) -> None:
    result = office.workspace.register("again", office.source, key="person_id", kinds={"name_en": "text"})
    assert result.register.key == ("person_id",)
    assert result.register.column("name_en").kind == "text"
    with pytest.raises(InputError, match="unknown kind 'shoe size'"):
        office.workspace.register("third", office.source, key="person_id", kinds={"name_en": "shoe size"})


# --- keys ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("purpose", ["mark", "pseudonym", "segment"])
def test_a_rotated_key_stands_beside_the_old_one_and_its_commitment_is_logged(office: Office, purpose: str) -> None:
    new = office.workspace.rotate(purpose)
    assert new.id == f"{purpose}-2"
    assert new.logged_at
    office.reopen()
    keys = office.workspace.keys()
    assert [key.id for key in keys if key.id.startswith(purpose)] == [f"{purpose}-1", f"{purpose}-2"]


def test_a_signing_key_is_not_rotated_yet(office: Office) -> None:
    with pytest.raises(InputError, match="not rotated yet"):
        office.workspace.rotate("signing")


def test_a_ring_without_the_signing_key_releases_and_traces(office: Office) -> None:
    """The clerk who hands copies out need not be able to sign."""
    ring = office.folder / "office" / "keys" / "ring.json"
    office.workspace.export_without_signing(ring.with_name("clerk.json"))
    os.replace(ring.with_name("clerk.json"), ring)
    office.reopen()
    (path, _) = office.release("Tax", "Health")
    assert office.named(path, bundle=office.out("unsigned.zip")) == ["Tax"]
    assert mu.recompute(office.out("unsigned.zip")).to_json()
    with pytest.raises(InputError, match="holds no signing key"):
        office.parts.ring.current("signing")


# --- custodians ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return template(tmp_path_factory.mktemp("custodians"), custodians=True)


def test_without_both_custodians_nobody_marks_or_traces(guarded: Path, tmp_path: Path) -> None:
    both = Office.copied(guarded, tmp_path / "here", custodians=CUSTODIANS)
    (path, _) = both.release("Tax", "Health")
    assert both.named(path) == ["Tax"]
    locked = Office(both.folder)
    for asked in (lambda: locked.release("Police"), lambda: locked.trace(path)):
        with pytest.raises(PassphraseError, match="custodian 1 and custodian 2"):
            asked()
    assert len(locked.workspace.copies()) == 2, "what needs no mark key works"
    assert not locked.out("Police.csv").exists()


@pytest.mark.parametrize(
    ("words", "whose"), [((CUSTODIANS[0], None), "custodian 2"), ((CUSTODIANS[0], "some other words"), "custodian 2")]
)
def test_it_is_said_whose_passphrase_is_missing_or_wrong(guarded: Path, words: tuple, whose: str) -> None:
    with pytest.raises(PassphraseError, match=whose):
        mu.open(guarded / "office", PASSPHRASE, custodians=words)


# --- bundles that are there ----------------------------------------------------------------------------------------


def test_a_bundle_that_is_there_stays_and_nothing_is_examined(office: Office) -> None:
    (path, _) = office.release("Tax", "Health")
    office.out("b.zip").write_text("mine")
    with pytest.raises(InputError, match="there is a file already"):
        office.trace(path, bundle=office.out("b.zip"))
    assert office.out("b.zip").read_text() == "mine"
    assert not office.parts.journal.entries("examination")


def test_the_clock_is_the_callers(tmp_path: Path) -> None:
    moment = datetime(2031, 5, 6, tzinfo=UTC)
    workspace = mu.init(tmp_path / "office", PASSPHRASE, clock=lambda: moment)
    assert {entry.time for entry in workspace._parts.journal.entries()} == {moment}
