"""Leads: who received these records. Not evidence, and never part of a verdict (evidence.md, "Leads").

People with the same work read the same records, so each number stands beside the one that the recipient's own share of
the register would explain. Leads are given only for a purpose, which is logged; those who have had copies come in the
order of their numbers, the others by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from muniment.disclosure import Party
from muniment.errors import InputError, LimitError
from muniment.ledger.reader import LedgerReader
from muniment.limits import PURPOSE_CHARACTERS
from muniment.trace.verdict import Lead
from muniment.workspace.aligning import Aligned
from muniment.workspace.ordinals import known_ordinals
from muniment.workspace.parts import Parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

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


def leads_of(parts: Parts, aligned: Aligned, purpose: str, found: datetime | None) -> tuple[Lead, ...]:
    """The recipients that held leaked records of one register when the leak was `found` (`None`: now), by any channel.

    Logs that they were asked for. None where fewer than `LEAST_RECORDS` records of this register were aligned; see
    `check_leads`. What this office itself looked up is left out: it would stand first in every list.
    """
    if len(aligned.keys) < LEAST_RECORDS:
        return ()
    parts.journal.append("leads", {"register": aligned.register.name, "purpose": purpose}, parts.clock())
    records = known_ordinals(parts, aligned.register, [aligned.keys[i] for i in np.flatnonzero(~aligned.is_decoy)])
    reader = parts.ledger.reader()
    until = int((found if found is not None else parts.clock()).timestamp() * 1000)
    order = {recipient.name: recipient.number for recipient in parts.copies.known_recipients()}
    register_rows = max(1, len(aligned.all_keys()))
    leads = []
    for name, held in _held(reader, records, until).items():
        if name != parts.office:
            received = len(reader.received(recipient=name, until=until))
            leads.append(Lead(name, held, len(records) * received / register_rows))
    return tuple(sorted(leads, key=lambda lead: (order.get(lead.recipient, len(order) + 1), lead.recipient)))


def _held(reader: LedgerReader, records: NDArray[np.uint32], until: int) -> dict[str, int]:
    """How many of these records each recipient had received before a time (ms since 1970)."""
    rows = reader.history(records)
    batch = reader.batch(rows.take(np.flatnonzero(rows.time < until)), records=True)
    wanted = np.isin(batch.ordinals, records)
    names = [Party.from_text(text).recipient for text in batch.party.values]
    recipients = {name: number for number, name in enumerate(dict.fromkeys(names))}
    numbers = np.array([recipients[name] for name in names], np.uint64)
    row_numbers = np.repeat(numbers[batch.party.codes], batch.counts)[wanted] if names else numbers
    pairs = np.unique(row_numbers << np.uint64(32) | batch.ordinals[wanted].astype(np.uint64))
    counts = np.bincount((pairs >> np.uint64(32)).astype(np.int64), minlength=len(recipients))
    return {name: int(counts[number]) for name, number in recipients.items() if counts[number]}
