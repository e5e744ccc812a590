"""`Builder`: rows of any width in, one bounded `LeakTable` out. Every format ends here, so that every bound holds here.

Rules
1. A short row is padded with `None`. The surplus cells of a long row are joined into one extra column: a column for
   each would let a single row of a hostile file widen millions of others.
2. `Budget` is shared by all tables of a leak. What passes it is counted and left out, and costs no memory.
3. A blank line is no row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from muniment.errors import LimitError
from muniment.ingest.leaks.leak import LeakTable, column_names, shown
from muniment.limits import COLUMNS, LEAK_CELLS, LEAK_CHARACTERS, LEAK_ROWS
from muniment.table import Cells, Table

Row = Sequence[str | None]


@dataclass(slots=True)
class Budget:
    """What may still be kept of one leak; changed by the builders of its tables alone."""

    rows: int = LEAK_ROWS
    cells: int = LEAK_CELLS
    characters: int = LEAK_CHARACTERS

    def room_for(self, width: int) -> bool:
        """Whether a row of this width may still be kept."""
        return self.rows > 0 and self.cells >= width and self.characters > 0

    def take(self, rows: int, width: int, characters: int) -> int:
        """How many of `rows` rows of this width and total length may be kept; they count as kept from now on."""
        fit = min(rows, self.rows, self.cells // max(width, 1))
        if characters > self.characters:
            fit = 0
        if fit:
            self.rows -= fit
            self.cells -= fit * width
            self.characters -= characters
        return fit


class Builder:
    """Collects the rows of one table. `columns` None: no header, the width is given instead."""

    def __init__(
        self, name: str, file: str, budget: Budget, columns: Iterable[str | None] | None, width: int = 0
    ) -> None:
        self.name = shown(name)
        self.file = file
        self.header = columns is not None
        found = list(columns or ())
        # A header may be shorter than the rows: the names that it lacks are given by place.
        self.names = column_names([*found, *[None] * (min(width, COLUMNS + 1) - len(found))], file)
        self.joiner = ","
        self.mended = 0
        self.unreadable = 0
        self._budget = budget
        self._cells: tuple[Cells, ...] = tuple([] for _ in self.names)
        self._surplus: Cells | None = None
        self._rows = 0
        self._left_out = 0

    @property
    def width(self) -> int:
        """The number of columns, without the one for surplus cells."""
        return len(self.names)

    @property
    def full(self) -> bool:
        """Whether no further row of this width can be kept; the rest need not be built, only counted."""
        return not self._budget.room_for(self.width)

    def leave_out(self, rows: int) -> None:
        """Count rows that were not kept."""
        self._left_out += rows

    def add(self, rows: Sequence[Row], characters: int | None = None) -> None:
        """Take a batch of rows; `characters` is their total length, where the caller knows it (else it is counted)."""
        width = len(self.names)
        surplus: Cells | None = None
        if self.full:
            self.leave_out(sum(map(bool, rows)))
            return
        if set(map(len, rows)) - {width}:
            rows, surplus = self._fitted(rows)
        if characters is None:
            characters = sum(map(len, filter(None, chain.from_iterable(rows))))
        keep = self._budget.take(len(rows), width, characters)
        self._left_out += len(rows) - keep
        if not keep:
            return
        kept = rows if keep == len(rows) else rows[:keep]
        for column, cells in zip(self._cells, zip(*kept, strict=True), strict=True):
            column.extend(cells)
        self._add_surplus(surplus, keep)
        self._rows += keep

    def widen(self, names: Iterable[str | None]) -> None:
        """Add columns that turn up late (JSON keys); the rows so far hold `None` there."""
        fresh = list(names)
        if len(self.names) + len(fresh) > COLUMNS:
            raise LimitError(f"{self.file}: more than {COLUMNS:,} columns", hint="check that each record is one row")
        cost = len(fresh) * self._rows
        if cost > self._budget.cells:
            raise LimitError(f"{self.file}: records with too many different columns to keep as one table")
        self._budget.cells -= cost
        self.names = column_names([*self.names, *fresh], self.file)
        late: tuple[Cells, ...] = tuple([None] * self._rows for _ in fresh)
        self._cells = (*self._cells, *late)

    def finish(self) -> LeakTable:
        """The table of all rows that were kept."""
        names, cells = self.names, self._cells
        if self._surplus is not None and len(names) < COLUMNS:
            names = column_names([*names, None], self.file)
            cells = (*cells, self._surplus)
        return LeakTable(self.name, Table(names, cells), self.header, self._left_out, self.mended, self.unreadable)

    def _fitted(self, rows: Sequence[Row]) -> tuple[list[Row], Cells | None]:
        """The rows cut or padded to the width, and the joined surplus of each (None where no row has any)."""
        width = len(self.names)
        fitted: list[Row] = []
        surplus: Cells = []
        for row in rows:
            if not any(row):
                continue
            rest = None
            if len(row) < width:
                row = [*row, *[None] * (width - len(row))]
                self.mended += 1
            elif len(row) > width:
                rest = self.joiner.join(cell or "" for cell in row[width:])
                self.mended += bool(rest)
                row = row[:width]
            fitted.append(row)
            surplus.append(rest or None)
        return fitted, surplus if any(surplus) else None

    def _add_surplus(self, surplus: Cells | None, keep: int) -> None:
        if surplus is None and self._surplus is None:
            return
        if self._surplus is None:
            self._surplus = [None] * self._rows
        self._surplus.extend(surplus[:keep] if surplus is not None else [None] * keep)
