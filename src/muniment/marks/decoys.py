"""Decoys: fictitious records drawn from a register's own joint distributions, known to the keeper alone.

Rules
1. A decoy equals no real record, and nearly equals none: not the number, a telephone number, a mail address, a name with
   its birth date, a name with its address. It is asked before a decoy is used, and again at every refresh.
2. The owner of the register consents in writing: who, when, and to what. Without that there is no plan.
3. Decoys end. After the day of expiry none is written into a copy any more.
4. Whoever counts, serves or bills gets `exclusion`: the numbers alone, to leave out.
5. Which records are decoys is as secret as the mark key: plans are kept sealed, and no `repr` shows one.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from muniment.disclosure import Kind, Register
from muniment.errors import InputError, IntegrityError
from muniment.limits import PURPOSE_CHARACTERS
from muniment.marks.decoy_calendar import Row
from muniment.marks.decoy_coins import Coins, choose_ids
from muniment.marks.decoy_draw import Drawer, units_by_size
from muniment.marks.decoy_habits import learn
from muniment.table import Table

_ROUNDS = 30
"""How often colliding decoys are drawn again before the register is said to leave no room for them."""
_PLAN_VERSION = 1
DECOYS_AT_MOST = 100_000


@dataclass(frozen=True, slots=True)
class Consent:
    """The owner's written consent: who gave it, when, and the text that was agreed to."""

    owner: str
    given: datetime
    text: str

    def __post_init__(self) -> None:
        if not self.owner.strip() or not self.text.strip():
            raise InputError(
                "the consent to decoys names no owner or holds no text: expected who agreed, and to what",
                hint="write down who answers for the register and what was agreed, then plan the decoys again",
            )
        if len(self.text) > PURPOSE_CHARACTERS:
            raise InputError(f"the consent has {len(self.text):,} characters: expected at most {PURPOSE_CHARACTERS:,}")
        if self.given.tzinfo is None:
            raise InputError("the time of the consent has no time zone: expected one such as +00:00")


@dataclass(frozen=True, slots=True, repr=False)
class DecoyPlan:
    """The decoys of one register. `share` is the probability q that a recipient's copy holds a given decoy."""

    register: str
    key: tuple[str, ...]
    decoys: Table
    share: float
    expires: date
    consent: Consent

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise InputError(f"the share of copies that hold a decoy is {self.share}: expected more than 0 and less than 1")
        if len(set(self.exclusion())) != self.decoys.rows:
            raise InputError("two decoys have the same record number: expected a number of its own for each")

    def active(self, today: date) -> Table:
        """The decoys that may be written into a copy today: none once the plan has expired."""
        return self.decoys if today <= self.expires else self.decoys.take(())

    def exclusion(self) -> tuple[tuple[str, ...], ...]:
        """The record numbers that statistics, service and billing leave out; they stay out after expiry as well."""
        return tuple(tuple(cell or "" for cell in row) for row in self.decoys.select(self.key).iter_rows())

    def without(self, rows: Iterable[int]) -> DecoyPlan:
        """The plan without these decoys (row numbers), as after `recheck`."""
        gone = set(rows)
        kept = self.decoys.take([row for row in range(self.decoys.rows) if row not in gone])
        return DecoyPlan(self.register, self.key, kept, self.share, self.expires, self.consent)

    def to_json(self) -> str:
        """The plan for the sealed store. It is secret: never write it anywhere else."""
        consent = {"owner": self.consent.owner, "given": self.consent.given.isoformat(), "text": self.consent.text}
        value = {
            "version": _PLAN_VERSION, "register": self.register, "key": self.key, "columns": self.decoys.columns,
            "cells": self.decoys.cells, "share": self.share, "expires": self.expires.isoformat(), "consent": consent,
        }  # fmt: skip
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> DecoyPlan:
        """Read a plan back. Raises `IntegrityError` where the text is no plan of this version."""
        try:
            value = json.loads(text)
            if value["version"] != _PLAN_VERSION:
                raise ValueError(f"version {value['version']}")
            given = value["consent"]
            consent = Consent(given["owner"], datetime.fromisoformat(given["given"]), given["text"])
            decoys = Table(tuple(value["columns"]), tuple(value["cells"]))
            expires = date.fromisoformat(value["expires"])
            return cls(value["register"], tuple(value["key"]), decoys, float(value["share"]), expires, consent)
        except (KeyError, TypeError, ValueError, InputError) as error:
            raise IntegrityError(f"the decoy plan is not one of version {_PLAN_VERSION}") from error

    def __repr__(self) -> str:
        return f"DecoyPlan({self.decoys.rows} decoys)"


def draw_decoys(
    sample: Table,
    register: Register,
    count: int,
    *,
    key: bytes,
    reserved: Sequence[str],
    exists: Callable[[Table], list[bool]],
) -> Table:
    """Draw `count` fictitious records with the columns of `sample`; the same key and sample give the same ones.

    `sample` holds whole units (households) of the register, some thousands of records or all of them, at most 60,000.
    `reserved` are unissued numbers for the key column, check digits included; a keyed choice of them is used. `exists`
    says for each record of a table whether the register holds its like (`like_records` does it in one pass).

    Raises `InputError` where numbers are too few, the key has several columns, or no decoys can be found that are
    unlike all records.
    """
    if len(register.key) != 1:
        raise InputError(f"register {register.name!r} has a key of {len(register.key)} columns: expected one for decoys")
    if not 1 <= count <= DECOYS_AT_MOST:
        raise InputError(f"{count:,} decoys: expected 1 to {DECOYS_AT_MOST:,}")
    ids = choose_ids(reserved, count, key)
    habits = learn(sample, register)
    drawer, coins = Drawer(habits), Coins(key, "draw", register.name)
    units = [drawer.unit(number, coins) for number in _forms(units_by_size(habits), len(habits.units), count, coins)]
    for _ in range(_ROUNDS):
        table = _table(units, sample.columns, register.key[0], ids)
        known = exists(table)
        if len(known) != table.rows:
            raise ValueError(f"exists answered for {len(known)} records of {table.rows}")
        wrong = _colliding_units(units, known, like_records(table, register, [table], twice=True))
        if not wrong:
            return table
        for at in wrong:
            units[at] = drawer.unit(coins.pick(units_by_size(habits)[len(units[at])]), coins)
    raise InputError(
        f"after {_ROUNDS} rounds {len(wrong):,} households of decoys still resemble records: expected none",
        hint="draw fewer decoys, or take a larger sample of the register",
    )


