"""The stream of a release: batches of a register in, the batches of each recipient's copy out, with the tallies.

Rules
1. Which rows a copy has follows from the query and the recipient's bits alone: rows left out, decoys held.
2. Decoys travel through the same marking as records, at keyed places, so that neither form nor place tells them.
3. Memory holds one batch, except where the order of rows is a mark: then the copies of the pass are held whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from muniment.disclosure import Recipient, canonical_keys
from muniment.engine.collector import collector_paused
from muniment.errors import InputError, LimitError
from muniment.limits import ORDERED_ROWS
from muniment.marks.codebook import Codebook
from muniment.marks.plan import DECOY, OMISSION, ORDER, Plan
from muniment.marks.rows import Pairs, ordered, row_bits
from muniment.marks.write import CellMarker, Prepared
from muniment.table import Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

Sink = Callable[[Table], None]
Observer = Callable[[Sequence[bytes], Prepared], None]


@dataclass(slots=True)
class Tally:
    """Counts of one copy while it is written."""

    rows: int = 0
    symbols: int = 0
    left_out: int = 0
    decoys: int = 0
    cells: dict[str, int] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, repr=False)
class Job:
    """What one pass writes: the register's key, the columns handed out, the recipients, and where each copy goes."""

    key: tuple[str, ...]
    columns: tuple[str, ...]
    recipients: tuple[Recipient, ...]
    sinks: tuple[Sink, ...]
    decoys: Table | None
    """All decoys of the register that the query selects; a recipient gets those of which its bit is 1."""
    decoy_places: tuple[int, ...]
    """The row before which each decoy stands, ascending."""
    pairs: Pairs | None
    """Row pairs of the whole register (rows as numbered by `numbers_of`), where the order of rows is a mark."""
    numbers_of: Callable[[NDArray[np.uint64]], NDArray[np.int64]] | None = None


@dataclass(slots=True, repr=False)
class _Held:
    """Copies held whole because their rows will be put in another order."""

    numbers: list[NDArray[np.int64]] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)


