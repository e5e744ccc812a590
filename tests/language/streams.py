"""Generated disclosures for tests of the ledger's readers, and the plain answers that a loop over them gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from muniment.disclosure import Channel, Disclosure, Party, Template
from muniment.ledger.batch import Batch
from muniment.ledger.sources import BatchSource

DAY = 86_400_000
CHANNELS = (Channel.GATE, Channel.FILE)


def disclosures(count: int, span: int, *, seed: int = 1, dumps: int = 0, most: int = 6) -> list[Disclosure]:
    """So many disclosures of records below `span`: one in three holds record 5, the last `dumps` hold half of all."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(count):
        size = span // 2 if number >= count - dumps else int(rng.integers(0, most))
        chosen = set(rng.choice(span, size, replace=False).tolist()) | ({5} if number % 3 == 0 else set())
        made.append(
            Disclosure(
                party=Party(f"agency {number % 4}", f"account {number % 7}", f"device {number % 3}"),
                template=Template("persons", 1, CHANNELS[number % 2], (1, 2), f"purpose {number % 5}"),
                records=tuple(sorted(chosen)),
                case=f"case {number % 11}",
                fingerprint=f"query {number % 13}",
                rows=len(chosen),
                size=100 * len(chosen),
                released=len(chosen),
            )
        )
    return made


def batch_of(made: Sequence[Disclosure], *, first: int = 1) -> Batch:
    """Disclosures as a numbered batch: one an hour, from sequence number `first` on."""
    sequence = np.arange(first, first + len(made), dtype=np.int64)
    return Batch.of(made).stamped(sequence, sequence * 3_600_000)


def source_of(batch: Batch, leaf: int, span: int, *, dump: int | None = None) -> BatchSource:
    """A batch as a segment: rows of one record or none, then lists, then dumps (`dump` records, else half the span)."""
    counts = batch.counts
    shapes = np.where(counts >= (dump or -(-span // 2)), 2, (counts > 1).astype(np.int64))
    order = np.argsort(shapes, kind="stable")
    spans = dict.fromkeys(np.flatnonzero(shapes[order] == 2).tolist(), span)
    return BatchSource(batch.take(order), leaf=leaf, spans=spans)


def overlap_of(made: Sequence[Disclosure], wanted: set[int]) -> Mapping[tuple[str, str], int]:
    """(recipient, account) -> distinct wanted records it received."""
    held: dict[tuple[str, str], set[int]] = {}
    for one in made:
        held.setdefault((one.party.recipient, one.party.account), set()).update(wanted.intersection(one.records))
    return {key: len(records) for key, records in held.items() if records}
