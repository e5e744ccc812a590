"""Statements judged without a gate between: what PostgreSQL describes and sends, against what it would be charged as.

An observer who knows every value counts the persons whose values came; each value bears its person's number.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import psycopg
from psycopg import pq

from muniment.gate.attribution.catalogue import Catalogue
from muniment.gate.attribution.classify import NONE, SessionMemory, Tally
from muniment.gate.attribution.plan import plan_result
from muniment.gate.attribution.text import facts
from muniment.gate.policy.rules import Rules
from muniment.gate.policy.statements import permit
from muniment.gate.protocol.backend import Field

if TYPE_CHECKING:
    from numpy.typing import NDArray

_VALUE = re.compile(rb"[sg](\d{5})[sgx]", re.IGNORECASE)
RULES = Rules(account="mallory", recipient="mallory")


@dataclass
class AllPersons:
    """Gives each key an ordinal."""

    known: dict[tuple[str, ...], int] = field(default_factory=dict)

    def ordinals(self, register: str, columns: Sequence[Sequence[str]]) -> NDArray[np.uint32]:
        """See `attribution.classify.Persons`."""
        rows = zip(*columns, strict=True)
        return np.array([self.known.setdefault((register, *row), len(self.known)) for row in rows], np.uint32)


@dataclass(frozen=True)
class Judged:
    """One statement: `kind` is refused, free, attributed, digest_matched or unattributed (the worst of its rows)."""

    kind: str
    rows: int
    shown: int
    named: int
    nameless: int

    @property
    def charged(self) -> int:
        """Persons that it costs."""
        return self.named + self.nameless


class NoLabels:
    """A client that declares a case."""

    case, purpose = "A-1", ""


def judged(
    connection: psycopg.Connection[Any], catalogue: Catalogue, sql: str, *, binary: bool = False,
    memory: SessionMemory | None = None,
) -> Judged:  # fmt: skip
    """Run a statement, unless policy refuses it. `AssertionError` where PostgreSQL does, or rows are not classed."""
    found = facts(sql, catalogue, conforming=True, safe_encoding=True)
    if permit(found, None, RULES, NoLabels(), 0) is not None:
        return Judged("refused", 0, 0, 0, 0)
    result = connection.pgconn.exec_params(sql.encode(), None, result_format=1 if binary else 0)
    assert result.status in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK), result.error_message.decode()
    columns = range(result.nfields)
    fields = [
        Field((result.fname(at) or b"").decode(), result.ftable(at), result.ftablecol(at), result.ftype(at),
              result.fsize(at), result.fmod(at), result.fformat(at)) for at in columns
    ]  # fmt: skip
    rows = [[result.get_value(row, at) for at in columns] for row in range(result.ntuples)]
    shown = len(set(_VALUE.findall(b" ".join(cell for row in rows for cell in row if cell is not None))))
    plan = plan_result(fields, [one.format for one in fields], found, catalogue)
    if not plan.guarded or not rows:
        return Judged("free", len(rows), shown, 0, 0)
    tally = Tally(plan, AllPersons(), b"k" * 16, memory or SessionMemory())
    sizes = [7 + sum(4 + len(cell or b"") for cell in row) for row in rows]
    classed = tally.take([[row[at] for row in rows] for at in plan.fields], sizes)
    assert sum(classed.classes.values()) == classed.rows == len(rows)
    named = len(set(classed.ordinals[classed.ordinals != NONE].tolist()))
    worst = next(kind for kind in ("unattributed", "digest_matched", "attributed") if kind in classed.classes)
    return Judged(worst, len(rows), shown, named, int(classed.anonymous.sum()))
