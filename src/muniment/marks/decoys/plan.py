"""The plan of a register's decoys: which they are, in how many copies, until when, and with whose consent.

Rules
1. The owner of the register consents in writing: who, when, and to what. Without that there is no plan.
2. Decoys end. After the day of expiry none is written into a copy any more.
3. Whoever counts, serves or bills gets `exclusion`: the numbers alone, to leave out.
4. Which records are decoys is as secret as the mark key: plans are kept sealed, and no `repr` shows one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from muniment.errors import InputError, IntegrityError
from muniment.limits import PURPOSE_CHARACTERS
from muniment.table import Table

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Consent:
    """The owner's written consent: who gave it, when, and the text that was agreed to."""

    owner: str
    given: datetime
    text: str

    def __post_init__(self) -> None:
        if not self.owner.strip() or not self.text.strip():
            raise InputError(
                "the consent to decoys names no owner or holds no text: expected who agreed, and to what",
                hint="write down who answers for the register and what was agreed, then plan the decoys again",
            )
        if len(self.text) > PURPOSE_CHARACTERS:
            raise InputError(f"the consent has {len(self.text):,} characters: expected at most {PURPOSE_CHARACTERS:,}")
        if self.given.tzinfo is None:
            raise InputError("the time of the consent has no time zone: expected one such as +00:00")


@dataclass(frozen=True, slots=True, repr=False)
class DecoyPlan:
    """The decoys of one register. `share` is the probability q that a recipient's copy holds a given decoy."""

    register: str
    key: tuple[str, ...]
    decoys: Table
    share: float
    expires: date
    consent: Consent

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise InputError(f"the share of copies with a decoy is {self.share}: expected between 0 and 1")
        if len(set(self.exclusion())) != self.decoys.rows:
            raise InputError("two decoys have the same record number: expected a number of its own for each")

    def active(self, today: date) -> Table:
        """The decoys that may be written into a copy today: none once the plan has expired."""
        return self.decoys if today <= self.expires else self.decoys.take(())

    def exclusion(self) -> tuple[tuple[str, ...], ...]:
        """The record numbers that statistics, service and billing leave out; they stay out after expiry as well."""
        return tuple(tuple(cell or "" for cell in row) for row in self.decoys.select(self.key).iter_rows())

    def without(self, rows: Iterable[int]) -> DecoyPlan:
        """The plan without these decoys (row numbers), as after `recheck`."""
        gone = set(rows)
        kept = self.decoys.take([row for row in range(self.decoys.rows) if row not in gone])
        return DecoyPlan(self.register, self.key, kept, self.share, self.expires, self.consent)

    def to_json(self) -> str:
        """The plan for the sealed store. It is secret: never write it anywhere else."""
        consent = {"owner": self.consent.owner, "given": self.consent.given.isoformat(), "text": self.consent.text}
        value = {
            "version": _VERSION, "register": self.register, "key": self.key, "columns": self.decoys.columns,
            "cells": self.decoys.cells, "share": self.share, "expires": self.expires.isoformat(), "consent": consent,
        }  # fmt: skip
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> DecoyPlan:
        """Read a plan back. Raises `IntegrityError` where the text is no plan of this version."""
        try:
            value = json.loads(text)
            if value["version"] != _VERSION:
                raise ValueError(f"version {value['version']}")
            given = value["consent"]
            consent = Consent(given["owner"], datetime.fromisoformat(given["given"]), given["text"])
            decoys = Table(tuple(value["columns"]), tuple(value["cells"]))
            expires = date.fromisoformat(value["expires"])
            return cls(value["register"], tuple(value["key"]), decoys, float(value["share"]), expires, consent)
        except (KeyError, TypeError, ValueError, InputError) as error:
            raise IntegrityError(f"the decoy plan is not one of version {_VERSION}") from error

    def __repr__(self) -> str:
        return f"DecoyPlan({self.decoys.rows} decoys)"
