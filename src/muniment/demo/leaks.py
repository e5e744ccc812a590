"""Three files that turn up, made from copies as a leaker would: retyped, mixed, and one that is no copy at all."""

from __future__ import annotations

import numpy as np

from muniment.table import Cells, Table

RENAMED = {
    "name_zh": "客戶", "name_en": "customer", "birth_date": "dob", "address_zh": "地址", "address_en": "addr",
    "phone": "tel", "mobile": "cell",
}  # fmt: skip
"""The columns that the leaker kept, under the names that it gave them; the key is not among them."""
TYPING_ERRORS = 0.08
"""Share of names that the leaker mistyped."""


def retyped(copy: Table, seed: int) -> Table:
    """Half the rows of a copy in another order, key dropped, columns renamed and shuffled, names mistyped here and there."""
    rng = np.random.default_rng([seed, 1])
    rows = rng.permutation(copy.rows)[: copy.rows // 2].tolist()
    half = copy.take(rows).select(list(RENAMED))
    mistyped = half.with_cells({name: _mistyped(half[name], rng) for name in ("name_zh", "name_en")})
    columns = rng.permutation(list(RENAMED)).tolist()
    chosen = mistyped.select(columns)
    return Table(tuple(RENAMED[name] for name in columns), chosen.cells)


def mixed(first: Table, second: Table, seed: int) -> Table:
    """Rows taken now from one copy, now from the other, shuffled, without the key."""
    rng = np.random.default_rng([seed, 2])
    columns = [name for name in first.columns if name in RENAMED]
    from_first = (rng.random(first.rows) < 0.5).tolist()
    rows = [
        a if heads else b
        for a, b, heads in zip(first.select(columns).iter_rows(), second.select(columns).iter_rows(), from_first, strict=True)
    ]
    return Table.from_rows(columns, [rows[i] for i in rng.permutation(len(rows)).tolist()])


def unmarked(register: Table, rows: list[int], seed: int) -> Table:
    """The same persons as the register itself writes them: from a source that never had a marked copy."""
    rng = np.random.default_rng([seed, 3])
    chosen = register.take(rng.permutation(rows).tolist())
    return chosen.select([name for name in register.columns if name in RENAMED])


def _mistyped(cells: Cells, rng: np.random.Generator) -> Cells:
    """Two neighbouring characters change places in some cells."""
    out: Cells = []
    for cell, draw, place in zip(cells, rng.random(len(cells)).tolist(), rng.random(len(cells)).tolist(), strict=True):
        if cell and len(cell) > 1 and draw < TYPING_ERRORS:
            at = int(place * (len(cell) - 1))
            cell = cell[:at] + cell[at + 1] + cell[at] + cell[at + 2 :]
        out.append(cell)
    return out
