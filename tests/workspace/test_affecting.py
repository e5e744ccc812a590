"""Affected: how many persons are in a leak, and a list of them that only the holder of the notice key opens."""

from __future__ import annotations

import csv
import errno
import json
import os
from datetime import date
from pathlib import Path

import pytest

from language.disclosed import key_of, ordinals_of
from language.offices import PURPOSE, Office, people, read_table, stacked, template, without, write_table
from language.rings import CUSTODIANS
from muniment.errors import InputError, IntegrityError, PassphraseError, UnreachableError
from muniment.notice.envelope import NoticeKey, new_notice_key, open_envelope, open_notice_key
from muniment.table import Table
from muniment.workspace.bookkeeping import Selection

OFFICER = "the data protection officer's words"
INCIDENT = "2026-11"


@pytest.fixture(scope="module")
def notice_key(tmp_path_factory: pytest.TempPathFactory) -> NoticeKey:
    path = tmp_path_factory.mktemp("officer") / "notice.key"
    public = new_notice_key(path, OFFICER, os.urandom)
    key = open_notice_key(path, OFFICER)
    assert key.public == public
    return key


@pytest.fixture
def leak(office: Office) -> Path:
    """Thirty rows of a copy, without their keys."""
    (path,) = office.release("Tax")
    return office.leak(without(read_table(path).take(range(30)), ["person_id"]))


def allow(office: Office, public: bytes) -> None:
    """The keeper writes the officer's public key into muniment.toml."""
    settings = office.folder / "office" / "muniment.toml"
    text = settings.read_text(encoding="utf-8")
    line = f'notice_key = "{public.hex()}"\n'
    settings.write_text(
        text.replace("[ledger]\n", f"[ledger]\n{line}") if "[ledger]" in text else f"{text}\n[ledger]\n{line}",
        encoding="utf-8",
    )
    office.reopen()


def own(office: Office) -> list[dict[str, object]]:
    """What this office looked at."""
    return office.workspace.ledger.show(Selection(recipient=office.parts.office))


# --- the count -----------------------------------------------------------------------------------------------------


def test_the_persons_are_counted_and_not_named(office: Office, leak: Path) -> None:
    result = office.workspace.affected(leak, incident=INCIDENT)
    assert result.persons == {"persons": 30}
    assert (result.rows, result.rows_aligned, result.file) == (30, 30, None)
    text = json.dumps(result.to_json()) + repr(result)
    assert not [key for key in office.persons["person_id"] if key and key in text]
    assert result.to_json()["incident"] == INCIDENT


def test_a_person_in_several_rows_is_one_person(office: Office, leak: Path) -> None:
    rows = read_table(leak)
    twice = office.leak(stacked([rows, rows, rows.take(range(5))]), "twice.csv")
    result = office.workspace.affected(twice, incident=INCIDENT)
    assert (result.persons, result.rows) == ({"persons": 30}, 65)


def test_persons_of_two_registers_are_counted_apart(office: Office, leak: Path) -> None:
    staff = people(40, seed=5)
    path = write_table(office.folder / "staff.csv", staff)
    office.workspace.register("staff", path, key="person_id")
    both = office.leak(stacked([read_table(leak), without(staff.take(range(25)), ["person_id"])]), "both.csv")
    assert office.workspace.affected(both, incident=INCIDENT).persons == {"persons": 30, "staff": 25}
    assert office.workspace.affected(both, incident=INCIDENT, register="staff").persons == {"staff": 25}
    with pytest.raises(InputError, match="there is no register 'nobody'"):
        office.workspace.affected(both, incident=INCIDENT, register="nobody")


def test_decoys_are_no_persons(office: Office, notice_key: NoticeKey) -> None:
    reserved = tuple(f"RR{number:010}" for number in range(0, 4_000, 7))
    office.workspace.plan_decoys(
        "persons", count=120, reserved=reserved, expires=date(2029, 12, 31), owner="Lin", consent="yes", share=0.1
    )
    office.allow_rows("decoy")
    allow(office, notice_key.public)
    (path,) = office.release("Tax")
    rows = read_table(path)
    held = [row for row, key in enumerate(rows["person_id"]) if key in reserved]
    real = [row for row in range(rows.rows) if row not in held][:30]
    found = office.leak(rows.take([*held, *real]))
    out = office.out("list.bin")
    result = office.workspace.affected(found, incident=INCIDENT, out=out)
    assert held
    assert (result.persons, result.rows_aligned) == ({"persons": 30}, 30 + len(held))
    listed = open_envelope(out.read_bytes(), notice_key).decode()
    assert not [key for key in reserved if key in listed]
    (told,) = own(office)
    assert len(office.parts.ledger.records(int(str(told["sequence"])))) == 30


# --- the list ------------------------------------------------------------------------------------------------------


