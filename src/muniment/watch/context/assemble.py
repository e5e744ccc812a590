"""Tables as they were imported -> one context: in the names that reads have, over all registers.

Rules
1. Nothing is looked up here: persons are ordinals already, which no two registers share.
2. A table that nobody imported stays `None`; covers without cases, and shifts, are parts of others and make none.
3. What only shows between tables is said: cases covered or assigned but unknown, and those that cover too many.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from muniment.watch.context.faults import Fault, Wrong, joined
from muniment.watch.context.index import MOST
from muniment.watch.context.joins import Lists
from muniment.watch.context.parse import DAY_KINDS, Parsed
from muniment.watch.context.schema import SHAPES, Form
from muniment.watch.context.tables import (
    Assignments,
    Calendar,
    Cases,
    Context,
    Family,
    Households,
    Jobs,
    Orders,
    Staff,
)
from muniment.watch.reads import NOBODY, Names, Spaces

if TYPE_CHECKING:
    from numpy.typing import NDArray

DECOYS: Final = "decoys"
"""The name of the one table that no keeper hands in: which records are decoys."""
_APART: Final = 1_000
"""Places between the records of two registers in an order of the same name: nobody walks from one into the other."""
Columns = Mapping[str, "NDArray[Any]"]


@dataclass(frozen=True, slots=True)
class Ruled:
    """What the settings add: the time zone, and the types of cases that cover households."""

    zone: str = "UTC"
    household_types: Collection[str] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Assembled:
    """A context, and what was wrong between its tables."""

    context: Context
    faults: tuple[Fault, ...]


def assemble(tables: Sequence[Parsed], spaces: Spaces, ruled: Ruled) -> Assembled:
    """One context of all tables, at most one of each name and register. `spaces` gets the names that are new."""
    by_name: dict[str, list[Columns]] = {}
    for table in tables:
        by_name.setdefault(table.table, []).append(_renamed(table, spaces))
    given = {name: _behind(parts) for name, parts in by_name.items() if name not in ("households", "orders")}
    cases, faults = _cases(given.get("cases"), given.get("covers"), spaces, ruled)
    unknown = _unknown("assignments", given.get("assignments"), given.get("cases"))
    context = Context(
        staff=_made(Staff, given.get("staff")),
        cases=cases,
        assignments=_made(Assignments, given.get("assignments")),
        households=_households(by_name.get("households")),
        family=None if "family" not in given else Family(given["family"]["record"], given["family"]["other"]),
        jobs=_made(Jobs, given.get("jobs")),
        orders=_orders([table for table in tables if table.table == "orders"]),
        calendar=_calendar(ruled.zone, given.get("calendar"), given.get("shifts")),
        decoys=np.unique(given[DECOYS]["record"]) if DECOYS in given else np.zeros(0, np.uint32),
    )
    return Assembled(context, joined((*faults, *unknown)))


def _renamed(table: Parsed, spaces: Spaces) -> Columns:
    """The columns with the codes of `spaces` in place of the table's own."""
    columns = dict(table.columns)
    for given in SHAPES[table.table].columns if table.table in SHAPES else ():
        if given.form is Form.NAME and given.space is not None:
            own: Names = getattr(table.names, given.space)
            shared: Names = getattr(spaces, given.space)
            codes = np.append(shared.codes(own.texts), NOBODY).astype(np.int32)
            columns[given.name] = codes[columns[given.name]]  # NOBODY is -1: the last
    return columns


def _behind(parts: Sequence[Columns]) -> Columns:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _made(kind: type[Any], columns: Columns | None) -> Any:
    """A table whose columns are called as those that were given."""
    return None if columns is None else kind(**columns)


def _cases(
    cases: Columns | None, covers: Columns | None, spaces: Spaces, ruled: Ruled
) -> tuple[Cases | None, Iterable[Fault]]:
    if cases is None:
        return None, ()
    wide = np.append([text in frozenset(ruled.household_types) for text in spaces.type.texts], False).astype(np.bool_)
    count = len(cases["case"])
    nobody: Columns = {"case": np.zeros(0, np.int32), "record": np.zeros(0, np.uint32)}
    covered = nobody if covers is None else covers
    place, row = Lists(cases["case"], np.arange(count)).of(covered["case"])
    persons = np.bincount(row, minlength=count)
    faults = [*_unknown("covers", covers, cases)]
    if (mass := int((persons > MOST).sum())) > 0:
        faults.append(Fault(Wrong.MASS, "covers", "covers", mass, 0, "case"))
    household = cases["household"] | wide[cases["type"]]
    whose = {name: cases[name] for name in ("case", "type", "opened", "closed", "opener", "office")}
    return Cases(**whose, household=household, of=row, record=covered["record"][place]), faults


def _unknown(table: str, columns: Columns | None, cases: Columns | None) -> Iterable[Fault]:
    if columns is None:
        return ()
    known = np.zeros(0, np.int32) if cases is None else cases["case"]
    count = int((~np.isin(columns["case"], known)).sum())
    return (Fault(Wrong.UNKNOWN_CASE, table, table, count, 0, "case"),) if count else ()


def _households(parts: Sequence[Columns] | None) -> Households | None:
    if parts is None:
        return None
    sizes = [int(part["household"].max(initial=-1)) + 1 for part in parts]
    starts = np.cumsum([0, *sizes])[: len(parts)]
    numbers = [part["household"] + start for part, start in zip(parts, starts.tolist(), strict=True)]
    return Households(np.concatenate([part["record"] for part in parts]), np.concatenate(numbers))


def _orders(tables: Sequence[Parsed]) -> Orders | None:
    if not tables:
        return None
    names = tuple(dict.fromkeys(name for table in tables for name in table.orders))
    ranks, start = [], 0
    for table in tables:
        rank = np.full((len(table), len(names)), -1, np.int64)
        own = table.columns["rank"]
        rank[:, [names.index(name) for name in table.orders]] = np.where(own < 0, -1, own + start)
        ranks.append(rank)
        start += len(table) + _APART
    record = np.concatenate([table.columns["record"] for table in tables])
    born = np.maximum(np.concatenate([table.columns["born"] for table in tables]), 0)
    order = np.argsort(record, kind="stable")
    return Orders(record[order], np.concatenate(ranks)[order], born[order], names)


def _calendar(zone: str, days: Columns | None, shifts: Columns | None) -> Calendar:
    working = frozenset() if shifts is None else frozenset(shifts["office"].tolist())
    if days is None:
        return Calendar(zone, shifts=working)
    rows = list(zip(days["kind"].tolist(), days["date"].tolist(), days["office"].tolist(), strict=True))

    def of_all(kind: str) -> frozenset[int]:
        return frozenset(day for code, day, office in rows if code == DAY_KINDS[kind] and office == NOBODY)

    def of_one(kind: str) -> frozenset[tuple[int, int]]:
        return frozenset((day, office) for code, day, office in rows if code == DAY_KINDS[kind] and office != NOBODY)

    return Calendar(
        zone, of_all("holiday"), of_all("busy"), working, workdays=of_all("workday"),
        own_holidays=of_one("holiday"), own_busy=of_one("busy"), own_workdays=of_one("workday"),
    )  # fmt: skip
