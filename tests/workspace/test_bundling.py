"""The bundle of an examination: recomputed without the workspace, signed, and holding nothing of the unnamed."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

import muniment as mu
from language.offices import Office, people, read_table, stacked
from muniment.errors import MunimentError, UnreachableError


@pytest.fixture
def sealed(office: Office) -> Path:
    paths = office.release("Tax", "Health", "Police")
    office.trace(paths[1], bundle=office.out("b.zip"))
    return office.out("b.zip")


def public_key(office: Office) -> bytes:
    return bytes.fromhex(office.parts.ring.public_keys()["signing-1"])


def test_every_number_of_the_named_is_recomputed_without_key_and_register(office: Office, sealed: Path) -> None:
    key = public_key(office)
    found = mu.recompute(sealed, public_key=key)
    (named,) = found.to_json()["named"]  # type: ignore[misc]
    assert named["recipient"] == "Health"  # type: ignore[index]


def test_another_key_did_not_sign_it(office: Office, sealed: Path) -> None:
    with pytest.raises(MunimentError):
        mu.recompute(sealed, public_key=bytes(32))


def test_no_other_recipient_and_no_value_of_the_leak_is_in_it(office: Office, sealed: Path) -> None:
    with zipfile.ZipFile(sealed) as bundle:
        data = b"".join(bundle.read(name) for name in bundle.namelist())
    assert b"Health" in data
    assert b"Tax" not in data
    assert b"Police" not in data
    copy = read_table(office.out("Health.csv"))
    for column in ("person_id", "name_zh", "phone"):
        assert not [cell for cell in copy[column] if cell and cell.encode() in data]


def test_a_bundle_of_a_verdict_that_names_nobody_opens_nothing(office: Office) -> None:
    office.release("Tax", "Health")
    verdict = office.trace(office.leak(office.persons), bundle=office.out("none.zip"))
    assert verdict.verdict == "none"
    assert mu.recompute(office.out("none.zip")).to_json()["named"] == []
    assert not office.parts.journal.entries("opened")


def test_what_it_opens_is_on_record_before_it_appears(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    (path, _) = office.release("Tax", "Health")

    def full(*_: object, **__: object) -> None:
        raise UnreachableError("no space left")

    monkeypatch.setattr("muniment.trace.bundle.Bundle.write", full)
    with pytest.raises(UnreachableError):
        office.trace(path, bundle=office.out("b.zip"))
    assert office.parts.journal.entries("opened")
    assert not office.out("b.zip").exists()


def test_no_bundle_appears_that_is_not_on_record(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    (path, _) = office.release("Tax", "Health")

    def refused(*_: object, **__: object) -> None:
        raise UnreachableError("no space left")

    monkeypatch.setattr("muniment.workspace.bundling.log_openings", refused)
    with pytest.raises(UnreachableError):
        office.trace(path, bundle=office.out("b.zip"))
    assert not office.out("b.zip").exists()


def test_two_keys_and_two_sources_in_one_bundle(office: Office) -> None:
    (old, _) = office.release("Tax", "Health")
    office.workspace.rotate("mark")
    (new, _) = office.release("Police", "Fire")
    both = stacked([read_table(old).take(range(75)), read_table(new).take(range(75, 150)), people(5, seed=50)])
    verdict = office.trace(office.leak(both), bundle=office.out("b.zip"))
    assert {(named.recipient, named.mark_key) for named in verdict.named} == {("Tax", "mark-1"), ("Police", "mark-2")}
    found = mu.recompute(office.out("b.zip"), public_key=public_key(office))
    assert len(found.to_json()["named"]) == 2  # type: ignore[arg-type]
