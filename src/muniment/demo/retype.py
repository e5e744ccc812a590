"""What a leaker's retyping does to a table: slips, swapped names, other case, lost and renamed columns, other order.

Each step takes a table and a generator and gives a new table; `retype` does them in the order of its arguments' names.
None of them looks at a mark.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from muniment.errors import InputError
from muniment.table import Cells, Table

if TYPE_CHECKING:
    from numpy.typing import NDArray


def retype(
    table: Table,
    seed: int,
    *,
    keep_rows: float = 1.0,
    drop: Sequence[str] = (),
    rename: Mapping[str, str] | None = None,
    slips: float = 0.0,
    swaps: float = 0.0,
    cases: float = 0.0,
    shuffle: bool = True,
) -> Table:
    """Retype a table: the same seed and arguments give the same one.

    `keep_rows` is the share of rows that leak; `slips`, `cases` are shares of filled cells, `swaps` of rows. Columns in
    `drop` are lost, those in `rename` get new names; `shuffle` puts rows and columns in another order. Raises
    `InputError` for a column that the table has not.
    """
    random = np.random.default_rng([seed, 0x2E7])
    unknown = [name for name in (*drop, *(rename or {})) if name not in table.columns]
    if unknown:
        raise InputError(f"no column {unknown[0]!r}; the columns are {', '.join(table.columns)}")
    out = some_rows(table, random, keep_rows)
    out = out.select([name for name in out.columns if name not in drop])
    out = swapped_names(out, random, swaps)
    out = with_slips(out, random, slips)
    out = other_cases(out, random, cases)
    out = renamed(out, rename or {})
    return shuffled(out, random) if shuffle else out


def some_rows(table: Table, random: np.random.Generator, share: float) -> Table:
    """A share of the rows, in their order."""
    return table if share >= 1 else table.take(np.flatnonzero(random.random(table.rows) < share).tolist())


def with_slips(table: Table, random: np.random.Generator, share: float) -> Table:
    """Type a share of the filled cells wrong: two characters change places, one is lost, doubled, or another digit."""
    return _changed(table, random, share, _slip)


def other_cases(table: Table, random: np.random.Generator, share: float) -> Table:
    """Write a share of the filled cells in capitals or in small letters."""
    return _changed(table, random, share, lambda text, luck: text.upper() if luck < 0.5 else text.lower())


def swapped_names(table: Table, random: np.random.Generator, share: float) -> Table:
    """In a share of the rows, put the first word of every western name behind the others."""
    rows = random.random(table.rows) < share
    names = [name for name in table.columns if "name" in name.casefold()]
    return table.with_cells({name: [_swapped(cell) if swap else cell for cell, swap in
                                    zip(table[name], rows.tolist(), strict=True)] for name in names})  # fmt: skip


def renamed(table: Table, names: Mapping[str, str]) -> Table:
    """The same cells under other column names."""
    return Table(tuple(names.get(name, name) for name in table.columns), table.cells)


def shuffled(table: Table, random: np.random.Generator) -> Table:
    """The rows and the columns in another order."""
    order = random.permutation(table.rows).tolist()
    columns = [table.columns[at] for at in random.permutation(len(table.columns)).tolist()]
    return table.take(order).select(columns)


def _changed(
    table: Table, random: np.random.Generator, share: float, change: Callable[[str, float], str]
) -> Table:
    """Change a share of the filled cells."""
    if share <= 0:
        return table
    cells = tuple(_column(cells, random.random((2, table.rows)), share, change) for cells in table.cells)
    return Table(table.columns, cells)


def _column(cells: Cells, luck: NDArray[np.float64], share: float, change: Callable[[str, float], str]) -> Cells:
    """Change a share of one column's filled cells; `luck` has shape (2, rows)."""
    out = list(cells)
    for row in np.flatnonzero(luck[0] < share).tolist():
        cell = out[row]
        if cell:
            out[row] = change(cell, float(luck[1, row]))
    return out


def _slip(text: str, luck: float) -> str:
    """One slip in a text; `luck` (0 to 1) says where and which."""
    at = int(luck * len(text))
    kind = int(luck * len(text) * 4) % 4
    if kind == 0 and at + 1 < len(text):
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    if kind == 1 and len(text) > 1:
        return text[:at] + text[at + 1 :]
    if kind == 2 and text[at].isdigit():
        return text[:at] + str((int(text[at]) + 1 + at % 9) % 10) + text[at + 1 :]
    return text[: at + 1] + text[at:]


def _swapped(name: str | None) -> str | None:
    """`Chen Yu-Ting` becomes `Yu-Ting Chen`."""
    if name is None or " " not in name:
        return name
    first, rest = name.split(" ", 1)
    return f"{rest} {first}"
