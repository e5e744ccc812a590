"""The text of the few pairs that hashes leave open: read in one pass over the register, compared, and let go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from muniment.table import Cells
from muniment.trace.columns import Scan
from muniment.trace.fields import Field, Hashes, Keys, columns_of, texts
from muniment.trace.similarity import CLOSE, DIFFERENT, level
from muniment.trace.weights import Model, Pairs, bits_of, compare, posterior, with_u

OPEN_PAIRS: Final = 300_000
"""Pairs that are compared as text: some 20 s of work at most."""
SETTLED: Final = 0.999
"""A pair at or above this posterior is compared as text only to learn from."""
LEARNED_FROM: Final = 3_000
RANDOM_PAIRS: Final = 3_000
"""Pairs of different persons on which u is measured."""
_NEAR_BITS: Final = 6.0
"""How far below even odds a pair may stay at best, and still be read."""


def read_open_pairs(fields: Sequence[Field], texts_of_rows: Sequence[Cells], sides: tuple[Keys, Keys], scan: Scan,
                    model: Model, pairs: Pairs) -> tuple[Model, Pairs]:
    """Return the pairs with open ones compared as text, and the model with u measured on pairs drawn crosswise."""
    asked = _open_pairs(model, pairs)
    if not len(asked):
        return model, pairs
    known = _register_texts(fields, scan, np.unique(pairs.records[asked]))
    drawn = asked[::max(1, len(asked) // RANDOM_PAIRS)]
    others = np.roll(asked, max(1, len(asked) // 3))[:: max(1, len(asked) // RANDOM_PAIRS)]
    apart = pairs.rows[drawn] != pairs.rows[others]
    rows, records = pairs.rows[drawn[apart]], pairs.records[others[apart]]
    crossed = compare(fields, *sides, rows, records)
    levels = pairs.levels.copy()
    for number, field in enumerate(fields):
        if field.tolerance is None:
            alike = _Alike(field, texts_of_rows[number], known[number])
            alike.refine(levels[number], pairs.rows, pairs.records, asked)
            alike.refine(crossed[number], rows, records, np.arange(len(rows)))
    model = with_u(model, crossed) if len(rows) else model
    return model, Pairs(pairs.rows, pairs.records, levels)


def _open_pairs(model: Model, pairs: Pairs) -> NDArray[np.int64]:
    """Return the pairs worth reading: of rows not settled, and good enough if all that differs were only misspelt."""
    if not len(pairs.rows):
        return np.zeros(0, np.int64)
    share = posterior(bits_of(model, pairs.levels, pairs.rows), pairs.rows, model.register_rows)
    best = bits_of(model, np.where(pairs.levels == DIFFERENT, CLOSE, pairs.levels).astype(np.uint8), pairs.rows)
    hopeful = best >= np.log2(max(2, model.register_rows)) - _NEAR_BITS
    unequal = (pairs.levels == DIFFERENT).any(axis=0)
    settled = share >= SETTLED
    done = np.isin(pairs.rows, pairs.rows[settled])
    still_open = np.flatnonzero(hopeful & unequal & ~done)[:OPEN_PAIRS]
    return np.sort(np.r_[still_open, np.flatnonzero(unequal & settled)[:LEARNED_FROM]])


def _register_texts(fields: Sequence[Field], scan: Scan, records: Hashes) -> list[dict[int, str | None]]:
    known: list[dict[int, str | None]] = [{} for _ in fields]
    start = 0
    for batch in scan(columns_of(fields)):
        low, high = np.searchsorted(records, [start, start + batch.rows])
        places = (records[low:high] - start).tolist()
        if places:
            for number, field in enumerate(fields):
                some = batch.select(field.columns).take(places)
                known[number].update(zip(records[low:high].tolist(), texts(some, field.columns), strict=True))
        start += batch.rows
    return known


class _Alike:
    """Compares the cells of one field as text. Owns the memory of the forms and levels it has worked out."""

    __slots__ = ("_field", "_levels", "_mine", "_theirs", "_words")

    def __init__(self, field: Field, mine: Cells, theirs: dict[int, str | None]) -> None:
        self._field, self._mine, self._theirs = field, mine, theirs
        self._words: dict[str, str] = {}
        self._levels: dict[tuple[str, str], int] = {}

    def refine(self, levels: NDArray[np.uint8], rows: Hashes, records: Hashes, asked: NDArray[np.int64]) -> None:
        """Replace `DIFFERENT` in place by what the texts say, for the pairs with the numbers `asked`."""
        for pair in asked[levels[asked] == DIFFERENT].tolist():
            mine, theirs = self._mine[rows[pair]], self._theirs[int(records[pair])]
            if mine and theirs:
                levels[pair] = self._level(self._form(mine), self._form(theirs))

    def _level(self, first: str, second: str) -> int:
        found = self._levels.get((first, second))
        if found is None:
            found = self._levels[first, second] = level(first, second, self._field.kind)
        return found

    def _form(self, text: str) -> str:
        form = self._words.get(text)
        if form is None:
            form = self._words[text] = self._field.words(text)
        return form
