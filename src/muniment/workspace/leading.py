"""Leads: who received these records. Not evidence, and never part of a verdict (evidence.md, "Leads").

People with the same work read the same records, so each number stands beside the one that the recipient's own share of
the register would explain. Leads are given only for a purpose, which is logged, and in the order of recipient numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from muniment.errors import InputError, LimitError
from muniment.ledger.journal import Head
from muniment.limits import PURPOSE_CHARACTERS
from muniment.trace.verdict import Lead
from muniment.workspace.aligning import Aligned
from muniment.workspace.parts import Parts

LEAST_RECORDS = 20
"""Aligned records below which no lead is given: it would say who read these few persons."""


def check_leads(alignments: Sequence[Aligned], purpose: str) -> None:
    """Refuse leads before the examination is logged and counted.

    Raises:
        InputError: no purpose, or no register of which `LEAST_RECORDS` records were aligned.
    """
    if not purpose.strip():
        raise InputError("leads are given for a purpose only", hint="--leads --purpose TEXT")
    if len(purpose) > PURPOSE_CHARACTERS:
        raise LimitError(f"the purpose has {len(purpose):,} characters: expected at most {PURPOSE_CHARACTERS:,}")
    most = max((len(aligned.keys) for aligned in alignments), default=0)
    if most < LEAST_RECORDS:
        raise InputError(
            f"{most} aligned records: leads are given from {LEAST_RECORDS} on", hint="trace without --leads"
        )


def leads_of(parts: Parts, aligned: Aligned, before: Head, purpose: str) -> tuple[Lead, ...]:
    """The recipients that hold leaked records of one register; logs that they were asked for.

    None where fewer than `LEAST_RECORDS` records of this register were aligned; see `check_leads`.
    """
    if len(aligned.keys) < LEAST_RECORDS:
        return ()
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
