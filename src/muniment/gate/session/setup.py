"""What a session is given: the values and services that all sessions of a gate share, and what is this client's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from muniment.gate.attribution.catalogue import Catalogue
from muniment.gate.attribution.classify import Persons
from muniment.gate.policy.breakglass import Grants
from muniment.gate.policy.budgets import Budgets
from muniment.gate.policy.rules import Policies
from muniment.gate.policy.statements import Rates
from muniment.gate.session.opening import OpeningSetup


class RowMarker(Protocol):
    """Writes marks into the rows of a result while they pass (`gate.session.marking`)."""

    def mark(self, rows: bytes | memoryview, ends: Sequence[int]) -> bytes | memoryview:
        """The same rows with marks; `ends` are the offsets after each row, before marking."""
        ...


class Doubt:
    """How many sessions of this process may have changed tables since the map of tables was read.

    While any did, nothing is taken from the text of a statement, and no table is taken to be known.
    """

    def __init__(self) -> None:
        self.sessions = 0

    def __bool__(self) -> bool:
        return self.sessions > 0


@dataclass(frozen=True, slots=True, repr=False)
class Setup:
    """One session's surroundings. `device`: the client's address, for the ledger. `digest_key`: 16 bytes or more.

    `spool`: whether the second place will do where the ledger is down. `offset_minutes`: the office's offset to UTC at
    a time (ms since 1970). `observe` is told of every charge of a guarded result: (ms, recipient, rows, persons).
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
    marker: Callable[[object, object], RowMarker | None] | None = None
    observe: Callable[[int, str, int, int], None] | None = None
