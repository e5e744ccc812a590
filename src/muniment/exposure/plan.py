"""A release plan: how an extract is made safer, as a kept object, used again on the next one and checked for drift.

    made(extract, quasi, rules, goal) -> ReleasePlan --to_json/from_json--> kept
    applied(plan, extract)            -> Released: the extract recoded, and its Drift from what the plan expected

Rules
1. A plan holds rules, levels and figures that may leave; nothing of a row. The hierarchies of a plan are what its
   author gave, or built in.
2. A plan used again keeps k whatever comes: what does not reach it is left out. Drift says whether that still is what
   was decided on.
3. What is neither a quasi-identifier nor among `others` is not in the released extract.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from muniment.errors import InputError
from muniment.exposure.extract import Extract
from muniment.exposure.floor import FLOOR, Count
from muniment.exposure.hierarchies import Hierarchy, Rule, hierarchy, rule_from_json, rule_to_json, suited
from muniment.exposure.lattice import Choice, ClassTable, Goal, optimal, table_of
from muniment.exposure.recode import Recoded, full_domain, local

FORM: Final = "muniment-release-plan/1"
TOLERANCE: Final = 0.05
"""Granularity that may be lost against what was expected before a plan is looked at again."""


class Cause(StrEnum):
    """Why a plan no longer fits."""

    SUPPRESSION = "suppression"
    """More rows are left out than its limit allows."""
    GRANULARITY = "granularity"
    """Clearly less is left than was expected."""
    UNREAD = "unread"
    """A column has values that its rule cannot read, in a share of rows above what was expected and the limit."""
    LEVELS = "levels"
    """Other levels would leave clearly more."""


@dataclass(frozen=True, slots=True)
class Column:
    """A quasi-identifier, its rule, and the name of the level it is told on; "" where levels go by rows."""

    name: str
    rule: Rule
    level: str = ""


@dataclass(frozen=True, slots=True)
class Unread:
    """A column with values that its rule cannot read, and in how many rows they are."""

    column: str
    rows: Count


@dataclass(frozen=True, slots=True)
class Expected:
    """What the plan gave when it was made: rows, how many were left out, granularity, values that were not read."""

    rows: int
    suppressed: Count
    granularity: float
    unread: tuple[Unread, ...] = ()

    def share_unread(self, column: str) -> float:
        """The share of rows whose value in a column was not read."""
        return sum(one.rows.share(self.rows) for one in self.unread if one.column == column)

    def to_json(self) -> dict[str, Any]:
        """As a part of the plan."""
        return {
            "rows": self.rows,
            "suppressed": _count_to_json(self.suppressed),
            "granularity": self.granularity,
            "unread": [{"column": one.column, "rows": _count_to_json(one.rows)} for one in self.unread],
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Expected:
        """Undo `to_json`."""
        unread = tuple(Unread(str(one["column"]), _count_from_json(one["rows"])) for one in kept["unread"])
        suppressed = _count_from_json(kept["suppressed"])
        return cls(int(kept["rows"]), suppressed, float(kept["granularity"]), unread)


def _count_to_json(count: Count) -> dict[str, Any]:
    return {"at_least": count.at_least, "hidden": count.hidden, "floor": count.floor}


def _count_from_json(kept: Mapping[str, Any]) -> Count:
    return Count(int(kept["at_least"]), bool(kept["hidden"]), int(kept["floor"]))


@dataclass(frozen=True, slots=True)
class ReleasePlan:
    """Columns told less exactly, `others` as they are, a goal, and what to expect. `local`: levels by rows."""

    columns: tuple[Column, ...]
    others: tuple[str, ...]
    goal: Goal
    local: bool
    expected: Expected

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the quasi-identifiers."""
        return tuple(column.name for column in self.columns)

    @property
    def digest(self) -> str:
        """SHA-256 of the plan's JSON, in hexadecimal: how a ledger names it."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """The plan as a value that can be kept."""
        return {
            "form": FORM,
            "columns": [
                {"name": one.name, "rule": rule_to_json(one.rule), "level": one.level} for one in self.columns
            ],
            "others": list(self.others),
            "goal": {"k": self.goal.k, "limit": self.goal.limit},
            "local": self.local,
            "expected": self.expected.to_json(),
        }

    @classmethod
    def from_json(cls, kept: Any) -> ReleasePlan:
        """Undo `to_json`; `InputError` for what is no plan of this form."""
        if not isinstance(kept, dict) or kept.get("form") != FORM:
            raise InputError(f"this is no release plan: expected the form {FORM!r}")
        if not all(isinstance(kept.get(part), list) for part in ("columns", "others")):
            raise InputError("this release plan is damaged: expected lists of columns")
        try:
            expected = Expected.from_json(kept["expected"])
            columns = tuple(
                Column(str(one["name"]), rule_from_json(one["rule"]), str(one["level"])) for one in kept["columns"]
            )
            goal = Goal(int(kept["goal"]["k"]), float(kept["goal"]["limit"]))
            return cls(columns, tuple(map(str, kept["others"])), goal, bool(kept["local"]), expected)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError("this release plan is damaged: a part of it is missing or of another kind") from error


@dataclass(frozen=True, slots=True)
class Drift:
    """The extract against the plan. `causes` is empty where the plan still fits.

    `better`: the names of the levels that would now be best, where they are others and it pays.
    """

    rows: int
    suppressed: Count
    granularity: float
    unread: tuple[Unread, ...]
    causes: tuple[Cause, ...]
    better: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether the plan is still what was decided on."""
        return not self.causes


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Released:
    """`extract`: what may be handed out: the plan's columns only, with labels. `drift`: whether the plan fits it."""

    extract: Extract
    drift: Drift


