"""Alerts as the fold of their events: states, reasons, findings that join, and what is worth telling again."""

from __future__ import annotations

import json

import pytest

from language.alerting import DAY, NOW, WHO, alert, opened, sighting
from muniment.errors import InputError, IntegrityError
from muniment.watch.alerts import Alert, AlertEvent, NamedStake, apply, worth_sending
from muniment.watch.alerts.alert import EventKind

WHY = "her job was to check this list"


def by_person(kind: EventKind, one: Alert, *, by: str = "dpo", reason: str = WHY, at: int = NOW + 1) -> AlertEvent:
    return AlertEvent(kind, one.id, at, by, reason)


def joining(one: Alert, **values: object) -> AlertEvent:
    return AlertEvent("joined", one.id, NOW + 5, sighting=sighting(**({"day": 20_120} | values)))  # type: ignore[arg-type]


def test_what_is_opened() -> None:
    one = alert()
    assert (one.state, one.open, one.count, one.kind, one.pseudonym) == ("new", True, 1, "guaranteed", WHO)
    assert (one.since, one.day, one.records, one.weighted) == (20_100, 20_110, 37, 67.0)
    assert (one.opened, one.changed) == (NOW, NOW)


@pytest.mark.parametrize("end", ["explained", "confirmed"])
def test_the_way_of_an_alert(end: EventKind) -> None:
    seen = apply(alert(), by_person("acknowledged", alert()))
    ended = apply(seen, by_person(end, seen))
    again = apply(ended, by_person("reopened", ended))
    assert [one.state for one in (seen, ended, again)] == ["acknowledged", end, "acknowledged"]
    assert [one.open for one in (seen, ended, again)] == [True, False, True]
    assert apply(alert(), by_person(end, alert())).state == end
    assert [event.kind for event in again.history] == ["opened", "acknowledged", end, "reopened"]


@pytest.mark.parametrize(
    ("ended", "kind"),
    [(True, "acknowledged"), (True, "explained"), (True, "confirmed"), (False, "reopened"), (False, "shown")],
)
def test_steps_that_cannot_come(ended: bool, kind: EventKind) -> None:
    one = alert()
    if ended:
        one = apply(one, by_person("explained", one))
    with pytest.raises(InputError, match="is for alerts that are"):
        apply(one, by_person(kind, one, at=NOW + 2))


@pytest.mark.parametrize(("by", "reason"), [("", WHY), ("  ", WHY), ("dpo", ""), ("dpo", "ok  "), ("dpo", "x" * 2_001)])
def test_every_step_of_a_person_has_who_and_why(by: str, reason: str) -> None:
    one = alert()
    with pytest.raises(InputError, match="needs"):
        apply(one, by_person("explained", one, by=by, reason=reason))


def test_findings_join_what_is_open() -> None:
    one = alert("decoy", kind="estimated")
    more = sighting("decoy", since=20_090, day=20_130, stakes=(NamedStake("residents", ("phone",), 5, 3.0),))
    after = apply(one, AlertEvent("joined", one.id, NOW + 5, sighting=more))
    assert (after.kind, after.since, after.day, after.count, after.records) == ("guaranteed", 20_090, 20_130, 2, 42)
    assert after.stakes[0] == NamedStake("residents", ("name", "address", "phone"), 35, 3.0)
    assert after.last == more and after.changed == NOW + 5


def test_guaranteed_stays_guaranteed() -> None:
    one = apply(alert("decoy"), joining(alert("decoy"), pattern="decoy", kind="estimated"))
    assert one.kind == "guaranteed"


def test_applying_twice_changes_nothing() -> None:
    one = alert()
    assert apply(one, opened(one)) is one
    joined = apply(one, joining(one))
    assert apply(joined, joining(one)) is joined
    seen = apply(joined, by_person("acknowledged", joined))
    assert apply(seen, by_person("acknowledged", joined)) is seen


def test_what_cannot_join() -> None:
    one = alert()
    with pytest.raises(InputError, match="something else"):
        apply(one, joining(one, pattern="share"))
    closed = apply(one, by_person("explained", one))
    with pytest.raises(InputError, match="only alerts that are open"):
        apply(closed, joining(one))
    with pytest.raises(InputError, match="there is no alert"):
        apply(None, by_person("explained", one))
    with pytest.raises(InputError, match="opened by a finding"):
        apply(None, AlertEvent("opened", "A-1", NOW))


def test_being_looked_at_is_not_a_change() -> None:
    closed = apply(alert(), by_person("explained", alert()))
    shown = apply(closed, by_person("shown", closed, at=NOW + 9 * DAY))
    assert shown.state == "explained" and shown.changed == closed.changed and len(shown.history) == 3


def test_people_are_told_of_what_is_new() -> None:
    one = alert(stakes=(NamedStake("residents", (), 10),))
    same = joining(one, stakes=(NamedStake("residents", (), 9),))
    more = joining(one, day=20_121, stakes=(NamedStake("residents", (), 1),))
    nineteen = apply(one, same)
    twenty = apply(nineteen, more)
    assert worth_sending(None, one, opened(one))
    assert not worth_sending(one, nineteen, same)
    assert worth_sending(nineteen, twenty, more)
    seen, closed = by_person("acknowledged", one), by_person("explained", one)
    assert not worth_sending(one, apply(one, seen), seen)
    assert worth_sending(one, apply(one, closed), closed)
    weak = alert("decoy", kind="estimated")
    sure = joining(weak, pattern="decoy", stakes=())
    assert worth_sending(weak, apply(weak, sure), sure)


def test_events_read_back_equal_and_hide_who() -> None:
    one = alert()
    for event in (opened(one), joining(one), by_person("explained", one), AlertEvent("deleted", one.id, NOW)):
        assert AlertEvent.from_json(json.loads(json.dumps(event.to_json()))) == event
    assert "dpo" not in repr(by_person("explained", one)) and WHY not in repr(by_person("explained", one))
    assert "history" not in repr(one)


@pytest.mark.parametrize("change", [{"kind": "forgiven"}, {"sighting": None}, {"at": "now"}, {"sighting": {}}])
def test_anything_else_in_the_journal_is_said(change: dict[str, object]) -> None:
    with pytest.raises(IntegrityError, match="in the journal of watch"):
        AlertEvent.from_json(opened(alert()).to_json() | change)
    with pytest.raises(IntegrityError):
        AlertEvent.from_json({})
