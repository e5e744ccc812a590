"""Detection Findings: valid by the schema of OCSF 1.8, and without a name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from language.alerting import ACCOUNT, NOW, OFFICE, WHERE, WHO, alert, book, opened, sighting
from muniment.messages import LANGUAGES
from muniment.watch.alerts import Alert, View, sighted_crowd
from muniment.watch.alerts.sighting import PATTERNS
from muniment.watch.rules_export.ocsf import SCHEMA_VERSION, event


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=SCHEMA_VERSION)).get_class_schema("detection_finding")
    return Draft202012Validator(schema)


def every() -> list[Alert]:
    crowd = book(sighted_crowd("residents", 9, 20_100, 20_106, b"sealed")).alerts[0]
    others = (crowd, alert("split", unit="office"), alert(stakes=(), office=""))
    return [*(alert(pattern) for pattern in PATTERNS), *others]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("one", every(), ids=lambda one: f"{one.unit}-{one.pattern}-{len(one.stakes)}")
def test_events_are_valid_and_name_nobody(validator: Draft202012Validator, one: Alert, lang: str) -> None:
    made = event(one, opened(one), lang, View({WHO: ACCOUNT, WHERE: OFFICE}))
    assert [error.message for error in validator.iter_errors(made)] == []
    text = json.dumps(made, ensure_ascii=False)
    assert ACCOUNT not in text and OFFICE not in text and "risk" not in text and "c2VhbGVk" not in text


def test_the_schema_can_refuse(validator: Draft202012Validator) -> None:
    made = event(alert(), opened(alert()), "en", View())
    for broken in ({"activity_id": 7}, {"made_up": 1}, {"time": "now"}, {"evidences": [{"verdict_id": 1}]}):
        assert not validator.is_valid(made | broken)


def test_what_an_event_says() -> None:
    made = event(alert(), opened(alert()), "en", View())
    assert (made["class_uid"], made["type_uid"], made["time"], made["status"]) == (2004, 200401, NOW, "New")
    assert (made["severity"], made["confidence"], made["count"]) == ("Medium", "High", 1)
    info: dict[str, Any] = made["finding_info"]
    assert info["uid"] == alert().id and info["types"] == ["budget"] and info["desc"].count("\n") == 4
    assert info["last_seen_time"] - info["first_seen_time"] == 11 * 86_400_000
    assert made["evidences"][0]["actor"]["user"] == {"uid": WHO, "org": {"uid": WHERE, "name": WHERE}}
    assert made["unmapped"]["muniment"]["records_at_most"] == 37


def test_the_life_of_an_alert_in_events(validator: Draft202012Validator) -> None:
    made = book(sighting("burst"), sighting("burst", day=20_111))
    said = []
    for kind in ("acknowledged", "explained", "reopened", "confirmed"):
        made.apply(made.say(kind, made.alerts[0].id, NOW + len(said), by="dpo", reason="a declared mailing"))  # type: ignore[arg-type]
        one = event(made.alerts[0], made.alerts[0].history[-1], "en", View())
        assert validator.is_valid(one) and "dpo" not in json.dumps(one)
        said.append((one["activity_name"], one["status"], one["metadata"]["uid"]))
    assert [one[:2] for one in said] == [
        ("Update", "In Progress"), ("Close", "Resolved"), ("Update", "In Progress"), ("Close", "Resolved")
    ]  # fmt: skip
    assert len({one[2] for one in said}) == 4
