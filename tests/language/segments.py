"""Batches for tests of segments: every shape of row, every kind of text."""

from __future__ import annotations

import numpy as np

from muniment.disclosure import Channel, Disclosure, Party, Template
from muniment.ledger.batch import TEXTS, Batch

START = 1_767_225_600_000
"""1 January 2026, in milliseconds."""


def disclosures(seed: int, rows: int, span: int, *, dumps: int = 0, longest: int = 200) -> list[Disclosure]:
    """Rows of no, one and several records below `span`, and dumps; in mixed order."""
    rng = np.random.default_rng(seed)
    counts = rng.choice([0, 1, 1, 1, 2, 64, 65, longest], rows).tolist()
    counts += rng.integers(max(4096, span // 8), span + 1, dumps).tolist()
    return [_one(rng, count, span) for count in rng.permutation(counts).tolist()]


def _one(rng: np.random.Generator, count: int, span: int) -> Disclosure:
    number = int(rng.integers(0, 20))
    return Disclosure(
        party=Party(f"office {number % 3}", f"u{number}", "" if number % 2 else f"10.0.0.{number}"),
        template=Template("persons", 1, Channel.GATE, (1, 2, number + 3), "查詢" if number % 4 else "care"),
        records=tuple(sorted(rng.choice(span, min(count, span), replace=False).tolist())),
        case=f"case {int(rng.integers(0, 500))}",
        fingerprint=f"{number:08x}",
        rows=count,
        size=int(rng.integers(0, 2**40)),
        released=count,
        occurred=START + int(rng.integers(0, 2**30)) if number % 3 else 0,
    )


def numbered(made: list[Disclosure], first: int = 1) -> Batch:
    """A batch as the write-ahead file gives it: in sequence, times that do not fall."""
    batch = Batch.of(made)
    steps = np.random.default_rng(first).integers(0, 3_000, len(made))
    return batch.stamped(np.arange(first, first + len(made)), START + np.cumsum(steps))


def a_batch(seed: int = 1, rows: int = 300, span: int = 10_000, *, dumps: int = 0, first: int = 1) -> Batch:
    """Numbered disclosures of every shape."""
    return numbered(disclosures(seed, rows, span, dumps=dumps), first)


def rows_of(batch: Batch) -> list[tuple[object, ...]]:
    """Every row as plain values, in order of sequence."""
    rows = [
        (int(batch.sequence[i]), int(batch.time[i]), int(batch.rows[i]), int(batch.size[i]), int(batch.released[i]),
         int(batch.occurred[i]),
         *(getattr(batch, name)[i] for name in TEXTS), batch.records(i).tolist())
        for i in range(len(batch))
    ]  # fmt: skip
    return sorted(rows)
