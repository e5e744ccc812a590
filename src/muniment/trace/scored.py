"""The rows that equal no single record: paired by blocking, weighed, and decided against what strangers reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from muniment.disclosure import Kind
from muniment.table import Cells
from muniment.trace.blocking import candidates, choose_passes, chunks, forms_of
from muniment.trace.calibrate import STRANGERS, foreign_share, stranger_share
from muniment.trace.columns import Scan
from muniment.trace.fields import Field, Hashes, Keys, Numbers, leak_keys, with_loose
from muniment.trace.strings import read_open_pairs
from muniment.trace.weights import (
    MOST_BITS,
    Model,
    Pairs,
    bits_of,
    compare,
    first_model,
    learned,
    mark_swapped,
    posterior,
)

CHUNK_ROWS: Final = 131_072
"""Leak rows that are blocked at once: bounds the pairs in memory."""
KEPT_RECORDS: Final = 6
"""Records that are kept for each row after the comparison by hash."""
LEARNING_ROUNDS: Final = 3
LEAST_FOREIGN: Final = 0.05
"""Share of rows that are taken to be from elsewhere, at least."""


@dataclass(frozen=True, slots=True, repr=False)
class Found:
    """Rows (numbers among those given) with their record and weight, and how many rows several records explain."""

    rows: Hashes
    records: Hashes
    weights: Numbers
    tied: int


def score_rest(fields: Sequence[Field], cells: Sequence[Cells], register: Keys, scan: Scan, agreed: Numbers) -> Found:
    """Find the records of rows by weights. `cells` are the rows by field, `agreed` the exact rows that fill a field."""
    rows = len(cells[0])
    if not rows or not register.rows:
        return Found(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), 0)
    # 2. pairs by blocking; some records join as strangers, with the gaps of the leak
    own = np.unique(np.linspace(0, register.rows - 1, STRANGERS).astype(np.int64))
    theirs, drawn = with_loose(fields, scan, register, own)
    everyone = [[*column, *_with_gaps(some, column)] for column, some in zip(cells, drawn, strict=True)]
    mine = leak_keys(fields, everyone, loose=True)
    model = first_model(fields, mine, theirs)
    pairs = _paired(fields, mine, theirs, model, np.r_[np.full(rows, -1), own])
    # 3. learn from the leak's rows, and read the open pairs
    model = _learn(model, pairs, rows, agreed)
    model, pairs = read_open_pairs(fields, everyone, (mine, theirs), scan, model, pairs)
    model = _learn(model, pairs, rows, agreed)
    # 4. decide
    return _decide(model, pairs, rows, len(own))


def _with_gaps(records: Cells, column: Cells) -> Cells:
    """Return the records' cells, missing where the leak's rows miss them: each record takes the gaps of one row."""
    return [cell if column[number * len(column) // len(records)] else None for number, cell in enumerate(records)]


def _paired(fields: Sequence[Field], leak: Keys, register: Keys, model: Model, own: Hashes) -> Pairs:
    """Return the best `KEPT_RECORDS` pairs of each row; a record is not paired with itself (`own`)."""
    passes = choose_passes(forms_of(fields, leak, register), register.rows)
    names = [number for number, field in enumerate(fields) if field.kind is Kind.NAME]
    kept = [Pairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((len(fields), 0), np.uint8))]
    for chunk in chunks(np.arange(leak.rows), CHUNK_ROWS):
        rows, records = candidates(passes, chunk, register.rows)
        others = own[rows] != records
        rows, records = rows[others], records[others]
        levels = compare(fields, leak, register, rows, records)
        for first, other in combinations(names, 2):
            mark_swapped(levels, (leak, register), rows, records, first, other)
        best = _best(bits_of(model, levels, rows), rows)
        kept.append(Pairs(rows[best], records[best], levels[:, best]))
    return Pairs(np.concatenate([part.rows for part in kept]), np.concatenate([part.records for part in kept]),
                 np.concatenate([part.levels for part in kept], axis=1))


def _best(bits: Numbers, rows: Hashes) -> NDArray[np.int64]:
    """Return the places of each row's best pairs, in the order of the rows."""
    order = np.lexsort((-bits, rows))
    starts = _starts(rows)
    place = np.arange(len(rows)) - np.repeat(starts, np.diff(np.r_[starts, len(rows)]))
    return np.sort(order[place < KEPT_RECORDS])


def _starts(rows: Hashes) -> NDArray[np.int64]:
    """Return where each row's pairs begin; `rows` is sorted."""
    return np.flatnonzero(np.r_[True, rows[1:] != rows[:-1]][:len(rows)])


def _learn(model: Model, pairs: Pairs, rows: int, agreed: Numbers) -> Model:
    """Return the model with m learned from the pairs of the leak's rows (strangers come after them)."""
    end = int(np.searchsorted(pairs.rows, rows))
    leaked, levels = pairs.rows[:end], pairs.levels[:, :end]
    for _ in range(LEARNING_ROUNDS):
        share = posterior(bits_of(model, levels, leaked), leaked, model.register_rows)
        model = learned(model, levels, share, agreed)
    return model


def _decide(model: Model, pairs: Pairs, rows: int, strangers: int) -> Found:
    """Return the pairs above 1/2, by posterior and by what strangers reach.

    Prior odds of a row are even, or better where few rows look like strangers.
    """
    bits = bits_of(model, pairs.levels, pairs.rows)
    best = np.full(rows + strangers, -MOST_BITS)
    np.maximum.at(best, pairs.rows, bits)
    known = 1.0 - stranger_share(best[:rows], best[rows:])
    foreign = max(LEAST_FOREIGN, foreign_share(best[:rows], best[rows:]))
    end = int(np.searchsorted(pairs.rows, rows))
    leaked = pairs.rows[:end]
    share = posterior(bits[:end], leaked, model.register_rows, max(1.0, (1 - foreign) / foreign))
    starts = _starts(leaked)
    explained = np.zeros(rows)
    explained[leaked[starts]] = np.add.reduceat(share, starts) if end else 0.0
    weight = np.minimum(share, known[leaked])
    taken = (share > 0.5) & (weight > 0.5)
    tied = int(((explained > 0.5) & (known > 0.5)).sum()) - int(taken.sum())
    return Found(leaked[taken], pairs.records[:end][taken], weight[taken], tied)
