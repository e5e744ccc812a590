"""TOML files of ours, muniment.toml and gate.toml alike: every fault names the file, the key and what was expected.

A key that is not known is an error, not ignored: a mistyped `tolerence` must not pass for "none".
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, Protocol

from muniment.errors import InputError

SHOWN_CHARACTERS: Final = 60
"""Characters of a value that a message shows; of a longer one it says the type."""
_TYPES: Final = {
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "a table",
}


class Entry(Protocol):
    """One key as a table of keys has it."""

    @property
    def name(self) -> str: ...
    @property
    def expected(self) -> str:
        """What it takes, for messages."""
    @property
    def parse(self) -> Callable[[object], Any]:
        """The TOML value as the program uses it; raises `ValueError`."""


def stored_tables(text: str, path: Path) -> dict[str, Any]:
    """The tables of a TOML text; `path` is for messages only. Raises `InputError`."""
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        reason = str(error)
        raise InputError(f"{path}: not TOML: {reason[:1].lower()}{reason[1:]}") from error


@dataclass(frozen=True, slots=True)
class TableReader:
    """Reads tables; it holds the path that every message begins with.

    `hidden`: the key whose value no message shows, for it may hold a password. `explain`: the command that says what a
    key means.
    """

    path: Path
    hidden: str
    explain: str

    def table(self, place: str, stored: object) -> Mapping[str, object]:
        """`stored` where it is a table. Raises `InputError`."""
        if not isinstance(stored, dict):
            raise InputError(f"{self.path}: {place}: expected a table [{place}], came {_type(stored)}")
        return stored

    def only_known(self, table: Iterable[str], known: tuple[str, ...], place: str) -> None:
        """Raise `InputError` for the first key that is not known, with the nearest one that is."""
        for name in table:
            if name not in known:
                near = get_close_matches(name, known, 1)
                raise InputError(
                    f"{self.path}: unknown key {f'{place}.{name}'.lstrip('.')}; expected {', '.join(known)}",
                    hint=f"did you mean {near[0]}?" if near else "",
                )

    def parsed(self, place: str, key: Entry, general: str, came: object) -> Any:
        """The value of one key. Raises `InputError`. `general`: the key with its placeholders, for the hint."""
        try:
            return key.parse(came)
        except ValueError:
            # Without the cause: it may hold the value.
            raise InputError(
                f"{self.path}: {place}.{key.name}: expected {key.expected}, came {self._shown(key, came)}",
                hint=f"{self.explain} {general}",
            ) from None

    def _shown(self, key: Entry, came: object) -> str:
        plain = isinstance(came, str | int | float) and len(repr(came)) <= SHOWN_CHARACTERS
        return repr(came) if plain and key.name != self.hidden else _type(came)


def _type(value: object) -> str:
    return _TYPES.get(type(value), "a date or time")
