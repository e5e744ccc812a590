"""Which symbol addresses sealed bundles have opened: they read as erased for that recipient from then on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from muniment.disclosure import Recipient
from muniment.ledger.examinations import opened_for, record_opened
from muniment.trace.examine import Finding
from muniment.workspace.parts import Parts

if TYPE_CHECKING:
    from numpy.typing import NDArray


def opened_addresses(parts: Parts, candidates: Sequence[Recipient]) -> dict[int, NDArray[np.uint64]]:
    """Numbers of the opened addresses of each candidate that has any."""
    wanted = {recipient.number for recipient in candidates}
    found: dict[int, list[NDArray[np.uint64]]] = {}
    for opened in opened_for(parts.journal):
        if opened.recipient in wanted:
            found.setdefault(opened.recipient, []).append(parts.sets.load(opened.addresses))
    return {number: np.unique(np.concatenate(parts_)) for number, parts_ in found.items()}


def log_openings(parts: Parts, findings: Sequence[Finding], bundle_digest: str) -> None:
    """Log, before a bundle appears, the addresses that it opens for each named recipient."""
    opened = [(finding.recipient.number, finding.symbols.addresses.numbers) for finding in findings]
    record_opened(parts.journal, parts.sets, opened, bundle_digest=bundle_digest, now=parts.clock())
