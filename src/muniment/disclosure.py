"""The nouns of the system as frozen values: register, column, recipient, copy, disclosure.

A disclosure is the event: a party received columns of records, at a time, under a template of terms. A copy is what one
recipient received; a release is a copy handed out as a file. These values are what the ledger records and what every
other part speaks of. `canonical_key` is the one encoding of a record key: mark addresses and
pseudonyms are both derived from it, so it never changes.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from muniment.errors import InputError
from muniment.limits import NAME_CHARACTERS


class Kind(StrEnum):
    """What the cells of a column are; it decides which carriers an owner may allow there."""

    NAME = "name"
    ADDRESS = "address"
    PHONE = "phone"
    DATE = "date"
    TIMESTAMP = "timestamp"
    CODE = "code"
    NUMBER = "number"
    EMAIL = "email"
    PLACE = "place"
    CATEGORY = "category"
    TEXT = "text"


class Harm(StrEnum):
    """What a carrier may do to the data; the default of every column is that nothing is allowed."""

    EQUIVALENT = "equivalent"
    """Both forms mean the same to every reader and to the law."""
    TOLERANCE = "tolerance"
    """A change below a tolerance that the owner declared for the column."""
    STRUCTURAL = "structural"
    """Rows left out, put in, or put in another order; no cell of a real record changes."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a register. `number` (1-4095) is part of every mark address: given once, never used again."""

    name: str
    kind: Kind
    number: int


@dataclass(frozen=True, slots=True)
class Register:
    """One register of persons: where it is read from, its key, its columns and the coalition it must withstand."""

    name: str
    source: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    coalition: int
    encoding: str | None = None

    def column(self, name: str) -> Column:
        """The column of that name; `InputError` lists what there is."""
        for column in self.columns:
            if column.name == name:
                return column
        known = ", ".join(column.name for column in self.columns)
        raise InputError(f"register {self.name!r} has no column {name!r}; its columns are {known}")


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who receives: a person, an account or an agency. `number` is given by the workspace in order, never chosen."""

    number: int
    name: str


@dataclass(frozen=True, slots=True)
class Copy:
    """One release as the ledger holds it. `disclosure` is the sequence number of the event, which has its records."""

    number: int
    recipient: Recipient
    register: str
    time: datetime
    purpose: str
    where: str | None
    columns: tuple[str, ...]
    rows: int
    symbols: int
    mark_key: str
    file_digest: str
    disclosure: int


class Channel(StrEnum):
    """The way by which records left."""

    GATE = "gate"
    FILE = "file"
    APPLICATION = "application"
    IMPORTED = "imported"


class Outcome(StrEnum):
    """What became of a request for records."""

    GIVEN = "given"
    STOPPED = "stopped"
    """Ended while it ran; `released` says how many rows had left by then."""
    REFUSED = "refused"
    UNATTRIBUTED = "unattributed"
    """Rows left, but whose they were is not known: `rows` and `size` are all there is.

    Of what the gate let through, `released` is how many left, and `rows` as how many persons they are charged.
    """


class Delivery(StrEnum):
    """What is known about receipt."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    UNKNOWN = "unknown"
    """Handed to the network or to a person; nobody confirmed that it arrived."""


@dataclass(frozen=True, slots=True)
class Party:
    """Who received: the recipient (named to data subjects), the acting account, and its device or address."""

    recipient: str
    account: str = ""
    device: str = ""

    def to_text(self) -> str:
        """The canonical JSON that is stored and committed to."""
        return _canonical({"recipient": self.recipient, "account": self.account, "device": self.device})

    @classmethod
    def from_text(cls, text: str) -> Party:
        """Undo `to_text`; `ValueError` where it is another shape."""
        stored = _fields(text, ("account", "device", "recipient"))
        return cls(str(stored["recipient"]), str(stored["account"]), str(stored["device"]))


