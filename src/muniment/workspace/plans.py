"""From what the owner allowed, and what was logged, to the families of marks of a register."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from muniment.disclosure import Register
from muniment.errors import InputError
from muniment.ledger.families import LoggedFamily, logged_families
from muniment.ledger.journal import Head
from muniment.marks.carriers import carrier
from muniment.marks.laws import law_named
from muniment.marks.plan import STRUCTURAL_NUMBERS, Family, Plan, StructuralFamily, make_plan
from muniment.workspace.parts import Parts


def allowed_plan(parts: Parts, register: Register, decoy_share: float | None) -> Plan:
    """The plan by which the next copy is marked: what stands in muniment.toml now.

    Raises:
        InputError: nothing is allowed, or something that does not fit its column.
    """
    settings = parts.config.register(register.name)
    allowed = {column.name: column.carriers for column in settings.columns if column.carriers}
    tolerances = {column.name: Decimal(column.tolerance) for column in settings.columns if column.tolerance is not None}
    structural = [name for name in settings.structural if name != "decoy" or decoy_share is not None]
    plan = make_plan(register, allowed, tolerances, structural, decoy_share or 0.05)
    if not plan.keys:
        raise InputError(
            f"register {register.name!r}: no carrier is allowed on any column, so a copy could not be traced",
            hint=f"muniment register suggest {register.name}",
        )
    return plan


def to_log(plan: Plan, register: Register, mark_key: str) -> list[LoggedFamily]:
    """The families of a plan as they are logged before the first copy."""
    cells = [
        LoggedFamily(
            mark_key,
            register.name,
            f.carrier.name,
            f.column.name,
            f.law.name,
            None if f.tolerance is None else str(f.tolerance),
        )
        for f in plan.cells
    ]
    return cells + [LoggedFamily(mark_key, register.name, f.name, "", f.law.name) for f in plan.structural]


def logged_plan(parts: Parts, register: Register, mark_key: str, before: Head) -> Plan:
    """The plan by which copies under a mark key were marked: what was logged up to a head."""
    logged = logged_families(parts.journal, register.name, mark_key, before)
    return Plan(_cells(register, logged), _structural(logged))


def _cells(register: Register, logged: Sequence[LoggedFamily]) -> tuple[Family, ...]:
    known = {column.name: column for column in register.columns}
    families = []
    for family in logged:
        if family.column in known:
            tolerance = None if family.tolerance is None else Decimal(family.tolerance)
            made = carrier(family.carrier, tolerance)
            families.append(Family(known[family.column], made, law_named(family.law), tolerance))
    return tuple(families)


def _structural(logged: Sequence[LoggedFamily]) -> tuple[StructuralFamily, ...]:
    return tuple(
        StructuralFamily(family.carrier, law_named(family.law))
        for family in logged
        if family.carrier in STRUCTURAL_NUMBERS
    )
