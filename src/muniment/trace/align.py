"""Which record a leaked row shows, without the key: exact where possible, else blocking, weights and similarity.

Steps
1. Hash both sides in their normal forms; rows that equal exactly one record are settled (`exact`).
2. The rest, and some records in the part of strangers, are compared by hash with what shares a block (`scored`).
3. m is learned from these pairs; pairs that are still open are compared as text, read in one more pass (`strings`).
4. The posterior of the best record, held below what strangers reach (`calibrate`), is the row's weight. Up to 1/2, or
   with a rival as good, the row is left out.

Rules
1. The result depends on leak and register alone; no mark, key or score is seen here (evidence.md section 3).
2. The alignment would re-identify a pseudonymised file: it lives in memory, and its repr shows counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from muniment.table import Table
from muniment.trace.columns import ColumnSpec, Scan
from muniment.trace.exact import Exact, match_exactly
from muniment.trace.fields import Field, Hashes, Keys, Numbers, fields_of, leak_keys, most_telling, register_keys, texts
from muniment.trace.scored import score_rest
from muniment.trace.similarity import SAME
from muniment.trace.verdict import ColumnMatch
from muniment.trace.weights import bits_of, compare, first_model, posterior


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Alignment:
    """Leak rows and the records they show. Never print, return or log the arrays."""

    leak_row: Hashes
    register_row: Hashes
    """Row number in the order of the scan."""
    weight: Numbers
    """P(the row is that record's), above 1/2 and at most 1."""
    register_rows: int
    exact: int
    scored: int
    ambiguous: int
    """Rows that several records explain as well."""
    foreign: int
    """Rows that no record explains."""

    def __repr__(self) -> str:
        counts = ("register_rows", "exact", "scored", "ambiguous", "foreign")
        return f"Alignment({', '.join(f'{name}={getattr(self, name)}' for name in counts)})"


def align(leak: Table, matches: Sequence[ColumnMatch], specs: Sequence[ColumnSpec], scan: Scan) -> Alignment:
    """Find the record of each leak row; rows that none or several explain are left out and counted.

    `matches` come from `propose_mapping`, `specs` are the register's columns. The register is read once, twice where
    rows are left after the exact step, and a third time for the text of open pairs. Several rows may show one record.
    """
    none = np.zeros(0, np.int64)
    fields = most_telling(fields_of(matches, specs), leak)
    if not fields:
        records = sum(batch.rows for batch in scan([spec.name for spec in specs[:1]]))
        return Alignment(none, none, np.zeros(0), records, 0, 0, 0, leak.rows)
    cells = [texts(leak, field.leak) for field in fields]
    mine, theirs = leak_keys(fields, cells, loose=False), register_keys(fields, scan)
    # 1. rows that equal one record
    exact = match_exactly(fields, mine, theirs)
    settled, weight = _settle(fields, mine, theirs, exact)
    done = np.flatnonzero(settled >= 0)
    toleranced = any(field.tolerance is not None for field in fields)
    rest = np.flatnonzero((settled < 0) & ((exact.matches == 0) | toleranced))
    twins = leak.rows - len(done) - len(rest)
    # 2.-4. the rest
    agreed = np.array([float((keys[done] != 0).sum()) for keys in mine.strict])
    found = score_rest(fields, [[column[row] for row in rest.tolist()] for column in cells], theirs, scan, agreed)
    rows = np.r_[done, rest[found.rows]]
    order = np.argsort(rows, kind="stable")
    return Alignment(
        rows[order], np.r_[settled[done], found.records][order], np.r_[weight[done], found.weights][order], theirs.rows,
        exact=len(done), scored=len(found.rows), ambiguous=twins + found.tied,
        foreign=len(rest) - len(found.rows) - found.tied,
    )


def _settle(fields: Sequence[Field], leak: Keys, register: Keys, exact: Exact) -> tuple[Hashes, Numbers]:
    """Return the record of each row that equals just one and most likely is that one (-1 elsewhere), and its weight.

    The weight is the smaller of what the register's counts and what the columns' frequencies say. Prior odds are even,
    or better where the leak as a whole meets this register.
    """
    rows = np.flatnonzero(exact.record >= 0)
    records = exact.record[rows]
    levels = compare(fields, leak, register, rows, records)
    model = first_model(fields, leak, register)
    odds = max(1.0, exact.share / (1.0 - exact.share))
    sure = np.minimum(posterior(bits_of(model, levels, rows), rows, register.rows, odds), exact.weight)
    settled, weight = np.full(leak.rows, -1, np.int64), np.zeros(leak.rows)
    taken = (sure > 0.5) & (levels <= SAME).all(axis=0)
    settled[rows[taken]], weight[rows[taken]] = records[taken], sure[taken]
    return settled, weight
