"""What is logged before the first copy: registers with their columns, coalition and law, and key commitments.

Rules
1. A column number is part of every mark address. Numbers are given from 1 in the order in which columns first came,
   and stay with the name for ever: a column that was dropped and comes back has its old number; no other gets it.
2. Key columns, coalition and law never change for a register: a copy handed out under others could not be traced.
3. A commitment is logged once; another one under the same id is `IntegrityError`.
4. The public half of a signing key is logged with its commitment: whoever opens the workspace without the signing key
   still verifies what was signed. A register's schema version is the number of its entries so far.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from muniment import limits
from muniment.disclosure import Column, Kind, checked_name
from muniment.errors import InputError, IntegrityError, LimitError
from muniment.ledger.journal import Head, Journal

_REGISTER = "register"
_KEY = "key"
_VERIFIER = "verifier"


@dataclass(frozen=True, slots=True)
class DeclaredRegister:
    """A register as logged. `law` names the bias law; where it is read from stands in muniment.toml, not here."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    coalition: int
    law: str


@dataclass(frozen=True, slots=True)
class LoggedKey:
    """A key commitment, when it was logged, and the journal head that fixes it."""

    id: str
    commitment: str
    head: Head


def declare_register(
    journal: Journal,
    name: str,
    *,
    key: Sequence[str],
    columns: Sequence[tuple[str, Kind]],
    coalition: int,
    law: str,
    now: datetime,
) -> DeclaredRegister:
    """Log a register, or its new columns and kinds; durable when this returns. Logs nothing where nothing changed.

    Raises `InputError` where key, coalition or law differ from what was logged, `LimitError` where the column numbers
    (1 to 4095) are used up.
    """
    checked_name("the name of a register", name)
    with journal.writing():
        numbers = _numbers(journal, name)
        new = dict.fromkeys(column for column, _ in columns if column not in numbers)
        numbers |= {column: number for number, column in enumerate(new, len(numbers) + 1)}
        if len(numbers) >= limits.COLUMNS:
            most = limits.COLUMNS - 1
            raise LimitError(f"register {name!r}: {len(numbers):,} columns so far; expected at most {most:,}")
        numbered = tuple(Column(column, kind, numbers[column]) for column, kind in columns)
        declared = DeclaredRegister(name, tuple(key), numbered, coalition, law)
        logged = registers(journal).get(name)
        if logged is not None:
            _refuse_change(logged, declared)
        if logged != declared:
            journal.append(_REGISTER, _body(declared), now)
    return declared


def registers(journal: Journal, before: Head | None = None) -> Mapping[str, DeclaredRegister]:
    """The registers as last logged (up to the head `before`), by name."""
    entries = journal.entries(_REGISTER)
    return {declared.name: declared for declared in map(_declared, _up_to(entries, before))}


def log_commitments(journal: Journal, commitments: Mapping[str, str], now: datetime) -> None:
    """Log the commitments (key id -> hex) that are not logged yet; durable when this returns.

    Raises `IntegrityError` where another one is logged under the same id: the key ring was exchanged.
    """
    with journal.writing():
        logged = logged_keys(journal)
        for key_id, commitment in commitments.items():
            if key_id in logged and logged[key_id].commitment != commitment:
                raise IntegrityError(
                    f"key {key_id} of the key ring is not the one that the journal committed to",
                    hint="restore the key ring that belongs to this workspace",
                )
        new = [(_KEY, {"id": key, "commitment": hexed}) for key, hexed in commitments.items() if key not in logged]
        journal.append_many(new, now)


def log_verifiers(journal: Journal, public_keys: Mapping[str, str], now: datetime) -> None:
    """Log the public keys (signing key id -> 64 hex digits) that are not logged yet; errors as `log_commitments`."""
    with journal.writing():
        logged = verifiers(journal)
        for key_id, public in public_keys.items():
            if logged.get(key_id, public) != public:
                raise IntegrityError(
                    f"key {key_id} of the key ring has another public key than the one in the journal",
                    hint="restore the key ring that belongs to this workspace",
                )
        new = [(_VERIFIER, {"id": key, "public": public}) for key, public in public_keys.items() if key not in logged]
        journal.append_many(new, now)


def verifiers(journal: Journal) -> Mapping[str, str]:
    """The logged public keys by signing key id, as hex, old ones first."""
    bodies: Any = [entry.body for entry in journal.entries(_VERIFIER)]
    return {body["id"]: body["public"] for body in bodies}


def schema_version(journal: Journal, name: str) -> int:
    """How often the columns of a register were logged so far: the version that a disclosure of it names."""
    bodies: Any = [entry.body for entry in journal.entries(_REGISTER)]
    return sum(body["name"] == name for body in bodies)


def logged_keys(journal: Journal, before: Head | None = None) -> Mapping[str, LoggedKey]:
    """The logged commitments (up to the head `before`), by key id, in the order in which they were logged."""
    keys: dict[str, LoggedKey] = {}
    for entry in _up_to(journal.entries(_KEY), before):
        body: Any = entry.body
        keys[body["id"]] = LoggedKey(body["id"], body["commitment"], journal.head_at(entry.sequence))
    return keys


def _refuse_change(logged: DeclaredRegister, declared: DeclaredRegister) -> None:
    for field in ("key", "coalition", "law"):
        before, after = getattr(logged, field), getattr(declared, field)
        if before != after:
            raise InputError(
                f"register {logged.name!r}: {field} was logged as {before!r} and cannot become {after!r}: copies "
                "handed out before could no longer be traced",
                hint="put the old value back, or add the source as a register of another name",
            )


def _numbers(journal: Journal, name: str) -> dict[str, int]:
    """Every column name that the register ever had, with its number."""
    logged = (_declared(entry) for entry in journal.entries(_REGISTER))
    return {column.name: column.number for declared in logged if declared.name == name for column in declared.columns}


def _body(declared: DeclaredRegister) -> Mapping[str, object]:
    columns = [[column.name, column.kind.value, column.number] for column in declared.columns]
    return {
        "name": declared.name,
        "key": list(declared.key),
        "columns": columns,
        "coalition": declared.coalition,
        "law": declared.law,
    }


def _declared(entry: Any) -> DeclaredRegister:
    body: Any = entry.body
    columns = tuple(Column(name, Kind(kind), number) for name, kind, number in body["columns"])
    return DeclaredRegister(body["name"], tuple(body["key"]), columns, body["coalition"], body["law"])


def _up_to(entries: Sequence[Any], before: Head | None) -> Sequence[Any]:
    return [entry for entry in entries if before is None or entry.sequence <= before.sequence]
