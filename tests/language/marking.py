"""A small register of addresses and amounts, and the marks on it: plans, prepared batches, copies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import numpy as np

from muniment.disclosure import Column, Kind, Register, canonical_keys
from muniment.marks.codebook import Codebook
from muniment.marks.plan import Plan, make_plan
from muniment.marks.write import CellMarker, Prepared
from muniment.table import Table

REGISTER = Register(
    "persons",
    "persons.csv",
    ("id",),
    (
        Column("id", Kind.CODE, 1),
        Column("name", Kind.NAME, 2),
        Column("address", Kind.ADDRESS, 3),
        Column("salary", Kind.NUMBER, 4),
        Column("town", Kind.PLACE, 5),
    ),
    coalition=10,
)
TOLERANCES = {"salary": Decimal(50)}
STREETS = ("12 Mill Road", "3 Second Street", "Rose Cottage", "7 Black and White Avenue", None, "1 High St")


def book(key: bytes = b"k" * 16) -> Codebook:
    return Codebook(key, REGISTER.name)


def plan_of(
    allowed: Mapping[str, Sequence[str]] | None = None, structural: Sequence[str] = (), **options: float
) -> Plan:
    """Three families on two columns, unless others are asked for."""
    chosen = {"address": ["street-type", "ordinals"], "salary": ["dither"]} if allowed is None else allowed
    return make_plan(REGISTER, chosen, TOLERANCES, structural, **options)


def people(rows: int) -> Table:
    """Rows with places for marks, without, and with NULLs."""
    numbers = range(rows)
    return Table(
        tuple(column.name for column in REGISTER.columns),
        (
            [f"P{number:05}" for number in numbers],
            [f"Person {number}" for number in numbers],
            [STREETS[number % len(STREETS)] for number in numbers],
            [None if number % 7 == 6 else str(20_000 + 37 * number) for number in numbers],
            ["Ashby"] * rows,
        ),
    )


def records_of(table: Table, codebook: Codebook) -> np.ndarray:
    return codebook.records(canonical_keys([[cell or "" for cell in table["id"]]]))


def prepared(table: Table, plan: Plan, codebook: Codebook | None = None) -> Prepared:
    codebook = codebook or book()
    return CellMarker(codebook, plan).prepare(table, records_of(table, codebook))


def copies(table: Table, plan: Plan, recipients: Sequence[int], codebook: Codebook | None = None) -> list[Table]:
    codebook = codebook or book()
    marker = CellMarker(codebook, plan)
    return marker.write(marker.prepare(table, records_of(table, codebook)), recipients)
