"""Disclosures that a test puts into the ledger of an office, beside the copies that it hands out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from language.offices import Office
from muniment.disclosure import Channel, Disclosure, Party, Template, canonical_key
from muniment.ledger.appender import Receipt
from muniment.workspace.ordinals import given_ordinals, known_ordinals

TOLD = Disclosure(
    party=Party("Tax", "chen", "10.0.0.7"),
    template=Template(register="persons", schema=1, channel=Channel.APPLICATION, columns=(3,), purpose="assessment"),
    case="2026-17",
    fingerprint="q1",
    rows=1,
    released=1,
)
"""A clerk of the tax office read one record in an application."""


def key_of(office: Office, row: int) -> str:
    """The key of a person of the register."""
    key = office.persons["person_id"][row]
    assert key is not None
    return key


def give(office: Office, keys: Sequence[str | tuple[str, ...]], told: Disclosure = TOLD) -> Receipt:
    """Append `told` with the records of these keys; sealed where the ring may sign."""
    canonical = [canonical_key((key,) if isinstance(key, str) else key) for key in keys]
    with office.parts.ledger.writing() as appender:
        ordinals = np.unique(given_ordinals(office.parts, appender, told.template.register, canonical))
        records = tuple(int(ordinal) for ordinal in ordinals)
        return appender.append(replace(told, records=records, rows=len(keys), released=len(keys))).result()


def ordinals_of(office: Office, keys: Sequence[str], register: str = "persons") -> list[int]:
    """What the ledger knows of these persons, under every epoch."""
    parts = office.parts
    return known_ordinals(parts, parts.register(register), [canonical_key((key,)) for key in keys]).tolist()


def without_signing(office: Office) -> None:
    """From here on the office is a clerk's, whose key ring cannot sign: nothing is sealed."""
    ring = office.folder / "office" / "keys" / "ring.json"
    office.workspace.export_without_signing(ring.with_name("clerk.json"))
    os.replace(ring.with_name("clerk.json"), ring)
    office.reopen()


