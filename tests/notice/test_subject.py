"""What a person is told, and what only the keeper sees."""

from __future__ import annotations

import json
from collections.abc import Sequence

from muniment.disclosure import Channel, Disclosure, Party, Template
from muniment.notice.subject import Event, for_keeper, for_person, staff_pseudonyms, summary_of

TEMPLATE = Template("persons", 1, Channel.GATE, (1, 3), "case work", "section 5")


def _names(register: str, columns: Sequence[int]) -> list[str]:
    return [f"{register}.{number}" for number in columns]


def _events() -> list[Event]:
    accounts = ("clerk7", "clerk8", "clerk7")
    return [
        Event(n, 1_700_000_000_000 + n, Disclosure(Party("tax office", account, "10.0.0.1"), TEMPLATE, (5,), "A-1"))
        for n, account in enumerate(accounts)
    ]


def test_the_person_sees_recipients_by_name_and_staff_under_stable_pseudonyms() -> None:
    told = for_person(_events(), (), staff_pseudonyms(bytes(32)), _names)
    assert [event["recipient"] for event in told] == ["tax office"] * 3
    assert told[0]["columns"] == ["persons.1", "persons.3"]
    assert told[0]["time"] == "2023-11-14T22:13:20.000+00:00"
    assert told[0]["staff"] == told[2]["staff"] != told[1]["staff"]
    assert staff_pseudonyms(bytes([1]) * 32)("clerk7") != told[0]["staff"]
    text = json.dumps(told)
    assert not [secret for secret in ("clerk", "10.0.0.1", "A-1", "sequence") if secret in text]


def test_what_is_withheld_leaves_no_trace_in_the_persons_view() -> None:
    events = _events()
    staff = staff_pseudonyms(bytes(32))
    assert for_person(events, {1}, staff, _names) == for_person([events[0], events[2]], (), staff, _names)
    kept = for_keeper(events, {1}, _names)
    assert [(event["sequence"], event["withheld"]) for event in kept] == [(0, False), (1, True), (2, False)]
    assert kept[1]["account"] == "clerk8" and kept[1]["case"] == "A-1"


def test_repeated_disclosures_are_counted_by_recipient_and_purpose() -> None:
    told = for_person(_events(), (), staff_pseudonyms(bytes(32)), _names)
    assert summary_of(told) == {("tax office", "case work"): 3}
