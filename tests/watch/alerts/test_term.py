"""The end of alerts: their term, what is said before it, what stays in the journal, and what employees may see."""

from __future__ import annotations

from language.alerting import DAY, NAMES, NOW, WHO, book, sighting
from muniment.watch.alerts import AlertBook, AlertEvent, closed_on, ending, expired, forgotten

WHY = "declared mailing of the spring"


def ended() -> AlertBook:
    made = book(sighting(), sighting("burst"), sighting("volume", pseudonym="OTHER"))
    made.apply(made.say("explained", made.alerts[0].id, NOW + 10 * DAY, by="dpo", reason=WHY))
    return made


def test_the_term_runs_from_the_last_change() -> None:
    made = ended()
    assert expired(made.alerts, NOW + 89 * DAY, 90) == ()
    gone = expired(made.alerts, NOW + 91 * DAY, 90)
    assert [event.alert for event in gone] == [one.id for one in made.alerts[1:]]
    assert len(expired(made.alerts, NOW + 100 * DAY, 90)) == 3
    assert all(event.kind == "deleted" and event.sighting is None for event in gone)


def test_open_ones_are_named_before_their_end() -> None:
    made = ended()
    assert ending(made.alerts, NOW + 75 * DAY, 90) == ()
    assert [one.pattern for one in ending(made.alerts, NOW + 77 * DAY, 90)] == ["burst", "volume"]


def test_of_what_was_deleted_the_journal_keeps_only_that_it_was() -> None:
    made = ended()
    hidden = AlertEvent("hidden", "A-H", NOW, sighting=sighting("share"), exemption="X-1")
    events = [hidden, *(event for one in made.alerts for event in one.history)]
    gone = expired(made.alerts, NOW + 91 * DAY, 90)
    kept = forgotten([*events, *gone])
    assert [event.kind for event in kept] == ["deleted", "deleted", "opened", "explained"]
    assert AlertBook(NAMES, kept).alerts == made.alerts[:1]
    assert forgotten(kept) == kept and forgotten(events) == tuple(events)


def test_employees_see_closed_alerts_on_them_without_names_of_others() -> None:
    made = ended()
    made.apply(made.say("shown", made.alerts[0].id, NOW + 11 * DAY, by="hr", reason="asked for by letter"))
    shown = closed_on(made.alerts, WHO)
    assert [one.pattern for one in shown] == ["budget"]
    assert [(event.kind, event.by) for event in shown[0].history] == [("opened", ""), ("explained", "")]
    assert shown[0].history[1].reason == WHY
    assert closed_on(made.alerts, "OTHER") == () and closed_on(made.alerts, "") == ()
