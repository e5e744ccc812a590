"""Who received one person: both views, everything covered, asked on record first, and proofs that others verify."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from language.disclosed import TOLD, give, key_of, ordinals_of, without_signing
from language.offices import PURPOSE, Office, people, write_table
from language.rings import NOW
from muniment.disclosure import Channel, Outcome, Party
from muniment.durable import locked
from muniment.errors import InputError, IntegrityError, LimitError, UnreachableError
from muniment.ledger.completeness import verify_person_proof
from muniment.ledger.service import open_writer
from muniment.ledger.suspensions import suspend
from muniment.workspace.bookkeeping import Selection
from muniment.workspace.subjects import WhoResult

SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "verify_ledger.py"
WHY = "request of the person, letter 12"


def ask(office: Office, row: int, **options: object) -> WhoResult:
    return office.workspace.who(key_of(office, row), purpose=WHY, **options)  # type: ignore[arg-type]


def from_others(office: Office, answer: WhoResult) -> list[dict[str, object]]:
    """What others received: the look-ups of this office left out."""
    return [one for one in answer.disclosures if one["recipient"] != office.parts.office]


def recorded(office: Office) -> int:
    return len(office.workspace.ledger.show(Selection()))


# --- the two views -------------------------------------------------------------------------------------------------


def test_the_person_is_told_who_what_when_and_why(office: Office) -> None:
    office.release("Tax", columns=("person_id", "name_zh"), basis="Tax Act s. 30", case="2026-3")
    (told,) = from_others(office, ask(office, 0))
    assert str(told.pop("staff")).startswith("staff-")
    assert told["recipient"] == "Tax"
    assert told["columns"] == ["person_id", "name_zh"]
    assert (told["purpose"], told["basis"], told["channel"]) == (PURPOSE, "Tax Act s. 30", "file")
    assert (told["outcome"], told["delivery"]) == ("given", "complete")
    assert str(told["time"]).startswith("2026-11-24T09:")
    assert set(told) == {
        "time", "recipient", "register", "columns", "channel", "purpose", "basis", "outcome", "delivery"
    }  # fmt: skip


def test_staff_has_one_pseudonym_in_every_answer_and_never_its_account(office: Office) -> None:
    wu = replace(TOLD, party=Party("Clinic", "wu.meiling", "ward-7"))
    for row in (0, 1):
        give(office, [key_of(office, row)])
        give(office, [key_of(office, row)], wu)
    first, second = (from_others(office, ask(office, row)) for row in (0, 1))
    assert [one["staff"] for one in first] == [one["staff"] for one in second]
    assert len({one["staff"] for one in first}) == 2
    text = json.dumps([first, second])
    assert not [secret for secret in ("chen", "wu.meiling", "ward-7", "10.0.0.7", "2026-17") if secret in text]


def test_the_keeper_sees_account_device_case_and_number(office: Office) -> None:
    receipt = give(office, [key_of(office, 0)])
    (told,) = from_others(office, ask(office, 0, keeper=True))
    assert (told["account"], told["device"], told["case"], told["fingerprint"]) == ("chen", "10.0.0.7", "2026-17", "q1")
    assert (told["sequence"], told["sealed"], told["withheld"]) == (receipt.first, True, False)


def test_what_was_refused_is_told_as_refused(office: Office) -> None:
    refused = replace(TOLD, template=replace(TOLD.template, outcome=Outcome.REFUSED))
    give(office, [key_of(office, 0)], refused)
    assert [one["outcome"] for one in from_others(office, ask(office, 0))] == ["refused"]


# --- everything is covered -----------------------------------------------------------------------------------------


def test_a_person_nobody_received_is_told_so_and_the_question_is_on_record(office: Office) -> None:
    office.release("Tax", where="sex = 'F'")
    row = office.persons["sex"].index("M")
    for _ in range(2):
        answer = ask(office, row)
        assert (answer.disclosures, answer.complete, answer.unsealed) == ((), True, 0)
    assert recorded(office) == 3


def test_dumps_single_reads_and_copies_come_in_their_order(office: Office) -> None:
    crowd = [f"Z{number:05}" for number in range(5_000)]
    give(office, [key_of(office, 4)])
    give(office, [*crowd, key_of(office, 4)], replace(TOLD, party=Party("Archive", "night")))
    office.release("Tax")
    dumps = [one.manifest.dump_count for one in office.parts.ledger.segments()]
    assert dumps == [0, 1, 0], "the archive's is stored as a dump"
    assert [one["recipient"] for one in from_others(office, ask(office, 4))] == ["Tax", "Archive", "Tax"]
    assert [one["recipient"] for one in from_others(office, ask(office, 5))] == ["Tax"]
    stranger = office.workspace.who("Z00077", purpose=WHY)
    assert [one["recipient"] for one in from_others(office, stranger)] == ["Archive"]


def test_what_is_not_sealed_yet_is_told_and_counted(office: Office) -> None:
    office.release("Tax")
    without_signing(office)
    give(office, [key_of(office, 0)], replace(TOLD, party=Party("Clinic", "wu")))
    answer = ask(office, 0)
    assert [one["recipient"] for one in from_others(office, answer)] == ["Tax", "Clinic"]
    assert answer.unsealed == 2, "the clinic's and the question"
    keeper = ask(office, 0, keeper=True)
    assert [one["sealed"] for one in keeper.disclosures] == [True, False, False, False]


def test_the_answer_is_the_same_with_and_without_an_index(office: Office) -> None:
    office.release("Tax", "Health")
    give(office, [key_of(office, 0)])
    ask(office, 0)
    scanned = from_others(office, ask(office, 0, keeper=True))
    office.workspace.ledger.reindex()
    assert from_others(office, ask(office, 0, keeper=True)) == scanned
    for path in (office.folder / "office" / "ledger" / "index").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[:-7] + b"altered")
    assert from_others(office, ask(office, 0, keeper=True)) == scanned, "an index that does not verify is passed over"


def test_the_statement_says_when_the_index_was_checked(office: Office) -> None:
    office.release("Tax")
    assert ask(office, 0).statement == ""
    office.workspace.ledger.reindex()
    answer = ask(office, 0)
    assert answer.statement.endswith("index checked against segments on 2026-11-24")
    assert answer.to_json()["statement"] == answer.statement
    assert answer.checkpoint.startswith(office.parts.ledger.origin)


def test_two_registers_do_not_mix_and_have_to_be_named(office: Office) -> None:
    staff = write_table(office.folder / "staff.csv", people(40, seed=1))
    office.workspace.register("staff", staff, key="person_id")
    office.release("Tax")
    give(office, [key_of(office, 0)], replace(TOLD, template=replace(TOLD.template, register="staff")))
    with pytest.raises(InputError, match=r"which register is meant.*persons, staff") as raised:
        ask(office, 0)
    assert raised.value.hint == "--register NAME"
    channels = {name: [one["channel"] for one in ask(office, 0, register=name).disclosures] for name in
                ("persons", "staff")}  # fmt: skip
    assert channels == {"persons": ["file", "application"], "staff": ["application", "application"]}


def test_a_composite_key_is_given_in_all_its_parts(office: Office) -> None:
    table = people(30, seed=3)
    path = write_table(office.folder / "visits.csv", table)
    office.workspace.register("visits", path, key=("household_id", "person_id"))
    key = (str(table["household_id"][0]), str(table["person_id"][0]))
    give(office, [key], replace(TOLD, template=replace(TOLD.template, register="visits")))
    assert len(office.workspace.who(key, register="visits", purpose=WHY).disclosures) == 2
    assert not office.workspace.who(key[::-1], register="visits", purpose=WHY).disclosures
    for wrong in (key[:1], "household", (*key, "x"), (key[0], "")):
        with pytest.raises(InputError, match=r"its key has 2 part\(s\) \(household_id, person_id\)") as raised:
            office.workspace.who(wrong, register="visits", purpose=WHY)
        assert key[0] not in raised.value.message


# --- withheld ------------------------------------------------------------------------------------------------------


def test_an_order_withholds_without_a_trace_and_the_keeper_sees_it(office: Office) -> None:
    office.release("Tax")
    police = give(office, [key_of(office, 0)], replace(TOLD, party=Party("Police", "officer")))
    twin = ask(office, 1).to_json()
    office.workspace.ledger.suspend([police.first], until=NOW + timedelta(days=30), order="prosecutor 7/26")
    answer = ask(office, 0)
    assert [one["recipient"] for one in from_others(office, answer)] == ["Tax"]
    assert "Police" not in json.dumps(answer.to_json())
    assert {name: type(value) for name, value in answer.to_json().items()} == {
        name: type(value) for name, value in twin.items()
    }
    assert (answer.complete, answer.unsealed) == (twin["complete"], twin["unsealed"])
    keeper = from_others(office, ask(office, 0, keeper=True))
    assert [(one["recipient"], one["withheld"]) for one in keeper] == [("Tax", False), ("Police", True)]


def test_a_withheld_disclosure_that_is_not_sealed_is_not_counted(office: Office) -> None:
    give(office, [key_of(office, 0)])
    office.release("Tax")
    key = office.parts.ring.current("signing")
    without_signing(office)
    police = give(office, [key_of(office, 0)], replace(TOLD, party=Party("Police", "officer")))
    until = NOW + timedelta(days=30)
    suspend(office.parts.journal, [police.first], until=until, order="prosecutor 7/26", key=key, now=NOW)
    assert ask(office, 0).unsealed == 1, "the question itself"
    assert ask(office, 0, keeper=True).unsealed == 3


def test_after_its_date_the_disclosure_is_told_again(office: Office) -> None:
    police = give(office, [key_of(office, 0)], replace(TOLD, party=Party("Police", "officer")))
    office.workspace.ledger.suspend([police.first], until=NOW + timedelta(minutes=30), order="prosecutor 7/26")
    assert from_others(office, ask(office, 0)) == []
    for _ in range(40):
        office.clock()
    assert [one["recipient"] for one in from_others(office, ask(office, 0))] == ["Police"]


# --- asking --------------------------------------------------------------------------------------------------------


def test_asking_is_a_disclosure_of_whoever_asks(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.release("Tax")
    monkeypatch.setenv("MUNIMENT_ACCOUNT", "data.protection")
    answer = ask(office, 0)
    (own,) = [one for one in answer.disclosures if one["recipient"] == office.parts.office]
    assert (own["purpose"], own["channel"], own["columns"]) == (WHY, "application", [])
    (event,) = office.workspace.ledger.events(Selection(account="data.protection"))
    assert event.disclosure.template.channel is Channel.APPLICATION
    assert office.parts.ledger.records(event.sequence).tolist() == ordinals_of(office, [key_of(office, 0)])
    assert len([one for one in ask(office, 0).disclosures if one["purpose"] == WHY]) == 2, "the first stays"


@pytest.mark.parametrize("purpose", ["", "  \n"])
def test_without_a_purpose_nothing_is_looked_up(office: Office, purpose: str) -> None:
    for asked in (office.workspace.who, office.workspace.prove):
        with pytest.raises(InputError, match="needs a purpose"):
            asked(key_of(office, 0), purpose=purpose)
    with pytest.raises(LimitError, match="the purpose has"):
        office.workspace.who(key_of(office, 0), purpose="x" * 100_000)
    assert recorded(office) == 0


def test_nothing_is_answered_when_the_question_cannot_be_put_on_record(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.release("Tax")
    seen: list[str] = []
    monkeypatch.setattr("muniment.workspace.subjects._events", lambda *a: seen.append("read") or [])

    def full(descriptor: int, *_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for name in ("write", "pwrite", "writev", "pwritev"):
        monkeypatch.setattr(os, name, full)
    for asked in (office.workspace.who, office.workspace.prove):
        with pytest.raises(UnreachableError):
            asked(key_of(office, 0), purpose=WHY)
    assert seen == []


def test_nothing_is_answered_while_the_writer_hangs(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process holds the lock, and serves nobody."""
    office.release("Tax")
    monkeypatch.setitem(open_writer.__kwdefaults__, "wait", 0.2)
    with locked(office.folder / "office" / "ledger" / "writer.lock"), pytest.raises(UnreachableError):
        ask(office, 0)
    assert len(from_others(office, ask(office, 0))) == 1