def test_the_list_opens_with_the_notice_key_only(office: Office, leak: Path, notice_key: NoticeKey) -> None:
    allow(office, notice_key.public)
    out = office.out("list.bin")
    assert office.workspace.affected(leak, incident=INCIDENT, out=out).file == out
    envelope = out.read_bytes()
    header, *rows = csv.reader(open_envelope(envelope, notice_key).decode().splitlines())
    assert header == ["register", "person_id"]
    assert {tuple(row) for row in rows} == {("persons", str(key)) for key in office.persons["person_id"][:30]}
    assert not [key for key in office.persons["person_id"][:30] if key and key.encode() in envelope]
    assert out.stat().st_mode & 0o077 == 0
    other = NoticeKey(notice_key.public, os.urandom(32))
    with pytest.raises(IntegrityError, match="sealed to another notice key"):
        open_envelope(envelope, other)


def test_without_a_notice_key_there_is_a_count_and_no_list(office: Office, leak: Path) -> None:
    with pytest.raises(InputError, match="no notice key") as raised:
        office.workspace.affected(leak, incident=INCIDENT, out=office.out("list.bin"))
    assert "notice_key under [ledger] in muniment.toml" in str(raised.value.hint)
    assert own(office) == []
    assert office.workspace.affected(leak, incident=INCIDENT).persons == {"persons": 30}


def test_a_file_that_is_there_stays(office: Office, leak: Path, notice_key: NoticeKey) -> None:
    allow(office, notice_key.public)
    out = office.out("list.bin")
    out.write_bytes(b"something else")
    with pytest.raises(InputError):
        office.workspace.affected(leak, incident=INCIDENT, out=out)
    assert out.read_bytes() == b"something else"
    assert own(office) == []


# --- who may ask ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("incident", ["", "   "])
def test_an_incident_is_required(office: Office, leak: Path, incident: str) -> None:
    with pytest.raises(InputError, match="no incident given") as raised:
        office.workspace.affected(leak, incident=incident)
    assert raised.value.hint == "--incident ID"
    assert own(office) == []


def test_asking_is_a_disclosure_of_whoever_asks(
    office: Office, leak: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUNIMENT_ACCOUNT", "incident.desk")
    office.workspace.affected(leak, incident=INCIDENT)
    (told,) = own(office)
    assert (told["account"], told["purpose"], told["case"]) == ("incident.desk", f"affected: {INCIDENT}", INCIDENT)
    assert told["columns"] == []
    keys = [str(key) for key in office.persons["person_id"][:30]]
    assert office.parts.ledger.records(int(str(told["sequence"]))).tolist() == ordinals_of(office, keys)
    answer = office.workspace.who(key_of(office, 3), purpose="request")
    assert [one["purpose"] for one in answer.disclosures] == [PURPOSE, f"affected: {INCIDENT}", "request"]


def test_nothing_is_told_when_it_cannot_be_put_on_record(
    office: Office, leak: Path, notice_key: NoticeKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(office, notice_key.public)

    def full(descriptor: int, *_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for name in ("write", "pwrite"):
        monkeypatch.setattr(os, name, full)
    with pytest.raises(UnreachableError):
        office.workspace.affected(leak, incident=INCIDENT, out=office.out("list.bin"))
    assert not office.out("list.bin").exists()


def few(office: Office) -> Path:
    (path,) = office.release("Tax")
    return office.leak(read_table(path).take(range(19)), "few.csv")


def test_fewer_than_twenty_persons_take_a_second_person(office: Office) -> None:
    found = few(office)
    with pytest.raises(InputError, match=r"fewer than 20 persons.*second person") as raised:
        office.workspace.affected(found, incident=INCIDENT)
    assert "19" not in raised.value.message, "how many they are is an answer"
    assert own(office) == []


def test_strangers_are_refused_like_few(office: Office) -> None:
    """Whether a single person is in a register must not be told by another message."""
    office.release("Tax")
    stranger = office.leak(people(1, seed=99), "stranger.csv")
    known = office.leak(office.persons.take([0]), "known.csv")
    messages = set()
    for found in (stranger, known):
        with pytest.raises(InputError) as raised:
            office.workspace.affected(found, incident=INCIDENT)
        messages.add(raised.value.message)
    assert len(messages) == 1


def test_with_both_custodians_there_a_few_are_answered(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    made = template(tmp_path_factory.mktemp("guarded"), custodians=True)
    both = Office.copied(made, tmp_path / "here", custodians=CUSTODIANS)
    found = few(both)
    assert both.workspace.affected(found, incident=INCIDENT).persons == {"persons": 19}
    locked = Office(both.folder)
    with pytest.raises(InputError, match="second person"):
        locked.workspace.affected(found, incident=INCIDENT)
    locked.workspace.affected(both.out("Tax.csv"), incident=INCIDENT)
    with pytest.raises(PassphraseError):
        locked.release("Health")


@pytest.mark.parametrize("columns", [("sex",), ("a", "b")])
def test_a_file_that_shows_nobody_is_refused_as_few(office: Office, columns: tuple[str, ...]) -> None:
    office.release("Tax")
    sexes = office.persons["sex"]
    with pytest.raises(InputError, match="second person"):
        office.workspace.affected(office.leak(Table(columns, (sexes,) * len(columns))), incident=INCIDENT)
    assert own(office) == []
