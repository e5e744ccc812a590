"""`muniment affected` and `muniment notice-key`: a count for all, a list for the holder of the key."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from language.program import PASSPHRASE, muniment

if TYPE_CHECKING:
    from conftest import Office

NOTICE = {"MUNIMENT_NOTICE_PASSPHRASE": "a few more words for notices"}
BOTH = {"MUNIMENT_CUSTODIAN_1": "the first custodian", "MUNIMENT_CUSTODIAN_2": "the second custodian"}


def _with_notice_key(office: Office, file: Path) -> str:
    """Make a notice key, and write its public half into the settings."""
    key = muniment("notice-key", "new", file, "--json", env=NOTICE).json("notice-key-new")["public_key"]
    settings = office.folder / "muniment.toml"
    text = settings.read_text(encoding="utf-8").replace("[ledger]", f'[ledger]\nnotice_key = "{key}"')
    settings.write_text(text, encoding="utf-8")
    return str(key)


@pytest.mark.parametrize(("lang", "said"), [("en", "register people: 40"), ("zh-TW", "登記簿「people」中有 40 人")])
def test_persons_are_counted(own_office: Office, tmp_path: Path, lang: str, said: str) -> None:
    leak = own_office.leak(tmp_path / "leak.csv", 1, 40)
    outcome = own_office.run("affected", leak, "--incident", "I-7", "--lang", lang)
    assert outcome.code == 0
    assert said in outcome.out
    value = own_office.run("affected", leak, "--incident", "I-7", "--json").json("affected")
    assert (value["persons"], value["file"]) == ({"people": 40}, None)
    asked = own_office.run("ledger", "show", "--case", "I-7", "--json").json("ledger-show")["disclosures"]
    assert [one["purpose"] for one in asked] == ["affected: I-7"] * 2


def test_the_list_opens_with_the_notice_key_only(own_office: Office, tmp_path: Path) -> None:
    leak = own_office.leak(tmp_path / "leak.csv", 1, 40)
    sealed, key = tmp_path / "list.sealed", tmp_path / "notice.key"
    order = ("affected", leak, "--incident", "I-7", "--out", sealed)
    assert "no notice key" in own_office.run(*order, "--json").error()["error"]
    public = _with_notice_key(own_office, key)
    told = own_office.run(*order)
    assert f"notice-key open {sealed}" in told.err
    persons = {line.partition(",")[0] for line in own_office.copy(1).read_text(encoding="utf-8").splitlines()[-40:]}
    assert not any(person.encode() in sealed.read_bytes() for person in persons)
    assert not any(person in told.out + told.err for person in persons)
    assert "a file already" in own_office.run(*order, "--json").error()["error"]

    opened = ("notice-key", "open", sealed, "--key", key, "--out")
    out = tmp_path / "list.csv"
    assert muniment(*opened, out, "--json", env=NOTICE).json("notice-key-open") == {"file": str(out)}
    with out.open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    assert head == ["register", "person_id"]
    assert {row[1] for row in rows} == persons
    assert muniment(*opened, out, env=NOTICE).code == 2

    wrong = muniment(*opened, tmp_path / "b", "--json", env={"MUNIMENT_NOTICE_PASSPHRASE": PASSPHRASE})
    assert "notice key" in wrong.error()["error"]
    other = tmp_path / "other.key"
    assert muniment("notice-key", "new", other, "--quiet", env=NOTICE).out.strip() != public
    strange = muniment("notice-key", "open", sealed, "--key", other, "--out", tmp_path / "b", env=NOTICE)
    assert strange.code == 3
    assert not (tmp_path / "b").exists()


def test_few_persons_take_a_second_person(own_office: Office, tmp_path: Path) -> None:
    leak = own_office.leak(tmp_path / "leak.csv", 1, 19)
    size = own_office.run("ledger", "head", "--json").json("ledger-head")["size"]
    for more in ((), ("--second-person",)):
        outcome = own_office.run("affected", leak, "--incident", "I-7", *more, "--json")
        assert outcome.code == 2
        assert "second person" in outcome.error()["error"]
    assert own_office.run("ledger", "head", "--json").json("ledger-head")["size"] == size


def test_both_custodians_are_the_second_person(office: Office, tmp_path: Path) -> None:
    guarded = tmp_path / "guarded"
    at = {"MUNIMENT_WORKSPACE": str(guarded)}
    assert muniment("init", guarded, "--custodians", "2", "--quiet", env=BOTH).code == 0
    assert muniment("register", "add", "people", office.people, "--key", "person_id", "--quiet", env=at).code == 0
    leak = office.leak(tmp_path / "leak.csv", 1, 12)
    order = ("affected", leak, "--incident", "I-7", "--json")
    assert "second person" in muniment(*order, env=at | BOTH).error()["error"]
    assert "custodian 1" in muniment(*order, "--second-person", env=at).error()["error"]
    value = muniment(*order, "--second-person", env=at | BOTH).json("affected")
    assert value["persons"] == {"people": 12}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("{leak}",), "incident"),
        (("{leak}", "--incident", " "), "incident"),
        (("nowhere.csv", "--incident", "I"), "nowhere.csv"),
        (("{leak}", "--incident", "I", "--register", "nobody"), "nobody"),
        (("{leak}", "--incident", "I", "--map", "a"), "expected two names"),
        (("{leak}", "--incident", "I", "--out", "{leak}"), "a file already"),
    ],
)
def test_wrong_use_is_not_on_record(office: Office, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    leak = office.leak(tmp_path / "leak.csv", 1, 40)
    size = office.run("ledger", "head", "--json").json("ledger-head")["size"]
    outcome = office.run("affected", *(word.format(leak=leak) for word in arguments), "--json")
    assert outcome.code == 2
    assert said in outcome.error()["error"]
    assert office.run("ledger", "head", "--json").json("ledger-head")["size"] == size


def test_a_notice_key_takes_a_passphrase_and_a_new_file(tmp_path: Path) -> None:
    key = tmp_path / "notice.key"
    asked = muniment("notice-key", "new", key, "--json")
    assert "MUNIMENT_NOTICE_PASSPHRASE" in asked.error()["hint"]
    secret = tmp_path / "secret"
    secret.write_text("a few words in a file\n")
    secret.chmod(0o600)
    made = muniment("notice-key", "new", key, "--passphrase-file", secret)
    assert made.code == 0
    assert 'notice_key = "' in made.err
    assert "a few words" not in made.out + made.err
    assert key.stat().st_mode & 0o077 == 0
    assert "a file already" in muniment("notice-key", "new", key, "--json", env=NOTICE).error()["error"]
    opened = ("notice-key", "open", tmp_path / "no", "--key", key, "--out", tmp_path / "c", "--json")
    assert "no such file" in muniment(*opened, env=NOTICE).error()["error"]
    sealed = tmp_path / "sealed"
    sealed.write_bytes(b"muniment envelop")
    asked = muniment("notice-key", "open", sealed, *opened[3:])
    assert "MUNIMENT_NOTICE_PASSPHRASE" in asked.error()["hint"]
    assert muniment("notice-key", "open", sealed, *opened[3:], "--passphrase-file", secret).code == 3
