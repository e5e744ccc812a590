"""Which carriers a register could bear: what each would give, what it would change, and what readers would see.

Rules
1. Nothing is allowed by a suggestion. The owner writes a carrier into muniment.toml, or takes `acceptable`.
2. A column that can never be marked is listed with its reason, so that nobody wonders where it is.
3. "Groups" are what GROUP BY, DISTINCT and a join by value see: distinct cells of the sample before marking, and after
   each cell was written with an arbitrary bit.
4. `acceptable` takes meaning-preserving carriers alone, and leaves out every column in which a second spelling would
   hurt its readers more than a mark is worth (the rules are in `_held_back`).
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from muniment.disclosure import Column, Harm, Kind, Register
from muniment.marks.carriers import CARRIERS, TOLERANCE_CARRIERS, carrier, clash
from muniment.marks.carriers.protocol import Carrier
from muniment.table import Cells, Table

LEAST_SLOTS: Final = 0.05
"""Share of cells with a place below which a carrier is not worth a second spelling in the column."""
FEW_VALUES: Final = 200
CELLS_A_VALUE: Final = 20
"""Readers group by a column with at most FEW_VALUES distinct values, each in CELLS_A_VALUE cells or more."""
SAME_DIGITS: Final = 0.9
"""Share of distinct cells from which a code identifies a record: readers join by it."""
EXAMPLES: Final = 5
_SPREAD: Final = 2_654_435_761
"""Knuth's multiplier: a bit for each row that follows no order of the rows."""
_TRIAL_SECONDS: Final = Decimal(60)
_ON_REQUEST: Final = frozenset({"letter-case"})

REASONS: Final = {
    "key": "it is part of the record key",
    "name": "a name in another spelling is another name",
    "place": "a registered place is fixed by its spelling",
    "category": "readers group by a category, and a second spelling splits it",
    "email": "an e-mail address has one spelling",
    "no-place": "no carrier finds a place in its cells",
    "tolerance": "it changes values: declare a tolerance first",
    "on-request": "it rewrites whole cells: taken on request only",
    "join": "readers join by this column",
    "few-slots": f"fewer than {LEAST_SLOTS:.0%} of the rows have a place",
    "identifier": "the code tells records apart: readers may join by it",
    "few-values": "it has few distinct values: readers may group by it",
}
"""Why a column can never be marked, or why a carrier is not taken by default: code -> sentence."""
_NEVER: Final = {Kind.NAME: "name", Kind.PLACE: "place", Kind.CATEGORY: "category", Kind.EMAIL: "email"}


