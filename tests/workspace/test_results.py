"""What the actions return, as JSON: every key of the documented schema, and plain values only."""

from __future__ import annotations

import json

from language.offices import PURPOSE, Office


def test_results_are_json_as_they_are(office: Office) -> None:
    added = office.workspace.register("again", office.source, key="person_id", accept="equivalent")
    released = office.workspace.release("persons", to="Tax", purpose=PURPOSE, out=office.out("t.csv"))
    keys = office.workspace.keys()
    values = [added.to_json(), released.to_json(), *(key.to_json() for key in keys)]
    for value in values:
        assert json.loads(json.dumps(value)) == value


def test_the_json_of_a_release_keeps_its_contract(office: Office) -> None:
    value = office.workspace.release("persons", to="Tax", purpose=PURPOSE, out=office.out("t.csv")).to_json()
    assert {"copy": 1, "recipient": "Tax", "rows": 150, "meaning_changed": 0}.items() <= value.items()
    assert isinstance(value["symbols"], int)
    assert value["symbols"] > 300


def test_no_secret_of_a_key_is_in_its_json(office: Office) -> None:
    keys = office.workspace.keys()
    text = json.dumps([key.to_json() for key in keys])
    assert office.parts.ring.current("mark").secret.hex() not in text
