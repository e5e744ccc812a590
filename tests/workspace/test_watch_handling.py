"""What people do with alerts: end them, save exceptions, justify, unmask; by name, for a reason, and on record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from language.offices import Office
from language.watched import LATE, Wall, copied, give, led, recorded, watching, working
from muniment.errors import InputError
from muniment.workspace.watch_checking import check
from muniment.workspace.watch_files import course
from muniment.workspace.watch_handling import UNMASKED
from muniment.workspace.watching import Watching


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded(tmp_path_factory.mktemp("recorded"))


@pytest.fixture
def here(made: Path, tmp_path: Path) -> tuple[Office, Wall]:
    return copied(made, tmp_path / "here")


@pytest.fixture
def watch(here: tuple[Office, Wall]) -> Watching:
    return led(here[0], toml='[sinks.log]\nkind = "file"\npath = "alerts.jsonl"\n')


def lines(watch: Watching) -> list[dict[str, object]]:
    path = watch.parts.folder / "alerts.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_list_begins_with_what_is_guaranteed(watch: Watching) -> None:
    found = watch.handling.listed()
    assert found[0].kind == "guaranteed" and found == watch.handling.listed(closed=True)
    for lang in ("en", "zh-TW"):
        page = watch.handling.page(found[0].id, lang)
        assert len(page) > 8 and not [line for line in page if "clerk" in line]


def test_an_alert_is_moved_on_for_a_reason_and_the_sinks_hear_of_its_end(watch: Watching) -> None:
    id, before = watch.handling.listed()[0].id, len(lines(watch))
    with pytest.raises(InputError, match="reason"):
        watch.handling.say("acknowledged", id, "ok")
    assert watch.handling.say("acknowledged", id, "looking into it").state == "acknowledged"
    assert watch.handling.say("explained", id, "a list was checked").state == "explained"
    with pytest.raises(InputError, match="is explained"):
        watch.handling.say("confirmed", id, "it was a harvest")
    watch.run(follow=False)
    told = lines(watch)[before:]
    assert [one["fields"]["state"] for one in told] == ["explained"]  # type: ignore[index]
    assert id not in {one.id for one in watch.handling.listed()}
    assert watch.handling.say("reopened", id, "there was a mistake").open


def test_the_owner_of_an_account_sees_closed_alerts_alone(watch: Watching) -> None:
    assert not watch.handling.shown("clerk1")
    mine = [one for one in watch.handling.listed() if one.pseudonym == watch.alerts.names.of("account", "clerk1")]
    watch.handling.say("confirmed", mine[0].id, "it was a harvest")
    (shown,) = watch.handling.shown("clerk1")
    assert shown.id == mine[0].id and not any(event.by for event in shown.history)
    assert not watch.handling.shown("clerk0")


def test_an_exception_shows_what_it_would_have_hidden_and_hides_from_then_on(here: tuple[Office, Wall]) -> None:
    office, clock = here
    watch = led(office)
    clerk = watch.alerts.names.of("account", "clerk1")
    with pytest.raises(InputError, match="names an account or an office"):
        watch.handling.exemption("a survey of streets", 30, pattern="budget")
    asked, hidden = watch.handling.exemption("a survey of streets", 30, unit=clerk)
    assert hidden.alerts > 0 and not watch.handling.exemptions()
    watch.handling.save(asked)
    assert [one.id for one in watch.handling.exemptions()] == [asked.id]
    before = len(watch.handling.listed())
    from language.watched import harvest

    give(office, clock, harvest(42, 50, start=20_000))
    watch = led(office, clock=clock, at=53)
    assert len(watch.handling.listed()) == before
    assert any(one.kind == "hidden" for one in watch.alerts.kept().events)
    assert watch.replay(whole=True).equal, "what is hidden was found all the same"
    watch.handling.end(asked.id)
    assert not watch.handling.exemptions()
    with pytest.raises(InputError, match="no exception"):
        watch.handling.end("X-NOTHING")


def test_unmasking_takes_a_reason_and_is_logged_first(watch: Watching) -> None:
    alert = watch.handling.listed()[0]
    with pytest.raises(InputError, match="reason"):
        watch.handling.unmask(alert.id)
    seen = watch.handling.unmask(alert.id, "an enquiry was opened")
    assert seen.account == "clerk1" and "clerk" not in repr(seen)
    kinds = [entry.body["kind"] for entry in watch.parts.journal.entries(UNMASKED)]
    assert kinds == ["asked", "unmasked"]
    assert watch.handling.unmask(alert.id).account == "clerk1", "a grant holds for a while; each look is logged"
    assert len(watch.parts.journal.entries(UNMASKED)) == 3


def test_two_persons_where_the_settings_say_so(watch: Watching, monkeypatch: pytest.MonkeyPatch) -> None:
    watch.path.write_text("[watch]\nunmask_persons = 2\n", encoding="utf-8")
    alert = watch.handling.listed()[0]
    monkeypatch.setenv("MUNIMENT_ACCOUNT", "Ann")
    asked = watch.handling.unmask(alert.id, "an enquiry was opened")
    assert (asked.account, asked.missing) == ("", 1)
    with pytest.raises(InputError):
        watch.handling.unmask(alert.id, "me again", step="agree")
    monkeypatch.setenv("MUNIMENT_ACCOUNT", "Ben")
    assert watch.handling.unmask(alert.id, "I agree to it", step="agree").account == "clerk1"
    refused = watch.handling.unmask(alert.id, "it is over now", step="refuse")
    assert refused.account == ""


def test_challenges_are_drawn_answered_and_replayed(here: tuple[Office, Wall]) -> None:
    office, clock = here
    clock.at(20)
    toml = "[watch]\nchallenge = 0.2\nchallenge_days = 30\n"
    watch = led(office, clock=clock, at=LATE, toml=toml)
    waiting = watch.handling.challenges()
    assert len(waiting) > 40 and {one.state for one in waiting} == {"open"}
    one = waiting[-1]
    judged = watch.handling.answer(one.sequence, True, "case 12, seen in the files")
    assert judged.state == "justified"
    with pytest.raises(InputError, match="answered already"):
        watch.handling.answer(one.sequence, False, "changed my mind")
    with pytest.raises(InputError, match="not challenged"):
        watch.handling.answer(10**9, True, "no such read at all")
    watch = led(office)
    assert one.sequence not in {other.sequence for other in watch.handling.challenges()}
    assert [entry.kind for entry in course(watch.parts).entries()].count("answered") == 1
    give(office, clock, working(42, 100))
    watch = led(office, clock=clock, at=110)
    patterns = {alert.pattern for alert in watch.handling.listed() if alert.kind == "guaranteed"}
    assert "challenge" in patterns, "nobody answered the others"
    assert watch.replay(whole=True).equal


def test_a_test_reaches_every_sink_or_says_why_not(watch: Watching) -> None:
    assert watch.handling.test() == {"log": ""}
    watch.path.write_text('[sinks.log]\nkind = "file"\npath = "nowhere/alerts.jsonl"\n', encoding="utf-8")
    assert "nowhere" in watch.handling.test()["log"]
    watch.path.write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="nobody is told"):
        watch.handling.test()


def test_a_sink_that_fails_is_shown_and_gets_everything_later(here: tuple[Office, Wall]) -> None:
    office, clock = here
    watch = led(office, toml='[sinks.log]\nkind = "file"\npath = "later/alerts.jsonl"\n')
    (failing,) = [one for one in check(watch) if one.name == "sinks"]
    assert failing.state == "warn" and failing.values["failing"] == 1
    (watch.parts.folder / "later").mkdir()
    led(office, clock=clock, at=LATE + 1)
    sent = (watch.parts.folder / "later" / "alerts.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(sent) >= len(watch.handling.listed())
    assert [one.state for one in check(watching(office)) if one.name == "sinks"] == ["ok"]


def test_the_audit_counts_what_was_judged(watch: Watching) -> None:
    lines_, course_ = watch.handling.audit()
    total = next(one for one in lines_ if one.office is None and one.month is None)
    assert total.account_days == course_.watch.tally.total("account_days") > 100
    assert total.alerts > 0
