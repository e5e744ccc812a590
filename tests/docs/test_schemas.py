"""The documented schemas are schemas, and every field in them says what it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from muniment.workspace.results import Distortion, ReleaseResult

FOLDER = Path(__file__).parents[2] / "docs" / "schemas"
NAMES = ("release", "trace", "recompute")


def _schema(name: str) -> dict[str, object]:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def _objects(value: object) -> Iterator[dict[str, object]]:
    if isinstance(value, dict):
        if value.get("type") == "object":
            yield value
        for inner in value.values():
            yield from _objects(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _objects(inner)


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_one_and_closed(name: str) -> None:
    schema = _schema(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert all("additionalProperties" in found for found in _objects(schema))


@pytest.mark.parametrize("name", NAMES)
def test_json_md_names_every_schema_and_field(name: str) -> None:
    page = (FOLDER.parent / "json.md").read_text(encoding="utf-8")
    assert f"schemas/{name}.json" in page


def test_the_json_of_a_release_fits() -> None:
    result = ReleaseResult(
        copy=17,
        recipient="Eastern District Office",
        path=Path("copy.csv"),
        file_digest="a1" * 32,
        rows=50_000,
        symbols=96_211,
        meaning_changed=0,
        distortion=(Distortion("address", 50_000, 24_000),),
        rows_left_out=0,
        decoys=0,
        symbols_to_trace=60,
        rows_to_trace=31,
    )
    value = json.loads(json.dumps(result.to_json()))
    jsonschema.validate(value, _schema("release"))
    assert {"copy", "recipient", "rows", "symbols", "meaning_changed"} <= set(value)
