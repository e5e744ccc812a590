"""Policies, statements and results as tests write them down: only what a rule looks at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from muniment.gate.attribution.catalogue import RegisterShape
from muniment.gate.policy.rules import Rules
from muniment.gate.policy.settings import GateSettings, parse

GATE = """
[gate]
upstream_host = "db"
control = "host=db user=gate"
[registers.persons]
table = "public.person"
"""
PERSONS = RegisterShape("persons", 1, ("id",), 100.0)


def settings(text: str = "") -> GateSettings:
    """A gate.toml with what it must have, and `text`."""
    return parse(GATE + text, Path("gate.toml"))


def rules(**more: Any) -> Rules:
    """The rules of `clerk`."""
    return Rules("clerk", "clerk", **more)


@dataclass
class Said:
    """What a statement's text says (`statements.Facts`); by default a plain SELECT on the register."""

    kind: str = "select"
    verb: str = ""
    mentions: Mapping[str, int] = field(default_factory=lambda: {"person": 1})
    register_free: bool = False
    catalogue_flags: tuple[str, ...] = ()
    writes: bool = False
    target: str = ""
    object: str = ""


@dataclass
class Shown:
    """What a result will bring (`statements.Plan`); by default key and name of persons."""

    guarded: bool = True
    mode: str = "keys"
    classes: tuple[str, ...] = ("register", "register")
    registers: tuple[RegisterShape, ...] = (PERSONS,)
    columns: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: {"persons": (0, 1)})


@dataclass
class Declaring:
    """What a client declared."""

    case: str = ""
    purpose: str = ""
