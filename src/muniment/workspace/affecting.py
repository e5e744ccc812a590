"""Who is affected by a leak: a count, and a list that only the holder of the notice key opens.

Steps: 1. what is asked for is checked; 2. the leak is aligned with the registers; 3. the question goes on record as a
disclosure of whoever asks; 4. the list is sealed to the notice key. Rows are tied to records in memory only.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from muniment.disclosure import Register
from muniment.durable import check_target, replace_file
from muniment.errors import InputError
from muniment.ingest.leaks import read_leak
from muniment.notice.envelope import seal_to
from muniment.workspace.aligning import Aligned, align_leak
from muniment.workspace.ordinals import given_ordinals
from muniment.workspace.parts import Parts
from muniment.workspace.subjects import check_purpose, own_disclosure

LEAST_RECORDS = 20
"""Affected persons below which a second person must be there: a file of a few rows asks about these few."""


@dataclass(frozen=True, slots=True)
class Incident:
    """What is asked: the found file, the incident it belongs to, and where the sealed list goes (`None`: no list)."""

    file: Path
    id: str
    register: str | None = None
    mapping: Mapping[str, str] | None = None
    encoding: str | None = None
    out: Path | None = None


@dataclass(frozen=True, slots=True)
class AffectedResult:
    """How many persons of each register are in a leak. `file` is the sealed list."""

    incident: str
    persons: Mapping[str, int]
    rows: int
    rows_aligned: int
    file: Path | None

    def to_json(self) -> dict[str, object]:
        """The JSON of `muniment affected --json`."""
        return {
            "incident": self.incident,
            "persons": dict(self.persons),
            "rows": self.rows,
            "rows_aligned": self.rows_aligned,
            "file": None if self.file is None else str(self.file),
        }


def affected(
    parts: Parts, incident: Incident, *, second_person: bool, progress: Callable[[str], None] = lambda step: None
) -> AffectedResult:
    """Count the persons in a leak, and seal the list of them to the notice key of muniment.toml.

    `second_person`: both custodians gave their passphrases. Raises `InputError` for a missing incident or notice key,
    and for fewer than `LEAST_RECORDS` persons without a second person; `UnreachableError` where the question cannot be
    put on record.
    """
    public = _checked(parts, incident)
    progress("read the leak")
    leak = read_leak(incident.file, encoding=incident.encoding)
    before = parts.journal.head()
    registers = [one.name for one in parts.config.registers if incident.register in (None, one.name)]
    if not registers:
        raise InputError(f"there is no register {incident.register!r}", hint="muniment register list")
    found: list[tuple[Register, Aligned]] = []
    for name in registers:
        progress(f"align with {name}")
        register = parts.register(name)
        found.append((register, align_leak(parts, register, leak, incident.mapping or {}, before)))
    persons = {register.name: int((~aligned.is_decoy).sum()) for register, aligned in found}
    if sum(persons.values()) < LEAST_RECORDS and not second_person:
        raise InputError(
            f"fewer than {LEAST_RECORDS} persons of a register are in this file: a second person must be there",
            hint="a workspace with two custodians, both passphrases given: --second-person",
        )
    _on_record(parts, incident.id, found)
    if incident.out is not None and public is not None:
        replace_file(incident.out, [seal_to(public, _listed(found), os.urandom)])
    return AffectedResult(
        incident=incident.id,
        persons=persons,
        rows=sum(table.table.rows for table in leak.tables),
        rows_aligned=sum(aligned.rows for _, aligned in found),
        file=incident.out,
    )


def _checked(parts: Parts, incident: Incident) -> bytes | None:
    if not incident.id.strip():
        raise InputError("no incident given: expected its number or name", hint="--incident ID")
    check_purpose(incident.id)
    if incident.out is None:
        return None
    check_target(incident.out, "--out")
    if parts.config.ledger.notice_key is None:
        raise InputError(
            "no notice key: the list of affected persons is written for its holder only",
            hint="muniment notice-key new FILE, then notice_key under [ledger] in muniment.toml",
        )
    return bytes.fromhex(parts.config.ledger.notice_key)


def _on_record(parts: Parts, incident: str, found: list[tuple[Register, Aligned]]) -> None:
    with parts.ledger.writing() as appender:
        for register, aligned in found:
            real = [key for key, decoy in zip(aligned.keys, aligned.is_decoy.tolist(), strict=True) if not decoy]
            if real:
                ordinals = np.unique(given_ordinals(parts, appender, register.name, real))
                purpose = f"affected: {incident}"
                appender.append(own_disclosure(parts, register, purpose, ordinals, case=incident)).result()


def _listed(found: list[tuple[Register, Aligned]]) -> bytes:
    """The list: a CSV with the register's name and the parts of the key, one person a line."""
    text = io.StringIO()
    writer = csv.writer(text)
    for register, aligned in found:
        writer.writerow(["register", *register.key])
        columns = [aligned.records[name] for name in register.key]
        rows = zip(*columns, strict=True)
        writer.writerows(
            [register.name, *row] for row, decoy in zip(rows, aligned.is_decoy.tolist(), strict=True) if not decoy
        )
    return text.getvalue().encode()
