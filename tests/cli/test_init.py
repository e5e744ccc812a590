"""`muniment init`."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from language.program import PASSPHRASE, muniment, write_csv

if TYPE_CHECKING:
    from conftest import Office


def test_json_shows_commitments_and_no_secret(office: Office) -> None:
    value = office.init.json("init")
    assert [key["id"] for key in value["keys"]] == ["mark-1", "pseudonym-1", "segment-1", "signing-1"]
    assert (value["custodians"], value["second"]) == (0, None)
    assert PASSPHRASE not in office.init.out + office.init.err


def test_the_second_place_refuses_a_workspace_from_a_backup(tmp_path: Path) -> None:
    away = tmp_path / "away"
    made = muniment("init", tmp_path / "o", "--second", away, "--json").json("init")
    assert made["second"] == str(away)
    shutil.copytree(tmp_path / "o", tmp_path / "backup")
    at = {"MUNIMENT_WORKSPACE": str(tmp_path / "o")}
    source = write_csv(tmp_path / "p.csv", ("id", "name"), [("1", "a"), ("2", "b")])
    assert muniment("register", "add", "people", source, "--key", "id", "--quiet", env=at).code == 0
    assert muniment("who", "1", "--purpose", "p", "--quiet", env=at).code == 0
    shutil.rmtree(tmp_path / "o")
    (tmp_path / "backup").rename(tmp_path / "o")
    refused = muniment("ledger", "head", "--json", env=at)
    assert refused.code == 3
    assert "backup" in refused.error()["error"]


def test_a_workspace_is_never_written_over(office: Office) -> None:
    before = (office.folder / "keys" / "ring.json").read_bytes()
    outcome = muniment("init", office.folder, "--yes", "--json")
    assert outcome.code == 2
    assert "there is a workspace already" in outcome.error()["error"]
    assert (office.folder / "keys" / "ring.json").read_bytes() == before


def test_language_is_kept_and_used(tmp_path: Path) -> None:
    outcome = muniment("init", tmp_path / "o", "--lang", "zh-TW")
    assert outcome.code == 0
    assert "已建立工作區" in outcome.out
    assert "尚無登錄的複本" in muniment("copies", "--workspace", tmp_path / "o").out


def test_without_passphrase_nothing_is_made(tmp_path: Path) -> None:
    outcome = muniment("init", tmp_path / "o", env={"MUNIMENT_PASSPHRASE": ""})
    assert (outcome.code, outcome.out) == (2, "")
    assert "MUNIMENT_PASSPHRASE" in outcome.err.splitlines()[1]
    assert not (tmp_path / "o").exists()


def test_passphrase_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("another passphrase\n")
    secret.chmod(0o600)
    assert muniment("init", tmp_path / "o", "--passphrase-file", secret, "--quiet").code == 0
    assert muniment("keys", "list", "--workspace", tmp_path / "o").code == 2
    assert muniment("keys", "list", "--workspace", tmp_path / "o", "--passphrase-file", secret).code == 0


def test_two_custodians_are_needed_to_mark(tmp_path: Path) -> None:
    assert muniment("init", tmp_path / "n", "--custodians", "2").code == 2
    assert muniment("init", tmp_path / "n", "--custodians", "3").code == 2
    both = {"MUNIMENT_CUSTODIAN_1": "the first custodian", "MUNIMENT_CUSTODIAN_2": "the second custodian"}
    made = muniment("init", tmp_path / "o", "--custodians", "2", "--json", env=both)
    assert made.json("init")["custodians"] == 2
    rotate = ("keys", "rotate", "mark", "--yes", "--json", "--workspace", tmp_path / "o")
    assert "custodian 1" in muniment(*rotate).error()["error"]
    wrong = both | {"MUNIMENT_CUSTODIAN_2": "somebody else entirely"}
    assert "custodian 2 is wrong" in muniment(*rotate, env=wrong).error()["error"]
    assert muniment(*rotate, env=both).json("keys-rotate")["id"] == "mark-2"
