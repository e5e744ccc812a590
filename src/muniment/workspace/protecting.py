"""Make a safer table of an extract: by a new plan or a kept one, or as counts; measured before and after.

Rules
1. The file appears under its name whole or not at all, and never over another.
2. A plan is a file of its own (JSON): re-applied to the next extract, it says where it no longer fits.
3. What is written is the runner's, as the extract was: the run is on record (`exposing.run`). To hand it on is a
   release, which is another record.
4. The loss of noisy counts is on record before they are written.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from muniment.durable import check_target, read_file, replace_file, storage_faults, sync_folder, take_name
from muniment.engine.writers import Form, open_writer
from muniment.errors import InputError
from muniment.exposure.classes import classes
from muniment.exposure.deciding import Policy, decide
from muniment.exposure.floor import Count
from muniment.exposure.result import Change, Decision, Measures, Protected, Subject
from muniment.table import Table
from muniment.workspace.exposing import Taken
from muniment.workspace.parts import Parts

if TYPE_CHECKING:
    from muniment.exposure.budgeting import Budget
    from muniment.exposure.counts import CountTable
    from muniment.exposure.cumulative import Cumulative
    from muniment.exposure.extract import Extract
    from muniment.exposure.hierarchies import Rule
    from muniment.exposure.plan import ReleasePlan

FORMS: Final[Mapping[str, Form]] = {".csv": "csv", ".parquet": "parquet", ".xlsx": "xlsx"}
PLAN_BYTES: Final = 256 << 20
BATCH: Final = 100_000
"""Rows that are text at a time."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted: a table at `out`, with `k` (the policy's if `None`) and at most the share `limit` left out.

    `by_rows`: levels by rows, not one for all. `keep`: a new file for the plan; `plan`: a kept one. `counts`: columns
    to count by in place of rows, with keyed noise, or with noise of `epsilon` (differentially private): then `domain`
    has the values of each, which must not be taken from the rows.
    """

    out: Path
    k: int | None = None
    limit: float = 0.02
    by_rows: bool = False
    keep: Path | None = None
    plan: Path | None = None
    counts: tuple[str, ...] = ()
    epsilon: str = ""
    domain: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rules: Mapping[str, Rule] = field(default_factory=dict)

    def check(self) -> None:
        """Refuse what would only be found out after the run is on record (`InputError`)."""
        if self.out.suffix.lower() not in FORMS:
            raise InputError(f"--out {self.out}: unknown form {self.out.suffix!r}: expected .csv, .parquet or .xlsx")
        check_target(self.out, "--out")
        if self.keep is not None:
            check_target(self.keep, "--keep-plan")
        self._check_counts()
        if self.plan is not None:
            read_plan(self.plan)

    def _check_counts(self) -> None:
        if self.epsilon and not self.counts:
            raise InputError("--epsilon is for counts", hint="--counts COLUMN,...")
        if self.counts and (self.plan is not None or self.keep is not None or self.by_rows):
            raise InputError("--counts has no plan and no levels: expected one or the other")
        if "count" in self.counts:
            raise InputError("a column that is counted by is called 'count': expected another name")
        missing = [name for name in self.counts if self.epsilon and name not in self.domain]
        if missing:
            raise InputError(
                f"private counts by {missing[0]!r}: expected its values, which must not be taken from the rows",
                hint=f"--values {missing[0]}=FILE, one value a line",
            )


def protect(parts: Parts, taken: Taken, subject: Subject, wish: Wish, policy: Policy) -> Protected:
    """Write what was wished for of an extract that is on record.

    Raises `InputError` (a plan or hierarchy that does not fit, no row left), `LimitError` (too many levels),
    `MissingExtraError` and `UnreachableError` (the disk).
    """
    return _counts(parts, taken, subject, wish) if wish.counts else _table(parts, taken, subject, wish, policy)


def read_plan(path: Path) -> ReleasePlan:
    """A kept plan; `InputError` for what is none."""
    from muniment.exposure.plan import ReleasePlan

    data = read_file(path, PLAN_BYTES)
    if data is None:
        raise InputError(f"{path}: there is no such file; expected a plan that `muniment protect --keep-plan` wrote")
    try:
        return ReleasePlan.from_json(json.loads(data))
    except ValueError as error:
        raise InputError(f"{path}: no release plan: it is no JSON") from error


# --- rows ------------------------------------------------------------------------------------------------------


def _table(parts: Parts, taken: Taken, subject: Subject, wish: Wish, policy: Policy) -> Protected:
    from muniment.exposure.lattice import Goal
    from muniment.exposure.plan import applied, made

    goal = Goal(subject.k, wish.limit)
    if wish.plan is not None:
        plan = read_plan(wish.plan)
    else:
        others = tuple(name for name in subject.handed_out if name not in taken.quasi)
        plan = made(taken.extract, taken.quasi, wish.rules, goal, others=others, by_rows=wish.by_rows)
    done = applied(plan, taken.extract)
    before = _measured(taken.extract, plan.names, subject, plan.goal.k)
    after = _measured(done.extract, plan.names, subject, plan.goal.k)
    _write(done.extract, wish.out)
    kept = wish.plan or wish.keep
    if wish.keep is not None:
        replace_file(wish.keep, [json.dumps(plan.to_json(), ensure_ascii=False, indent=1).encode() + b"\n"])
    return Protected(
        subject=subject,
        way="local" if plan.local else "full_domain",
        changes=tuple(Change(one.name, one.rule.kind, one.level) for one in plan.columns),
        suppressed=done.drift.suppressed,
        granularity=done.drift.granularity,
        before=before,
        after=after,
        decision=decide(
            Policy(plan.goal.k, policy.share), after, cumulative=_held(parts, taken, done.extract, subject, plan.goal.k)
        ),
        plan=str(kept) if kept is not None else "",
        out=str(wish.out),
        drift=tuple(cause.value for cause in done.drift.causes) if wish.plan is not None else (),
    )


def _measured(extract: Extract, quasi: Sequence[str], subject: Subject, k: int) -> Measures:
    return Measures.of(classes(extract.chosen(quasi)), k, None, extract.chosen(subject.sensitive), subject.floor)


def _held(parts: Parts, taken: Taken, safer: Extract, subject: Subject, k: int) -> Cumulative | None:
    """The safer table on top of what is held; `None` where no recipient was named or it is of no register."""
    from muniment.exposure.cumulative import accumulate
    from muniment.exposure.kept import keep
    from muniment.workspace.keeping import digest_key, held_by

    recipients = [subject.recipient, *subject.coalition] if subject.recipient else []
    if not recipients or taken.register is None or safer.record is None:
        return None
    new = keep(safer, taken.quasi, digest_key(parts), sensitive=taken.sensitive)
    return accumulate(new, [one.kept for one in held_by(parts, taken.register, recipients)], k=k)


def _write(extract: Extract, out: Path) -> None:
    """Write an extract read with labels, `BATCH` rows at a time."""

    def tables() -> Iterator[Table]:
        for start in range(0, extract.rows, BATCH):
            part = slice(start, start + BATCH)
            cells = [[one.labels[code] for code in one.codes[part].tolist()] for one in extract.columns]
            yield Table(extract.names, tuple(cells))

    _written(out, extract.names, extract.rows, tables())


def _written(out: Path, names: tuple[str, ...], rows: int, tables: Iterable[Table]) -> None:
    """Rule 1."""
    partial = out.with_name(f".{out.name}.{secrets.token_hex(6)}.partial")
    with open_writer(partial, names, {}, FORMS[out.suffix.lower()], rows=rows) as writer:
        for table in tables:
            writer.write(table)
    with storage_faults(out, "write"):
        try:
            take_name(partial, out)
        finally:
            partial.unlink(missing_ok=True)
        sync_folder(out.parent)


# --- counts ------------------------------------------------------------------------------------------------------


def _counts(parts: Parts, taken: Taken, subject: Subject, wish: Wish) -> Protected:
    before = _measured(taken.extract, taken.quasi, subject, subject.k)
    table, budget = _private(parts, taken, subject, wish) if wish.epsilon else (_perturbed(parts, taken, wish), None)
    _write_counts(table, wish.out)
    return Protected(
        subject=subject,
        way="private" if wish.epsilon else "perturbed",
        changes=(),
        suppressed=Count.of(0, subject.floor),
        granularity=0.0,
        before=before,
        after=None,
        decision=Decision("release"),
        out=str(wish.out),
        budget=budget,
    )


def _perturbed(parts: Parts, taken: Taken, wish: Wish) -> CountTable:
    from muniment.exposure.counts import perturbed
    from muniment.prf import hkdf

    if taken.register is None:
        raise InputError(f"{taken.what}: counts are of a register: their noise hangs on who is counted")
    label = f"muniment exposure counts 1 {taken.register.name}"
    secret = hkdf(parts.ring.all("segment")[0].secret, label, length=32)
    return perturbed(taken.extract, wish.counts, secret)


def _private(parts: Parts, taken: Taken, subject: Subject, wish: Wish) -> tuple[CountTable, Budget]:
    """Private counts over declared values; their loss is on record before they leave this function."""
    from muniment.exposure.budgeting import Spend, loss
    from muniment.exposure.counts import OpenDP, private
    from muniment.workspace.spending import spend

    if taken.register is None or not subject.recipient:
        raise InputError(
            "private counts spend the budget of a recipient on a register: expected both",
            hint="muniment protect REGISTER --to RECIPIENT --counts COLUMN,... --epsilon 0.1",
        )
    noise = OpenDP()
    asked = Spend(
        subject.recipient,
        taken.register.name,
        loss(wish.epsilon),
        mechanism="discrete laplace",
        purpose=subject.purpose,
    )
    domain = {name: wish.domain[name] for name in wish.counts}
    drawn = private(taken.extract, domain, asked.epsilon, noise=noise)  # what cannot be counted costs no budget
    return drawn, spend(parts, asked)


def _write_counts(table: CountTable, out: Path) -> None:
    names = (*table.columns, "count")
    rows: list[tuple[Any, ...]] = [
        (*cell, str(count.to_json())) for cell, count in zip(table.cells, table.counts, strict=True)
    ]
    _written(out, names, len(rows), [Table.from_rows(names, rows)])
