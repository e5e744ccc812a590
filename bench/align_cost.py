"""What mapping and alignment cost in CPU seconds and memory, as register and leak grow.

Run: python bench/align_cost.py REGISTER_ROWS LEAK_ROWS [clean|dirty]
The register is generated batch by batch, the same at every scan; its own cost is measured alone and left out.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator, Sequence

import numpy as np

from muniment.disclosure import Kind
from muniment.limits import BATCH_ROWS
from muniment.table import Cells, Table
from muniment.trace.align import align
from muniment.trace.columns import ColumnSpec
from muniment.trace.mapping import propose_mapping

COLUMNS = {"given_name": Kind.NAME, "surname": Kind.NAME, "born": Kind.DATE, "address": Kind.ADDRESS}
SPECS = [ColumnSpec(name, kind, str, None) for name, kind in COLUMNS.items()]
SYLLABLES = ["ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "wa"]
GIVEN = [a.title() + b + c for a in SYLLABLES for b in SYLLABLES for c in ("n", "la", "r", "s", "to")]
SURNAMES = [a.title() + b + c + d for a in SYLLABLES for b in SYLLABLES for c in SYLLABLES for d in ("n", "ck", "son")]
DAYS = [str(day) for day in np.arange("1930-01-01", "2024-01-01", dtype="datetime64[D]")]
STREETS = [f"{name} {kind}" for name in SURNAMES[::3] for kind in ("Street", "Road", "Close")]


def batch(number: int, rows: int) -> Table:
    """Return one batch of the generated register; names follow a long-tailed law, every address a house number."""
    random = np.random.default_rng((7, number))
    given = (len(GIVEN) * random.random(rows) ** 2.5).astype(int)
    surname = (len(SURNAMES) * random.random(rows) ** 2.5).astype(int)
    street, house = random.integers(0, len(STREETS), rows), random.integers(1, 200, rows)
    cells: tuple[Cells, ...] = (
        [GIVEN[i] for i in given.tolist()],
        [SURNAMES[i] for i in surname.tolist()],
        [DAYS[i] for i in random.integers(0, len(DAYS), rows).tolist()],
        [f"{h} {STREETS[s]}" for h, s in zip(house.tolist(), street.tolist(), strict=True)],
    )
    return Table(tuple(COLUMNS), cells)


def main(register_rows: int, leak_rows: int, dirty: bool) -> None:
    """Print one line of figures."""
    sizes = [min(BATCH_ROWS, register_rows - start) for start in range(0, register_rows, BATCH_ROWS)]
    spent = 0.0

    def scan(columns: Sequence[str]) -> Iterator[Table]:
        nonlocal spent
        for number, rows in enumerate(sizes):
            start = time.process_time()
            table = batch(number, rows).select(columns)
            spent += time.process_time() - start
            yield table

    leak, truth = _leak(sizes, leak_rows, dirty)
    start = time.process_time()
    matches = propose_mapping(leak, SPECS, scan, header=False)
    mapped, made = time.process_time() - start - spent, spent
    start = time.process_time()
    found = align(leak, matches, SPECS, scan)
    aligned = time.process_time() - start - (spent - made)
    right = int((truth[found.leak_row] == found.register_row).sum())
    named = sum(match.column == list(COLUMNS)[number] for number, match in enumerate(matches))
    print(f"register {register_rows:,} leak {leak_rows:,} {'dirty' if dirty else 'clean'}: mapping {mapped:.1f} s "
          f"({named} of {len(COLUMNS)} columns), alignment {aligned:.1f} s, recall {right / (truth >= 0).sum():.4f}, "
          f"precision {right / max(1, len(found.leak_row)):.4f}, "
          f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


def _leak(sizes: list[int], rows: int, dirty: bool) -> tuple[Table, np.ndarray]:
    """Return rows of the register in another order; `dirty`: a fifth is foreign, a third has one cell mistyped."""
    total, random = sum(sizes), np.random.default_rng(11)
    foreign = rows // 5 if dirty else 0
    wanted = np.sort(random.choice(total, rows - foreign, replace=False))
    columns: list[Cells] = [[] for _ in COLUMNS]
    start = 0
    for number, size in enumerate(sizes):
        low, high = np.searchsorted(wanted, [start, start + size])
        part = batch(number, size).take((wanted[low:high] - start).tolist())
        for column, cells in zip(columns, part.cells, strict=True):
            column.extend(cells)
        start += size
    for column, cells in zip(columns, batch(1_000_000, foreign).cells, strict=True):
        column.extend(cells)
    if dirty:
        for row in range(0, rows, 3):
            cell = columns[row % 4][row] or ""
            columns[row % 4][row] = cell[:2] + cell[3] + cell[2] + cell[4:]
    order = random.permutation(rows)
    truth = np.r_[wanted, np.full(foreign, -1)][order]
    names = tuple(f"column {number}" for number in range(len(columns)))
    return Table(names, tuple([column[row] for row in order.tolist()] for column in columns)), truth


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), "dirty" in sys.argv[3:])
