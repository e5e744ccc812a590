"""Families of marks as logged: which carrier on which column, under which law, before the first copy that has them.

Rules
1. A family is logged once for each (mark key, register, carrier, column); trace reads what is logged, not what the
   owner allows today.
2. Law and tolerance of a logged family never change under its mark key: bits drawn under one law and scored under
   another name innocents. A new law or tolerance takes a new mark key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from muniment.errors import InputError
from muniment.ledger.journal import Head, Journal

_FAMILY = "family"


@dataclass(frozen=True, slots=True)
class LoggedFamily:
    """One family under one mark key. `column` is "" for marks that are rows; `tolerance` is a decimal as text."""

    mark_key: str
    register: str
    carrier: str
    column: str
    law: str
    tolerance: str | None = None

    @property
    def place(self) -> tuple[str, str, str, str]:
        """What a law belongs to."""
        return self.mark_key, self.register, self.carrier, self.column


def declare_families(journal: Journal, families: Sequence[LoggedFamily], now: datetime) -> None:
    """Log the families that are not logged yet; durable when this returns.

    Raises `InputError` where law or tolerance differ from what was logged under the same mark key.
    """
    with journal.writing():
        logged = {family.place: family for family in logged_families(journal)}
        new = []
        for family in families:
            before = logged.get(family.place)
            if before is None:
                new.append((_FAMILY, _body(family)))
            elif before != family:
                raise InputError(
                    f"register {family.register!r}: carrier {family.carrier!r} on column {family.column!r} was logged "
                    f"with law {before.law} and tolerance {before.tolerance}; now {family.law} and {family.tolerance}: "
                    "copies handed out before could no longer be traced",
                    hint="muniment keys rotate mark, then release again",
                )
        journal.append_many(new, now)


def logged_families(
    journal: Journal, register: str | None = None, mark_key: str | None = None, before: Head | None = None
) -> tuple[LoggedFamily, ...]:
    """The families of a register, under a mark key, or all (up to the head `before`), in the order of their logging."""
    entries = (e for e in journal.entries(_FAMILY) if before is None or e.sequence <= before.sequence)
    found = (_family(entry.body) for entry in entries)
    return tuple(f for f in found if register in (None, f.register) and mark_key in (None, f.mark_key))


def _body(family: LoggedFamily) -> dict[str, object]:
    return {name: getattr(family, name) for name in LoggedFamily.__slots__}


def _family(body: Any) -> LoggedFamily:
    return LoggedFamily(**{name: body[name] for name in LoggedFamily.__slots__})