def test_a_ledger_that_was_rolled_back_answers_nothing(office: Office) -> None:
    log = office.folder / "office" / "ledger" / "log"
    office.release("Tax")
    shutil.copytree(log, office.folder / "backup")
    office.release("Health")
    shutil.rmtree(log)
    shutil.move(office.folder / "backup", log)
    with pytest.raises(IntegrityError, match="was restored from a backup, or cut"):
        ask(office, 0)


# --- proofs --------------------------------------------------------------------------------------------------------


def test_a_proof_verifies_here_and_with_the_script_and_opens_no_account(office: Office) -> None:
    crowd = [f"Z{number:05}" for number in range(5_000)]
    give(office, [*crowd, key_of(office, 4)], replace(TOLD, party=Party("Archive", "night.shift", "host-9")))
    office.release("Tax", case="2026-9")
    give(office, [key_of(office, 4)])
    proof = office.workspace.prove(key_of(office, 4), purpose=WHY)
    history = verify_person_proof(proof, office.parts.ledger.verifiers)
    assert [one.fields["recipient"] for one in history.disclosures] == ["Archive", "Tax", "Tax", office.parts.office]
    assert all(set(one.fields) == {"recipient", "template"} for one in history.disclosures)
    text = json.dumps(proof)
    assert not [closed for closed in ("night.shift", "host-9", "chen", "2026-9", "2026-17", '"q1') if closed in text]
    result = script(office, text)
    assert result.returncode == 0, result.stderr
    assert "Archive" in result.stdout


