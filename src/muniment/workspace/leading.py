"""Leads: who received these records. Not evidence, and never part of a verdict (evidence.md, "Leads").

People with the same work read the same records, so each number stands beside the one that the recipient's own share of
the register would explain. Leads are given only for a purpose, which is logged, and in the order of recipient numbers.
"""

from __future__ import annotations

import numpy as np

from muniment.errors import InputError
from muniment.ledger.journal import Head
from muniment.trace.verdict import Lead
from muniment.workspace.aligning import Aligned
from muniment.workspace.parts import Parts

LEAST_RECORDS = 20
"""Aligned records below which no lead is given: it would say who read these few persons."""


def leads_of(parts: Parts, aligned: Aligned, before: Head, purpose: str) -> tuple[Lead, ...]:
    """The recipients that hold leaked records of one register; logs that they were asked for.

    Raises:
        InputError: no purpose, or fewer than `LEAST_RECORDS` aligned records.
    """
    if not purpose.strip():
        raise InputError("leads are given for a purpose only", hint="--leads --purpose TEXT")
    if len(aligned.keys) < LEAST_RECORDS:
        raise InputError(f"{len(aligned.keys)} aligned records: leads are given from {LEAST_RECORDS} on")
    parts.journal.append("leads", {"register": aligned.register.name, "purpose": purpose}, parts.clock())
    held: dict[int, set[str]] = {}
    names: dict[int, str] = {}
    for copy in parts.copies.copies(aligned.register.name, before=before):
        held.setdefault(copy.recipient.number, set()).add(copy.records)
        names[copy.recipient.number] = copy.recipient.name
    register_rows = max(1, len(aligned.all_keys()))
    found = aligned.pseudonyms[~aligned.is_decoy]
    leads = []
    for number in sorted(held):
        received = np.unique(np.concatenate([parts.copies.load_records(digest) for digest in sorted(held[number])]))
        overlap = int(np.isin(found, received).sum())
        if overlap:
            leads.append(Lead(names[number], overlap, len(found) * len(received) / register_rows))
    return tuple(leads)