class ReleaseStream:
    """Writes the copies of one job; `tallies` belong to the recipients, in their order."""

    def __init__(self, codebook: Codebook, plan: Plan, job: Job, observe: Observer) -> None:
        self._codebook = codebook
        self._plan = plan
        self._job = job
        self._observe = observe
        self._marker = CellMarker(codebook, plan)
        self._held = [_Held() for _ in job.recipients]
        self._numbers = [recipient.number for recipient in job.recipients]
        self.tallies = [Tally() for _ in job.recipients]

    def run(self, batches: Iterator[Table]) -> None:
        """Write all batches; each has the key columns and the columns handed out.

        Raises:
            InputError: a NULL or empty key, with its row number.
            IntegrityError: a carrier would change what a cell means.
        """
        # Keys are checked before decoys are put in, so that the number of a bad row is that of the register.
        sound = _with_sound_keys(batches, self._job.key)
        for batch, is_decoy in _with_decoys(sound, self._job.decoys, self._job.decoy_places):
            with collector_paused():
                self._write(batch, is_decoy)
        for held, sink, number, tally in zip(self._held, self._job.sinks, self._numbers, self.tallies, strict=True):
            self._flush(held, sink, number, tally)

    def _write(self, batch: Table, is_decoy: NDArray[np.bool_]) -> None:
        keys = record_keys(batch, self._job.key, 0)
        records = self._codebook.records(keys)
        prepared = self._marker.prepare(batch, records)
        real = np.flatnonzero(~is_decoy)
        if len(real) == batch.rows:
            self._observe(keys, prepared)
        else:
            chosen = real.tolist()
            self._observe([keys[i] for i in chosen], self._marker.prepare(batch.take(chosen), records[real]))
        keep = self._kept(records, is_decoy)
        tables = self._marker.write(prepared, self._numbers)
        for position, table in enumerate(tables):
            self._tally(self.tallies[position], prepared, table, keep[position], is_decoy)
            self._hand_on(position, table.select(self._job.columns), records, keep[position])

    def _kept(self, records: NDArray[np.uint64], is_decoy: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which rows each recipient gets, shape (recipients, rows)."""
        keep = np.ones((len(self._numbers), len(records)), bool)
        omission, decoy = self._plan.structure(OMISSION), self._plan.structure(DECOY)
        if omission:
            keep[:, ~is_decoy] = row_bits(self._codebook, omission, records[~is_decoy], self._numbers) == 0
        if is_decoy.any():
            keep[:, is_decoy] = (
                row_bits(self._codebook, decoy, records[is_decoy], self._numbers) == 1 if decoy else False
            )
        return keep

    def _tally(
        self, tally: Tally, prepared: Prepared, table: Table, keep: NDArray[np.bool_], is_decoy: NDArray[np.bool_]
    ) -> None:
        tally.rows += int(keep.sum())
        tally.left_out += int((~keep & ~is_decoy).sum())
        tally.decoys += int((keep & is_decoy).sum())
        for column in prepared.columns:
            if column.name not in self._job.columns:
                continue
            tally.symbols += sum(int(keep[slots.rows].sum()) for slots in column.slots)
            before, after = prepared.table[column.name], table[column.name]
            changed = sum(a is not b and a != b for a, b in zip(before, after, strict=True))
            tally.cells[column.name] = tally.cells.get(column.name, 0) + table.rows
            tally.changed[column.name] = tally.changed.get(column.name, 0) + changed
        for structural in self._plan.structural:
            tally.symbols += int((keep & ~is_decoy).sum()) if structural.name == OMISSION else 0
            tally.symbols += int((keep & is_decoy).sum()) if structural.name == DECOY else 0

    def _hand_on(self, position: int, table: Table, records: NDArray[np.uint64], keep: NDArray[np.bool_]) -> None:
        if not keep.all():
            table = table.take(np.flatnonzero(keep).tolist())
        if self._job.pairs is None or self._job.numbers_of is None:
            self._job.sinks[position](table)
            return
        if self.tallies[position].rows * len(self._numbers) > ORDERED_ROWS:
            raise LimitError(
                f"the order of rows is a mark: copies are held in memory, at most {ORDERED_ROWS:,} rows in one pass",
                hint="release to fewer recipients at once, or take order out of muniment.toml",
            )
        self._held[position].numbers.append(self._job.numbers_of(records[keep]))
        self._held[position].tables.append(table)

    def _flush(self, held: _Held, sink: Sink, number: int, tally: Tally) -> None:
        """Write a copy that was held, in the order that shows its bits."""
        order = self._plan.structure(ORDER)
        if not held.tables or order is None or self._job.pairs is None:
            return
        cells = ([cell for table in held.tables for cell in table[name]] for name in self._job.columns)
        whole = Table(self._job.columns, tuple(cells))
        numbers = np.concatenate(held.numbers)
        bits = row_bits(self._codebook, order, self._job.pairs.record, [number])[0]
        place = {row: i for i, row in enumerate(numbers.tolist())}
        sink(whole.take([place[row] for row in ordered(numbers, self._job.pairs, bits).tolist()]))
        tally.symbols += int(np.isin(self._job.pairs.first, numbers).sum())


def record_keys(table: Table, key: Sequence[str], first_row: int) -> list[bytes]:
    """The canonical keys of a table's rows; `InputError` names the row (from 1) of a NULL or empty one."""
    _refuse_bad_keys(table, key, first_row)
    return canonical_keys([[cell or "" for cell in table[name]] for name in key])


def _refuse_bad_keys(table: Table, key: Sequence[str], first_row: int) -> None:
    columns = [table[name] for name in key]
    if any(None in column or "" in column for column in columns):
        row = next(i for i, parts in enumerate(zip(*columns, strict=True)) if not all(parts))
        raise InputError(
            f"row {first_row + row + 1:,}: the record key ({', '.join(key)}) is NULL or empty; every record needs one",
            hint="mend the source, or leave such rows out with --where",
        )


def _with_sound_keys(batches: Iterator[Table], key: Sequence[str]) -> Iterator[Table]:
    done = 0
    for batch in batches:
        _refuse_bad_keys(batch, key, done)
        yield batch
        done += batch.rows


def _with_decoys(
    batches: Iterator[Table], decoys: Table | None, places: Sequence[int]
) -> Iterator[tuple[Table, NDArray[np.bool_]]]:
    """Put decoys before the rows at their places; those left over go into the last batch."""
    done = taken = 0
    for batch in batches:
        if decoys is None:
            yield batch, np.zeros(batch.rows, bool)
            continue
        here = []
        while taken < len(places) and places[taken] < done + batch.rows:
            here.append((places[taken] - done, taken))
            taken += 1
        done += batch.rows
        yield _merged(batch, decoys.select(batch.columns), here)


def _merged(batch: Table, decoys: Table, here: Sequence[tuple[int, int]]) -> tuple[Table, NDArray[np.bool_]]:
    if not here:
        return batch, np.zeros(batch.rows, bool)
    keys = np.concatenate([np.arange(batch.rows) + 0.5, [place for place, _ in here]])
    order = np.argsort(keys, kind="stable").tolist()
    chosen = decoys.take([decoy for _, decoy in here])
    both = Table(batch.columns, tuple(a + b for a, b in zip(batch.cells, chosen.cells, strict=True)))
    return both.take(order), np.asarray(order) >= batch.rows
