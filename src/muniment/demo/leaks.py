"""Three files that turn up, made from copies as a leaker would: retyped, mixed, and one that is no copy at all."""

from __future__ import annotations

import numpy as np

from muniment.demo.retype import retype
from muniment.table import Table

RENAMED = {
    "name_zh": "客戶", "name_en": "customer", "birth_date": "dob", "address_zh": "地址", "address_en": "addr",
    "phone": "tel", "mobile": "cell",
}  # fmt: skip
"""The columns that the leaker kept, under the names that it gave them; the key is not among them."""
SLIPS, SWAPS = 0.03, 0.05
"""Shares of cells that the leaker mistyped, and of rows whose names it swapped."""


def retyped(copy: Table, seed: int) -> Table:
    """Half the rows of a copy in another order, key dropped, columns renamed and shuffled, mistyped here and there."""
    dropped = [name for name in copy.columns if name not in RENAMED]
    return retype(copy, seed, keep_rows=0.5, drop=dropped, rename=RENAMED, slips=SLIPS, swaps=SWAPS)


def mixed(first: Table, second: Table, seed: int) -> Table:
    """Rows taken now from one copy, now from the other, shuffled, without the key."""
    rng = np.random.default_rng([seed, 2])
    columns = [name for name in first.columns if name in RENAMED]
    from_first = (rng.random(first.rows) < 0.5).tolist()
    rows = [
        a if heads else b
        for a, b, heads in zip(
            first.select(columns).iter_rows(), second.select(columns).iter_rows(), from_first, strict=True
        )
    ]
    return Table.from_rows(columns, [rows[i] for i in rng.permutation(len(rows)).tolist()])


def unmarked(register: Table, rows: list[int], seed: int) -> Table:
    """The same persons as the register itself writes them: from a source that never had a marked copy."""
    rng = np.random.default_rng([seed, 3])
    chosen = register.take(rng.permutation(rows).tolist())
    return chosen.select([name for name in register.columns if name in RENAMED])