@dataclass(frozen=True, slots=True, repr=False)
class Example:
    """A cell of the register and its two spellings."""

    before: str
    zero: str
    one: str

    def to_json(self) -> dict[str, str]:
        """The example as plain values."""
        return {"before": self.before, "zero": self.zero, "one": self.one}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One carrier on one column, or (with `carrier` None) a column that no carrier fits, with the reason."""

    column: str
    kind: Kind
    carrier: str | None
    harm: Harm | None
    cells: int
    """Cells of the sample that hold a value."""
    slots: float
    """Share of all rows of the sample with a place for this mark."""
    symbols: int
    """Symbols that a copy of the whole register would carry."""
    groups_before: int
    groups_after: int
    examples: tuple[Example, ...] = field(repr=False)
    tolerance: str | None
    """The tolerance that was tried, for carriers that need one; the owner declares the real one."""
    reason_code: str
    """Why the column can never be marked, or why `acceptable` leaves the carrier out (a key of REASONS), or empty."""

    @property
    def reason(self) -> str:
        """The reason as a sentence; empty if `acceptable` takes it."""
        return REASONS.get(self.reason_code, "")

    @property
    def accepted(self) -> bool:
        """Whether `acceptable` takes it."""
        return self.carrier is not None and not self.reason_code

    def to_json(self) -> dict[str, object]:
        """The suggestion as plain values (docs/json.md)."""
        return {
            "column": self.column,
            "kind": self.kind.value,
            "carrier": self.carrier,
            "harm": None if self.harm is None else self.harm.value,
            "cells": self.cells,
            "slots": round(self.slots, 4),
            "symbols": self.symbols,
            "groups": {"before": self.groups_before, "after": self.groups_after},
            "examples": [example.to_json() for example in self.examples],
            "tolerance": self.tolerance,
            "accepted": self.accepted,
            "reason": self.reason_code or None,
            "why": self.reason or None,
        }


def suggest(
    register: Register, sample: Table, rows: int | None = None, joins: Set[str] = frozenset()
) -> tuple[Suggestion, ...]:
    """What each column of a register could carry, judged on a sample of its rows, in the order of its columns.

    `rows` are the rows of the whole register (default: those of the sample); `joins` are columns by which readers join
    it to other data: they are never taken by default.
    """
    rows = sample.rows if rows is None else rows
    found: list[Suggestion] = []
    for column in register.columns:
        if column.name not in sample.columns:
            continue
        cells = sample[column.name]
        never = "key" if column.name in register.key else _NEVER.get(column.kind, "")
        fitting = [] if never else _carriers(column, cells)
        tried = [_try(column, mark, cells, rows, column.name in joins) for mark in fitting]
        useful = [suggestion for suggestion in tried if suggestion.slots]
        found += useful or [_unmarkable(column, cells, never or "no-place")]
    return tuple(found)


def acceptable(register: Register, suggestions: Sequence[Suggestion]) -> dict[str, list[str]]:
    """The carriers that may be taken without a further question: column -> names, in the order of the register.

    A column of which nothing can be taken is not in it.
    """
    taken: dict[str, list[str]] = {}
    for column in register.columns:
        for suggestion in suggestions:
            if suggestion.column != column.name or suggestion.carrier is None or not suggestion.accepted:
                continue
            names = taken.get(column.name, [])
            if clash([*names, suggestion.carrier]) is None:
                taken[column.name] = [*names, suggestion.carrier]
    return taken


def _carriers(column: Column, cells: Cells) -> list[Carrier]:
    """The carriers that fit the kind of a column; those with a tolerance with one to try."""
    fitting = [mark for mark in CARRIERS.values() if column.kind in mark.kinds]
    trial = {"dither": _unit(cells), "time-jitter": _TRIAL_SECONDS}
    made = (carrier(name, trial[name]) for name in TOLERANCE_CARRIERS)
    return fitting + [mark for mark in made if column.kind in mark.kinds]


def _unit(cells: Cells) -> Decimal:
    """One of the last place that most numbers of a column have: the smallest change that could carry a bit."""
    places = sorted(len(cell.partition(".")[2]) for cell in cells[:1000] if cell and cell[-1:].isdigit())
    middle = min(places[len(places) // 2], 6) if places else 0
    return Decimal(1).scaleb(-middle)


def _try(column: Column, mark: Carrier, cells: Cells, rows: int, joined: bool) -> Suggestion:
    """Write one carrier into a sample of one column and look at the outcome."""
    examples: dict[str, Example] = {}
    before, after = set[str](), set[str]()
    filled = slots = 0
    for row, cell in enumerate(cells):
        if cell is None or not cell:
            continue
        filled += 1
        before.add(cell)
        forms = mark.forms(cell, row * _SPREAD & 0xFFFFFFFF)
        after.add(cell if forms is None else forms[(row * _SPREAD >> 20) & 1])
        if forms is not None:
            slots += 1
            if len(examples) < EXAMPLES:
                examples.setdefault(cell, Example(cell, *forms))
    share = slots / len(cells) if cells else 0.0
    tolerance = getattr(mark, "tolerance", None)
    return Suggestion(
        column=column.name,
        kind=column.kind,
        carrier=mark.name,
        harm=mark.harm,
        cells=filled,
        slots=share,
        symbols=round(share * rows),
        groups_before=len(before),
        groups_after=len(after),
        examples=tuple(examples.values()),
        tolerance=None if tolerance is None else str(tolerance),
        reason_code=_held_back(column, mark, share, filled, len(before), joined),
    )


def _held_back(column: Column, mark: Carrier, share: float, filled: int, groups: int, joined: bool) -> str:
    """The code of the first reason for which `acceptable` leaves a carrier out; empty where it takes it."""
    rules = (
        (mark.harm is not Harm.EQUIVALENT, "tolerance"),
        (mark.name in _ON_REQUEST, "on-request"),
        (joined, "join"),
        (share < LEAST_SLOTS, "few-slots"),
        (column.kind is Kind.CODE and groups >= SAME_DIGITS * filled, "identifier"),
        (groups <= FEW_VALUES and filled >= CELLS_A_VALUE * groups, "few-values"),
    )
    return next((code for holds, code in rules if holds), "")


def _unmarkable(column: Column, cells: Cells, code: str) -> Suggestion:
    filled = [cell for cell in cells if cell]
    groups = len(set(filled))
    return Suggestion(column.name, column.kind, None, None, len(filled), 0.0, 0, groups, groups, (), None, code)
