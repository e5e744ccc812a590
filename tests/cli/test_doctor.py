"""`muniment doctor`: what it says, and how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from muniment.messages import LANGUAGES, catalogue
from muniment.workspace.doctoring import CHECKS

if TYPE_CHECKING:
    from conftest import Office


def _states(office: Office) -> tuple[int, dict[str, str]]:
    outcome = office.run("doctor", "--json")
    return outcome.code, {one["check"]: one["state"] for one in outcome.json("doctor")["checks"]}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_check_has_its_texts(lang: str) -> None:
    texts = catalogue(lang)
    assert {f"check.{name}" for name in CHECKS} == {key for key in texts if key.startswith("check.")}
    assert {f"doctor.{name}.ok" for name in CHECKS} < texts.keys()
    states = {key.split(".")[2] for key in texts if key.startswith("doctor.") and key != "doctor.broken"}
    assert states | {"broken"} == {key.split(".")[1] for key in texts if key.startswith("state.")}


def test_what_is_to_be_put_right_is_a_finding(own_office: Office) -> None:
    code, states = _states(own_office)
    assert list(states) == list(CHECKS)
    assert code == 1
    assert states["checkpoint"] == "warn"  # the second place lies inside the workspace
    assert states["index"] == "warn"
    own_office.run("ledger", "reindex")
    (own_office.folder / "keys" / "ring.json").chmod(0o644)
    _, states = _states(own_office)
    assert (states["index"], states["permissions"]) == ("ok", "warn")


@pytest.mark.parametrize(
    ("lang", "said"), [("en", "set second under [ledger]"), ("zh-TW", "請在 muniment.toml 的 [ledger] 之下設定 second")]
)
def test_each_check_is_one_line(own_office: Office, lang: str, said: str) -> None:
    lines = own_office.run("doctor", "--lang", lang).out.splitlines()
    assert len(lines) == 1 + len(CHECKS)
    assert any(said in line for line in lines)
    brief = own_office.run("doctor", "--lang", lang, "--quiet").out.splitlines()
    assert set(brief[1:]) < {*lines} or len(brief) < len(lines)
    assert any(said in line for line in brief)


def test_what_does_not_verify_is_told_with_exit_code_3(own_office: Office) -> None:
    note = own_office.folder / "ledger" / "log" / "checkpoint"
    note.write_bytes(note.read_bytes().replace(b"muniment/", b"muniment?", 1))
    code, states = _states(own_office)
    assert code == 3
    assert states["checkpoint"] == "broken"
    assert states["keys"] == "ok"
    assert "does not verify" in own_office.run("doctor").out


def test_nothing_is_changed(own_office: Office) -> None:
    before = {path: path.read_bytes() for path in own_office.folder.rglob("*") if path.is_file()}
    own_office.run("doctor")
    assert {path: path.read_bytes() for path in own_office.folder.rglob("*") if path.is_file()} == before
