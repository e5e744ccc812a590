"""The marks of a gate: accounts as recipients with a number, on record as candidates before anything marked leaves.

Rules
1. An account that receives marked results has a copy on record, by its recipient's name, under the current mark key:
   that is what makes it a candidate of `trace`. The copy names no record; which ones were given is in the gate's own
   disclosures.
2. Families are logged, and the register's baseline extended, before the first marked row: as for a release.
3. One object belongs to one thread of one process; others may number the same account at the same time (the journal's
   lock decides, and both find the same number).
"""

from __future__ import annotations

import numpy as np

from muniment.errors import InputError, MunimentError, UnreachableError
from muniment.gate.session.marking import MarkedRegister
from muniment.ledger.copies import PlannedCopy
from muniment.ledger.declarations import log_commitments
from muniment.ledger.families import declare_families
from muniment.marks.codebook import Codebook
from muniment.marks.plan import Plan
from muniment.marks.stream import record_keys
from muniment.marks.write import CellMarker
from muniment.workspace.baselines import Observed, cell_digest, column_of, extend_baseline
from muniment.workspace.ordinals import Seen
from muniment.workspace.parts import Parts
from muniment.workspace.plans import allowed_plan, to_log

PURPOSE = "gate: results marked in flight"
"""The purpose of the copy that stands for an account's marked results."""


def marked_register(parts: Parts, name: str) -> MarkedRegister | None:
    """What the gate marks in a register: its cell families under the current mark key; `None` where none is allowed.

    Logs the families and extends the baseline; errors as a release.
    """
    register = parts.register(name)
    try:
        allowed = allowed_plan(parts, register, None)
    except InputError:
        return None
    plan = Plan(allowed.cells)
    if not plan.cells:
        return None
    key = parts.ring.current("mark")
    with parts.journal.writing():
        log_commitments(parts.journal, parts.ring.commitments(), parts.clock())
        declare_families(parts.journal, to_log(plan, register, key.id), parts.clock())
    codebook = Codebook(key.secret, register.name)
    _extend_baseline(parts, name, plan, codebook)
    return MarkedRegister(name, key.id, {column.number: column.name for column in register.columns}, plan, codebook)


def _extend_baseline(parts: Parts, name: str, plan: Plan, codebook: Codebook) -> None:
    """One pass over the register: what its cells look like before anybody has seen a mark of the gate."""
    register = parts.register(name)
    tolerance = frozenset(family.column.name for family in plan.cells if family.tolerance is not None)
    columns = [(column, column_of(plan, register, column)) for column in plan.columns]
    observed = Observed(cell_digest(parts, name), columns, tolerance)
    seen, marker, done = Seen(parts, name), CellMarker(codebook, plan), 0
    for batch in parts.source(register).batches(tuple(dict.fromkeys((*register.key, *plan.columns)))):
        keys = record_keys(batch, register.key, done)
        observed.add(seen.add(keys), marker.prepare(batch, codebook.records(keys)))
        done += batch.rows
    with parts.journal.writing():
        extend_baseline(parts, name, observed)


class AccountNumbers:
    """Numbers of recipients in the codebook; a `gate.session.marking.Numbers`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._known: dict[tuple[str, str], int] = {}

    def __repr__(self) -> str:
        return f"AccountNumbers({len(self._known)})"

    def number(self, recipient: str, register: str) -> int:
        """The number of a recipient, on record as a candidate for this register (rule 1).

        Raises `UnreachableError` where it cannot be recorded, whatever the reason: nothing marked may leave then.
        """
        found = self._known.get((recipient, register))
        if found is None:
            try:
                found = self._on_record(recipient, register)
            except MunimentError as error:
                raise UnreachableError(f"a recipient of marks could not be put on record: {error.message}") from error
            self._known[recipient, register] = found
        return found

    def _on_record(self, name: str, register: str) -> int:
        parts = self._parts
        parts.journal.refresh()
        recipient = parts.copies.recipient(name, parts.clock())
        key = parts.ring.current("mark").id
        if not any(copy.mark_key == key for copy in parts.copies.copies(register, recipient)):
            columns = tuple(column.name for column in parts.register(register).columns)
            planned = PlannedCopy(
                recipient=recipient, register=register, purpose=PURPOSE, where=None, columns=columns, rows=0,
                symbols=0, mark_key=key, file_digest="", account=parts.account,
            )  # fmt: skip
            nobody = np.zeros(0, np.uint64)
            older = [nobody] * (len(parts.ring.all("pseudonym")) - 1)
            parts.copies.record_many([planned], nobody, parts.clock(), older)
        return recipient.number
