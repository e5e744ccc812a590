"""Messages: whole in themselves, the same when sent again, and without names."""

from __future__ import annotations

import json
import unicodedata

import pytest

from language.alerting import ACCOUNT, NOW, WHO, alert, book, message, opened, sighting
from muniment.errors import IntegrityError
from muniment.messages import LANGUAGES
from muniment.watch.alerts import NamedStake, View
from muniment.watch.sinks import Message, message_of, trial_message
from muniment.watch.sinks.mail import composed
from muniment.watch.sinks.syslog import encoded
from muniment.watch.sinks.webhook import cloud_event


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_message_names_nobody_whatever_the_view_knows(lang: str) -> None:
    one = message_of(alert(), opened(alert()), lang, View({WHO: ACCOUNT}))
    assert ACCOUNT not in one.text() and WHO in one.subject
    assert len(one.lines) == 8 and "19.8 %" in one.lines[-1]


def test_the_id_is_of_the_alert_and_what_happened_to_it() -> None:
    made = book(sighting())
    one = made.alerts[0]
    assert message_of(one, opened(one), "en", View()) == message_of(one, opened(one), "en", View())
    event = made.say("explained", one.id, NOW, by="dpo", reason="a declared mailing")
    after = made.apply(event)
    assert after is not None
    later = message_of(after, event, "en", View())
    assert [later.id, message().id] == [f"{one.id}-2", f"{one.id}-1"] and "dpo" not in later.text()


def test_what_is_guaranteed_warns() -> None:
    assert (message("budget").severity, message("burst").severity) == (4, 5)


def test_a_test_says_that_it_is_one() -> None:
    one = trial_message("en", NOW)
    assert one.kind == "test" and "no alert behind it" in one.lines[0] and not one.event


def test_messages_read_back_equal_and_anything_else_is_said() -> None:
    for one in (message(), trial_message("zh-TW", NOW)):
        assert Message.from_json(json.loads(json.dumps(one.to_json()))) == one
    for change in ({"kind": "spam"}, {"lines": 3}, {"fields": []}, {"at": None}):
        with pytest.raises(IntegrityError, match="in the outbox of watch"):
            Message.from_json(message().to_json() | change)


@pytest.mark.parametrize("name", ["\ud800", "a\x1b[2J\r\nBcc: x@y", "\u202egnp", "\x00", "]\"\\"])
def test_names_from_a_database_stop_no_message(name: str) -> None:
    one = message(stakes=(NamedStake(name, (name,), 3),))
    texts = [one.subject, *one.lines, json.dumps(dict(one.event), ensure_ascii=False)]
    found = {unicodedata.category(letter) for text in texts for letter in text.replace("\n", "")}
    assert not found & {"Cc", "Cf", "Cs"}
    mail = bytes(composed(one, "a@b.example", ("d@e.example",)))
    for data in (one.text().encode(), cloud_event(one, "urn:x"), encoded(one, "h"), mail):
        assert one.id.encode() in data
