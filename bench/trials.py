"""What the benchmarks of tracing share: an office with recipients, its copies, leaks made from them, and rates.

An `Office` is a real workspace made through the public API. Its journal is put back before each trace, so that every
trial is a first examination. Its keys come from the benchmark's seed instead of the machine's random numbers, so that a
run can be repeated.
"""

from __future__ import annotations

import csv
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from unittest import mock

import numpy as np
from scipy.stats import binomtest

import muniment as mu
from muniment import config
from muniment.ingest.sources import open_source
from muniment.keys import KeyRing
from muniment.ledger.journal import Journal
from muniment.marks.plan import Plan
from muniment.table import Cells, Table
from muniment.trace.verdict import Verdict
from muniment.workspace.office import JOURNAL, LEDGER, RING, SETTINGS, Workspace, open_parts
from muniment.workspace.parts import Parts
from muniment.workspace.plans import logged_plan
from muniment.workspace.results import ReleaseResult

Random = np.random.Generator
REGISTER = "persons"
ALPHA = 1e-6
RECIPIENTS = 1_000
"""Recipients on record in every office: each holds a copy of a few rows, the leakers hold copies of the whole."""
_PASSPHRASE = "a passphrase of a benchmark"


def trials(default: int) -> int:
    """The number of trials: the default times `$BENCH_TRIALS` (1 where it is not set)."""
    return max(1, round(default * float(os.environ.get("BENCH_TRIALS", "1"))))


def rate(hits: int, of: int) -> str:
    """A rate with its trials and its exact (Clopper-Pearson) 95 % interval."""
    bounds = binomtest(hits, of).proportion_ci(0.95, method="exact")
    return f"{hits:,} of {of:,} = {percent(hits / of)} (95 % interval {percent(bounds.low)} to {percent(bounds.high)})"


def percent(share: float) -> str:
    """A share as a percentage with four significant digits."""
    return f"{100 * share:.4g} %"