@dataclass(frozen=True, slots=True)
class Template:
    """The terms of a disclosure, shared by many: what of which register, by which channel, why, and how it ended.

    `columns` are column numbers of the register at version `schema`, ascending. `basis` is the legal basis.
    """

    register: str
    schema: int
    channel: Channel
    columns: tuple[int, ...]
    purpose: str
    basis: str = ""
    mark_key: str = ""
    outcome: Outcome = Outcome.GIVEN
    delivery: Delivery = Delivery.COMPLETE

    def to_text(self) -> str:
        """The canonical JSON that is stored and committed to; columns as a bitmap in hex, bit n for column n."""
        return _canonical(
            {
                "register": self.register,
                "schema": self.schema,
                "channel": self.channel.value,
                "columns": f"{sum(1 << number for number in set(self.columns)):x}",
                "purpose": self.purpose,
                "basis": self.basis,
                "mark_key": self.mark_key,
                "outcome": self.outcome.value,
                "delivery": self.delivery.value,
            }
        )

    @classmethod
    def from_text(cls, text: str) -> Template:
        """Undo `to_text`; `ValueError` where it is another shape."""
        stored = _fields(text, tuple(sorted(cls.__slots__)))
        bitmap = int(str(stored["columns"]), 16)
        return cls(
            register=str(stored["register"]),
            schema=int(str(stored["schema"])),
            channel=Channel(str(stored["channel"])),
            columns=tuple(number for number in range(bitmap.bit_length()) if bitmap >> number & 1),
            purpose=str(stored["purpose"]),
            basis=str(stored["basis"]),
            mark_key=str(stored["mark_key"]),
            outcome=Outcome(str(stored["outcome"])),
            delivery=Delivery(str(stored["delivery"])),
        )


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One event before the ledger gave it its number and time.

    `records` are ordinals, ascending, each once: empty where nothing was given or nothing could be attributed. `rows`
    and `size` (bytes) count what was sent; `released` is the number of rows that had left when it ended. `fingerprint`
    names the query by its shape, `case` the case or ticket it belongs to. `occurred` (ms since 1970, UTC) is when it
    happened, where it is recorded later than that; 0 otherwise.
    """

    party: Party
    template: Template
    records: tuple[int, ...] = ()
    case: str = ""
    fingerprint: str = ""
    rows: int = 0
    size: int = 0
    released: int = 0
    occurred: int = 0


def _canonical(value: Mapping[str, object]) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _fields(text: str, names: tuple[str, ...]) -> Mapping[str, object]:
    stored = json.loads(text)
    if not isinstance(stored, dict) or tuple(sorted(stored)) != names:
        raise ValueError("not the canonical text of a disclosure")
    return stored


def canonical_key(parts: Sequence[str]) -> bytes:
    """Encode a record key: each part as UTF-8 behind its length in bytes (4 bytes, big endian).

    The length prefix keeps ("ab", "c") and ("a", "bc") apart. Nothing is folded: a key is an identity, not a text.
    """
    encoded = [part.encode() for part in parts]
    return b"".join(struct.pack(">I", len(part)) + part for part in encoded)


def canonical_keys(columns: Sequence[Sequence[str]]) -> list[bytes]:
    """`canonical_key` of many records, given as the columns of the key (each of one length)."""
    encoded = [[part.encode() for part in column] for column in columns]
    heads = {length: struct.pack(">I", length) for length in {len(part) for column in encoded for part in column}}
    framed = [[heads[len(part)] + part for part in column] for column in encoded]
    return framed[0] if len(framed) == 1 else [b"".join(parts) for parts in zip(*framed, strict=True)]


def checked_name(what: str, name: str) -> str:
    """Return `name` if it can stand in a table and on a terminal; `InputError` says what is wrong with it."""
    hint = f"give a name of 1 to {NAME_CHARACTERS} printable characters"
    if not name.strip():
        raise InputError(f"{what} is empty: expected a name of 1 to {NAME_CHARACTERS} characters", hint=hint)
    if len(name) > NAME_CHARACTERS:
        raise InputError(f"{what} has {len(name):,} characters: expected at most {NAME_CHARACTERS}", hint=hint)
    if not name.isprintable():
        raise InputError(f"{what} holds a control character or line break: expected printable text", hint=hint)
    return name
