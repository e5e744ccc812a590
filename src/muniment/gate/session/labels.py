"""What a client declares about its session: case, purpose, acting person, and the reason for breaking the glass.

Rules
1. A declaration is a `SET muniment.NAME = '...'` that PostgreSQL completed, or a setting of the startup packet. What
   SQL does behind the text (set_config, a function's own SET) declares nothing.
2. Declarations follow the transaction as PostgreSQL's settings do (documentation, "SET"): ROLLBACK takes back what was
   set since its beginning, or since the savepoint; LOCAL ends with the transaction. Statements between two
   ReadyForQuery outside of BEGIN are one transaction.
3. Where it cannot be told which of several values holds, none does: a disclosure under no case is noticed, one under
   the wrong case is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from muniment.limits import NAME_CHARACTERS, PURPOSE_CHARACTERS

PREFIX: Final = "muniment."
CHARACTERS: Final[Mapping[str, int]] = MappingProxyType(
    {"case": NAME_CHARACTERS, "purpose": NAME_CHARACTERS, "actor": 4_096, "break_glass": PURPOSE_CHARACTERS}
)
"""The labels, and how many characters each may have; a longer or unprintable one counts as not declared."""
SAVEPOINTS: Final = 1_000
"""Savepoints that are remembered; a rollback to an older one leaves only what held in all of them."""
ERROR: Final = "ERROR"
"""The tag by which `transaction` is told of an ErrorResponse."""
_ENDINGS: Final = frozenset(("COMMIT", "PREPARE TRANSACTION"))

Values = dict[str, str]


class Labels:
    """The labels of one session: texts, empty where nothing is declared.

    `startup`: the parameters of the StartupMessage; both `options` = `-c muniment.case=...` and a parameter
    `muniment.case` declare, and are what RESET goes back to.
    """

    __slots__ = ("_base", "_doubtful", "_explicit", "_local", "_session", "_stack", "_start")

    def __init__(self, startup: Mapping[str, str] | None = None) -> None:
        self._start: Values = dict.fromkeys(CHARACTERS, "")
        for name, value in _declared(startup or {}):
            if (label := _label(name)) is not None:
                self._start[label] = _held(label, value)
        self._base = dict(self._start)
        self._session = dict(self._start)
        self._local: Values = {}
        self._explicit = False
        self._doubtful = False
        """A ROLLBACK was seen of which only ReadyForQuery will tell whether it ended the transaction."""
        self._stack: list[tuple[str, Values, Values]] = []
        """Savepoints: name, and the values that held when it was made."""

    @property
    def case(self) -> str:
        """The case or ticket."""
        return self._now("case")

    @property
    def purpose(self) -> str:
        """The purpose."""
        return self._now("purpose")

    @property
    def actor(self) -> str:
        """The acting person: a signed token, or a claim (`identity.actor`)."""
        return self._now("actor")

    @property
    def break_glass(self) -> str:
        """The reason for breaking the glass."""
        return self._now("break_glass")

    def said(self, name: str, value: str | None, local: bool = False) -> None:
        """PostgreSQL completed `SET name = value`; other names are passed over.

        `None`: RESET or SET ... TO DEFAULT. Name `all`: RESET ALL, DISCARD ALL.
        """
        if name.lower() == "all":
            self._session, self._local = dict(self._start), {}
            return
        label = _label(name)
        if label is None:
            return
        held = self._start[label] if value is None else _held(label, value)
        if local:
            self._local[label] = held
        else:
            self._session[label] = held
            self._local.pop(label, None)

    def transaction(self, status: str, tag: str = "", savepoint: str = "") -> None:
        """Follow the transaction.

        After CommandComplete of a transaction command: ("", its tag), and the name of the savepoint where it has one.
        After ErrorResponse: ("", "ERROR"). After ReadyForQuery: (its status, "").
        """
        words = tag.upper()
        if words in ("BEGIN", "START TRANSACTION"):
            self._explicit = True
        elif words in _ENDINGS:
            self._committed()
        elif words == "ROLLBACK":
            self._rolled_back(status, savepoint.lower())
        elif words == "SAVEPOINT":
            self._stack.append((savepoint.lower(), dict(self._session), dict(self._local)))
            del self._stack[:-SAVEPOINTS]
        elif words == "RELEASE":
            self._released(savepoint.lower())
        elif words == ERROR and not self._explicit:
            self._restored(self._base, {})
        if status:
            self._ready(status)

    def _now(self, label: str) -> str:
        return self._local.get(label, self._session[label])

    def _ready(self, status: str) -> None:
        doubtful, self._doubtful = self._doubtful, False
        if status != "I":
            self._explicit = True
        elif doubtful:
            self._restored(self._base, {})
            self._committed()
        elif self._explicit:
            # The end of this transaction was not seen (a procedure's COMMIT, or one inside EXECUTE): rule 3.
            self._restored(_common([self._base, self._session]), {})
            self._committed()
        else:
            self._committed()

    def _committed(self) -> None:
        self._base, self._local = dict(self._session), {}
        self._explicit = False
        self._stack.clear()

    def _restored(self, session: Values, local: Values) -> None:
        self._session, self._local = dict(session), dict(local)

    def _rolled_back(self, status: str, savepoint: str) -> None:
        """ROLLBACK and ROLLBACK TO have one tag; `savepoint` tells them apart, else the status that follows."""
        for depth in reversed(range(len(self._stack))):
            if savepoint and self._stack[depth][0] == savepoint:
                self._restored(*self._stack[depth][1:])
                del self._stack[depth + 1 :]
                return
        if savepoint or (status != "I" and self._stack):
            self._doubtful = not savepoint
            everything = [self._base, *(session | local for _, session, local in self._stack)]
            self._restored(_common(everything), {})
            return
        self._restored(self._base, {})
        self._explicit = False
        self._stack.clear()

    def _released(self, savepoint: str) -> None:
        """What was set since stays; its savepoint, and those made after it, are gone."""
        for depth in reversed(range(len(self._stack))):
            if self._stack[depth][0] == savepoint:
                del self._stack[depth:]
                return


def _label(name: str) -> str | None:
    """The label that a setting's name stands for: PostgreSQL takes the names of settings in any case."""
    lowered = name.lower()
    label = lowered.removeprefix(PREFIX)
    return label if lowered.startswith(PREFIX) and label in CHARACTERS else None


def _held(label: str, value: str) -> str:
    stripped = value.strip()
    return stripped if len(stripped) <= CHARACTERS[label] and stripped.isprintable() else ""


def _common(candidates: list[Values]) -> Values:
    """What is the same in all of them; the rest is empty."""
    first = candidates[0]
    return {label: value if all(one[label] == value for one in candidates) else "" for label, value in first.items()}


def _declared(startup: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The settings of a startup packet: in `options` (`-c NAME=VALUE`, `--NAME=VALUE`), then parameters by name."""
    words = iter(_words(startup.get("options", "")))
    for word in words:
        if word == "-c":
            word = next(words, "")
        elif word.startswith(("--", "-c")):
            word = word[2:]
        else:
            continue
        name, equals, value = word.partition("=")
        if equals:
            # postgres takes a hyphen in such a name for an underscore (ParseLongOption).
            yield name.replace("-", "_"), value
    yield from startup.items()


def _words(options: str) -> list[str]:
    """Split at white space; a backslash takes the next character as it is (pg_split_opts)."""
    return [re.sub(r"\\(.)", r"\1", word, flags=re.S) for word in re.findall(r"(?:\\.|[^\s\\])+", options, re.S)]
