"""The common options: on every command, before and behind its name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import typer.main

from language.program import muniment
from muniment.cli.main import app
from muniment.cli.options import Options


def _commands(group: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{path}{name} ")
        else:
            yield f"{path}{name}", command


COMMANDS = dict(_commands(typer.main.get_command(app)))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_takes_them_and_explains_itself(name: str) -> None:
    names = {parameter.name for parameter in COMMANDS[name].params}
    assert {field.name for field in fields(Options)} <= names
    assert COMMANDS[name].help
    assert all(parameter.help for parameter in COMMANDS[name].params if parameter.name != "help")
    assert muniment(*name.split(), "--help").code == 0


def test_none_takes_a_passphrase() -> None:
    for command in COMMANDS.values():
        assert not {"passphrase", "password"} & {parameter.name for parameter in command.params}


def test_before_or_behind_is_the_same() -> None:
    behind = muniment("config", "explain", "workspace.alpha", "--json", "--lang", "zh-TW")
    before = muniment("--json", "--lang", "zh-TW", "config", "explain", "workspace.alpha")
    assert behind.out == before.out != ""


def test_behind_wins() -> None:
    first, second = Options(workspace=Path("a"), lang="en"), Options(workspace=Path("b"), quiet=True)
    assert second.over(first) == Options(workspace=Path("b"), lang="en", quiet=True)
    assert first.over(None) is first
