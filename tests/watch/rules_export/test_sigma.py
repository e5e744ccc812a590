"""Sigma rules: well-formed, complete by the specification, and about fields that the export writes."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest

from language.exports import ENTRY, PSEUDONYMOUS, STAFF_NAMED
from muniment.errors import InputError
from muniment.ledger.export.ocsf import event
from muniment.watch.rules_export.sigma import Counts, rules

FIELD = re.compile(r"^(?:field: |- |)((?:[a-z_]+\.)+[a-z_]+|[a-z]+_(?:u?id))(?:\|gte)?(?::.*)?$")


def parsed(text: str) -> list[dict[str, Any]]:
    """The documents of the YAML that the rules are written in: maps by indents of four, lists of texts, scalars."""
    documents = []
    for part in text.split("---\n"):
        lines = [line for line in part.splitlines() if line and not line.startswith("#")]
        value, rest = _block(lines, 0)
        assert rest == []
        documents.append(value)
    return documents


def _block(lines: list[str], depth: int) -> tuple[Any, list[str]]:
    indent = " " * 4 * depth
    made: dict[str, Any] = {}
    items: list[str] = []
    while lines and lines[0].startswith(indent) and lines[0][len(indent)] != " ":
        line, lines = lines[0][len(indent) :], lines[1:]
        if line.startswith("- "):
            items.append(line[2:])
            continue
        key, found, rest = line.partition(":")
        assert found and key not in made and (not rest or rest[0] == " ") and ": " not in rest[1:], line
        if rest:
            made[key] = rest[1:]
        else:
            made[key], lines = _block(lines, depth + 1)
    assert not (made and items)
    return made or items, lines


@pytest.mark.parametrize("staff_named", [False, True])
def test_rules_are_complete(staff_named: bool) -> None:
    found = parsed(rules(staff_named=staff_named))
    assert len(found) == 9
    names = {one["name"] for one in found if "name" in one}
    assert len({str(uuid.UUID(one["id"])) for one in found}) == 9
    for one in found:
        assert one["title"] and len(one["title"]) < 256 and one["level"] in {"informational", "low", "medium"}
        if "correlation" not in one:
            assert one["logsource"] and one["detection"]["condition"] == "selection"
            continue
        correlation = one["correlation"]
        assert correlation["type"] in {"event_count", "value_count"} and set(correlation["rules"]) <= names
        assert re.fullmatch(r"\d+[smhd]", correlation["timespan"]) and int(correlation["condition"]["gte"]) >= 2
        assert ("field" in correlation["condition"]) == (correlation["type"] == "value_count")
        assert one["falsepositives"]


@pytest.mark.parametrize("staff_named", [False, True])
def test_every_field_is_one_that_the_export_writes(staff_named: bool) -> None:
    made = event(ENTRY, STAFF_NAMED if staff_named else PSEUDONYMOUS)
    found = {match[1] for line in rules(staff_named=staff_named).splitlines() if (match := FIELD.match(line.strip()))}
    assert len(found) == 6
    for path in found:
        value: Any = made
        for name in path.split("."):
            value = value[name]
        assert value not in (None, "")


def test_counts_are_the_keepers() -> None:
    text = rules(Counts(bulk=77, day=88, refused=9))
    assert "unmapped.muniment.records|gte: 77" in text and "gte: 88" in text and "gte: 9\n" in text
    with pytest.raises(InputError, match="sigma: cases is 1; expected 2 or more"):
        rules(Counts(cases=1))


def test_no_rule_groups_by_record() -> None:
    assert "references" not in rules() and rules().startswith("# Sigma")
