"""`Table`: the one shape in which rows travel between the parts - named columns of text.

Rules
1. Every cell is `str` or `None` (NULL, or absent). Sources turn typed values into their plain text once, at the edge.
2. A table is never changed in place; a part that changes cells makes a new table that shares the untouched columns.
3. A repr shows columns and the number of rows, never a cell: it may end in a log or a traceback.
4. Columns are lists, not arrays of objects: Python loops over them are faster, and no NaN can creep in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from muniment.errors import InputError

Cells: TypeAlias = list[str | None]


@dataclass(frozen=True, slots=True, repr=False)
class Table:
    """Rows of text under distinct column names; `cells[i]` holds column `columns[i]`, all of one length."""

    columns: tuple[str, ...]
    cells: tuple[Cells, ...]

    def __post_init__(self) -> None:
        if len(self.columns) != len(self.cells):
            raise ValueError(f"{len(self.columns)} column names for {len(self.cells)} columns")
        if len({len(cells) for cells in self.cells}) > 1:
            raise ValueError("columns of unequal length")

    def __repr__(self) -> str:
        return f"Table({', '.join(self.columns)}; {self.rows:,} rows)"

    @classmethod
    def from_rows(cls, columns: Sequence[str], rows: Sequence[Sequence[str | None]]) -> Table:
        """Turn rows (each as long as `columns`) into a table."""
        cells = tuple(list(column) for column in zip(*rows, strict=True)) if rows else tuple([] for _ in columns)
        return cls(tuple(columns), cells)

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.cells[0]) if self.cells else 0

    def __getitem__(self, column: str) -> Cells:
        """The cells of one column; `InputError` names the columns there are."""
        try:
            return self.cells[self.columns.index(column)]
        except ValueError as error:
            raise InputError(f"no column {column!r}; the columns are {', '.join(self.columns)}") from error

    def iter_rows(self) -> Iterator[tuple[str | None, ...]]:
        """The rows as tuples, in order."""
        return zip(*self.cells, strict=True)

    def select(self, columns: Sequence[str]) -> Table:
        """The same rows with these columns, in this order."""
        return Table(tuple(columns), tuple(self[column] for column in columns))

    def take(self, rows: Sequence[int]) -> Table:
        """The rows with these numbers (from 0), in this order."""
        return Table(self.columns, tuple([cells[row] for row in rows] for cells in self.cells))

    def with_cells(self, changed: Mapping[str, Cells]) -> Table:
        """The same table with the cells of some columns replaced."""
        both = zip(self.columns, self.cells, strict=True)
        return Table(self.columns, tuple(changed.get(name, old) for name, old in both))
