"""Claim: a single leaker is named from few symbols, in at least 95 % of trials.

Data: Febrl 4a, 5,000 persons, as `accept="equivalent"` marks it: street types and date layouts. 1,000 recipients on
record, a = 1e-6. A trial is one `Workspace.trace` of a file: some rows of one whole copy, key dropped, rows shuffled,
columns renamed and in another order, and only given name, surname and street left (in some trials all columns but the
key). The rows are as many as carry the symbols stated. Files with re-spelled symbols: b01_single_leaker_respelled.py.

The last claim is about a family that was rewritten: 60 street types (coalition 1; else 130) beside three times as many
dates, all written in one layout. Its cost is the evidence of the same file without the dates, less that with them.

Takes about 90 s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from datasets import febrl
from measurement import Measurement
from muniment.marks.carriers import CARRIERS
from muniment.marks.write import normal_form
from muniment.table import Table
from muniment.trace.verdict import Verdict
from trials import Office, Random, anonymous, places, rate, respelled, rows_with, trials

THREE = ("given_name", "surname", "address_1")
SYMBOLS = {1: 40, 10: 90}
"""Readable symbols that must suffice, by coalition size."""
SEED = 20_101


@dataclass(frozen=True, slots=True)
class Trial:
    """One leak: whose it is, what was said, and how many of its rows show one record only."""

    leaker: str
    verdict: Verdict
    alignable: int

    @property
    def right(self) -> bool:
        """Whether the leaker was named, and nobody else."""
        return [named.recipient for named in self.verdict.named] == [self.leaker]


def main() -> list[Measurement]:
    """Files as they were written, for both coalition sizes, and the cost of a rewritten family."""
    found = []
    for coalition, symbols in SYMBOLS.items():
        office = Office(febrl(), "rec_id", coalition=coalition, seed=SEED + coalition, leakers=40)
        random = np.random.default_rng(SEED + 50 + coalition)
        claim = f"coalition {coalition}: the leaker alone is named"
        done = list(leaks(office, random, THREE, symbols, 0.0, trials(200)))
        found += named(f"{claim}; 3 columns left", done, symbols)
        done = list(leaks(office, random, febrl().columns[1:], symbols, 0.0, trials(20)))
        found += named(f"{claim}; all columns", done, symbols)[:1]
        found.append(rewritten(office, random, coalition, trials(10)))
    return found


def leaks(
    office: Office, random: Random, columns: Sequence[str], symbols: int, noise: float, count: int
) -> Iterator[Trial]:
    """Trials with these columns left; `noise` is the share of symbols that are re-spelled at random."""
    plan, single = office.plan(), single_rows(office, columns)
    copies = {leaker: office.copy(leaker) for leaker in office.leakers}
    room = places(plan, office.register.select(columns))
    for number in range(count):
        leaker = office.leakers[number % len(copies)]
        rows = rows_with(random, room, symbols)
        leak = anonymous(random, respelled(random, plan, copies[leaker].take(rows), noise), columns)
        yield Trial(leaker, office.trace(leak), int(single[rows].sum()))


def single_rows(office: Office, columns: Sequence[str]) -> np.ndarray:
    """Which rows of the register no other row equals in these columns: only they can be aligned."""
    plan = office.plan()
    normals = [
        [None if cell is None else normal_form(plan.on(name), cell) for cell in office.register[name]]
        for name in columns
    ]
    rows = list(zip(*normals, strict=True))
    seen = Counter(rows)
    return np.array([seen[row] == 1 for row in rows])


def named(claim: str, done: list[Trial], symbols: int) -> list[Measurement]:
    """The two claims about a series of trials: who was named, and which rows were used."""
    right, wrong = sum(trial.right for trial in done), sum(_innocents(trial) for trial in done)
    read = np.array([trial.verdict.symbols_read for trial in done])
    used = sum(min(trial.verdict.rows_aligned, trial.alignable) for trial in done)
    alignable = sum(trial.alignable for trial in done)
    return [
        Measurement(
            claim, f">= 95 % of trials, from <= {symbols} readable symbols; no innocent",
            f"{rate(right, len(done))}, from {read.min()} to {read.max()} symbols; innocents named: {wrong}",
            right >= 0.95 * len(done) and read.max() <= symbols and not wrong,
        ),
        Measurement(
            f"{claim}: rows used", ">= 95 % of the rows that equal one record", rate(used, alignable),
            used >= 0.95 * alignable,
        ),
    ]  # fmt: skip


def _innocents(trial: Trial) -> int:
    return sum(named.recipient != trial.leaker for named in trial.verdict.named)


def rewritten(office: Office, random: Random, coalition: int, count: int) -> Measurement:
    """What it costs that every date of a leak was rewritten to one layout, in decades of E."""
    good = 60 if coalition == 1 else 130
    costs = []
    for number in range(count):
        leaker = office.leakers[number % len(office.leakers)]
        leak = _flattened(office.copy(leaker), random, good, 3 * good, number % 2)
        with_dates = _evidence(office.trace(leak), leaker)
        without = _evidence(office.trace(leak.select([name for name in leak.columns if name != "born"])), leaker)
        costs.append(without - with_dates)
    cheap = sum(cost <= 2.0 for cost in costs)
    return Measurement(
        f"coalition {coalition}: {good} good symbols beside {3 * good} rewritten to one form",
        "costs at most 2 decades",
        f"mean {np.mean(costs):.2f}, largest {max(costs):.2f} decades; at most 2 in {rate(cheap, count)}",
        cheap == count,
    )


def _flattened(copy: Table, random: Random, good: int, flat: int, form: int) -> Table:
    """Rows of a copy of which the first `good` show their street and all show their date, in one layout."""
    streets = [row for row, cell in enumerate(copy["address_1"]) if cell and CARRIERS["street-type"].forms(cell)]
    dated = [row for row in streets if CARRIERS["date-layout"].forms(copy["date_of_birth"][row] or "")]
    rows = random.choice(dated, flat, replace=False).tolist()
    leak = copy.take(rows).select(("given_name", "surname", "suburb", "address_1", "date_of_birth"))
    forms = [CARRIERS["date-layout"].forms(cell or "") for cell in leak["date_of_birth"]]
    leak = leak.with_cells(
        {
            "address_1": [cell if row < good else None for row, cell in enumerate(leak["address_1"])],
            "date_of_birth": [pair[form] if pair else None for pair in forms],
        }
    )
    return Table(("first", "last", "town", "street", "born"), leak.cells)


def _evidence(verdict: Verdict, leaker: str) -> float:
    """log10 E of the leaker; a leaker who is not named counts as 0, so that nothing is hidden."""
    return next((named.log10_e for named in verdict.named if named.recipient == leaker), 0.0)


if __name__ == "__main__":
    for measurement in main():
        print(measurement)
