"""Every command has its JSON documented, and every schema is one, closed, and named on the page."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import typer.main

from muniment.cli.main import app

DOCS = Path(__file__).parents[2] / "docs"
SCHEMAS = sorted(path.name for path in (DOCS / "schemas").glob("*.json"))
PAGE = (DOCS / "json.md").read_text(encoding="utf-8")


def _names(group: object, path: str) -> list[str]:
    children = getattr(group, "commands", None)
    if children is None:
        return [path]
    return [name for word, child in children.items() for name in _names(child, f"{path} {word}")]


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_valid_and_on_the_page(name: str) -> None:
    schema = json.loads((DOCS / "schemas" / name).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["additionalProperties"] is False
    assert schema["required"]
    assert f"(schemas/{name})" in PAGE


@pytest.mark.parametrize("name", _names(typer.main.get_command(app), "muniment"))
def test_every_command_is_on_the_page(name: str) -> None:
    assert f"`{name} --json`" in PAGE
