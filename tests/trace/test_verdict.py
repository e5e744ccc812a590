"""The JSON of a verdict keeps its contract, and the values keep their promises."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from language import verdicts
from muniment.trace.verdict import FamilyReading, Histogram

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/schemas/trace.json").read_text(encoding="utf-8"))


def _round_trip(value: object) -> dict[str, object]:
    return json.loads(json.dumps(value, allow_nan=False))


@pytest.mark.parametrize("lang", ["en", "zh-TW"])
@pytest.mark.parametrize("name", list(verdicts.ALL))
def test_json_fits_its_schema(name: str, lang: str) -> None:
    value = _round_trip(verdicts.ALL[name]().to_json(lang))
    jsonschema.Draft202012Validator(SCHEMA).validate(value)


@pytest.mark.parametrize("field", ["verdict", "named", "assumptions", "candidates", "log10_threshold"])
def test_the_schema_notices_a_missing_field(field: str) -> None:
    value = _round_trip(verdicts.one_named().to_json())
    del value[field]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(value, SCHEMA)


def test_the_schema_notices_a_verdict_that_contradicts_itself() -> None:
    value = _round_trip(verdicts.one_named().to_json())
    value["verdict"] = "none"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(value, SCHEMA)


def test_the_contract_of_the_issue() -> None:
    value = verdicts.mixture().to_json()
    assert value["verdict"] == "named"
    assert [named["recipient"] for named in value["named"]] == [verdicts.OFFICE.recipient, verdicts.AGENCY.recipient]
    assert {"recipient", "log10_e", "copies"} <= set(value["named"][0])
    assert (value["candidates"], value["examination"], value["alpha"]) == (1_000, 2, 1e-6)
    assert value["rows"] == {"read": 531, "aligned": 506}
    assert value["symbols"] == {"read": 695, "erased": 505}
    assert len(value["leads"]) == 2
    assert verdicts.none().to_json()["verdict"] == "none"


def test_leads_only_when_asked_for() -> None:
    assert "leads" not in verdicts.one_named().to_json()
    assert replace(verdicts.one_named(), leads=()).to_json()["leads"] == []


def test_examples_can_be_left_out() -> None:
    text = json.dumps(verdicts.one_named().to_json(examples=False), ensure_ascii=False)
    assert "12 High St." not in text
    assert "113年5月3日" not in text


def test_a_histogram_of_few_is_not_shown() -> None:
    few = Histogram((0.0, 1.0, 2.0), (1, 18))
    assert replace(verdicts.one_named(), histogram=few).to_json()["histogram"] is None
    assert replace(verdicts.one_named(), symbols_read=19).to_json()["histogram"] is None
    assert replace(verdicts.one_named(), symbols_read=20).to_json()["histogram"] is not None


@pytest.mark.parametrize(
    ("reading", "state"),
    [
        (FamilyReading("c", "a", 0, 0, 0, 0.0, 0.0), "absent"),
        (FamilyReading("c", "a", 90, 0, 90, 0.0, 0.0), "gone"),
        (FamilyReading("c", "a", 90, 9, 81, 0.0, 0.5), "few"),
        (FamilyReading("c", "a", 90, 80, 10, 0.0, 0.5), "one_form"),
        (FamilyReading("c", "a", 90, 80, 10, 1.0, 0.5), "one_form"),
        (FamilyReading("c", "a", 900, 800, 100, 0.7, 0.5), "leaning"),
        (FamilyReading("c", "a", 90, 80, 10, 0.55, 0.5), "intact"),
        (FamilyReading("c", "a", 90, 40, 50, 0.55, 0.5), "thinned"),
        (FamilyReading("c", "a", 900, 900, 0, 0.0, 0.005), "intact"),
        (FamilyReading("omission", "rows", 900, 900, 0, 0.0, 0.02), "intact"),
    ],
)
def test_erased_is_told_from_rewritten(reading: FamilyReading, state: str) -> None:
    assert reading.state == state


def test_the_order_of_equal_evidence_does_not_depend_on_the_order_given() -> None:
    twin = replace(verdicts.OFFICE, number=3)
    one = replace(verdicts.one_named(), named=(verdicts.OFFICE, twin))
    other = replace(one, named=one.named[::-1])
    assert [n.number for n in one.ranked] == [n.number for n in other.ranked] == [3, 17]
