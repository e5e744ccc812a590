"""What a session is given: the values and services that all sessions of a gate share, and what is this client's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from muniment.gate.attribution.catalogue import Catalogue
from muniment.gate.attribution.classify import Persons
from muniment.gate.policy.breakglass import Grants
from muniment.gate.policy.budgets import Budgets
from muniment.gate.policy.decoys import DecoyWatch
from muniment.gate.policy.rules import Policies
from muniment.gate.policy.statements import Rates, column_names
from muniment.gate.protocol.backend import Field
from muniment.gate.session.marking import RowMarker
from muniment.gate.session.opening import OpeningSetup
from muniment.gate.session.redaction import known_names


class Marking(Protocol):
    """Makes the markers of results (`gate.session.marking.ResultMarker`)."""

    def of(
        self, fields: Sequence[Field], catalogue: Catalogue, recipient: str, *, single: bool, encoding: str
    ) -> RowMarker | None:
        """The marker of a result, `None` where none of its cells is marked. Raises `UnreachableError`."""
        ...


class Doubt:
    """What the sessions of a process know of the tables together, and how many of them may have changed some since.

    While any did, nothing is taken from the text of a statement, and no table is taken to be known.
    """

    def __init__(self) -> None:
        self.sessions = 0
        self._catalogue: Catalogue | None = None
        self._columns: Mapping[str, Mapping[int, str]] = {}
        self._names: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return self.sessions > 0

    def columns(self, catalogue: Catalogue) -> Mapping[str, Mapping[int, str]]:
        """Register -> column number -> name (`policy.statements.column_names`)."""
        self._read(catalogue)
        return self._columns

    def names(self, catalogue: Catalogue) -> frozenset[str]:
        """Names that an error may quote (`redaction.known_names`)."""
        self._read(catalogue)
        return self._names

    def _read(self, catalogue: Catalogue) -> None:
        """Once for each map, not once for each session."""
        if catalogue is not self._catalogue:
            self._columns, self._names = column_names(catalogue), known_names(catalogue)
            self._catalogue = catalogue


@dataclass(frozen=True, slots=True, repr=False)
class Setup:
    """One session's surroundings. `device`: the client's address, for the ledger. `digest_key`: 16 bytes or more.

    `spool`: whether the second place will do where the ledger is down. `offset_minutes`: the office's offset to UTC at
    a time (ms since 1970). `observe` is told of every charge of a guarded result: (ms, recipient, rows, persons).
    `lowered`: limits of persons by window that hold for a recorded account for the time being, beside its own.
    """

    opening: OpeningSetup
    policies: Policies
    catalogue: Catalogue
    budgets: Budgets
    persons: Persons
    digest_key: bytes = field(repr=False)
    rates: Rates = field(default_factory=Rates)
    grants: Grants = field(default_factory=Grants)
    doubt: Doubt = field(default_factory=Doubt)
    device: str = ""
    spool: bool = False
    lang: str = "en"
    offset_minutes: Callable[[int], int] = lambda _: 0
    marker: Marking | None = None
    decoys: DecoyWatch = field(default_factory=lambda: DecoyWatch(()))
    observe: Callable[[int, str, int, int], None] | None = None
    lowered: Callable[[str], Mapping[str, int]] = lambda _: {}
