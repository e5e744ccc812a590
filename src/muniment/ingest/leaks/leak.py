"""What a found file turned out to hold: tables of text, and what of it could not be used.

Rules
1. Cells are as found. What had to be mended, dropped or left out is counted, never hidden.
2. A name that comes from the file (a member, a sheet, a column) is foreign: it is made printable and cut before it is
   kept, because it ends on a terminal and in a report.
3. The cells never show in a repr.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from muniment.errors import LimitError
from muniment.limits import COLUMNS, NAME_CHARACTERS
from muniment.table import Table


@dataclass(frozen=True, slots=True)
class LeakTable:
    """One table of a leak: a file, a member of an archive, a sheet of a workbook or a table of a dump."""

    name: str
    table: Table = field(repr=False)
    header: bool
    """Whether the file names its columns; otherwise they are `column 1`, `column 2`, ..."""
    left_out: int
    """Rows beyond the bounds of `muniment.limits` (LEAK_ROWS, LEAK_CELLS, LEAK_CHARACTERS)."""
    mended: int = 0
    """Rows that were padded, had surplus cells joined, or lost a quote that never closed."""
    unreadable: int = 0
    """Lines or statements that should hold rows and could not be read."""


@dataclass(frozen=True, slots=True)
class Leak:
    """A found file. `digest` is the SHA-256 of its bytes in hex; `skipped` holds (member, reason)."""

    file: str
    digest: str
    tables: tuple[LeakTable, ...]
    skipped: tuple[tuple[str, str], ...] = ()


_ENDS: Final = " \t\r\n\u3000\ufeff"


def printable(text: str) -> str:
    """A foreign text without what a terminal would obey: control characters become blanks."""
    return "".join(char if char.isprintable() else " " for char in text)


def shown(name: str) -> str:
    """A foreign name as it may stand in a message or report: printable, at most NAME_CHARACTERS long."""
    text = printable(name[: NAME_CHARACTERS + 1]).strip(_ENDS)
    return text if len(text) <= NAME_CHARACTERS else text[: NAME_CHARACTERS - 1] + "…"


def column_names(found: Iterable[str | None], file: str) -> tuple[str, ...]:
    """Distinct, printable names for the columns of a header; a blank one is named by its place.

    A name that came before gets a suffix: `name`, `name (2)`. Raises `LimitError` above limits.COLUMNS.
    """
    names: list[str] = []
    taken: set[str] = set()
    last: dict[str, int] = {}
    for number, text in enumerate(found, 1):
        if number > COLUMNS:
            raise LimitError(f"{file}: more than {COLUMNS:,} columns")
        name = base = shown(text or "") or f"column {number}"
        while name in taken:
            last[base] = last.get(base, 1) + 1
            suffix = f" ({last[base]})"
            name = base[: NAME_CHARACTERS - len(suffix)] + suffix
        taken.add(name)
        names.append(name)
    return tuple(names)
