"""The nouns of the system as frozen values: register, column, recipient, copy.

A copy is what one recipient received; a release is a copy handed out as a file. These values are what the ledger
records and what every other part speaks of. `canonical_key` is the one encoding of a record key: mark addresses and
pseudonyms are both derived from it, so it never changes.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
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
    """One release as the ledger holds it. `records` is the digest of the set of records the query selected."""

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
    records: str


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
