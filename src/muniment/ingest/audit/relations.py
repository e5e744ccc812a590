"""Which relation of a database is which register: the keeper's declaration, and names as SQL and pgaudit write them.

A name without a schema matches that relation in any schema; `schema.relation` matches an unqualified name too, because
a statement need not say the schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias
from uuid import UUID

from muniment.errors import InputError

Name: TypeAlias = tuple[str, ...]
"""A name by its parts, unquoted ones in lower case: ("public", "person")."""

_PART: Final = re.compile(r'"((?:[^"]++|"")++)"|([^\W\d][\w$]*+)')
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,40}", re.ASCII)
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class KeyForm(StrEnum):
    """What a key column holds, which decides how a literal is read: for an integer, '007' and 7 are one key."""

    TEXT = "text"
    INTEGER = "integer"
    UUID = "uuid"

    def canonical(self, literal: str) -> str | None:
        """The literal as the register writes that key; `None` where it is none of this form."""
        if self is KeyForm.INTEGER:
            bare = literal.strip(" ")
            return str(int(bare)) if _INTEGER.fullmatch(bare) else None
        if self is KeyForm.UUID:
            return str(UUID(literal)) if _UUID.fullmatch(literal) else None
        return literal


@dataclass(frozen=True, slots=True)
class Relation:
    """One relation that holds a register. `key` are its key columns as the database names them."""

    name: str
    register: str
    key: tuple[str, ...]
    forms: tuple[KeyForm, ...] = ()
    """One for each key column; text where left out."""

    def form(self, place: int) -> KeyForm:
        """The form of the key column at a place."""
        return self.forms[place] if place < len(self.forms) else KeyForm.TEXT


class Relations:
    """The declared relations, found by name."""

    def __init__(self, relations: Iterable[Relation]) -> None:
        """`InputError` for a name that is none, a relation declared twice, or one without a key."""
        self._all = tuple(relations)
        self._names: dict[str, list[tuple[Name, Relation]]] = {}
        for relation in self._all:
            name = parsed_name(relation.name)
            if name is None or len(name) > 2:
                raise InputError(f"register {relation.register!r}: expected a relation such as public.person")
            if not relation.key or len(relation.forms) > len(relation.key):
                raise InputError(f"register {relation.register!r}: its relation needs one form at most a key column")
            if self.find(name) is not None:
                raise InputError(f"register {relation.register!r}: its relation is declared already")
            self._names.setdefault(name[-1], []).append((name, relation))

    def __len__(self) -> int:
        return len(self._all)

    def find(self, name: Sequence[str]) -> Relation | None:
        """The relation of that name, in its parts: a database before the schema is let be."""
        if not name:
            return None
        for declared, relation in self._names.get(name[-1], ()):
            if len(declared) == 1 or len(name) == 1 or declared[0] == name[-2]:
                return relation
        return None

    def named(self, text: str) -> Relation | None:
        """The relation of a name in SQL's spelling."""
        name = parsed_name(text)
        return self.find(name) if name else None


def parsed_name(text: str) -> Name | None:
    """The parts of `public.person` or `"My Schema"."Person"`; `None` where it is no name."""
    parts: list[str] = []
    place = 0
    while match := _PART.match(text, place):
        parts.append(match[1].replace('""', '"') if match[1] else match[2].lower())
        place = match.end()
        if place == len(text):
            return tuple(parts)
        if text[place] != ".":
            return None
        place += 1
    return None
