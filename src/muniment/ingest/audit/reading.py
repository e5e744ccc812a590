"""`Reading`: one event of a foreign audit log, as much of it as a disclosure needs.

Rules
1. `keys` is `None` where the log only counts: then nobody can tell whose records left. Empty: none did.
2. `exact` is true where the log says that these records were given. False: they were asked for, and no other record
   can have been given, but perhaps not all of them were (a row that does not exist, a further condition).
3. What the log does not say is empty or `None`, never a guess. Columns `None`: unknown, so all must be assumed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, TypeAlias

from muniment.disclosure import Channel, Delivery, Disclosure, Outcome, Party, Template
from muniment.errors import InputError
from muniment.limits import PURPOSE_CHARACTERS

Keys: TypeAlias = tuple[tuple[str, ...], ...]
"""Record keys, each as the parts of a key, each key once."""

LARGEST: Final = 2**63 - 1
"""Rows and bytes of one event: the ledger holds them in 64 bits, signed."""
EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""The ledger counts milliseconds from here; an earlier audit log is a wrong clock."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One event. `time` is UTC; `line` is where it stands (the line, or the number of the event in a document).

    `party.recipient` is empty where the log knows accounts only. `event` is the log's own name of the event: a caller
    that reads a log twice can tell by it what it has. `rows` and `size` (bytes) are `None` where they were not logged.
    """

    time: datetime
    line: int
    party: Party
    register: str
    outcome: Outcome
    delivery: Delivery = Delivery.UNKNOWN
    keys: Keys | None = field(default=None, repr=False)
    exact: bool = False
    rows: int | None = None
    size: int | None = None
    columns: tuple[str, ...] | None = None
    purpose: str = ""
    basis: str = ""
    case: str = ""
    fingerprint: str = ""
    event: str = ""

    def fault(self) -> str:
        """Why this reading cannot stand in a ledger; empty where it can. Says which field, never what it holds."""
        if self.time < EARLIEST:
            return "time before 1970"
        for name, number in (("rows", self.rows), ("size", self.size)):
            if number is not None and not 0 <= number <= LARGEST:
                return f"{name} out of range"
        for name, text in self._texts():
            if len(text) > PURPOSE_CHARACTERS:
                return f"{name} of more than {PURPOSE_CHARACTERS:,} characters"
            if not text.isprintable():
                return f"{name} with a control character"
        if not _encodable(self.keys or ()):
            return "key that is no Unicode text"
        return ""

    def _texts(self) -> tuple[tuple[str, str], ...]:
        # `isprintable` is false for lone surrogates too, which no encoding can hold.
        return (
            ("recipient", self.party.recipient),
            ("account", self.party.account),
            ("device", self.party.device),
            ("purpose", self.purpose),
            ("basis", self.basis),
            ("case", self.case),
            ("fingerprint", self.fingerprint),
            ("event", self.event),
            *(("column", column) for column in self.columns or ()),
        )

    def disclosure(
        self,
        records: Sequence[int],
        *,
        schema: int,
        numbers: Mapping[str, int],
        purpose: str = "",
        recipient: str = "",
    ) -> Disclosure:
        """The disclosure to append. Without keys, rows that left are unattributed.

        Args:
            records: the ordinals of `keys`, in any order; empty where there are none.
            schema: the version of the register that `numbers` (column name -> number) describes.
            purpose: stands in where the log names none.
            recipient: stands in where the log knows accounts only, such as the office.

        Raises:
            InputError: neither the log nor the caller names a recipient, or a purpose.
        """
        lost = self.keys is None and self.outcome is Outcome.GIVEN
        rows = len(records) if self.rows is None else self.rows
        template = Template(
            register=self.register,
            schema=schema,
            channel=Channel.IMPORTED,
            columns=_numbered(self.columns, numbers),
            purpose=self._named("purpose", self.purpose, purpose),
            basis=self.basis,
            outcome=Outcome.UNATTRIBUTED if lost else self.outcome,
            delivery=self.delivery,
        )
        received = self._named("recipient", self.party.recipient, recipient)
        return Disclosure(
            party=Party(received, self.party.account, self.party.device),
            template=template,
            records=tuple(sorted(set(records))),
            case=self.case,
            fingerprint=self.fingerprint,
            rows=rows,
            size=self.size or 0,
            released=0 if self.outcome is Outcome.REFUSED else rows,
            occurred=int(self.time.timestamp() * 1000),
        )

    def _named(self, what: str, logged: str, given: str) -> str:
        if not logged and not given:
            raise InputError(f"line {self.line}: the log names no {what}", hint=f"name the {what} of all its entries")
        return logged or given


def _numbered(columns: tuple[str, ...] | None, numbers: Mapping[str, int]) -> tuple[int, ...]:
    """Column numbers; all of them where a name is no column: it may stand for a whole row, or a function of one."""
    if columns is None or any(column not in numbers for column in columns):
        columns = tuple(numbers)
    return tuple(sorted({numbers[column] for column in columns}))


def _encodable(keys: Keys) -> bool:
    try:
        for key in keys:
            for part in key:
                part.encode()
    except UnicodeEncodeError:
        return False
    return True
