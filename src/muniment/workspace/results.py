"""What the workspace's actions return: frozen values with the documented JSON (docs/json.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from muniment.disclosure import Copy, Register

JsonValue = object


@dataclass(frozen=True, slots=True)
class RegisterResult:
    """A register that was added: what it holds, and which carriers its owner allowed at once."""

    register: Register
    rows: int
    carriers: Mapping[str, tuple[str, ...]]

    def to_json(self) -> dict[str, JsonValue]:
        """The JSON of `muniment register add --json`."""
        return {
            "register": self.register.name,
            "rows": self.rows,
            "key": list(self.register.key),
            "coalition": self.register.coalition,
            "columns": {column.name: column.kind.value for column in self.register.columns},
            "carriers": {column: list(names) for column, names in self.carriers.items()},
        }


@dataclass(frozen=True, slots=True)
class RegisterEntry:
    """A register as it stands in muniment.toml, and how many copies of it are on record."""

    name: str
    source: str
    key: tuple[str, ...]
    coalition: int
    copies: int

    def to_json(self) -> dict[str, JsonValue]:
        """The JSON of one register in `muniment register list --json`."""
        return {
            "register": self.name,
            "source": self.source,
            "key": list(self.key),
            "coalition": self.coalition,
            "copies": self.copies,
        }


@dataclass(frozen=True, slots=True)
class Distortion:
    """What marking did to one column of a copy: cells written in another form, and cells that mean something else."""

    column: str
    cells: int
    changed: int

    def to_json(self) -> dict[str, JsonValue]:
        """The JSON of one column."""
        return {"column": self.column, "cells": self.cells, "changed": self.changed}


@dataclass(frozen=True, slots=True)
class ReleaseResult:
    """A copy that was handed out. `meaning_changed` counts cells whose normal form differs from the register's: 0."""

    copy: int
    recipient: str
    path: Path
    file_digest: str
    rows: int
    symbols: int
    meaning_changed: int
    distortion: tuple[Distortion, ...]
    rows_left_out: int
    decoys: int
    symbols_to_trace: int
    """Readable symbols from which a sole source is named with 95 % chance; 0 where no number suffices."""
    rows_to_trace: int
    """Leaked rows that hold that many symbols on average; 0 where the whole copy does not suffice."""
    warning: str = ""
    """What it gives away with what the recipient holds, where [exposure] asks for it; in the JSON only then."""

    def to_json(self) -> dict[str, JsonValue]:
        """The JSON of `muniment release --json`."""
        told = {"warning": self.warning} if self.warning else {}
        return told | {
            "copy": self.copy,
            "recipient": self.recipient,
            "file": str(self.path),
            "sha256": self.file_digest,
            "rows": self.rows,
            "symbols": self.symbols,
            "meaning_changed": self.meaning_changed,
            "distortion": [column.to_json() for column in self.distortion],
            "rows_left_out": self.rows_left_out,
            "decoys": self.decoys,
            "symbols_to_trace": self.symbols_to_trace,
            "rows_to_trace": self.rows_to_trace,
        }


@dataclass(frozen=True, slots=True)
class KeyResult:
    """A key of the ring as it may be shown: id, purpose and commitment, never the secret."""

    id: str
    commitment: str
    logged_at: str | None
    """The journal head under which the commitment was logged."""
    public_key: str | None = None
    """Raw Ed25519 public key (hex) of a signing key; `None` for the others, and where the ring cannot sign."""

    def to_json(self) -> dict[str, JsonValue]:
        """The JSON of one key in `muniment keys list --json`."""
        return {
            "id": self.id,
            "commitment": self.commitment,
            "logged_at": self.logged_at,
            "public_key": self.public_key,
        }


def copy_json(copy: Copy) -> dict[str, JsonValue]:
    """The JSON of one copy in `muniment copies --json`."""
    return {
        "copy": copy.number,
        "recipient": copy.recipient.name,
        "number": copy.recipient.number,
        "register": copy.register,
        "time": copy.time.isoformat(),
        "purpose": copy.purpose,
        "where": copy.where,
        "columns": list(copy.columns),
        "rows": copy.rows,
        "symbols": copy.symbols,
        "mark_key": copy.mark_key,
        "sha256": copy.file_digest,
    }
