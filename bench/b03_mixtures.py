"""Claim: a file mixed from 2, 3, 5 or 10 copies names at least one true source in at least 95 % of trials.

Data: the copies of b01_single_leaker.py for coalition 10: the same register, mark key and whole copies; 1,000
recipients, a = 1e-6. Sources are drawn from the 40 recipients that hold the whole register. They put together, cell by
cell, what their files show: the cell of a copy drawn at random, the spelling of the majority, or that of the minority
(ties by lot); or whole rows from one copy or another. Rows are as many as carry the symbols stated. With `accept=
"equivalent"` the whole register has 9,748 symbols, so ten copies are mixed from all its rows; once more with the
spacing of soc_sec_id and the letter case of address_2, which an owner may allow, from rows that carry 13,000 symbols.

Most trials read the mixed cells under their own records (alignment, mapping and file forms are the business of b01) and
are examined as `Workspace.trace` does; in a few the mixture goes through `Workspace.trace` as an anonymous file.

Takes about 100 s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from b01_single_leaker import SEED
from datasets import febrl
from measurement import Measurement
from muniment.disclosure import Recipient, canonical_keys
from muniment.marks.codebook import Codebook
from muniment.marks.read import MergedSymbols, merge, read_cells
from muniment.marks.write import CellMarker
from muniment.table import Cells, Table
from muniment.trace.examine import Group, examine
from muniment.trace.score import MIXTURES
from trials import ALPHA, RECIPIENTS, REGISTER, Office, Random, anonymous, places, rate, rows_with, trials

SYMBOLS = {2: 400, 3: 1_200, 5: 3_500, 10: 13_000}
"""Readable symbols that must suffice, by number of copies; half of them where whole rows are mixed."""
TRIALS = {2: 40, 3: 40, 5: 40, 10: 20}
WHOLE = 2
"""Trials of each kind that go through the whole pipeline (none with ten copies)."""


def main() -> list[Measurement]:
    """Every number of copies under every way to mix."""
    random = np.random.default_rng(SEED + 90)
    found = []
    bench = _Bench(Office(febrl(), "rec_id", coalition=10, seed=SEED + 10, leakers=40))
    found += [_claim(bench, random, sources, attack) for sources in (2, 3, 5, 10) for attack in WAYS]
    # The same register, mark key and recipients; the owner allows two more equivalent carriers: then there are 13,000
    # symbols, and four instead of two in a row.
    more = {"soc_sec_id": ["code-spacing"], "address_2": ["letter-case"]}
    bench = _Bench(Office(febrl(), "rec_id", coalition=10, seed=SEED + 10, leakers=40, more=more))
    note = " (two columns more allowed)"
    found.append(_claim(bench, random, 2, "rows", note))
    return found + [_claim(bench, random, 10, attack, note) for attack in CELL_ATTACKS]


def _claim(bench: _Bench, random: Random, sources: int, attack: str, note: str = "") -> Measurement:
    symbols = SYMBOLS[sources] // (2 if attack == "rows" else 1)
    count, found, innocents, read, whole = trials(TRIALS[sources]), 0, 0, [], 0
    for number in range(count):
        chosen = random.choice(len(bench.copies), sources, replace=False).tolist()
        rows = sorted(rows_with(random, bench.room, symbols))
        mixed = mix(random, [bench.copies[i].take(rows) for i in chosen], attack)
        if number < WHOLE and sources < 10:
            verdict = bench.office.trace(anonymous(random, mixed, bench.columns))
            named, size = {one.recipient for one in verdict.named}, verdict.symbols_read
            whole += 1
        else:
            named, size = bench.named(rows, mixed)
        guilty = {bench.office.leakers[i] for i in chosen}
        found += bool(named & guilty)
        innocents += len(named - guilty)
        read.append(size)
    return Measurement(
        f"{sources} copies, {WAYS[attack]}{note}: a true source is named",
        f">= 95 % of trials, from <= {symbols:,} readable symbols; no innocent",
        f"{rate(found, count)}, from {min(read):,} to {max(read):,} symbols ({whole} through the whole pipeline); "
        f"innocents named: {innocents}",
        found >= 0.95 * count and not innocents and max(read) <= symbols,
    )


# --- how sources mix their files -------------------------------------------------------------------------------------


def _any_of(random: Random, cells: Sequence[str | None]) -> str | None:
    return cells[int(random.integers(len(cells)))]


def _majority(random: Random, cells: Sequence[str | None]) -> str | None:
    return _by_count(random, cells, max)


def _minority(random: Random, cells: Sequence[str | None]) -> str | None:
    return _by_count(random, cells, min)


def _by_count(random: Random, cells: Sequence[str | None], best: Callable[..., int]) -> str | None:
    counts = Counter(cells)
    wanted = best(counts.values())
    return _any_of(random, sorted((cell for cell in counts if counts[cell] == wanted), key=str))


CELL_ATTACKS: dict[str, Callable[[Random, Sequence[str | None]], str | None]] = {
    "cells": _any_of, "majority": _majority, "minority": _minority,
}  # fmt: skip
WAYS = {
    "rows": "whole rows", "cells": "cell by cell", "majority": "majority of each cell",
    "minority": "minority of each cell",
}  # fmt: skip


def mix(random: Random, copies: Sequence[Table], attack: str) -> Table:
    """One file from copies of the same rows."""
    if attack == "rows":
        chosen = random.integers(len(copies), size=copies[0].rows).tolist()
        rows = zip(*(copy.iter_rows() for copy in copies), strict=True)
        return Table.from_rows(copies[0].columns, [of_all[i] for of_all, i in zip(rows, chosen, strict=True)])
    choose = CELL_ATTACKS[attack]
    columns: list[Cells] = []
    for versions in zip(*(copy.cells for copy in copies), strict=True):
        differ = any(version != versions[0] for version in versions)
        rows_of = zip(*versions, strict=True)
        columns.append([choose(random, cells) for cells in rows_of] if differ else versions[0])
    return Table(copies[0].columns, tuple(columns))


# --- reading and scoring without the file ----------------------------------------------------------------------------


class _Bench:
    """Reads mixed rows under their own records and examines them, as `Workspace.trace` does behind the alignment."""

    def __init__(self, office: Office) -> None:
        parts = office.parts()
        self.office, self.plan = office, office.plan()
        self.copies = [office.copy(leaker) for leaker in office.leakers]
        self.columns = office.register.columns[1:]
        self.room = places(self.plan, office.register.select(self.columns))
        self._codebook = Codebook(parts.ring.current("mark").secret, REGISTER)
        self._marker = CellMarker(self._codebook, self.plan)
        self._records = self._codebook.records(canonical_keys([[key or "" for key in office.register["rec_id"]]]))
        self._candidates = tuple(parts.copies.known_recipients())
        if len(self._candidates) != RECIPIENTS:
            raise ValueError(f"{len(self._candidates)} recipients on record, expected {RECIPIENTS}")

    def named(self, rows: Sequence[int], mixed: Table) -> tuple[set[str], int]:
        """Who is named from these rows, and from how many symbols."""
        own = self.office.register.take(rows)
        prepared = self._marker.prepare(own, self._records[np.asarray(rows, np.intp)])
        free = {name: np.zeros(len(rows), bool) for name in self.plan.columns}
        ones = np.ones(len(rows))
        leaked, shown = (
            merge(read_cells(prepared, table, self.plan.cells, ones, free)) for table in (mixed, own)
        )
        outcome = examine([self._group(leaked, shown)], ALPHA, 1)
        return {finding.recipient.name for finding in outcome.findings}, len(leaked)

    def _group(self, leaked: MergedSymbols, shown: MergedSymbols) -> Group:
        candidates: tuple[Recipient, ...] = self._candidates
        return Group(REGISTER, "mark", self._codebook, candidates, leaked, shown, MIXTURES[10])


if __name__ == "__main__":
    for measurement in main():
        print(measurement)
