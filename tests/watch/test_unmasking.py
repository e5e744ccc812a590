"""Unmasking: a reason, as many different persons as configured, a term, and a log of every look."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language.alerting import DAY, NOW, WHO, alert
from muniment.errors import InputError, IntegrityError
from muniment.watch.unmasking import Standing, UnmaskEvent, agree, ask, refuse, standing, unmask

ONE = alert()
WHY = "enquiry 17 of the data protection officer"


def asked(at: int = NOW, by: str = "dpo", persons: int = 2) -> UnmaskEvent:
    return ask([], ONE, at, by=by, reason=WHY, persons=persons)


def test_one_person_where_one_is_enough() -> None:
    events = [asked(persons=1)]
    assert standing(events, ONE.id, NOW, 1) == Standing(1, 0, NOW + 30 * DAY)
    look = unmask(events, ONE, NOW + 1, by="dpo", persons=1)
    assert (look.kind, look.pseudonym, look.reason) == ("unmasked", WHO, "")


def test_two_persons_where_two_are_configured() -> None:
    events = [asked()]
    assert standing(events, ONE.id, NOW, 2) == Standing(1, 1, NOW + 7 * DAY)
    with pytest.raises(InputError, match="1 more person"):
        unmask(events, ONE, NOW, by="dpo", persons=2)
    events.append(agree(events, ONE, NOW + DAY, by="head of staff", reason=WHY, persons=2))
    assert standing(events, ONE.id, NOW + DAY, 2) == Standing(2, 0, NOW + 31 * DAY)
    assert unmask(events, ONE, NOW + DAY, by="dpo", persons=2).kind == "unmasked"


@pytest.mark.parametrize("name", ["dpo", "DPO", " d p o ", "ｄｐｏ", "dpo\n"])
def test_nobody_counts_twice(name: str) -> None:
    with pytest.raises(InputError, match="2 different persons"):
        agree([asked()], ONE, NOW + 1, by=name, reason=WHY, persons=2)


def test_what_was_asked_and_what_was_granted_end() -> None:
    events = [asked()]
    with pytest.raises(InputError, match="no unmasking waits"):
        agree(events, ONE, NOW + 7 * DAY, by="head", reason=WHY, persons=2)
    events.append(agree(events, ONE, NOW + 6 * DAY, by="head", reason=WHY, persons=2))
    assert standing(events, ONE.id, NOW + 36 * DAY - 1, 2).granted
    with pytest.raises(InputError, match="nobody has asked"):
        unmask(events, ONE, NOW + 36 * DAY, by="dpo", persons=2)
    again = ask(events, ONE, NOW + 36 * DAY, by="head", reason=WHY, persons=2)
    assert standing([*events, again], ONE.id, NOW + 36 * DAY, 2).missing == 1


def test_a_refusal_ends_it() -> None:
    events = [asked()]
    events.append(refuse(events, ONE, NOW + 1, by="works council", reason=WHY, persons=2))
    assert standing(events, ONE.id, NOW + 2, 2) == Standing(0, 2, 0)
    with pytest.raises(InputError, match="no unmasking was asked for"):
        refuse(events, ONE, NOW + 2, by="works council", reason=WHY, persons=2)
    granted = [asked(persons=1)]
    granted.append(refuse(granted, ONE, NOW + 1, by="works council", reason=WHY, persons=1))
    assert not standing(granted, ONE.id, NOW + 2, 1).granted


def test_who_why_and_what() -> None:
    with pytest.raises(InputError, match="needs the name"):
        asked(by=" ")
    with pytest.raises(InputError, match="needs a reason"):
        ask([], ONE, NOW, by="dpo", reason="hm", persons=2)
    with pytest.raises(InputError, match="asked for already"):
        ask([asked()], ONE, NOW, by="head", reason=WHY, persons=2)
    with pytest.raises(InputError, match="about no account"):
        ask([], alert("split", unit="office"), NOW, by="dpo", reason=WHY, persons=1)
    with pytest.raises(InputError, match="needs the name of who looks"):
        unmask([asked(persons=1)], ONE, NOW, by="", persons=1)
    for persons in (0, 6):
        with pytest.raises(InputError, match="expected 1 to 5"):
            standing([], ONE.id, NOW, persons)


def test_another_alert_on_the_same_account_is_another_question() -> None:
    assert not standing([asked(persons=1)], alert("burst").id, NOW, 1).granted


STEPS = st.lists(
    st.tuples(st.sampled_from(["ask", "agree", "refuse"]), st.integers(0, 3), st.integers(0, 20)), max_size=14
)


@settings(max_examples=150)
@given(STEPS, st.integers(1, 3))
def test_a_grant_always_has_its_different_persons(steps: list[tuple[str, int, int]], persons: int) -> None:
    events: list[UnmaskEvent] = []
    now = NOW
    for kind, who, days in steps:
        now += days * DAY
        try:
            step = {"ask": ask, "agree": agree, "refuse": refuse}[kind]
            events.append(step(events, ONE, now, by=f"person {who}", reason=WHY, persons=persons))
        except InputError:
            pass
        stands = standing(events, ONE.id, now, persons)
        if stands.granted:
            since_end = [one for number, one in enumerate(events) if all(x.kind != "refused" for x in events[number:])]
            assert len({one.by for one in since_end if one.kind in {"asked", "agreed"}}) >= persons


def test_events_read_back_equal_and_hide_who() -> None:
    event = asked()
    assert UnmaskEvent.from_json(json.loads(json.dumps(event.to_json()))) == event
    assert "dpo" not in repr(event) and WHY not in repr(event)
    for value in ({}, event.to_json() | {"kind": "told"}, event.to_json() | {"at": None}):
        with pytest.raises(IntegrityError, match="in the journal of watch"):
            UnmaskEvent.from_json(value)
