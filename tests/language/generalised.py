"""Small tables with hierarchies of random shape, and the brute force that levels and recodings are held against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import product

import numpy as np
from hypothesis import strategies as st

from muniment.exposure.extract import Coded, Extract, narrowed
from muniment.exposure.hierarchies import Bands, Hierarchy, Rule, Whole, hierarchies
from muniment.exposure.lattice import Goal

RULES: tuple[Rule, ...] = (Whole(), Bands((2,)), Bands((2, 4)), Bands((3, 6, 12)))


def numbers(name: str, values: Sequence[int | None]) -> Coded:
    """A column of numbers, some of them NULL, with labels."""
    known = sorted({value for value in values if value is not None})
    labels = (*map(str, known), *((None,) if None in values else ()))
    places = {value: place for place, value in enumerate(known)} | {None: len(known)}
    codes = narrowed(np.array([places[value] for value in values], np.int64), len(labels))
    return Coded(name, codes, len(labels), len(known) if None in values else -1, labels=labels)  # type: ignore[arg-type]


@st.composite
def generalised(draw: st.DrawFn) -> tuple[Extract, tuple[Hierarchy, ...]]:
    """An extract of 10 to 60 rows in one to four columns, and a hierarchy for each."""
    rows = draw(st.integers(10, 60))
    columns = []
    for place in range(draw(st.integers(1, 4))):
        value = st.integers(0, draw(st.sampled_from([1, 3, 15]))) | st.none()
        columns.append(numbers(f"c{place}", draw(st.lists(value, min_size=rows, max_size=rows))))
    rules = {column.name: draw(st.sampled_from(RULES)) for column in columns}
    return Extract(tuple(columns), rows), hierarchies(columns, rules)


goals = st.builds(Goal, st.integers(1, 8), st.sampled_from([0.0, 0.02, 0.1, 0.3, 0.9]))


def told(extract: Extract, found: Sequence[Hierarchy], levels: Sequence[int]) -> list[tuple[str | None, ...]]:
    """What each row is told as."""
    texts = [
        [one.labels[level][one.maps[level][code]] for code in column.codes.tolist()]
        for column, one, level in zip(extract.columns, found, levels, strict=True)
    ]
    return list(zip(*texts, strict=True))


def counted(extract: Extract, found: Sequence[Hierarchy], levels: Sequence[int], k: int) -> tuple[int, float]:
    """Rows suppressed and loss of a node, row by row."""
    rows = told(extract, found, levels)
    sizes = Counter(rows)
    losses = []
    for place, row in enumerate(rows):
        cells = [
            one.losses[level][one.maps[level][column.codes[place]]]
            for column, one, level in zip(extract.columns, found, levels, strict=True)
        ]
        losses.append(1.0 if sizes[row] < k else float(np.mean(cells)))
    return sum(sizes[row] < k for row in rows), float(np.mean(losses))


def least_loss(extract: Extract, found: Sequence[Hierarchy], goal: Goal) -> float:
    """The least loss of all nodes that reach the goal: each one counted."""
    every = product(*(range(one.height) for one in found))
    counts = [counted(extract, found, levels, goal.k) for levels in every]
    return min(loss for suppressed, loss in counts if suppressed <= goal.most(extract.rows))