@dataclass(frozen=True, slots=True, repr=False)
class _Prepared:
    extract: Extract
    table: ClassTable
    hierarchies: tuple[Hierarchy, ...] = field(repr=False)


def made(
    extract: Extract,
    quasi: Sequence[str],
    rules: Mapping[str, Rule] | None = None,
    goal: Goal | None = None,
    *,
    others: Sequence[str] = (),
    by_rows: bool = False,
    floor: int = FLOOR,
) -> ReleasePlan:
    """The plan that leaves most of an extract read with its labels: the optimal levels, or (`by_rows`) levels by rows.

    A column without a rule gets the built-in one that suits its values, and the plan keeps which.

    Raises:
        InputError: columns named twice or not there, rules for other columns, fewer rows than the floor or than k, a
            hierarchy that is no tree.
        LimitError: more combinations of levels than are searched.
    """
    goal, rules = goal or Goal(), rules or {}
    _check_names(quasi, others, rules)
    columns = tuple(Column(name, rules.get(name) or suited(extract.column(name))) for name in quasi)
    prepared = _prepared(extract, columns, others)
    if by_rows:
        recoded = local(prepared.extract, prepared.table, prepared.hierarchies, goal, floor)
        expected = Expected(recoded.rows, recoded.suppressed, recoded.granularity, _unread(prepared, floor))
        return ReleasePlan(columns, tuple(others), goal, True, expected)
    best = optimal(prepared.table, prepared.hierarchies, goal, floor)
    levelled = tuple(
        Column(one.name, one.rule, name) for one, name in zip(columns, _names(prepared, best), strict=True)
    )
    expected = Expected(best.rows, best.suppressed, best.granularity, _unread(prepared, floor))
    return ReleasePlan(levelled, tuple(others), goal, False, expected)


def applied(plan: ReleasePlan, extract: Extract, floor: int = FLOOR) -> Released:
    """The plan used on an extract read with its labels; errors as `made`, and where no row could be kept."""
    prepared = _prepared(extract, plan.columns, plan.others)
    best: Choice | None = None
    if plan.local:
        recoded = local(prepared.extract, prepared.table, prepared.hierarchies, plan.goal, floor)
    else:
        pairs = zip(prepared.hierarchies, plan.columns, strict=True)
        levels = tuple(one.level(column.level) for one, column in pairs)
        best = optimal(prepared.table, prepared.hierarchies, plan.goal, floor)
        recoded = full_domain(prepared.extract, prepared.table, prepared.hierarchies, levels, plan.goal.k, floor)
    return Released(recoded.extract, _drift(plan, prepared, recoded, best, floor))


def _check_names(quasi: Sequence[str], others: Sequence[str], rules: Mapping[str, Rule]) -> None:
    named = [*quasi, *others]
    twice = sorted({name for name in named if named.count(name) > 1})
    beyond = sorted(set(rules) - set(quasi))
    if not quasi:
        raise InputError("a plan without quasi-identifiers: expected at least one column to generalise")
    if twice:
        raise InputError(f"columns named twice: {', '.join(twice)}")
    if beyond:
        raise InputError(f"hierarchies for columns that are not generalised: {', '.join(beyond)}")


def _prepared(extract: Extract, columns: Sequence[Column], others: Sequence[str]) -> _Prepared:
    names = [column.name for column in columns]
    chosen = extract.chosen(names)
    worked_out = tuple(hierarchy(column, one.rule) for column, one in zip(chosen, columns, strict=True))
    released = Extract((*chosen, *extract.chosen(others)), extract.rows, extract.record)
    return _Prepared(released, table_of(chosen), worked_out)


def _names(prepared: _Prepared, best: Choice) -> tuple[str, ...]:
    return tuple(one.levels[level] for one, level in zip(prepared.hierarchies, best.levels, strict=True))


def _drift(plan: ReleasePlan, prepared: _Prepared, recoded: Recoded, best: Choice | None, floor: int) -> Drift:
    unread = _unread(prepared, floor)
    pays = best is not None and best.granularity > recoded.granularity + TOLERANCE
    better = _names(prepared, best) if best is not None and pays else ()
    limit, expected = plan.goal.limit, plan.expected
    found = {
        Cause.SUPPRESSION: recoded.rows - recoded.extract.rows > plan.goal.most(recoded.rows),
        Cause.GRANULARITY: recoded.granularity < expected.granularity - TOLERANCE,
        Cause.UNREAD: any(one.rows.share(recoded.rows) > expected.share_unread(one.column) + limit for one in unread),
        Cause.LEVELS: pays,
    }
    causes = tuple(cause for cause, holds in found.items() if holds)
    return Drift(recoded.rows, recoded.suppressed, recoded.granularity, unread, causes, better)


def _unread(prepared: _Prepared, floor: int) -> tuple[Unread, ...]:
    found = []
    for place, one in enumerate(prepared.hierarchies):
        rows = int(prepared.table.rows[one.unread[prepared.table.codes[place]]].sum())
        if rows:
            found.append(Unread(one.name, Count.of(rows, floor)))
    return tuple(found)
