"""Rows of text in columns, for a terminal and for a pipe alike; wide characters (CJK) count as two."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from muniment.messages.markup import plain

_GAP = "  "


def aligned(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """One line a row below the head; numbers stand right, texts left. Control characters are replaced."""
    cells = [[plain(_written(value)) for value in row] for row in rows]
    right = [all(isinstance(row[i], int) for row in rows) for i in range(len(head))]
    widths = [max(_width(row[i]) for row in [list(head), *cells]) for i in range(len(head))]
    return [_line(row, widths, right) for row in [list(head), *cells]]


def _written(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _line(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = [
        " " * (width - _width(cell)) + cell if right[i] else cell + " " * (width - _width(cell))
        for i, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return _GAP.join(padded).rstrip()


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