class Office:
    """A workspace in a folder of its own with one register, 1,000 recipients on record, and some whole copies."""

    def __init__(
        self,
        register: Table,
        key: str,
        *,
        coalition: int,
        seed: int,
        leakers: int,
        tolerances: Mapping[str, str] | None = None,
        more: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """The register takes what `accept="equivalent"` allows, or `dither` alone with `tolerances` (column -> text).

        `more` are carriers that the owner allows beside these (column -> names).
        Everybody holds the first two records; `leakers` recipients, drawn at random, hold all of them.
        """
        random = np.random.default_rng(seed)
        self._home = tempfile.TemporaryDirectory(prefix="muniment-bench-")
        self._folder = Path(self._home.name)
        self._place = self._folder / "office"
        self.register = register
        write_csv(self._folder / "register.csv", register)
        with mock.patch("os.urandom", random.bytes):
            made = mu.init(self._place, _PASSPHRASE)
        accept: Literal["nothing", "equivalent"] = "nothing" if tolerances else "equivalent"
        made.register(REGISTER, self._folder / "register.csv", key=key, coalition=coalition, accept=accept)
        for column, names in (more or {}).items():
            config.set_carriers(self._place / SETTINGS, REGISTER, column, names)
        _allow_dither(self._place / SETTINGS, tolerances or {})
        self._ring = KeyRing.open(self._place / RING, _PASSPHRASE)
        few = " OR ".join(f"\"{key}\" = '{cell}'" for cell in register[key][:2])
        self.releases = self._hand_out([int(i) for i in random.choice(RECIPIENTS, leakers, replace=False)], few)
        self._kept = self._folder / "ledger as it was"
        shutil.copytree(self._place / LEDGER, self._kept)

    def _hand_out(self, leakers: Sequence[int], few: str) -> dict[str, ReleaseResult]:
        workspace = Workspace(self.parts())
        names = [f"recipient {number:04}" for number in range(1, RECIPIENTS + 1)]
        small = {name: self._folder / f"{name}, few rows.csv" for name in names}
        workspace.release_many(REGISTER, to=small, purpose="a few rows", where=few)
        whole = {names[i]: self._folder / f"{names[i]}.csv" for i in leakers}
        done = workspace.release_many(REGISTER, to=whole, purpose="the whole register")
        return {result.recipient: result for result in done}

    def parts(self) -> Parts:
        """The opened parts of the workspace, with the journal as it lies in its folder now."""
        journal = Journal.open(self._place / JOURNAL, self._ring.all("segment"))
        return open_parts(self._place, self._ring, journal, _now)

    def plan(self) -> Plan:
        """The families of marks of the register, as logged."""
        parts = self.parts()
        return logged_plan(parts, parts.register(REGISTER), self._ring.current("mark").id, parts.journal.head())

    @property
    def leakers(self) -> list[str]:
        """The recipients that hold a copy of the whole register."""
        return list(self.releases)

    def copy(self, recipient: str) -> Table:
        """The whole copy of a recipient, read from its file; rows stand as in the register."""
        batches = list(open_source(str(self.releases[recipient].path)).batches())
        columns = self.register.columns
        return Table(columns, tuple([cell for batch in batches for cell in batch[name]] for name in columns))

    def trace(self, leak: Table) -> Verdict:
        """What `Workspace.trace` says about a leaked file where nobody has traced anything before."""
        write_csv(self._folder / "leak.csv", leak)
        shutil.rmtree(self._place / LEDGER)
        shutil.copytree(self._kept, self._place / LEDGER)
        return Workspace(self.parts()).trace(self._folder / "leak.csv")


def _now() -> datetime:
    return datetime.now(UTC)


def _allow_dither(settings: Path, tolerances: Mapping[str, str]) -> None:
    """What an owner writes into muniment.toml by hand: a tolerance, and the carrier that uses it."""
    text = settings.read_text(encoding="utf-8")
    for column, tolerance in tolerances.items():
        place = f"[registers.{REGISTER}.columns.{column}]\n"
        text = text.replace(place, f'{place}tolerance = "{tolerance}"\n')
    settings.write_text(text, encoding="utf-8")
    for column in tolerances:
        config.set_carriers(settings, REGISTER, column, ["dither"])


def write_csv(path: Path, table: Table) -> None:
    """Write a table as a CSV file; NULL becomes an empty cell."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(table.columns)
        writer.writerows(table.iter_rows())


# --- leaks -----------------------------------------------------------------------------------------------------------


def anonymous(random: Random, table: Table, columns: Sequence[str]) -> Table:
    """A leak as it turns up: these columns under names that say nothing, in another order, the rows shuffled."""
    order = random.permutation(len(columns)).tolist()
    kept = table.select([columns[i] for i in order]).take(random.permutation(table.rows).tolist())
    return Table(tuple(f"field {number}" for number in range(1, len(columns) + 1)), kept.cells)


def places(plan: Plan, table: Table) -> np.ndarray:
    """How many marks of columns that the table has each of its rows can carry, shape (rows,)."""
    count = np.zeros(table.rows, int)
    for family in plan.cells:
        if family.column.name in table.columns:
            forms = family.carrier.forms
            count += [cell is not None and forms(cell) is not None for cell in table[family.column.name]]
    return count


def rows_with(random: Random, counts: np.ndarray, symbols: int) -> list[int]:
    """Rows drawn at random until one more would carry more than this many symbols together."""
    order = random.permutation(len(counts))
    chosen: list[int] = order[: int(np.searchsorted(np.cumsum(counts[order]), symbols, side="right"))].tolist()
    return chosen


def respelled(random: Random, plan: Plan, table: Table, share: float) -> Table:
    """The table with this share of its symbols, drawn at random, written anew with a bit drawn at random."""
    changed: dict[str, Cells] = {name: list(table[name]) for name in plan.columns if name in table.columns}
    slots = [
        (family, row)
        for family in plan.cells
        for row, cell in enumerate(changed.get(family.column.name, []))
        if cell is not None and family.carrier.forms(cell) is not None
    ]
    for i in random.choice(len(slots), round(share * len(slots)), replace=False).tolist():
        family, row = slots[i]
        cells = changed[family.column.name]
        forms = family.carrier.forms(cells[row] or "")
        cells[row] = forms[int(random.integers(2))] if forms else cells[row]
    return table.with_cells(changed)
