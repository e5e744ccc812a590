"""Drawing decoys: fictitious records from a register's own joint distributions, with the keeper's reserved numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate

from muniment.disclosure import Register
from muniment.errors import InputError
from muniment.limits import DECOYS
from muniment.marks.decoys.calendar import Row
from muniment.marks.decoys.coins import Coins, choose_ids
from muniment.marks.decoys.habits import learn
from muniment.marks.decoys.likeness import like_each_other
from muniment.marks.decoys.units import Drawer
from muniment.table import Table

_ROUNDS = 30
"""How often colliding decoys are drawn again before the register is said to leave no room for them."""


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

    `sample` holds whole units (households) of the register, some thousands of records or all of them, at most
    `limits.DECOY_SAMPLE_ROWS`.
    `reserved` are unissued numbers for the key column, check digits included; a keyed choice of them is used. `exists`
    says for each record of a table whether the register holds its like (`like_records` does it in one pass).

    Raises `InputError` where numbers are too few, the key has several columns, or no decoys can be found that are
    unlike all records.
    """
    if len(register.key) != 1:
        raise InputError(f"the key of {register.name!r} has {len(register.key)} columns: expected one, for decoys")
    if not 1 <= count <= DECOYS:
        raise InputError(f"{count:,} decoys: expected 1 to {DECOYS:,}")
    ids = choose_ids(reserved, count, key)
    habits = learn(sample, register)
    sizes = habits.by_size()
    drawer, coins = Drawer(habits), Coins(key, "draw", register.name)
    units = [drawer.unit(number, coins) for number in _forms(habits.units, sizes, count, coins)]
    wrong: list[int] = []
    for _ in range(_ROUNDS):
        table = _table(units, sample.columns, register.key[0], ids)
        known = exists(table)
        if len(known) != table.rows:
            raise ValueError(f"exists answered for {len(known)} records of {table.rows}")
        wrong = _with_members(units, [a or b for a, b in zip(known, like_each_other(table, register), strict=True)])
        if not wrong:
            return table
        for at in wrong:
            units[at] = drawer.unit(coins.pick(sizes[len(units[at])]), coins)
    raise InputError(
        f"after {_ROUNDS} rounds {len(wrong):,} households of decoys still resemble records: expected none",
        hint="draw fewer decoys, or take a larger sample of the register",
    )


def _forms(
    units: Sequence[Sequence[int]], sizes: Mapping[int, Sequence[int]], count: int, coins: Coins
) -> list[int]:
    """The units of the sample that lend their form, drawn as they come, until they have `count` members exactly."""
    chosen: list[int] = []
    left = count
    while left:
        number = coins.below(len(units))
        if len(units[number]) > left:
            fitting = [size for size in sizes if size <= left]
            if not fitting:
                raise InputError("the sample holds no household small enough for the last decoys: expected some of one")
            number = coins.pick(sizes[max(fitting)])
        chosen.append(number)
        left -= len(units[number])
    return chosen


def _table(units: Sequence[Sequence[Row]], columns: Sequence[str], key: str, ids: Sequence[str]) -> Table:
    """The members of all units as a table, with their numbers."""
    rows = [row for unit in units for row in unit]
    cells = tuple([row[name] for row in rows] if name != key else list[str | None](ids) for name in columns)
    return Table(tuple(columns), cells)


def _with_members(units: Sequence[Sequence[Row]], wrong: Sequence[bool]) -> list[int]:
    """The units that have a member among the `wrong` rows."""
    ends = list(accumulate(len(unit) for unit in units))
    return [at for at, (end, unit) in enumerate(zip(ends, units, strict=True)) if any(wrong[end - len(unit) : end])]
