"""Exceptions: how wide they may be, what they cover, and what they would have hidden."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from language.alerting import DAY, NOW, WHERE, WHO, book, sighting
from muniment.errors import InputError, IntegrityError
from muniment.watch.alerts import Exemption, Hidden, NamedStake, would_have_hidden
from muniment.watch.alerts.exemptions import checked_exemption

ONE = Exemption("X-1", WHO, "", "", "", NOW, NOW + 30 * DAY, "dpo", "declared mailing of the spring")


def test_it_reads_back_equal_and_hides_who() -> None:
    assert Exemption.from_json(json.loads(json.dumps(ONE.to_json()))) == ONE
    assert "dpo" not in repr(ONE) and "mailing" not in repr(ONE)
    for value in ({}, ONE.to_json() | {"until": "later"}):
        with pytest.raises(IntegrityError, match="in the journal of watch"):
            Exemption.from_json(value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"unit": ""}, "names an account or an office"),
        ({"unit": "", "office": WHERE}, "names a pattern"),
        ({"pattern": "guilt"}, "expected one of budget"),
        ({"until": NOW}, "ends in the future"),
        ({"until": NOW + 367 * DAY}, "within 366 days"),
        ({"by": " "}, "name of who saves it"),
        ({"reason": "ok"}, "needs a reason of 5 to"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_is_too_wide_too_long_or_without_reason_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        checked_exemption(replace(ONE, **change), NOW)  # type: ignore[arg-type]
    assert checked_exemption(ONE, NOW) is ONE


def test_what_it_covers() -> None:
    office = replace(ONE, unit="", office=WHERE, pattern="burst")
    assert ONE.covers(sighting()) and not ONE.covers(sighting(pseudonym="OTHER"))
    assert office.covers(sighting("burst")) and not office.covers(sighting("budget"))
    assert not office.covers(sighting("burst", office="ELSEWHERE"))
    assert ONE.hides(sighting(), NOW) and not ONE.hides(sighting(), NOW - 1)
    assert not ONE.hides(sighting(), NOW + 30 * DAY)


def test_a_case_type_covers_only_what_is_wholly_of_it() -> None:
    one = replace(ONE, case_type="mailing")
    assert one.covers(sighting(types=(("mailing", 3),)))
    assert not one.covers(sighting(types=(("mailing", 300), ("other", 1))))
    assert not one.covers(sighting())


def test_what_it_would_have_hidden() -> None:
    small = (NamedStake("residents", (), 3),)
    made = book(sighting(), sighting("burst", stakes=small), sighting(pseudonym="OTHER", stakes=small))
    found = would_have_hidden(ONE, made.alerts, NOW + DAY)
    assert found == Hidden(sightings=2, alerts=2, accounts=1, records=40, guaranteed=1)
    first = made.alerts[0]
    made.apply(made.say("confirmed", first.id, NOW, by="dpo", reason="she admitted it"))
    assert would_have_hidden(ONE, made.alerts, NOW + DAY).confirmed == 1


def test_only_the_last_ninety_days_count_and_alerts_only_where_all_of_them_is_hidden() -> None:
    made = book(sighting("burst", office="X"), sighting("burst", day=20_111))
    office = replace(ONE, unit="", office=WHERE, pattern="burst")
    assert would_have_hidden(office, made.alerts, NOW + DAY) == Hidden(sightings=1, accounts=1, records=37)
    assert would_have_hidden(ONE, made.alerts, NOW + DAY).alerts == 1
    assert would_have_hidden(ONE, made.alerts, NOW + 91 * DAY) == Hidden()


def test_what_cannot_be_told_is_said() -> None:
    made = book(sighting(), sighting("burst", types=(("mailing", 3),)))
    found = would_have_hidden(replace(ONE, case_type="mailing"), made.alerts, NOW + DAY)
    assert (found.sightings, found.unsure) == (1, 1)