def _forms(sizes: dict[int, list[int]] | object, units: int, count: int, coins: Coins) -> list[int]:
    """Units of the sample to lend their form, as they come, until `count` members are reached exactly."""
    assert isinstance(sizes, dict)
    size_of = {number: size for size, numbers in sizes.items() for number in numbers}
    chosen: list[int] = []
    left = count
    while left:
        number = coins.below(units)
        if size_of[number] > left:
            fitting = [size for size in sizes if size <= left]
            if not fitting:
                raise InputError("the sample holds no household small enough for the last decoys")
            number = coins.pick(sizes[max(fitting)])
        chosen.append(number)
        left -= size_of[number]
    return chosen


def _table(units: Sequence[Sequence[Row]], columns: Sequence[str], key: str, ids: Sequence[str]) -> Table:
    """The members of all units as a table, with their numbers."""
    rows = [row for unit in units for row in unit]
    cells = tuple([row[name] for row in rows] if name != key else list[str | None](ids) for name in columns)
    return Table(tuple(columns), cells)


def _colliding_units(units: Sequence[Sequence[Row]], known: Sequence[bool], inner: Sequence[bool]) -> list[int]:
    """The units of which a member is like a record, or like a member of another unit."""
    out, at = [], 0
    for number, unit in enumerate(units):
        if any(known[at : at + len(unit)]) or any(inner[at : at + len(unit)]):
            out.append(number)
        at += len(unit)
    return out


# --- likeness ----------------------------------------------------------------------------------------------------


def recheck(decoys: Table, register: Register, batches: Iterable[Table]) -> list[int]:
    """The row numbers of decoys that now resemble a real record: take them out of use before the next release.

    `batches` stream the register as it is now. A row that equals a decoy in all its columns is the decoy itself, lying
    in the live table, and does not count.
    """
    return [row for row, like in enumerate(like_records(decoys, register, batches)) if like]


def like_records(
    decoys: Table, register: Register, batches: Iterable[Table], *, twice: bool = False
) -> list[bool]:
    """For each decoy: whether a record in `batches` shares its number, a telephone number, a mail address, a name with
    the birth date, or a name with an address. With `twice`, `decoys` themselves are the batches, and units may share.
    """
    marks = Likeness(register, decoys.columns)
    rows = list(decoys.iter_rows())
    holders: dict[tuple[str, ...], list[int]] = {}
    for number, row in enumerate(rows):
        for trait in marks.traits(row, personal=twice):
            holders.setdefault(trait, []).append(number)
    like = [False] * len(rows)
    if twice:
        for members in holders.values():
            for number in members[1:]:
                like[number] = True
        return like
    own = set(rows)
    for batch in batches:
        for row in batch.select(decoys.columns).iter_rows():
            for trait in marks.traits(row):
                if trait in holders and row not in own:
                    for number in holders[trait]:
                        like[number] = True
    return like


class Likeness:
    """What of a record must not come back in a decoy, in normal form."""

    def __init__(self, register: Register, columns: Sequence[str]) -> None:
        kinds = [register.column(name).kind for name in columns]

        def of(*wanted: Kind) -> list[int]:
            return [at for at, kind in enumerate(kinds) if kind in wanted]

        self._key = [at for at, name in enumerate(columns) if name in register.key]
        self._names, self._dates = of(Kind.NAME), of(Kind.DATE)
        self._phones, self._mails, self._addresses = of(Kind.PHONE), of(Kind.EMAIL), of(Kind.ADDRESS)

    def traits(self, row: Sequence[str | None], *, personal: bool = False) -> set[tuple[str, ...]]:
        """The traits of a row; with `personal` without telephone numbers, which a household shares."""
        found: set[tuple[str, ...]] = {("key", *(row[at] or "" for at in self._key))}
        if not personal:
            for at in self._phones:
                digits = re.sub(r"\D", "", row[at] or "")
                if len(digits) >= 6:
                    found.add(("phone", digits))
        found |= {("mail", (row[at] or "").casefold()) for at in self._mails if row[at]}
        names = "|".join(row[at] or "" for at in self._names)
        for label, columns in (("born", self._dates), ("lives", self._addresses)):
            rest = "|".join(_plain(row[at] or "") for at in columns)
            if names.strip("|") and rest.strip("|"):
                found.add((label, _plain(names), rest))
        return found


def _plain(text: str) -> str:
    """Letters and digits in one case."""
    return re.sub(r"[^\w|]|_", "", text).casefold()


def summary(plan: DecoyPlan, today: date) -> str:
    """One line about a plan that gives no decoy away."""
    state = "in force" if today <= plan.expires else "expired"
    shared = Counter(plan.decoys.columns)
    return f"{plan.decoys.rows:,} decoys in {len(shared)} columns, share {plan.share}, {state} ({plan.expires})"
