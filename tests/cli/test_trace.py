"""`muniment trace` and `muniment recompute`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from language.program import muniment

if TYPE_CHECKING:
    from conftest import Office


def test_a_named_recipient_is_exit_code_1(office: Office, tmp_path: Path) -> None:
    leak = office.leak(tmp_path / "leak.csv", 2)
    report = tmp_path / "report.html"
    outcome = office.run("trace", leak, "--json", "--report", report)
    value = outcome.json("trace")
    assert outcome.code == 1
    assert [one["recipient"] for one in value["named"]] == ["North, school board"]
    assert "leads" not in value
    assert value["examination"] == 1
    assert "North, school board" in report.read_text(encoding="utf-8")

    person = office.run("trace", leak)
    assert person.code == 1
    assert person.out.startswith("A copy made for North, school board is among the sources")
    assert "examination: 2" in person.out

    brief = office.run("trace", leak, "--quiet", "--lang", "zh-TW", "--report", report, "--yes")
    assert len(brief.out.splitlines()) == 3
    assert "North, school board" in brief.out
    assert "鑑驗" in report.read_text(encoding="utf-8")
    assert brief.err == ""


def test_the_register_itself_names_nobody(office: Office) -> None:
    outcome = office.run("trace", office.people, "--json", "--no-examples")
    value = outcome.json("trace")
    assert (outcome.code, value["verdict"]) == (0, "none")
    assert not any(match["examples"] for match in value["mapping"])


def test_leads_only_with_a_purpose(office: Office, tmp_path: Path) -> None:
    leak = office.leak(tmp_path / "leak.csv", 3, 60)
    assert "with a reason" in office.run("trace", leak, "--leads", "--json").error()["error"]
    value = office.run("trace", leak, "--leads", "--purpose", "case 7", "--json").json("trace")
    assert "leads" in value


def test_a_bundle_is_recomputed_without_workspace(office: Office, tmp_path: Path) -> None:
    leak = office.leak(tmp_path / "leak.csv", 1, 70)
    bundle = tmp_path / "bundle.zip"
    assert office.run("trace", leak, "--bundle", bundle, "--quiet").code == 1
    keys = office.run("keys", "list", "--json").json("keys")["keys"]
    public = next(key["public_key"] for key in keys if key["public_key"])
    outcome = muniment("recompute", bundle, "--public-key", public, "--json", env={"MUNIMENT_PASSPHRASE": ""})
    assert [one["recipient"] for one in outcome.json("recompute")["named"]] == ["Tax office"]
    assert "agrees" in muniment("recompute", bundle, "--quiet").out
    assert muniment("recompute", bundle, "--public-key", "00" * 32).code == 3
    assert muniment("recompute", bundle, "--public-key", "abc").code == 2

    altered = bytearray(bundle.read_bytes())
    altered[len(altered) // 2] ^= 1
    bundle.write_bytes(altered)
    assert muniment("recompute", bundle, "--json").code == 3


def test_fixed_mapping_and_date(office: Office, tmp_path: Path) -> None:
    leak = office.leak(tmp_path / "leak.csv", 3)
    value = office.run("trace", leak, "--map", "address_zh=address_zh", "--json").json("trace")
    assert next(one for one in value["mapping"] if one["leak_column"] == "address_zh")["fixed"]
    early = office.run("trace", leak, "--found", "2020-01-01", "--json")
    assert early.code == 2
    assert "no copy" in early.error()["error"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere.csv",), "nowhere.csv"),
        (("{leak}", "--register", "nobody"), "nobody"),
        (("{leak}", "--map", "a"), "expected two names"),
        (("{leak}", "--map", "no_such=sex"), "no_such"),
        (("{leak}", "--found", "yesterday"), "yesterday"),
        (("{leak}", "--alpha", "3"), "alpha"),
        (("{leak}", "--report", "/nowhere/at/all.html"), "no folder"),
        (("{leak}", "--bundle", "{leak}"), "a file already"),
        (("{leak}", "--report", "{leak}"), "must be confirmed"),
    ],
)
def test_wrong_use_is_no_examination(office: Office, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    leak = office.leak(tmp_path / "leak.csv", 1, 33)
    journal = (office.folder / "ledger" / "journal.bin").stat().st_size
    outcome = office.run("trace", *(word.format(leak=leak) for word in arguments), "--json")
    assert outcome.code == 2
    assert said in outcome.error()["error"]
    assert (office.folder / "ledger" / "journal.bin").stat().st_size == journal


def test_json_is_one_document(office: Office, tmp_path: Path) -> None:
    leak = office.leak(tmp_path / "leak.csv", 3, 50)
    outcome = office.run("trace", leak, "--json")
    assert len(outcome.out.splitlines()) == 1
    assert outcome.err == ""
    json.loads(outcome.out)
