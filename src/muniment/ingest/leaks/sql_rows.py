"""The tables of an SQL dump while it is read: statements name columns in any order, a table has one.

The first statement of a table (or its CREATE TABLE) fixes the order; later statements are put in that order, and
columns that turn up late are added.
"""

from __future__ import annotations

from collections.abc import Sequence

from muniment.errors import LimitError
from muniment.ingest.leaks.builder import Budget, Builder
from muniment.ingest.leaks.leak import LeakTable
from muniment.limits import BATCH_ROWS, LEAK_TABLES
from muniment.table import Cells


class _Rows:
    """The rows of one table. `columns` are the raw names; `order` fits the rows of the statement being read."""

    def __init__(self, name: str, file: str, budget: Budget, columns: list[str] | None) -> None:
        self._new = (name, file, budget)
        self._columns = columns
        self._order: list[int | None] | None = None
        self._builder: Builder | None = None
        self._batch: list[Cells] = []

    def begin(self, columns: list[str] | None) -> None:
        """A statement begins whose rows have these columns (`None`: those of the table, in order)."""
        if self._order is not None:
            self.flush()
        if columns == self._columns or columns is None or self._columns is None:
            self._order = None
            if self._columns is None and self._builder is None:
                self._columns = columns
            return
        self.flush()
        fresh = [name for name in dict.fromkeys(columns) if name not in self._columns]
        if self._builder is not None and fresh:
            self._builder.widen(fresh)
        self._columns = [*self._columns, *fresh]
        places = {name: place for place, name in enumerate(columns)}
        self._order = [places.get(name) for name in self._columns]

    def put(self, row: Cells) -> None:
        """Take one row of the statement."""
        self._batch.append(row)
        if len(self._batch) >= BATCH_ROWS:
            self.flush()

    def put_all(self, rows: list[Cells]) -> None:
        """Take many rows of the statement."""
        self._batch.extend(rows)
        if len(self._batch) >= BATCH_ROWS:
            self.flush()

    def flush(self) -> None:
        """Hand the batch on."""
        if not self._batch:
            return
        batch, self._batch = self._batch, []
        if self._builder is None:
            width = len(batch[0])
            self._builder = Builder(*self._new, self._columns, width)
        self._builder.add(batch if self._order is None else [_ordered(row, self._order) for row in batch])

    def finish(self) -> LeakTable | None:
        """The table, or `None` where it has no row."""
        self.flush()
        return self._builder.finish() if self._builder is not None else None


def _ordered(row: Sequence[str | None], order: list[int | None]) -> Cells:
    return [row[place] if place is not None and place < len(row) else None for place in order]


class DumpTables:
    """All tables of one dump."""

    def __init__(self, file: str, budget: Budget) -> None:
        self._file = file
        self._budget = budget
        self._tables: dict[str, _Rows] = {}
        self._created: dict[str, list[str]] = {}

    def create(self, name: str, columns: list[str]) -> None:
        """A `CREATE TABLE` names these columns."""
        if columns:
            self._bounded(len(self._created))
            self._created[name] = columns

    def rows(self, name: str, columns: list[str] | None) -> _Rows:
        """Where the rows of a statement go."""
        rows = self._tables.get(name)
        if rows is None:
            self._bounded(len(self._tables))
            rows = self._tables[name] = _Rows(name, self._file, self._budget, columns or self._created.get(name))
        rows.begin(columns)
        return rows

    def finish(self) -> list[LeakTable]:
        """The tables that have rows, in order of appearance."""
        return [table for rows in self._tables.values() if (table := rows.finish()) is not None]

    def _bounded(self, count: int) -> None:
        if count >= LEAK_TABLES:
            raise LimitError(f"{self._file}: more than {LEAK_TABLES:,} tables", hint="dump the tables of persons alone")
