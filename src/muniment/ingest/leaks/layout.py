"""Where a table of unknown shape has its header, and how wide it is: told from its first rows.

Titles above the header (`Report of 1 May`) are common in exports; they stay as rows, padded, and do no harm.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from muniment.ingest.dialect import looks_like_header
from muniment.ingest.leaks.builder import Row

SAMPLE_ROWS: Final = 1_000
_TITLE_ROWS: Final = 20
_CELL: Final = 100


@dataclass(frozen=True, slots=True)
class Layout:
    """The names in the header (`None`: there is none), the width, and which rows are data: all but `header_row`."""

    names: tuple[str | None, ...] | None
    width: int
    header_row: int

    def data(self, rows: Sequence[Row]) -> list[Row]:
        """The rows (the same that the layout was told from, or more) without the header."""
        return [*rows] if self.names is None else [*rows[: self.header_row], *rows[self.header_row + 1 :]]


def layout_of(rows: Sequence[Row], header: bool | None = None) -> Layout:
    """Tell the layout of rows, none of them blank; `header` is what is known already, `None` asks the rows."""
    # Cells are cut: a name is short, and the search for one must not cost the square of a hostile cell.
    sample = [[(cell or "")[:_CELL] for cell in row] for row in rows[:SAMPLE_ROWS]]
    width, _ = Counter(map(len, sample)).most_common(1)[0]
    if _names_rows(sample, width):
        return Layout((None, *rows[0]), width, 0)
    # A header may be longer than rows that end early, but not shorter.
    place = next((i for i, row in enumerate(sample[:_TITLE_ROWS]) if len(row) >= width), 0)
    width = max(width, len(sample[place]))
    if header is None or (header and len(sample[place]) != len(sample[0])):
        below = [[*row, *[""] * (width - len(row))][:width] for row in sample[place:]]
        header = len(below) > 1 and looks_like_header(below)
    return Layout(tuple(rows[place]), width, place) if header else Layout(None, width, 0)


def _names_rows(sample: list[list[str]], width: int) -> bool:
    """Whether the header is one name short because the rows begin with names of their own, as R writes them."""
    first, below = sample[0], sample[1:]
    if len(first) != width - 1 or not first or not below or any(len(row) != width for row in below):
        return False
    if looks_like_header(below) or not any(row[-1] for row in below):
        return False  # a title above a header, or rows that end with an empty field
    return looks_like_header([first, *(row[1:] for row in below)])
