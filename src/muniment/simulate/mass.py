"""Legal bulk: mass tasks that were declared beforehand, some that were not, and days with more than 200 records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.simulate.settings import ODDITIES, ODDITY_NAMES
from muniment.simulate.touches import Touches

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.simulate.office import Offices
    from muniment.simulate.population import Population

UNDECLARED: Final = 0.3
"""Chance that a world has a mass task that nobody declared."""
_LIST: Final = 25
"""Records of one list of a mass task."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Mass:
    """Whose tasks were declared, from day to day, for how many records, shape (jobs,); and all touches of bulk work."""

    account: NDArray[np.int64]
    since: NDArray[np.int64]
    until: NDArray[np.int64]
    most: NDArray[np.int64]
    touches: Touches


def mass(offices: Offices, population: Population, total: int, rng: np.random.Generator) -> Mass:
    """The bulk work of a world with about `total` reads."""
    active = np.argwhere(offices.counts > 0)
    declared = int(rng.integers(1, 3)) + len(offices) // 60
    rows = active[rng.integers(0, len(active), declared)]
    parts, spans, sizes = [], [], []
    for job, (account, begin) in enumerate(rows.tolist()):
        size = int(rng.integers(300, 1500))
        span = int(rng.integers(2, 6))
        part = _task(offices, population, account, begin, span, size, rng)
        parts.append(_listed(part, job))
        spans.append(span)
        sizes.append(size)
    if rng.random() < UNDECLARED:
        account, begin = active[int(rng.integers(len(active)))].tolist()
        parts.append(_listed(_task(offices, population, account, begin, 3, int(rng.integers(90, 300)), rng), -1))
    days = int(rng.poisson(ODDITIES["bulk"] * total / 1e6 / 230))
    for account, begin in active[rng.integers(0, len(active), days)].tolist():
        day = _task(offices, population, account, begin, 1, int(rng.integers(201, 261)), rng)
        parts.append(_listed(day, -1, ODDITY_NAMES.index("bulk")))
    until = rows[:, 1] + np.array(spans)
    most = (np.array(sizes) * 1.2).astype(np.int64)
    return Mass(rows[:, 0], rows[:, 1], until, most, _numbered(parts))


def _task(
    offices: Offices, population: Population, account: int, begin: int, span: int, size: int, rng: np.random.Generator
) -> Touches:
    """`size` records, popular ones or a stretch of one order, on the account's days from `begin` on."""
    days = np.flatnonzero(offices.counts[account, begin : begin + span] > 0) + begin
    if rng.random() < 0.5:
        start = int(rng.integers(0, len(population) - size))
        record = population.at[int(rng.integers(len(population.at)))][start : start + size]
        record = record[~np.isin(record, population.decoys)]
    else:
        record = np.unique(population.drawn(size, rng))
    day = np.sort(days[rng.integers(0, len(days), len(record))])
    return Touches.of(np.full(len(record), account), day, record)


def _listed(part: Touches, job: int, oddity: int = 0) -> Touches:
    n = len(part)
    run = np.arange(n) // _LIST * 4096 + part.day
    return Touches(part.account, part.day, part.record, part.case, np.full(n, oddity), run, np.full(n, job))


def _numbered(parts: list[Touches]) -> Touches:
    """Lists of several tasks get numbers of their own."""
    whole = Touches.joined(parts)
    task = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    number = np.unique(task * (1 << 40) + whole.list, return_inverse=True)[1]
    return Touches(whole.account, whole.day, whole.record, whole.case, whole.oddity, number, whole.job)
