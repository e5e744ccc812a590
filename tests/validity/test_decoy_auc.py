"""Decoys cannot be told from records: a real attack on a whole copy, all columns and numbers included, stays at chance.

The attack (`language.attack_decoys`) learns from labelled rows, which no recipient has, and is cross-validated without
parting households. Its AUC, the mean over independent draws, must lie in 0.45 .. 0.55. The very same attack must catch
a generator that draws its columns independently, so the test is known to be able to fail.
"""

from __future__ import annotations

import random
from collections import defaultdict
from functools import lru_cache

import numpy as np
import pytest

from language.attack_decoys import auc
from language.decoy_registers import demo_decoys, demo_table
from muniment.table import Table

DECOYS = 1_000
DRAWS = (0, 1, 2)
BAND = (0.45, 0.55)
KEPT = ("person_id", "household_id")
"""Columns that the weaker generator has from the real one: its own would give it away at once."""


def key(draw: int) -> bytes:
    """A key of its own for each draw."""
    return b"draw %d" % draw + bytes(24)


def independent(table: Table, decoys: Table, seed: int) -> Table:
    """What the weaker generator makes: every column drawn from the register on its own."""
    chance = random.Random(seed)
    cells = tuple(
        decoys[name] if name in KEPT else chance.choices(table[name], k=decoys.rows) for name in table.columns
    )
    return Table(table.columns, cells)


def whole_households(table: Table, count: int, seed: int) -> list[int]:
    """Rows of `count` records in whole households, the last one cut."""
    houses = defaultdict(list)
    for row, house in enumerate(table["household_id"]):
        houses[house].append(row)
    order = list(houses.values())
    random.Random(seed).shuffle(order)
    return [row for rows in order for row in rows][:count]


def attacked(table: Table, decoys: Table, seed: int) -> dict[str, float]:
    """AUC of each attack on one copy: all records with the decoys among them, as many records as decoys labelled."""
    hidden = decoys.select(table.columns).cells
    copy = Table(table.columns, tuple([*a, *b] for a, b in zip(table.cells, hidden, strict=True)))
    chosen = [*whole_households(table, decoys.rows, seed), *range(table.rows, copy.rows)]
    labels = [0] * decoys.rows + [1] * decoys.rows
    return {name: found[0] for name, found in auc(copy, chosen, labels, repeats=1, resamples=20).items()}


def interval(values: list[float]) -> str:
    """Mean and 95 % interval over draws, as text."""
    half = 1.96 * np.std(values, ddof=1) / len(values) ** 0.5
    return f"{np.mean(values):.3f} +- {half:.3f}"


@lru_cache(maxsize=1)
def weak() -> dict[str, float]:
    """AUC of each attack on the weaker generator."""
    table = demo_table()
    return attacked(table, independent(table, demo_decoys(DECOYS, key(0)), 0), 0)


def measure(draws: range | tuple[int, ...], count: int = DECOYS) -> dict[str, list[float]]:
    """AUC of each attack on each draw."""
    found = defaultdict(list)
    for draw in draws:
        for name, value in attacked(demo_table(), demo_decoys(count, key(draw)), draw).items():
            found[name].append(value)
    return found


def test_decoys_cannot_be_told_from_records():
    for name, values in measure(DRAWS).items():
        assert BAND[0] <= np.mean(values) <= BAND[1], f"{name}: {interval(values)}"


@pytest.mark.parametrize("attack", ["boosting", "regression", "both"])
def test_the_same_attack_catches_independent_columns(attack):
    assert weak()[attack] > 0.9


@pytest.mark.soak
@pytest.mark.parametrize(("count", "draws"), [(1_000, 24), (2_000, 8)])
def test_many_draws_cannot_be_told_from_records(count, draws):
    for name, values in measure(range(100, 100 + draws), count).items():
        print(f"{count:,} decoys, {draws} draws, {name}: {interval(values)}")
        assert BAND[0] <= np.mean(values) <= BAND[1], f"{name}: {interval(values)}"
