"""The book of alerts: grouping, ids, exceptions, and the same book from the same events."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language.alerting import DAY, NAMES, NOW, WHERE, WHO, book, sighting
from muniment.errors import InputError
from muniment.watch.alerts import AlertBook, AlertEvent, Exemption, Pseudonyms, sighted_crowd

WHY = "declared mailing of the spring"
STEPS = st.lists(st.tuples(st.sampled_from(["budget", "burst"]), st.integers(0, 30), st.booleans()), max_size=12)


def exempt(made: AlertBook, **values: object) -> Exemption:
    one = {"id": "", "unit": WHO, "office": "", "pattern": "", "case_type": "", "since": NOW, "until": NOW + DAY,
           "by": "dpo", "reason": WHY} | values  # fmt: skip
    return made.exempt(Exemption(**one), NOW)  # type: ignore[arg-type]


def test_findings_are_grouped_by_unit_and_pattern() -> None:
    made = book(sighting(), sighting(day=20_111), sighting("burst"), sighting(pseudonym="OTHERACCNT"))
    assert [(one.pattern, one.count) for one in made.alerts] == [("budget", 2), ("burst", 1), ("budget", 1)]
    assert len({one.id for one in made.alerts}) == 3


def test_after_the_end_a_finding_opens_a_new_one() -> None:
    made = book(sighting())
    first = made.alerts[0]
    made.apply(made.say("explained", first.id, NOW, by="dpo", reason=WHY))
    event = made.take(sighting(day=20_111), NOW)
    assert event is not None and event.kind == "opened" and event.alert != first.id
    made.apply(event)
    again = made.say("reopened", first.id, NOW + 1, by="dpo", reason=WHY)
    made.apply(again)
    assert [one.open for one in made.alerts] == [True, True]


def test_the_same_finding_is_taken_once() -> None:
    made = book(sighting(), sighting(day=20_111))
    assert made.take(sighting(), NOW) is None and made.take(sighting(day=20_111), NOW) is None
    made.apply(made.say("explained", made.alerts[0].id, NOW, by="dpo", reason=WHY))
    assert made.take(sighting(), NOW) is None


def test_the_same_finding_has_the_same_id_under_the_same_key() -> None:
    assert NAMES.alert_id(sighting()) == book(sighting()).alerts[0].id
    others = (sighting(day=1), sighting(sequence=9), sighting(kind="estimated"), sighting("share"))
    assert len({NAMES.alert_id(one) for one in (sighting(), *others)}) == 5
    assert Pseudonyms(bytes(32)).alert_id(sighting()) != NAMES.alert_id(sighting())


@settings(max_examples=40)
@given(STEPS)
def test_a_book_is_its_events(steps: list[tuple[str, int, bool]]) -> None:
    made, events = AlertBook(NAMES), list[AlertEvent]()
    for number, (pattern, day, ends) in enumerate(steps):
        event = made.take(sighting(pattern, day=day), NOW + number)
        if event is None:
            continue
        events.append(event)
        found = made.apply(event)
        if ends and found is not None:
            events.append(made.say("explained", found.id, NOW + number, by="dpo", reason=WHY))
            made.apply(events[-1])
    assert AlertBook(NAMES, events).alerts == made.alerts
    assert AlertBook(NAMES, [one for event in events for one in (event, event)]).alerts == made.alerts
    open_groups = [one.group for one in made.alerts if one.open]
    assert len(open_groups) == len(set(open_groups))


def test_records_that_many_read_are_never_put_together() -> None:
    made = book(sighted_crowd("residents", 6, 1, 7, b"one"), sighted_crowd("residents", 6, 1, 7, b"other"))
    assert [one.count for one in made.alerts] == [1, 1]


def test_an_exception_hides_and_counts() -> None:
    made = AlertBook(NAMES)
    made.save(exempt(made))
    hidden = made.take(sighting(), NOW)
    assert hidden is not None and hidden.kind == "hidden" and hidden.exemption == made.exemptions[0].id
    assert made.apply(hidden) is None and not made.alerts
    assert made.take(sighting(), NOW + DAY) is None
    later = made.take(sighting(day=20_111), NOW + DAY)
    assert later is not None and later.kind == "opened"


def test_an_exception_has_an_id_of_its_own() -> None:
    made = AlertBook(NAMES)
    ids = {exempt(made).id, exempt(made, pattern="burst").id, exempt(made, office=WHERE).id, exempt(made).id}
    assert len(ids) == 3 and all(one.startswith("X-") for one in ids)


def test_what_was_deleted_is_gone_and_stays_known() -> None:
    made = book(sighting())
    id = made.alerts[0].id
    made.apply(AlertEvent("deleted", id, NOW))
    assert not made.alerts and made.take(sighting(), NOW) is None
    assert AlertBook(NAMES, [AlertEvent("deleted", id, NOW)]).take(sighting(), NOW) is None
    fresh = made.take(sighting(day=20_111), NOW)
    assert fresh is not None and fresh.kind == "opened"
    with pytest.raises(InputError, match="there is no alert"):
        made.alert(id)


def test_ids_are_found_as_people_type_them_and_wrong_ones_are_said() -> None:
    made = book(sighting())
    assert made.alert(f" {made.alerts[0].id.lower()} ") is made.alerts[0]
    with pytest.raises(InputError, match="there is no alert A-NONE"):
        made.say("explained", "A-NONE", NOW, by="dpo", reason=WHY)
    with pytest.raises(InputError, match="needs"):
        made.say("explained", made.alerts[0].id, NOW, by="", reason=WHY)
    assert made.alerts[0].state == "new"
    assert repr(made) == "AlertBook(1 alerts, 0 exceptions)"
