"""Budgets that a guaranteed alert lowers at the gate: how long, by whose word, and that no other alert does."""

from __future__ import annotations

from pathlib import Path

import pytest

from language.offices import Office
from language.watched import LATE, Wall, copied, led, recorded, watching
from muniment.gate.policy.rules import Rules, lower
from muniment.workspace import watch_gate
from muniment.workspace.watch_gate import FOR_GOOD, HOURS, REREAD_MS, Lowered

TOML = "[gate]\nlower = true\npersons = {day = 7}\n"
HOUR = 3_600_000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded(tmp_path_factory.mktemp("recorded"))


@pytest.fixture
def here(made: Path, tmp_path: Path) -> tuple[Office, Wall]:
    return copied(made, tmp_path / "here")


# --- rules -----------------------------------------------------------------------------------------------------------


def test_lowering_only_takes_away() -> None:
    rules = Rules("clerk", "clerk", mode="observe", persons={"hour": 300, "day": 5, "month": 900})
    lowered = lower(rules, {"day": 20, "hour": 10, "minute": 2})
    assert dict(lowered.persons) == {"hour": 10, "day": 5, "month": 900, "minute": 2}
    assert lowered.mode == "stop" and rules.mode == "observe"
    assert lower(rules, {}) is rules


# --- on file ---------------------------------------------------------------------------------------------------------


def test_a_guaranteed_alert_lowers_for_a_day(here: tuple[Office, Wall]) -> None:
    office, clock = here
    watch = led(office, toml=TOML)
    (one,) = watch_gate.lowerings(watch.parts)
    sure = [alert for alert in watch.handling.listed() if alert.kind == "guaranteed"]
    assert (one.account, one.alert, dict(one.persons)) == ("clerk1", sure[0].id, {"day": 7})
    assert one.until == watch.now() + HOURS * HOUR
    assert "clerk" not in repr(one)
    lowered = Lowered(watch.parts)
    assert lowered("clerk1") == lowered("clerk1 (ann)") == {"day": 7}
    assert not lowered("clerk2"), "an estimated alert lowers nothing"
    assert not lowered("clerk11")
    clock.at(LATE + 1.01)
    assert not lowered("clerk1")


def test_without_a_word_in_the_settings_nothing_is_lowered(here: tuple[Office, Wall]) -> None:
    watch = led(here[0])
    assert any(alert.kind == "guaranteed" for alert in watch.handling.listed())
    assert watch_gate.lowerings(watch.parts) == ()


def test_a_person_who_confirms_keeps_it_and_one_who_explains_lifts_it(here: tuple[Office, Wall]) -> None:
    office, clock = here
    watch = led(office, toml=TOML)
    alert = next(one for one in watch.handling.listed() if one.kind == "guaranteed")
    lowered = Lowered(watch.parts)
    watch.handling.say("confirmed", alert.id, "it was a harvest")
    clock.at(LATE + 30)
    assert lowered("clerk1") == {"day": 7}
    (one,) = watch_gate.lowerings(watch.parts)
    assert one.until == FOR_GOOD and one.by == watch.parts.account
    watch.handling.say("reopened", alert.id, "there was a mistake")
    watch.handling.say("explained", alert.id, "a list was checked")
    clock.at(LATE + 30.1)
    assert not lowered("clerk1")
    assert not watch_gate.confirm(watch.parts, alert.id, by="x", now=watch.now()), "what is over does not come back"


def test_the_same_alert_lowers_once(here: tuple[Office, Wall]) -> None:
    office, _ = here
    watch = watching(office)
    watch.init()
    for now in (0, HOUR):
        watch_gate.lower(watch.parts, "clerk9", {"day": 3}, alert="A-1", now=now)
    (one,) = watch_gate.lowerings(watch.parts)
    assert one.until == HOURS * HOUR
    watch_gate.lower(watch.parts, "clerk8", {"day": 3}, alert="A-2", now=3 * HOURS * HOUR)
    assert [one.alert for one in watch_gate.lowerings(watch.parts)] == ["A-2"], "what is long over goes"


def test_the_gate_looks_again_after_a_while_and_survives_a_broken_file(here: tuple[Office, Wall]) -> None:
    office, clock = here
    watch = watching(office)
    watch.init()
    lowered = Lowered(watch.parts)
    assert not lowered("clerk9")
    watch_gate.lower(watch.parts, "clerk9", {"day": 3}, alert="A-1", now=watch.now())
    assert not lowered("clerk9"), "within a few seconds it has not looked again"
    clock.at(LATE + 2 * REREAD_MS / 86_400_000)
    assert lowered("clerk9") == {"day": 3}
    path = watch.parts.folder / "watch" / "lowered.bin"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    clock.at(LATE + 4 * REREAD_MS / 86_400_000)
    assert lowered("clerk9") == {"day": 3}, "what does not verify changes nothing"
    path.unlink()
    clock.at(LATE + 6 * REREAD_MS / 86_400_000)
    assert not lowered("clerk9")
