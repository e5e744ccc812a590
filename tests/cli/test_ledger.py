"""`muniment ledger`: show, verify, seal, reindex, prune, suspend, head, cosign."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from muniment.ledger.log.checkpoint import cosign
from muniment.ledger.log.note import Kind, Signer

if TYPE_CHECKING:
    from conftest import Office


def _shown(office: Office, *arguments: object) -> list[dict[str, object]]:
    return office.run("ledger", "show", *arguments, "--json").json("ledger-show")["disclosures"]


# --- show ----------------------------------------------------------------------------------------------------------


def test_every_copy_is_a_disclosure(office: Office) -> None:
    first = _shown(office, "--newest", 1000)[:3]
    assert [one["recipient"] for one in first] == ["Tax office", "North, school board", "市政府"]
    assert [one["sequence"] for one in first] == [1, 2, 3]
    assert {(one["channel"], one["purpose"], one["rows"], one["withheld"]) for one in first} == {
        ("file", "yearly check", 300, False)
    }
    assert all(one["account"] for one in first)


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        (("--recipient", "Tax office"), [1]),
        (("--recipient", "Nobody"), []),
        (("--channel", "file"), [1, 2, 3]),
        (("--channel", "gate"), []),
        (("--since", "2020-01-01", "--until", "2020-01-01"), []),
        (("--since", "2020-01-01", "--until", "2100-01-01"), [1, 2, 3]),
        (("--case", "C-7"), []),
    ],
)
def test_disclosures_are_chosen(own_office: Office, options: tuple[str, ...], numbers: list[int]) -> None:
    shown = [one["sequence"] for one in _shown(own_office, *options, "--newest", "1000")]
    assert [number for number in shown if number <= 3] == numbers


def test_more_is_said_and_nothing_is_cut_unseen(own_office: Office) -> None:
    every = [one["sequence"] for one in _shown(own_office, "--newest", 1000)]
    assert [one["sequence"] for one in _shown(own_office, "--newest", 2)] == every[-2:]
    cut = own_office.run("ledger", "show", "--newest", "1")
    assert len(cut.out.splitlines()) == 2
    assert "newest 1" in cut.err
    assert own_office.run("ledger", "show", "--newest", "1", "--json").json("ledger-show")["more"]
    assert not own_office.run("ledger", "show", "--newest", "1000", "--json").json("ledger-show")["more"]
    assert "沒有符合條件" in own_office.run("ledger", "show", "--recipient", "Nobody", "--lang", "zh-TW").out


@pytest.mark.parametrize(
    ("options", "said"),
    [(("--since", "soon"), "soon"), (("--channel", "pigeon"), "pigeon"), (("--newest", "0"), "newest")],
)
def test_wrong_choices(office: Office, options: tuple[str, ...], said: str) -> None:
    outcome = office.run("ledger", "show", *options, "--json")
    assert outcome.code == 2
    assert said in outcome.error()["error"]


def test_basis_and_case_of_a_release_are_on_record(own_office: Office, tmp_path: Path) -> None:
    out = tmp_path / "copy.csv"
    release = ("release", "people", "--to", "Court", "--purpose", "p", "--basis", "Art. 15", "--case", "C-7")
    assert own_office.run(*release, "--out", out, "--quiet").code == 0
    (found,) = _shown(own_office, "--case", "C-7", "--newest", "1000")
    assert (found["recipient"], found["basis"], found["case"]) == ("Court", "Art. 15", "C-7")


# --- verify ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [(), ("--full",)])
def test_a_whole_ledger_verifies(office: Office, options: tuple[str, ...]) -> None:
    value = office.run("ledger", "verify", *options, "--json").json("ledger-verify")
    assert value["ok"] and not value["faults"]
    assert value["full"] == bool(options)
    assert value["disclosures"] >= 3 and value["unsealed"] == 0
    assert value["checkpoint"].splitlines()[1] == str(value["size"])


@pytest.mark.parametrize(("lang", "said"), [("en", "does not verify"), ("zh-TW", "查核不符")])
def test_a_flipped_bit_is_told_with_exit_code_3(own_office: Office, lang: str, said: str) -> None:
    segment = next((own_office.folder / "ledger" / "segments").iterdir())
    data = bytearray(segment.read_bytes())
    data[-40] ^= 1
    segment.write_bytes(data)
    outcome = own_office.run("ledger", "verify", "--lang", lang)
    assert outcome.code == 3
    assert said in outcome.out and segment.name in outcome.out
    asked = own_office.run("ledger", "verify", "--json")
    assert asked.code == 3
    assert not asked.json("ledger-verify")["ok"]


def test_a_rolled_back_log_cannot_be_checked(own_office: Office, tmp_path: Path) -> None:
    log = own_office.folder / "ledger" / "log"
    shutil.copytree(log, tmp_path / "backup")
    assert own_office.run("who", "nobody", "--purpose", "p", "--quiet").code == 0
    shutil.rmtree(log)
    shutil.copytree(tmp_path / "backup", log)
    outcome = own_office.run("ledger", "verify", "--json")
    assert outcome.code == 3
    assert "backup" in outcome.error()["error"]


# --- head and witnesses ----------------------------------------------------------------------------------------------


def test_the_head_can_be_handed_to_a_witness(own_office: Office) -> None:
    value = own_office.run("ledger", "head", "--json").json("ledger-head")
    assert own_office.run("ledger", "head", "--quiet").out == value["checkpoint"]
    plain = own_office.run("ledger", "head").out
    assert plain.startswith(value["checkpoint"])
    assert f"verifier key: {value['verifiers'][0]}" in plain


def test_a_witness_signs(own_office: Office, tmp_path: Path) -> None:
    witness = Signer("witness.example", bytes(range(32)), Kind.COSIGNATURE)
    note = own_office.run("ledger", "head", "--quiet").out.encode()
    answer = tmp_path / "answer"
    answer.write_text(cosign(note, witness, 1_790_000_000) + "\n", encoding="utf-8")
    assert "no such witness" in own_office.run("ledger", "cosign", answer, "--json").error()["error"]
    settings = own_office.folder / "muniment.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("witnesses = []", f'witnesses = ["{witness.verifier}"]'), encoding="utf-8")
    value = own_office.run("ledger", "cosign", answer, "--json").json("ledger-cosign")
    assert value["added"] == 1
    assert value["witnessed"]["witness.example"]["size"] == value["size"]
    answer.write_text("\n", encoding="utf-8")
    assert "no signature line" in own_office.run("ledger", "cosign", answer, "--json").error()["error"]


# --- seal, reindex, prune, suspend -----------------------------------------------------------------------------------


def test_seal_and_reindex(own_office: Office) -> None:
    assert own_office.run("ledger", "seal", "--json").json("ledger-seal")["sealed"] == []
    assert "Nothing waits" in own_office.run("ledger", "seal").out
    value = own_office.run("ledger", "reindex", "--json").json("ledger-reindex")
    verified = own_office.run("ledger", "verify", "--full", "--json").json("ledger-verify")
    assert value["segments"] == verified["indexed"] == verified["segments"]
    assert value["persons"] == 300
    assert "300 person(s)" in own_office.run("ledger", "reindex").out


def test_pruning_asks_and_says_how_much_goes(own_office: Office) -> None:
    prune = ("ledger", "prune", "--reason", "term", "--json")
    assert "retention_days" in own_office.run(*prune).error()["error"]
    assert own_office.run(*prune, "--before", "2020-01-01").json("ledger-prune")["pruned"] == []
    held = own_office.run("ledger", "verify", "--json").json("ledger-verify")
    asked = own_office.run(*prune, "--before", "2100-01-01")
    assert asked.code == 2
    for count in (f"{held['segments']} segment", f"{held['disclosures']} disclosure"):
        assert count in asked.error()["error"]
    assert own_office.run("ledger", "verify", "--json").json("ledger-verify") == held
    value = own_office.run(*prune, "--before", "2100-01-01", "--yes").json("ledger-prune")
    assert sum(one["disclosures"] for one in value["pruned"]) == held["disclosures"]
    after = own_office.run("ledger", "verify", "--full", "--json").json("ledger-verify")
    assert after["ok"] and after["segments"] == 0
    assert "No segment is past its term" in own_office.run(*prune[:-1], "--before", "2100-01-01").out


def test_an_order_is_given_and_ended(own_office: Office) -> None:
    order = ("--order", "District court, 9/2026")
    given = own_office.run("ledger", "suspend", 1, 3, "--until", "2100-01-01", *order, "--json").json("ledger-suspend")
    assert given["sequences"] == [1, 3]
    assert [one["withheld"] for one in _shown(own_office, "--newest", 1000)[:3]] == [True, False, True]
    assert "withheld" in own_office.run("ledger", "show", "--newest", 1000).out.splitlines()[1]
    ended = own_office.run("ledger", "suspend", 1, "--until", "2020-01-01", *order)
    assert "again" in ended.out
    assert [one["withheld"] for one in _shown(own_office, "--newest", 1000)[:3]] == [False, False, True]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("7000", "--until", "2100-01-01", "--order", "x"), "no disclosure 7,000"),
        (("0", "--until", "2100-01-01", "--order", "x"), "no disclosure 0"),
        (("1", "--until", "2100-01-01", "--order", " "), "who gave it"),
        (("1", "--until", "soon", "--order", "x"), "soon"),
        (("one", "--until", "2100-01-01", "--order", "x"), "integer"),
    ],
)
def test_no_order(office: Office, arguments: tuple[str, ...], said: str) -> None:
    journal = (office.folder / "ledger" / "journal.bin").stat().st_size
    outcome = office.run("ledger", "suspend", *arguments, "--json")
    assert outcome.code == 2
    assert said in outcome.error()["error"]
    assert (office.folder / "ledger" / "journal.bin").stat().st_size == journal
