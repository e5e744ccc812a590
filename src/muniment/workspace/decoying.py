"""The decoys of a workspace: plans drawn with the owner's consent, kept sealed, checked again before every release."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from muniment.disclosure import Register
from muniment.durable import storage_faults
from muniment.engine.duck import matching_rows
from muniment.errors import InputError
from muniment.ledger.declarations import registers
from muniment.marks.decoys import Consent, DecoyPlan, draw_decoys, like_records, recheck
from muniment.prf import cmac64_many, hkdf
from muniment.sealed import read_sealed, write_sealed
from muniment.table import Table
from muniment.workspace.parts import Parts

SAMPLE_ROWS = 60_000
"""Rows of the register from which the habits of its records are learned."""
_PURPOSE = "muniment decoys 1"


@dataclass(frozen=True, slots=True)
class DecoyOrder:
    """Decoys as asked for: how many, from which reserved numbers, for how long, and who agreed."""

    register: str
    count: int
    reserved: tuple[str, ...]
    share: float
    expires: date
    consent: Consent


@dataclass(frozen=True, slots=True, repr=False)
class DecoyRows:
    """The decoys that may stand in the next copies, and the row before which each of them stands."""

    table: Table
    places: tuple[int, ...]
    share: float


def plan_decoys(parts: Parts, order: DecoyOrder) -> DecoyPlan:
    """Draw decoys, keep the plan sealed and log that there is one; raises `InputError` as `draw_decoys`."""
    register = parts.register(order.register)
    source = parts.source(register)
    columns = tuple(column.name for column in register.columns)
    sample = _sample(source.batches(columns), columns)
    number = len(_plan_files(parts, register))
    table = draw_decoys(
        sample,
        register,
        order.count,
        key=hkdf(parts.ring.all("mark")[0].secret, "muniment decoys 1", register.name, str(number)),
        reserved=_unused(parts, register, order.reserved),
        exists=lambda drawn: like_records(drawn, register, source.batches(columns)),
    )
    plan = DecoyPlan(register.name, register.key, table, order.share, order.expires, order.consent)
    path = parts.decoy_folder / f"{_number(parts, register):04}-{number:04}.bin"
    with storage_faults(path.parent, "make the folder"):
        path.parent.mkdir(mode=0o700, exist_ok=True)
    write_sealed(path, parts.ring.all("segment")[0].secret, [plan.to_json().encode()], _PURPOSE)
    body = {
        "register": register.name,
        "decoys": table.rows,
        "share": order.share,
        "expires": order.expires.isoformat(),
        "owner": order.consent.owner,
    }
    parts.journal.append("decoys", body, parts.clock())
    return plan


def _unused(parts: Parts, register: Register, reserved: Sequence[str]) -> tuple[str, ...]:
    """The reserved numbers that no decoy of an earlier plan has: two decoys of one number would be one address."""
    used = {cell for plan in plans(parts, register) for key in plan.exclusion() for cell in key}
    return tuple(number for number in reserved if number not in used)


def plans(parts: Parts, register: Register) -> list[DecoyPlan]:
    """Every plan ever made for a register, expired ones too: old copies hold their decoys."""
    key = parts.ring.all("segment")[0].secret
    return [DecoyPlan.from_json(read_sealed(path, key, _PURPOSE).decode()) for path in _plan_files(parts, register)]


def all_decoys(parts: Parts, register: Register) -> Table | None:
    """The decoys of all plans as one table; `None` where there is none."""
    tables = [plan.decoys for plan in plans(parts, register)]
    if not tables:
        return None
    columns = tables[-1].columns
    return Table(columns, tuple([cell for table in tables for cell in table[name]] for name in columns))


def decoy_rows(parts: Parts, register: Register, where: str | None) -> DecoyRows | None:
    """The decoys that the next copies of a query may hold: not expired, unlike every record of today, and selected.

    A condition that only the source's own SQL understands leaves decoys out: they would be told by their presence.
    """
    today = parts.clock().date()
    active = [plan for plan in plans(parts, register) if plan.expires >= today and plan.decoys.rows]
    if not active or "decoy" not in parts.config.register(register.name).structural:
        return None
    source = parts.source(register)
    columns = tuple(column.name for column in register.columns)
    table = active[-1].decoys.select(columns)
    wrong = set(recheck(table, register, source.batches(columns)))
    chosen = [row for row in _selected(table, where) if row not in wrong]
    rows = sum(batch.rows for batch in source.batches(register.key, where))
    places = _places(parts, register, len(chosen), rows)
    return DecoyRows(table.take(chosen), places, active[-1].share) if chosen else None


def _selected(table: Table, where: str | None) -> Sequence[int]:
    try:
        return range(table.rows) if where is None else matching_rows(table, where)
    except InputError:
        return ()


def _places(parts: Parts, register: Register, count: int, rows: int) -> tuple[int, ...]:
    """Keyed places among the rows of a query, ascending."""
    key = hkdf(parts.ring.all("mark")[0].secret, "muniment decoy places 1", register.name)
    drawn = cmac64_many(key, [f"{rows} {number}".encode() for number in range(count)])
    return tuple(sorted(int(place) % max(rows, 1) for place in drawn.tolist()))


def _sample(batches: Iterator[Table], columns: Sequence[str]) -> Table:
    parts: list[Table] = []
    rows = 0
    for batch in batches:
        parts.append(batch)
        rows += batch.rows
        if rows >= SAMPLE_ROWS:
            break
    whole = Table(tuple(columns), tuple([cell for part in parts for cell in part[name]] for name in columns))
    return whole.take(range(min(whole.rows, SAMPLE_ROWS)))


def _number(parts: Parts, register: Register) -> int:
    return list(registers(parts.journal)).index(register.name)


def _plan_files(parts: Parts, register: Register) -> list[Path]:
    return sorted(parts.decoy_folder.glob(f"{_number(parts, register):04}-*.bin"))
