"""`muniment watch`: from an empty workspace to an alert, its page, its end, and a replay; all as a person types it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from language.offices import Office as Place
from language.program import Outcome, muniment, started
from language.rings import PASSPHRASE
from language.watched import copied, recorded

TOML = '[sinks.log]\nkind = "file"\npath = "alerts.jsonl"\n'


@dataclass(frozen=True)
class Typed:
    """A workspace, and commands on it."""

    place: Place

    @property
    def folder(self) -> Path:
        return self.place.folder / "office"

    def run(self, *arguments: object, **env: str) -> Outcome:
        at = {"MUNIMENT_WORKSPACE": str(self.folder), "MUNIMENT_PASSPHRASE": PASSPHRASE}
        return muniment(*arguments, env=at | env)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded(tmp_path_factory.mktemp("recorded"))


@pytest.fixture
def typed(made: Path, tmp_path: Path) -> Typed:
    return Typed(copied(made, tmp_path / "here")[0])


@pytest.fixture(scope="module")
def watched(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Typed:
    """One that has been led; tests that change it only add."""
    one = Typed(copied(made, tmp_path_factory.mktemp("watched") / "here")[0])
    assert one.run("watch", "init").code == 0
    (one.folder / "watch.toml").write_text(TOML, encoding="utf-8")
    assert one.run("watch", "run", "--once").code == 1
    return one


def test_from_nothing_to_an_alert_and_a_replay(typed: Typed) -> None:
    said = typed.run("watch", "init", "--time-zone", "Asia/Taipei", "--json")
    assert Path(said.json("watch-init")["settings"]).name == "watch.toml"
    cases = typed.folder / "cases.csv"
    rows = "k1,visit,2026-03-02,\nk2,visit,2026-03-09,2026-03-01\n"
    cases.write_text("case,type,opened,closed\n" + rows, encoding="utf-8")
    taken = typed.run("watch", "import", "cases", cases, "--json")
    found = taken.json("watch-import")["imported"][0]
    assert (taken.code, found["kept"], found["faults"][0]["kind"]) == (1, 1, "ends before it begins")
    led = typed.run("watch", "run", "--once", "--json")
    value = led.json("watch-run")
    assert led.code == 1 and value["reads"] > 900 and value["open"] == value["opened"] > 1
    listed = typed.run("watch", "alerts", "--json")
    alerts = listed.json("watch-alerts")["alerts"]
    assert listed.code == 1 and alerts[0]["kind"] == "guaranteed"
    replayed = typed.run("watch", "replay", "--from", "2026-03-20", "--to", "2026-04-12", "--json")
    assert (replayed.code, replayed.json("watch-replay")["equal"]) == (0, True)
    assert typed.run("watch", "replay", "--whole").code == 0
    again = typed.run("watch", "run", "--once", "--json").json("watch-run")
    assert (again["reads"], again["opened"]) == (0, 0)


@pytest.mark.parametrize("lang", ["en", "zh-TW"])
def test_a_page_says_what_must_be_said_and_no_name(watched: Typed, lang: str) -> None:
    id = watched.run("watch", "alerts", "--json").json("watch-alerts")["alerts"][0]["id"]
    page = watched.run("watch", "alert", id, "--lang", lang)
    assert page.code == 1 and id in page.out and "clerk" not in page.out
    assert "19.8 %" in page.out and "2,000" in page.out
    assert watched.run("watch", "alert", id, "--json").json("watch-alert")["page"]
    told = watched.run("watch", "alerts", "--lang", lang)
    assert "clerk" not in told.out and "19.8 %" in told.out


def test_an_alert_is_ended_by_name_and_reason(typed: Typed) -> None:
    typed.run("watch", "init")
    typed.run("watch", "run", "--once")
    id = typed.run("watch", "alerts", "--json").json("watch-alerts")["alerts"][0]["id"]
    assert typed.run("watch", "ack", id).code == 2, "a reason is asked for"
    assert typed.run("watch", "ack", id, "--reason", "looking into it", "--json").json("watch-said")["state"]
    assert typed.run("watch", "explain", id, "--reason", "a list was checked").code == 0
    assert typed.run("watch", "alert", id).code == 0
    assert typed.run("watch", "reopen", id, "--reason", "there was a mistake").code == 0
    assert typed.run("watch", "confirm", id, "--reason", "it was a harvest").code == 0
    assert typed.run("watch", "shown", "clerk1", "--json").json("watch-shown")["alerts"][0]["state"] == "confirmed"


def test_a_name_is_shown_for_a_reason(watched: Typed) -> None:
    id = watched.run("watch", "alerts", "--json").json("watch-alerts")["alerts"][0]["id"]
    assert watched.run("watch", "unmask", id).code == 2
    said = watched.run("watch", "unmask", id, "--reason", "an enquiry was opened", "--json").json("watch-unmask")
    assert said["account"] == "clerk1"


def test_an_exception_is_shown_before_it_is_saved(watched: Typed) -> None:
    unit = watched.run("watch", "alerts", "--json").json("watch-alerts")["alerts"][-1]["pseudonym"]
    asked = ("watch", "exceptions", "--unit", unit, "--pattern", "coverage", "--reason", "a survey of streets")
    refused = watched.run(*asked)
    assert refused.code == 2 and "90" in refused.err
    saved = watched.run(*asked, "--yes", "--json").json("watch-exceptions")["exceptions"]
    assert saved[0]["unit"] == unit
    ended = watched.run("watch", "exceptions", "--end", saved[0]["id"], "--json")
    assert ended.json("watch-exceptions") == {"exceptions": []}


def test_the_rest_of_the_figures(watched: Typed) -> None:
    checked = watched.run("watch", "check", "--json")
    value = checked.json("watch-check")
    assert checked.code == 1 and not value["ok"]
    assert "assignments" in watched.run("watch", "check", "--lang", "zh-TW").out
    assert watched.run("watch", "test-alert", "--json").json("watch-test-alert") == {"sinks": {"log": None}}
    assert watched.run("watch", "audit", "--json").json("watch-audit")["lines"][0]["account_days"] > 100
    offices = watched.run("watch", "suggest", "--json").json("watch-suggest")["offices"]
    assert all(one["a_day"] >= 1.5 * one["median"] for one in offices)
    hauls = watched.run("watch", "haul", "--json").json("watch-haul")["hauls"]
    assert {one["records"] for one in hauls} == {None} and "not bounded" in watched.run("watch", "haul").out
    assert watched.run("watch", "challenges", "--json").json("watch-challenges") == {"challenges": []}
    assert watched.run("watch", "justify", 7, "--reason", "seen in the files").code == 2
    assert "correlation" in watched.run("watch", "sigma", "--json").json("watch-sigma")["rules"]
    told = watched.run("watch", "explain", "offices.tax.a_day", "--lang", "zh-TW")
    assert told.code == 0 and "帳號" in told.out


def test_rules_go_into_a_new_file(watched: Typed, tmp_path: Path) -> None:
    out = tmp_path / "rules.yml"
    assert watched.run("watch", "sigma", "--out", out, "--json").json("watch-sigma-file")["file"] == str(out)
    assert watched.run("watch", "sigma", "--out", out).code == 2


def test_without_a_watch_everything_says_how_to_begin(typed: Typed) -> None:
    for action in ("run", "replay", "alerts", "audit", "haul", "challenges", "test-alert"):
        outcome = typed.run("watch", action, "--json")
        assert outcome.code == 2 and outcome.error()["hint"] == "muniment watch init", action
    assert typed.run("watch", "check", "--json").json("watch-check")["checks"][0]["state"] == "fault"
    assert typed.run("watch", "import", "cases").code == 2
    assert typed.run("watch", "import", "cats", "x.csv").code == 2


def test_it_follows_until_it_is_told_to_end(typed: Typed) -> None:
    typed.run("watch", "init")
    (typed.folder / "watch.toml").write_text(TOML, encoding="utf-8")
    env = {"MUNIMENT_WORKSPACE": str(typed.folder), "MUNIMENT_PASSPHRASE": PASSPHRASE}
    with started("watch", "run", env=env) as running:
        assert running.stdout is not None
        first = running.stdout.readline()
        assert first.startswith("A-")
        running.terminate()
        out, err = running.communicate(timeout=60)
    assert running.returncode == 1 and "records read" in out, err
    assert (typed.folder / "alerts.jsonl").read_text(encoding="utf-8").count("\n") >= 3