def test_a_proof_for_a_person_nobody_received_shows_that(office: Office) -> None:
    office.release("Tax", where="sex = 'F'")
    proof = office.workspace.prove(key_of(office, office.persons["sex"].index("M")), purpose=WHY)
    history = verify_person_proof(proof, office.parts.ledger.verifiers)
    assert (history.ordinal, history.disclosures) == (None, ())
    assert script(office, json.dumps(proof)).returncode == 0


def test_a_proof_with_a_disclosure_left_out_does_not_verify(office: Office) -> None:
    office.release("Tax")
    give(office, [key_of(office, 4)])
    proof = office.workspace.prove(key_of(office, 4), purpose=WHY)
    events = proof["events"]
    assert isinstance(events, list)
    less = {**proof, "events": events[1:]}
    with pytest.raises(IntegrityError):
        verify_person_proof(less, office.parts.ledger.verifiers)
    assert script(office, json.dumps(less)).returncode == 3


def test_no_proof_while_an_order_withholds_and_that_is_on_record_too(office: Office) -> None:
    office.release("Tax")
    police = give(office, [key_of(office, 0)], replace(TOLD, party=Party("Police", "officer")))
    office.workspace.ledger.suspend([police.first], until=NOW + timedelta(days=30), order="prosecutor 7/26")
    before = recorded(office)
    with pytest.raises(InputError, match="no proof can be given now") as raised:
        office.workspace.prove(key_of(office, 0), purpose=WHY)
    assert "order" not in raised.value.message
    assert recorded(office) == before + 1
    assert office.workspace.prove(key_of(office, 1), purpose=WHY)["events"], "others are proved"


def script(office: Office, proof: str) -> subprocess.CompletedProcess[str]:
    """docs/verify_ledger.py on a proof, with the key that `head` shows."""
    path = office.out("proof.json")
    path.write_text(proof, encoding="utf-8")
    keys = office.workspace.ledger.head()["verifiers"]
    assert isinstance(keys, list)
    command = [sys.executable, str(SCRIPT), str(path), *(part for key in keys for part in ("--key", key))]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
