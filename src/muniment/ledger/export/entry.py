"""What is exported, and under which names.

Rules
1. References and pseudonyms are derived from the view's secret (HKDF, RFC 5869): within one export the same person or
   record has the same name, between two exports with fresh secrets nothing can be joined.
2. A reference says nothing of the ordinal; without the secret it cannot be tested against a guess.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from muniment.disclosure import Disclosure, Outcome
from muniment.prf import hkdf

REFERENCES: Final = 100
"""Records of one disclosure that are referred to one by one; of a longer list only the count is given."""
SECRET_BYTES: Final = 32
"""Bytes of a view's secret."""

_RECORD: Final = "muniment export record 1"
_STAFF: Final = "muniment export staff 1"
_DEVICE: Final = "muniment export device 1"
_STAFF_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Entry:
    """One disclosure as the ledger holds it. `time` has a time zone; `columns` are the names behind the numbers.

    `counted` is how many records it holds, where the disclosure comes without them: they are too many to be named.
    """

    sequence: int
    time: datetime
    disclosure: Disclosure
    columns: tuple[str, ...] = ()
    counted: int | None = None

    @property
    def records(self) -> int:
        """How many records were disclosed."""
        return len(self.disclosure.records) if self.counted is None else self.counted


@dataclass(frozen=True, slots=True)
class View:
    """How staff and records are named. `secret`: SECRET_BYTES fresh random bytes for each export."""

    secret: bytes = field(repr=False)
    staff_named: bool = False

    def __post_init__(self) -> None:
        """`ValueError` for a secret of another length."""
        if len(self.secret) != SECRET_BYTES:
            raise ValueError(f"a view needs a secret of {SECRET_BYTES} bytes")

    def account(self, name: str) -> str:
        """The account, or its pseudonym; "" stays ""."""
        return name if self.staff_named or not name else f"staff-{self._name(_STAFF, name.encode())}"

    def device(self, name: str) -> str:
        """The device or address, or its pseudonym: an address names an employee as well as an account does."""
        return name if self.staff_named or not name else f"device-{self._name(_DEVICE, name.encode())}"

    def records(self, disclosure: Disclosure) -> tuple[str, ...]:
        """References to the records, in no order that says anything; empty where there are more than REFERENCES."""
        if len(disclosure.records) > REFERENCES:
            return ()
        made = (hkdf(self.secret, _RECORD, record.to_bytes(4, "big")).hex() for record in disclosure.records)
        return tuple(sorted(made))

    def _name(self, label: str, name: bytes) -> str:
        return hkdf(self.secret, label, name, length=_STAFF_BYTES).hex()


def outcome_text(outcome: Outcome) -> str:
    """What became of the request, for people."""
    return _OUTCOMES[outcome]


_OUTCOMES: Final = {
    Outcome.GIVEN: "records were given",
    Outcome.STOPPED: "stopped while it ran",
    Outcome.REFUSED: "refused",
    Outcome.UNATTRIBUTED: "rows left; whose they were is not known",
}
