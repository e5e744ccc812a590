"""Which families of marks a register has: a carrier on a column, with its law, checked against what can be marked.

Rules
1. Nothing is allowed by default. A family exists because the owner wrote the carrier into muniment.toml.
2. A record key, a name and a place are never markable: another form there is another value.
3. A family's law and tolerance are logged before its first copy and never change under one mark key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from muniment.disclosure import Column, Harm, Register
from muniment.errors import InputError
from muniment.marks.carriers import CARRIERS, TOLERANCE_CARRIERS, carrier, clash
from muniment.marks.carriers.protocol import Carrier
from muniment.marks.laws import Law, constant, law_for

OMISSION, ORDER, DECOY = "omission", "order", "decoy"
STRUCTURAL_NUMBERS: Mapping[str, int] = {ORDER: 40, OMISSION: 41, DECOY: 42}
"""Carrier numbers of marks that are rows, not cells; their addresses have column number 0."""
OMISSION_SHARE = 0.02
"""Share of rows left out of a copy: fifty rows in 2,500, below what a recipient's counts would show."""


@dataclass(frozen=True, slots=True)
class Family:
    """The symbols of one cell carrier on one column."""

    column: Column
    carrier: Carrier
    law: Law
    tolerance: Decimal | None = None

    @property
    def key(self) -> tuple[str, str]:
        """(carrier name, column name), as reports show it."""
        return self.carrier.name, self.column.name


@dataclass(frozen=True, slots=True)
class StructuralFamily:
    """The symbols of one structural carrier: rows left out, their order, or decoys."""

    name: str
    law: Law

    @property
    def number(self) -> int:
        """The carrier number in addresses."""
        return STRUCTURAL_NUMBERS[self.name]

    @property
    def key(self) -> tuple[str, str]:
        """(carrier name, "rows"), as reports show it."""
        return self.name, "rows"


@dataclass(frozen=True, slots=True)
class Plan:
    """All families of a register, cell families first; the index in `keys` is the family number of a symbol."""

    cells: tuple[Family, ...]
    structural: tuple[StructuralFamily, ...] = ()

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        """(carrier, column) of every family, in the order of family numbers."""
        return (*(family.key for family in self.cells), *(family.key for family in self.structural))

    def on(self, column: str) -> tuple[Family, ...]:
        """The cell families of one column, in the order in which they are written."""
        return tuple(family for family in self.cells if family.column.name == column)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns with at least one cell family, in order."""
        return tuple(dict.fromkeys(family.column.name for family in self.cells))

    def structure(self, name: str) -> StructuralFamily | None:
        """The structural family of that name, if the owner allowed it."""
        return next((family for family in self.structural if family.name == name), None)


def make_plan(
    register: Register,
    allowed: Mapping[str, Sequence[str]],
    tolerances: Mapping[str, Decimal],
    structural: Sequence[str] = (),
    decoy_share: float = 0.05,
) -> Plan:
    """The plan of a register from what its owner allowed: column -> carrier names.

    Raises:
        InputError: an unknown carrier or column, a column that is never markable, a carrier that does not fit the
            column's kind, or a tolerance carrier without a tolerance.
    """
    cells = [
        _family(register, register.column(column), name, tolerances.get(column))
        for column, names in allowed.items()
        for name in names
    ]
    _refuse_clashes(allowed)
    laws = {OMISSION: constant(OMISSION_SHARE), ORDER: law_for(register.coalition), DECOY: constant(decoy_share)}
    unknown = sorted(set(structural) - set(laws))
    if unknown:
        raise InputError(f"unknown structural carrier {unknown[0]!r}: expected one of {', '.join(sorted(laws))}")
    return Plan(tuple(cells), tuple(StructuralFamily(name, laws[name]) for name in structural))


def _refuse_clashes(allowed: Mapping[str, Sequence[str]]) -> None:
    for column, names in allowed.items():
        pair = clash(names)
        if pair:
            raise InputError(
                f"column {column!r}: {pair[0]} and {pair[1]} cannot share a column: each writes what the other reads"
            )


def _family(register: Register, column: Column, name: str, tolerance: Decimal | None) -> Family:
    known = sorted({*CARRIERS, *TOLERANCE_CARRIERS})
    if name not in known:
        raise InputError(f"unknown carrier {name!r} on column {column.name!r}; known: {', '.join(known)}")
    if column.name in register.key:
        raise InputError(f"column {column.name!r} is part of the record key: a key is never marked")
    if name in TOLERANCE_CARRIERS and tolerance is None:
        raise InputError(
            f"carrier {name!r} on column {column.name!r} needs a tolerance",
            hint=f'add tolerance = "..." under [registers.{register.name}.columns.{column.name}] in muniment.toml',
        )
    made = carrier(name, tolerance)
    if column.kind not in made.kinds:
        kinds = ", ".join(sorted(made.kinds))
        raise InputError(
            f"carrier {name!r} does not fit column {column.name!r} of kind {column.kind}: it takes {kinds}"
        )
    return Family(column, made, law_for(register.coalition), tolerance if made.harm is Harm.TOLERANCE else None)
