"""Sources and the cache of their columns."""

from __future__ import annotations

import numpy as np

from language.streams import batch_of, disclosures
from muniment.ledger.batch import NUMBERS, TEXTS
from muniment.ledger.sources import BatchSource, ColumnCache


def test_a_batch_as_a_source() -> None:
    batch = batch_of(disclosures(5, 20), first=7)
    source = BatchSource(batch, leaf=3, spans={4: 20})
    assert (source.leaf, source.rows, source.window) == (3, 5, (7 * 3_600_000, 11 * 3_600_000))
    assert source.spans() == {4: 20}
    assert all(source.numbers(name) is getattr(batch, name) for name in NUMBERS)
    assert all(source.texts(name) is getattr(batch, name) for name in TEXTS)
    assert source.records() == (batch.starts, batch.ordinals)
    assert source.batch() is batch
    numbers, texts = source.pick(np.array([4, 1]), ("time",), ("case", "party"))
    assert {name: values.tolist() for name, values in numbers.items()} == {"time": batch.time[[4, 1]].tolist()}
    assert {name: [column[0], column[1]] for name, column in texts.items()} == {
        name: [getattr(batch, name)[4], getattr(batch, name)[1]] for name in ("case", "party")
    }
    assert source.identity == BatchSource(batch).identity != BatchSource(batch.numbered(1, 1)).identity


def test_the_cache_drops_what_was_used_longest_ago() -> None:
    cache, made = ColumnCache(10), []

    def get(number: int, size: int = 4) -> int:
        return cache.get((number, "c"), lambda: made.append(number) or number, lambda _: size)

    assert [get(1), get(2), get(1), get(3), get(1), get(2)] == [1, 2, 1, 3, 1, 2]
    assert made == [1, 2, 3, 2]
    assert [(number, "c") in cache for number in (1, 2, 3)] == [True, True, False]
    assert len(cache) == 8
    get(9, 100)  # longer than the cache: kept until something else comes
    assert len(cache) == 100
    get(9)
    get(1)
    assert made == [1, 2, 3, 2, 9, 1]
